import { encodeId } from '../../domain/ids.ts';
import { AT_LOCATION, type FulfillmentStatus } from '../../domain/order/status.ts';
import { voidWaybills } from '../carriers/waybills.ts';
import type { Tx } from '../tx.ts';
import { cancelUnits } from './cancel-order.ts';
import type { FulfillmentOrder, Order } from './order.ts';
import { liftGivenBack } from './hold-given-back.ts';
import { liveReservations, releaseReservations } from './reservations.ts';

/** Why units are cancelled that were wanted so before their location gave them back. */
export const GIVEN_BACK = 'cancelled line, given back';
/** A location may know of it and has not packed it: it can be asked for it. */
const ASKABLE: ReadonlySet<FulfillmentStatus> = new Set(['releasing', 'released', 'accepted']);

/** What of a plan can be made anew at once, what needs a location's consent, and what stays as it is because it is packed (or asked for by somebody else). */
export function sortPlan(living: readonly FulfillmentOrder[]): { own: FulfillmentOrder[]; askable: FulfillmentOrder[]; kept: FulfillmentOrder[] } {
  const own = living.filter((f) => f.status === 'routed');
  const askable = living.filter((f) => ASKABLE.has(f.status) && f.cancelRequestedAt === null);
  return { own, askable, kept: living.filter((f) => !own.includes(f) && !askable.includes(f)) };
}

/** Its location is asked for it and has not answered: what comes back is planned anew. */
export function comesBack(f: FulfillmentOrder): boolean { return ASKABLE.has(f.status) && f.replan && f.cancelRequestedAt !== null && f.cancelOutcome === null; }

/** Ends plans; their units stay reserved and are routed anew, numbers that were asked for them are taken back. */
export async function unplan(tx: Tx, orderId: string, plans: readonly FulfillmentOrder[], reason: string): Promise<void> {
  const ids = plans.map((f) => f.id);
  await tx.query(`update fulfillment_orders set status = 'cancelled', ended_at = $2, end_reason = $3, cancel_outcome = case when cancel_requested_at is not null then 'cancelled' end where id = any($1::uuid[])`, [ids, tx.now, reason]);
  await tx.query(`update reservations set fulfillment_order_id = null where order_id = $1 and fulfillment_order_id = any($2::uuid[]) and status in ('held', 'confirmed')`, [orderId, ids]);
  for (const f of plans) if (AT_LOCATION.has(f.status)) await voidWaybills(tx, encodeId('ful', f.id));
}

/** Locations are asked to give back what they have not packed, to be planned anew: their units are not cancelled. The workflow makes the call. */
export async function askBack(tx: Tx, plans: readonly FulfillmentOrder[], reason: string): Promise<void> {
  await tx.query(`update fulfillment_orders set cancel_requested_at = $2, cancel_reason = $3, cancel_outcome = null, replan = true where id = any($1::uuid[])`, [plans.map((f) => f.id), tx.now, reason]);
}

/** A location gave back what was asked for to be planned anew. */
export async function takeBack(tx: Tx, order: Order, f: FulfillmentOrder): Promise<void> {
  await unplan(tx, order.id, [f], 'taken back to be planned anew');
  await tx.event(order.id, 'fulfillment.taken_back', 'system', { fulfillmentOrder: encodeId('ful', f.id) });
  await settleWanted(tx, order, 'system');
  await tx.wake(order.id, order.shipBy);
}

/**
 * Cancels units that the buyer wants cancelled as soon as no location has them: missing ones first, then reserved ones without a plan. What no location is asked for any more cannot be
 * had: it is given up, and said so. Under the order's lock; the caller refreshes the status.
 */
export async function settleWanted(tx: Tx, order: Order, actor: string): Promise<void> {
  const wanted = await tx.query<{ line: number; units: number; asked: boolean }>(
    `select l.line_no line, l.cancel_wanted units, exists (select from fulfillment_orders f join fulfillment_order_lines n on n.fulfillment_order_id = f.id and n.line_no = l.line_no
       where f.order_id = $1 and f.replan and f.cancel_requested_at is not null and f.cancel_outcome is null) asked
     from order_lines l where l.order_id = $1 and l.cancel_wanted > 0 order by 1`, [order.id]);
  if (wanted.length === 0) return;
  const free = await freeUnits(tx, order.id, new Map(wanted.map((w) => [w.line, w.units])));
  if (free.size > 0) await cancelUnits(tx, order, free, 'cancellation', GIVEN_BACK, actor);
  for (const { line, units, asked } of wanted) {
    const left = units - (free.get(line) ?? 0);
    await tx.query('update order_lines set cancel_wanted = $3 where order_id = $1 and line_no = $2', [order.id, line, asked ? left : 0]);
    if (!asked && left > 0) await tx.event(order.id, 'order.line_cancel_refused', actor, { line, quantity: left, reason: 'packed or handed over' });
  }
}

/** Gives back up to so many units by line of what no plan has: open shortages, then reservations. Returns how many there were. */
export async function freeUnits(tx: Tx, orderId: string, most: ReadonlyMap<number, number>): Promise<Map<number, number>> {
  const given = new Map<number, number>();
  const rest = (line: number): number => (most.get(line) ?? 0) - (given.get(line) ?? 0);
  for (const s of await tx.query<{ id: number; line: number; units: number }>(
    `select id, line_no line, quantity units from shortages where order_id = $1 and status = 'open' and line_no = any($2::int[]) order by id for no key update`, [orderId, [...most.keys()]])) {
    const units = Math.min(rest(s.line), s.units);
    if (units <= 0) continue;
    if (units === s.units) await tx.query(`update shortages set status = 'cancelled', closed_at = $2 where id = $1`, [s.id, tx.now]);
    else await tx.query('update shortages set quantity = quantity - $2 where id = $1', [s.id, units]);
    given.set(s.line, (given.get(s.line) ?? 0) + units);
  }
  const back: Parameters<typeof releaseReservations>[2][number][] = [];
  for (const reservation of (await liveReservations(tx, orderId)).filter((r) => r.fulfillmentOrderId === null)) {
    const units = Math.min(rest(reservation.lineNo), reservation.quantity);
    if (units <= 0) continue;
    back.push({ reservation, units });
    given.set(reservation.lineNo, (given.get(reservation.lineNo) ?? 0) + units);
  }
  await releaseReservations(tx, orderId, back, 'cancellation');
  await liftGivenBack(tx, orderId);
  return given;
}
