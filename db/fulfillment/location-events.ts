import { createHash } from 'node:crypto';
import { Problem } from '../../domain/problem.ts';
import { decodeId, encodeId } from '../../domain/ids.ts';
import { AT_LOCATION, LEFT, VOID } from '../../domain/order/status.ts';
import { canonical } from '../capture/prepare.ts';
import { isDisputed, takeDisputed } from '../orders/dispute.ts';
import { lockOrder, readFulfillments, refreshStatus, type FulfillmentOrder, type Order } from '../orders/order.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import { pickupReady } from '../pickup/due.ts';
import { issueGoods } from './issue-goods.ts';
import { rejectFulfillment, type RejectReason } from './reject.ts';
import { shortPick } from './short-pick.ts';
import type { ParcelNews } from './write-parcel.ts';

export type LocationEvent = { eventId: string; fulfillmentOrderId: string; occurredAt: string } & (
  | { type: 'accepted'; partnerRef?: string }
  | { type: 'rejected'; reason: Exclude<RejectReason, 'silent' | 'unreachable' | 'refused'> }
  | { type: 'short_picked'; lines: { lineNo: number; quantity: number }[] }
  | { type: 'packed'; parcels: { parcelNo: number; weightG?: number; lines: { lineNo: number; quantity: number }[] }[] }
  | { type: 'goods_issue'; parcels: ParcelNews[] });
export type LocationAnswer = { ok: true; handOver?: 'allowed' };

/**
 * What a location tells us, once each: a repeated event gets the stored answer, an event too late for the state is refused with
 * `conflict` and changes nothing. `goods_issue` is a question: only the answer `allowed` lets the parcels leave.
 */
export async function applyLocationEvent(writer: StockWriter, locationId: number, source: string, event: LocationEvent): Promise<LocationAnswer> {
  const id = decodeId('ful', event.fulfillmentOrderId);
  if (!id) throw new Problem('not_found', `fulfillment order "${event.fulfillmentOrderId}" does not exist`, '/fulfillmentOrderId');
  const hash = createHash('sha256').update(canonical(event)).digest().subarray(0, 16);
  const answer = await writer.change(async (tx): Promise<LocationAnswer | 'disputed'> => {
    const known = await claim(tx, source, event.eventId, hash);
    if (known) return known;
    const found = await tx.one<{ order_id: string; location_id: number }>('select order_id, location_id from fulfillment_orders where id = $1', [id]);
    // Another location's order is as unknown as none: existence is not told.
    if (!found || found.location_id !== locationId) throw new Problem('not_found', `fulfillment order "${event.fulfillmentOrderId}" does not exist`, '/fulfillmentOrderId');
    const order = await lockOrder(tx, found.order_id);
    const f = (await readFulfillments(tx.client, order.id)).find((x) => x.id === id) as FulfillmentOrder;
    if (event.type === 'goods_issue' && AT_LOCATION.has(f.status) && await isDisputed(tx, order)) {
      // It says nothing more of goods that it was told to keep: they are planned anew, if they are to leave after all.
      await takeDisputed(tx, order, f);
      await refreshStatus(tx, order, source);
      await tx.query('delete from partner_events where source = $1 and event_id = $2', [source, event.eventId]);
      return 'disputed';
    }
    const done = await apply(tx, order, f, event, source);
    await refreshStatus(tx, order, source);
    await tx.query('update partner_events set status = 200, response = $3 where source = $1 and event_id = $2', [source, event.eventId, JSON.stringify(done)]);
    return done;
  });
  if (answer === 'disputed') throw new Problem('handover_blocked', 'a refund is asked for on the platform and not decided yet: keep the goods', null, { fulfillmentOrderId: event.fulfillmentOrderId });
  return answer;
}

async function claim(tx: Tx, source: string, eventId: string, hash: Buffer): Promise<LocationAnswer | null> {
  const fresh = await tx.query(
    `insert into partner_events (source, event_id, body_hash, status, response) values ($1, $2, $3, 0, '{}') on conflict do nothing returning 1`, [source, eventId, hash]);
  if (fresh.length > 0) return null;
  const row = await tx.one<{ body_hash: Buffer; response: LocationAnswer }>('select body_hash, response from partner_events where source = $1 and event_id = $2', [source, eventId]);
  if (!row) throw new Problem('unavailable', 'this event is being worked on; send it again');
  if (!row.body_hash.equals(hash)) throw new Problem('duplicate_with_other_body', 'this eventId was used before for another event', '/eventId');
  return row.response;
}

async function apply(tx: Tx, order: Order, f: FulfillmentOrder, event: LocationEvent, source: string): Promise<LocationAnswer> {
  if (event.type === 'goods_issue') {
    if (VOID.has(f.status)) throw new Problem('handover_blocked', 'a refund or cancellation stands, or another location ships this: keep the goods', null, { fulfillmentOrderId: event.fulfillmentOrderId });
    if (LEFT.has(f.status)) throw new Problem('conflict', 'the goods of this fulfillment order have left before', '/type');
    if (order.way !== 'ship') throw new Problem('conflict', 'the customer fetches it: hand it out against the code (POST …/hand-out)', '/type');
    await issueGoods(tx, order, f, event.parcels, source);
    return { ok: true, handOver: 'allowed' };
  }
  if (!AT_LOCATION.has(f.status)) throw new Problem('conflict', `the fulfillment order is ${f.status}: "${event.type}" comes too late`, '/type');
  const name = { fulfillmentOrder: encodeId('ful', f.id) };
  switch (event.type) {
    case 'accepted':
      if (f.status === 'accepted' || f.status === 'packed') return { ok: true };
      await tx.query(`update fulfillment_orders set status = 'accepted', accepted_at = $2, partner_ref = coalesce($3, partner_ref) where id = $1`, [f.id, tx.now, event.partnerRef ?? null]);
      await tx.event(order.id, 'fulfillment.accepted', source, name);
      return { ok: true };
    case 'rejected':
      await rejectFulfillment(tx, order, f, event.reason, source);
      return { ok: true };
    case 'short_picked':
      await shortPick(tx, order, f, event.lines, source);
      return { ok: true };
    case 'packed':
      await tx.query(`update fulfillment_orders set status = 'packed', packed_at = $2, accepted_at = coalesce(accepted_at, $2) where id = $1`, [f.id, tx.now]);
      await tx.event(order.id, 'fulfillment.packed', source, { ...name, parcels: event.parcels.length });
      await pickupReady(tx, order, f.id, source);
      return { ok: true };
  }
}
