import type pg from 'pg';
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
import { earlyNews, lockWaybills } from './early-news.ts';
import { settleFulfillments } from './settle-fulfillment.ts';

/** `source`: the teller's own word for `status`; `endsReturn`: it was signed for, so that a parcel which had turned round has come back; `carrier`: where a tracker tells of another's parcels. */
export type TrackingNews = {
  eventId: string; waybillNo: string; status: TrackingStatus; description?: string; city?: string; occurredAt: string; source?: string; endsReturn?: boolean; carrier?: string;
};
export type TrackingAnswer = { accepted: number; duplicates: number; unknown: number };

/**
 * Takes carrier news: each event once, in any order. Waybills that are not ours are counted and kept apart, not refused: what is told before the goods issue is applied with it. `tracker`: the account
 * that tells of this carrier's parcels, where it is not the carrier itself: its events have names of their own.
 */
export async function trackParcels(writer: StockWriter, carrier: string, news: readonly TrackingNews[], tracker: string | null = null): Promise<TrackingAnswer> {
  const orderOf = await ordersOf(writer.pool, carrier, news);
  const answer: TrackingAnswer = { accepted: 0, duplicates: 0, unknown: 0 };
  const strange = news.filter((n) => !orderOf.has(n.waybillNo));
  if (strange.length > 0) {
    const { issued, kept, fresh } = await writer.change(async (tx) => {
      await lockWaybills(tx, strange.map((n) => n.waybillNo));
      // Its goods issue may have been committed while the lock was waited for.
      const issued = await ordersOf(tx.client, carrier, strange);
      const unknown = strange.filter((n) => !issued.has(n.waybillNo));
      return { issued, kept: unknown.length, fresh: (await keep(tx, carrier, unknown, tracker)).length };
    });
    answer.unknown = fresh;
    answer.duplicates = kept - fresh;
    for (const [waybill, order] of issued) orderOf.set(waybill, order);
  }
  const byOrder = new Map<string, TrackingNews[]>();
  for (const n of news) {
    const order = orderOf.get(n.waybillNo);
    if (order !== undefined) byOrder.set(order, [...byOrder.get(order) ?? [], n]);
  }
  for (const [orderId, mine] of byOrder) {
    const fresh = await writer.change(async (tx) => {
      const order = await lockOrder(tx, orderId);
      const fresh = await keep(tx, carrier, mine, tracker);
      if (fresh.length > 0) await moveParcels(tx, order, carrier, fresh, `carrier:${tracker ?? carrier}`);
      return fresh.length;
    });
    answer.accepted += fresh;
    answer.duplicates += mine.length - fresh;
  }
  return answer;
}

/** The orders of those waybills that are a parcel's. */
async function ordersOf(db: pg.Pool | pg.ClientBase, carrier: string, news: readonly TrackingNews[]): Promise<Map<string, string>> {
  const { rows } = await db.query<{ waybill_no: string; order_id: string }>('select waybill_no, order_id from parcels where carrier = $1 and waybill_no = any($2::text[])', [carrier, [...new Set(news.map((n) => n.waybillNo))]]);
  return new Map(rows.map((r) => [r.waybill_no, r.order_id]));
}

/** Keeps what was told; returns what is new. */
async function keep(tx: Tx, carrier: string, news: readonly TrackingNews[], tracker: string | null): Promise<TrackingNews[]> {
  const fresh: TrackingNews[] = [];
  for (const n of news) {
    const written = await tx.query(
      `insert into tracking_events (carrier, event_id, waybill_no, status, description, city, occurred_at, source_status, told_by, ends_return) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
       on conflict do nothing returning 1`,
      [carrier, tracker === null ? n.eventId : `${tracker}:${n.eventId}`, n.waybillNo, n.status, n.description === undefined ? null : withoutPeople(n.description, n.waybillNo), n.city ?? null, n.occurredAt, n.source ?? null, tracker, n.endsReturn ?? false]);
    if (written.length > 0) fresh.push(n);
  }
  return fresh;
}

