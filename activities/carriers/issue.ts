import type { WaybillRequest } from '../../carriers/carrier.ts';
import { recordWaybill } from '../../db/fulfillment/release.ts';
import { askWaybill, keepDraft, storeLabel, waybillIssued } from '../../db/carriers/waybills.ts';
import { PartnerRefused } from '../../domain/http-port.ts';
import { uuidOf } from '../deps.ts';
import { fetchesLabel, fetchLabel } from './labels.ts';
import type { CarrierDeps, CarrierSession } from './session.ts';

/**
 * A waybill for a fulfillment order or a return, one however often it is asked for: that it is asked for is written before, what came is written after, its label is fetched and kept.
 * `fulfillment`: false for a return. Returns the number that stands.
 */
export async function issueWaybill(deps: CarrierDeps, session: CarrierSession, request: WaybillRequest & { carrier: string }, of: { orderId: string; fulfillment: boolean }): Promise<string> {
  const { account, kind, connector } = session;
  const key = { account: account.code, requestId: request.requestId };
  if (request.to.sealed && !kind.capabilities.sealedAddress) throw new PartnerRefused(422, `the platform has sealed the receiver's address, and ${kind.name} cannot read it: it needs the platform's waybill service`);
  if (!connector.createWaybill) throw new PartnerRefused(0, `${account.code} gives no waybills`);
  const orderId = uuidOf('ord', of.orderId);
  const { draft } = await askWaybill(deps.writer.pool, key, { carrier: request.carrier, orderId }, deps.writer.clock());
  let kept = draft;
  const issued = await connector.createWaybill(request, { kept, keep: async (text) => (kept = await keepDraft(deps.writer.pool, key, text)) });
  const later = !issued.label && fetchesLabel(session);
  await deps.writer.change((tx) => waybillIssued(tx, key, issued.waybillNo, later || issued.label ? 'due' : 'none'));
  const stands = of.fulfillment ? await recordWaybill(deps.writer, uuidOf('ful', request.requestId), issued.waybillNo) : issued.waybillNo;
  if (issued.label) await storeLabel(deps.writer, deps.vault, key, issued.label);
  else if (later) await fetchLabel(deps, session, key, { carrier: request.carrier, waybillNo: issued.waybillNo, draft: kept });
  return stands;
}
