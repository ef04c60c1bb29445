import { encodeId } from '../../domain/ids.ts';
import { advance, WAKING, type Milestone, type TrackingStatus } from '../../domain/order/milestone.ts';
import { withoutPeople } from '../../domain/order/redact.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import { exceptionsByNews } from '../carriers/exceptions.ts';
import { tellMilestone } from '../carriers/milestone-messages.ts';
import { parcelLost } from '../claims/lose-parcel.ts';
import { lookAtPromise } from '../promise/look.ts';
import { lockOrder, refreshStatus, type Order } from '../orders/order.ts';
import { settleRequest } from '../orders/settle-request.ts';
import { wakeReturn } from '../returns/returns.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import { settleFulfillments } from './settle-fulfillment.ts';

/** `source`: the teller's own word for `status`; `endsReturn`: it was signed for, so that a parcel which had turned round has come back; `carrier`: where a tracker tells of another's parcels. */
export type TrackingNews = {
  eventId: string; waybillNo: string; status: TrackingStatus; description?: string; city?: string; occurredAt: string; source?: string; endsReturn?: boolean; carrier?: string;
};
export type TrackingAnswer = { accepted: number; duplicates: number; unknown: number };

/**
 * Takes carrier news: each event once, in any order. Waybills that are not ours are counted and kept apart, not refused. `tracker`: the account that tells of this carrier's parcels, where it is not
 * the carrier itself: its events have names of their own.
 */
export async function trackParcels(writer: StockWriter, carrier: string, news: readonly TrackingNews[], tracker: string | null = null): Promise<TrackingAnswer> {
  const known = await writer.pool.query<{ waybill_no: string; order_id: string }>(
    'select waybill_no, order_id from parcels where carrier = $1 and waybill_no = any($2::text[])', [carrier, [...new Set(news.map((n) => n.waybillNo))]]);
  const orderOf = new Map(known.rows.map((r) => [r.waybill_no, r.order_id]));
  const answer: TrackingAnswer = { accepted: 0, duplicates: 0, unknown: 0 };
  const byOrder = new Map<string | null, TrackingNews[]>();
  for (const n of news) {
    const key = orderOf.get(n.waybillNo) ?? null;
    byOrder.set(key, [...(byOrder.get(key) ?? []), n]);
  }
  for (const [orderId, mine] of byOrder) {
    await writer.change(async (tx) => {
      const order = orderId === null ? null : await lockOrder(tx, orderId);
      const counts = { accepted: 0, duplicates: 0, unknown: 0 };
      const fresh: TrackingNews[] = [];
      for (const n of mine) {
        const written = await tx.query(
          `insert into tracking_events (carrier, event_id, waybill_no, status, description, city, occurred_at, source_status, told_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
           on conflict do nothing returning 1`,
          [carrier, tracker === null ? n.eventId : `${tracker}:${n.eventId}`, n.waybillNo, n.status, n.description === undefined ? null : withoutPeople(n.description, n.waybillNo), n.city ?? null, n.occurredAt, n.source ?? null, tracker]);
        if (written.length === 0) counts.duplicates++;
        else if (!order) counts.unknown++;
        else {
          counts.accepted++;
          fresh.push(n);
        }
      }
      if (order && fresh.length > 0) await moveParcels(tx, order, carrier, fresh, `carrier:${tracker ?? carrier}`);
      return counts;
    }).then((c) => { answer.accepted += c.accepted; answer.duplicates += c.duplicates; answer.unknown += c.unknown; });
  }
  return answer;
}

async function moveParcels(tx: Tx, order: Order, carrier: string, fresh: readonly TrackingNews[], actor: string): Promise<void> {
  let wake = false;
  for (const waybill of [...new Set(fresh.map((n) => n.waybillNo))]) {
    const parcel = await tx.one<{ id: string; fulfillment_id: string; milestone: Milestone; milestone_at: Date }>(
      `select p.id, s.fulfillment_order_id fulfillment_id, p.milestone, p.milestone_at from parcels p join shipments s on s.id = p.shipment_id
       where p.carrier = $1 and p.waybill_no = $2 for no key update of p`, [carrier, waybill]);
    if (!parcel) continue;
    let state = { milestone: parcel.milestone, at: parcel.milestone_at };
    const mine = fresh.filter((x) => x.waybillNo === waybill).sort((a, b) => (a.occurredAt < b.occurredAt ? -1 : 1));
    for (const n of mine) {
      if (n.status === 'note') continue;
      const at = new Date(n.occurredAt);
      const next = advance(state, { milestone: n.endsReturn && state.milestone === 'returning' && at > state.at ? 'returned' : n.status, at });
      if (next === state.milestone) continue;
      state = { milestone: next, at };
      await tx.event(order.id, `parcel.${next}`, actor, { parcel: encodeId('par', parcel.id), waybill, at: n.occurredAt });
      if (WAKING.has(next)) wake = true;
    }
    await tx.query('update parcels set heard_at = greatest(heard_at, $2) where id = $1', [parcel.id, mine.at(-1)?.occurredAt]);
    await exceptionsByNews(tx, order, { id: parcel.id, carrier, waybillNo: waybill }, parcel.milestone, state.milestone, actor);
    if (state.milestone === parcel.milestone) continue;
    await tx.query(`update parcels set milestone = $2, milestone_at = $3, delivered_at = case when $2 = 'delivered' then $3 else delivered_at end where id = $1`, [parcel.id, state.milestone, state.at]);
    if (state.milestone === 'lost') await parcelLost(tx, order, { id: parcel.id, carrier, waybillNo: waybill }, actor);
    await tellMilestone(tx, order, { id: parcel.id, carrier, waybillNo: waybill }, state.milestone);
    await settleFulfillments(tx, order.id);
    if (state.milestone === 'returned') await openInterceptedReturn(tx, order, parcel.id, parcel.fulfillment_id);
  }
  await settleRequest(tx, order.id);
  await refreshStatus(tx, order, actor);
  if (fresh.some((n) => n.status === 'attempt_failed' || n.status === 'exception')) await lookAtPromise(tx, order.id);
  if (wake) await tx.wake(order.id, order.shipBy);
}

/**
 * A parcel that came back (intercepted, undeliverable, or lost and found) becomes a return at the location it left from. Where the order has closed
 * meanwhile its workflow is over: the return has one of its own.
 */
async function openInterceptedReturn(tx: Tx, order: Order, parcelId: string, fulfillmentId: string): Promise<void> {
  const id = uuidv7();
  const late = order.closedAt !== null;
  await tx.query(
    `insert into returns (id, order_id, status, kind, reason, method, late, location_id, requested_at, requested_by, authorised_at, carrier, waybill_no)
     select $1, $2, 'authorised', 'refund', 'parcel came back', 'label', $6, f.location_id, $4, 'system', $4, p.carrier, p.waybill_no
     from parcels p join fulfillment_orders f on f.id = $5 where p.id = $3`, [id, order.id, parcelId, tx.now, fulfillmentId, late]);
  await tx.query('insert into return_lines (return_id, line_no, quantity) select $1, line_no, quantity from parcel_lines where parcel_id = $2', [id, parcelId]);
  await tx.event(order.id, 'return.authorised', 'system', { return: encodeId('rma', id), reason: 'parcel came back' });
  if (late) await wakeReturn(tx, order.id, id, late, true);
}