/**
 * A parcel has left: what was told of it before moves it now. Its receiver hears of the milestone that it has by now, or, where that one is not told, that it was issued: milestones that were passed over are
 * not told one after the other. Call under the order's lock, when the goods issue is written.
 */
export async function startParcels(tx: Tx, order: Order, parcels: readonly { id: string; carrier: string; waybillNo: string }[], source: string): Promise<void> {
  await lockWaybills(tx, parcels.map((p) => p.waybillNo));
  for (const parcel of parcels) {
    const told = await earlyNews(tx, parcel.carrier, parcel.waybillNo);
    const moves = told.some((n) => n.status !== 'note' && n.status !== 'issued');
    if (moves) await refreshStatus(tx, order, source); // it was shipped before it arrived
    const heard = moves && await moveParcels(tx, order, parcel.carrier, told, `carrier:${told.at(-1)?.toldBy ?? parcel.carrier}`);
    if (!heard) await tellMilestone(tx, order, parcel, 'issued');
  }
}

/** True where a receiver is told of a milestone by it. */
async function moveParcels(tx: Tx, order: Order, carrier: string, fresh: readonly TrackingNews[], actor: string): Promise<boolean> {
  let told = false;
  let wake = false;
  let overdue = false;
  for (const waybill of [...new Set(fresh.map((n) => n.waybillNo))]) {
    const parcel = await tx.one<{ id: string; fulfillment_id: string; milestone: Milestone; milestone_at: Date; heard_at: Date | null }>(
      `select p.id, s.fulfillment_order_id fulfillment_id, p.milestone, p.milestone_at, p.heard_at from parcels p join shipments s on s.id = p.shipment_id
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
      await tx.event(order.id, `parcel.${next}`, actor, { parcel: encodeId('par', parcel.id), carrier, waybillNo: waybill, at: n.occurredAt });
      if (WAKING.has(next)) wake = true;
    }
    const newest = mine.at(-1)?.occurredAt ?? tx.now.toISOString();
    // Up to now nobody knew whether it had come by the promised date: it had not.
    overdue ||= order.deliverBy !== null && (parcel.heard_at ?? parcel.milestone_at) <= order.deliverBy && new Date(newest) > order.deliverBy;
    // A carrier's clock may be wrong: what it dates into the future is heard of now, or the parcel would not be asked for, nor missed, until then.
    await tx.query('update parcels set heard_at = greatest(heard_at, least($2::timestamptz, $3)) where id = $1', [parcel.id, newest, tx.now]);
    await exceptionsByNews(tx, order, { id: parcel.id, carrier, waybillNo: waybill }, parcel.milestone, state.milestone, parcel.heard_at !== null && new Date(newest) <= parcel.heard_at, actor);
    if (state.milestone === parcel.milestone) continue;
    await tx.query(`update parcels set milestone = $2, milestone_at = $3, delivered_at = case when $2 = 'delivered' then $3 else delivered_at end where id = $1`, [parcel.id, state.milestone, state.at]);
    if (state.milestone === 'lost') await parcelLost(tx, order, { id: parcel.id, carrier, waybillNo: waybill }, actor);
    if (await tellMilestone(tx, order, { id: parcel.id, carrier, waybillNo: waybill }, state.milestone)) told = true;
    await settleFulfillments(tx, order, actor);
    if (state.milestone === 'returned') await openInterceptedReturn(tx, order, parcel.id, parcel.fulfillment_id);
  }
  await settleRequest(tx, order.id);
  await refreshStatus(tx, order, actor);
  if (fresh.some((n) => n.status === 'attempt_failed' || n.status === 'exception') || overdue) await lookAtPromise(tx, order.id);
  if (wake || overdue) await tx.wake(order.id, order.shipBy);
  return told;
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
