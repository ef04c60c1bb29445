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
  const key = { account: account.code, requestId: request.requestId, carrier: request.carrier };
  if (request.to.sealed && !kind.capabilities.sealedAddress) throw new PartnerRefused(422, `the platform has sealed the receiver's address, and ${kind.name} cannot read it: it needs the platform's waybill service`);
  // Carried without it, the goods would be handed over and nothing collected.
  if (request.cashOnDelivery && !kind.capabilities.cashOnDelivery) throw new PartnerRefused(422, `${kind.name} collects no cash on delivery`);
  if (!connector.createWaybill) throw new PartnerRefused(0, `${account.code} gives no waybills`);
  const orderId = uuidOf('ord', of.orderId);
  const { draft, askedAs } = await askWaybill(deps.writer.pool, key, orderId, deps.writer.clock());
  let kept = draft;
  const issued = await connector.createWaybill({ ...request, requestId: askedAs }, { kept, keep: async (text) => (kept = await keepDraft(deps.writer.pool, key, text)) });
  const later = !issued.label && fetchesLabel(session);
  // A label that came with its number is kept with it: it cannot be asked for by itself, and once the number stands nobody asks for that again.
  await deps.writer.change(async (tx) => {
    await waybillIssued(tx, key, issued.waybillNo, later || issued.label ? 'due' : 'none');
    if (issued.label) await storeLabel(tx, deps.vault, key, issued.label);
  });
  const stands = of.fulfillment ? await recordWaybill(deps.writer, uuidOf('ful', request.requestId), request.carrier, issued.waybillNo) : issued.waybillNo;
  if (later) await fetchLabel(deps, session, key, { askedAs, waybillNo: issued.waybillNo, draft: kept });
  return stands;
}
