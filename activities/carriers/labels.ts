import type { CarrierSession } from './session.ts';
import type { CarrierDeps } from './session.ts';
import { labelRefused, storeLabel, waybillPostponed, type WaybillKey } from '../../db/carriers/waybills.ts';
import { PartnerRefused, PartnerUnavailable, pauseMs } from '../../domain/http-port.ts';

/** Whether a carrier's own label has to be fetched after its number. */
export const fetchesLabel = ({ kind: { capabilities }, connector }: CarrierSession): boolean => (capabilities.label === 'pdf' || capabilities.label === 'print_data') && connector.label !== undefined;

/** Fetches a waybill's label and keeps it. A label that does not come now is fetched later: the parcel need not wait for it here. */
export async function fetchLabel(deps: CarrierDeps, session: CarrierSession, key: WaybillKey, { askedAs, ...of }: { askedAs: string; waybillNo: string; draft: string | null }): Promise<void> {
  try {
    const label = await session.connector.label?.({ requestId: askedAs, carrier: key.carrier, ...of });
    if (label) await deps.writer.change((tx) => storeLabel(tx, deps.vault, key, label));
  } catch (error) {
    if (error instanceof PartnerRefused && !error.account) await labelRefused(deps.writer.pool, key, error.message);
    else if (error instanceof PartnerRefused || error instanceof PartnerUnavailable) await waybillPostponed(deps.writer.pool, key, error.message, deps.writer.clock(), pauseMs(error));
    else throw error;
  }
}
