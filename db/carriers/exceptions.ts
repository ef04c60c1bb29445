import { encodeId } from '../../domain/ids.ts';
import type { Milestone } from '../../domain/order/milestone.ts';
import { silence, type TrackingRule } from '../../domain/order/silence.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import type { Order } from '../orders/order.ts';
import type { Tx } from '../tx.ts';
import { exceptionId } from './exception-id.ts';

export const EXCEPTION_KINDS = ['not_picked_up', 'stuck', 'lost', 'returned'] as const;
export type ExceptionKind = (typeof EXCEPTION_KINDS)[number];
type ParcelRef = { id: string; carrier: string; waybillNo: string };

/** The rule of a carrier: its own, else the one for all. */
export async function trackingRule(tx: Tx, carrier: string): Promise<TrackingRule> {
  const row = await tx.one<TrackingRule>(
    `select pickup_hours "pickupHours", stuck_hours "stuckHours", lost_hours "lostHours", returned from tracking_rules where carrier in ($1, '*') order by carrier = '*' limit 1`, [carrier]);
  return row ?? { pickupHours: null, stuckHours: null, lostHours: null, returned: true };
}

/** Opens an exception, one of a kind at a time, and tells it on the order's timeline. Call under the order's lock. */
export async function raiseException(tx: Tx, order: Pick<Order, 'id'>, parcel: ParcelRef, kind: ExceptionKind, detail: string, actor: string): Promise<boolean> {
  const id = uuidv7();
  const opened = await tx.query(
    `insert into parcel_exceptions (id, parcel_id, order_id, kind, carrier, detail, opened_at, heard_at) select $1, p.id, $3, $4, $5, $6, $7, coalesce(p.heard_at, p.milestone_at) from parcels p where p.id = $2 on conflict (parcel_id, kind) where closed_at is null do nothing returning 1`,
    [id, parcel.id, order.id, kind, parcel.carrier, detail, tx.now]);
  if (opened.length === 0) return false;
  await tx.event(order.id, 'parcel.exception_raised', actor, { exception: exceptionId(id), parcel: encodeId('par', parcel.id), carrier: parcel.carrier, waybillNo: parcel.waybillNo, kind, detail });
  return true;
}

/** Ends the open exceptions of these kinds: what they were about is over. */
export async function endExceptions(tx: Tx, orderId: string, parcelId: string, kinds: readonly ExceptionKind[], outcome: string, actor: string): Promise<void> {
  const ended = await tx.query<{ id: string; kind: string }>(
    `update parcel_exceptions set closed_at = $3, closed_by = $4, outcome = $5 where parcel_id = $1 and kind = any($2::text[]) and closed_at is null returning id, kind`, [parcelId, kinds, tx.now, actor, outcome]);
  for (const { id, kind } of ended) await tx.event(orderId, 'parcel.exception_closed', actor, { exception: exceptionId(id), parcel: encodeId('par', parcelId), kind, outcome });
}

/** What news of a parcel means for its exceptions: silence is over, unless all of it is `old`; a lost parcel is found; one that turns round needs somebody. Call under the order's lock. */
export async function exceptionsByNews(tx: Tx, order: Pick<Order, 'id'>, parcel: ParcelRef, before: Milestone, after: Milestone, old: boolean, actor: string): Promise<void> {
  if (before !== after || !old) await endExceptions(tx, order.id, parcel.id, ['stuck', 'not_picked_up'], `heard of again: ${after}`, actor);
  if (before === after) return;
  if (before === 'lost') await endExceptions(tx, order.id, parcel.id, ['lost'], `found: ${after}`, actor);
  if (after !== 'returning' && after !== 'returned') return;
  // Once a parcel: it turns round, and then it is back.
  const known = await tx.one(`select 1 from parcel_exceptions where parcel_id = $1 and kind = 'returned'`, [parcel.id]);
  if (!known && (await trackingRule(tx, parcel.carrier)).returned) await raiseException(tx, order, parcel, 'returned', after === 'returned' ? 'the parcel has come back' : 'the parcel is on its way back', actor);
}

/** What a parcel's silence means now, read under the order's lock. Null also where it has been raised for this very silence: somebody may have closed it. */
export async function silentNow(tx: Tx, parcelId: string): Promise<(ParcelRef & { kind: 'not_picked_up' | 'stuck' | 'lost'; hours: number }) | null> {
  const p = await tx.one<{ carrier: string; waybill_no: string; milestone: Milestone; heard: Date }>('select carrier, waybill_no, milestone, coalesce(heard_at, milestone_at) heard from parcels where id = $1', [parcelId]);
  const found = p && silence({ milestone: p.milestone, heardAt: p.heard }, await trackingRule(tx, p.carrier), tx.now);
  if (!p || !found) return null;
  const raised = await tx.one('select 1 from parcel_exceptions where parcel_id = $1 and kind = $2 and (closed_at is null or heard_at = $3)', [parcelId, found.kind, p.heard]);
  return found.kind === 'lost' || !raised ? { id: parcelId, carrier: p.carrier, waybillNo: p.waybill_no, ...found } : null;
}
