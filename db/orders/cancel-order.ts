import { encodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import { AT_LOCATION, LEFT, TERMINAL, VOID } from '../../domain/order/status.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import { voidWaybills } from '../carriers/waybills.ts';
import type { StockWriter } from '../stock-writer.ts';
import { giveBackPromotions } from '../promotions/give-back.ts';
import type { Tx } from '../tx.ts';
import { lockOrder, readFulfillments, readLines, refreshStatus, unroutedUnits, type Order } from './order.ts';
import { bookRefund, type RefundCause } from './refunds.ts';
import { settleDeposit } from './settle-deposit.ts';
import { liveReservations, releaseReservations } from './reservations.ts';

/** Cancels units of lines that have no reservation any more: counts them, refunds them. The caller refreshes the status. */
export async function cancelUnits(
  tx: Tx, order: Order, units: ReadonlyMap<number, number>, cause: RefundCause, reason: string, actor: string, causeId: string = uuidv7(),
): Promise<void> {
  const lines = await readLines(tx.client, order.id);
  for (const [lineNo, count] of units) {
    if (count > 0) {
      await tx.query('update order_lines set cancelled_quantity = cancelled_quantity + $3 where order_id = $1 and line_no = $2', [order.id, lineNo, count]);
    }
  }
  await bookRefund(tx, order, lines, units, cause, causeId, actor);
  await giveBackPromotions(tx, order.id);
  await tx.event(order.id, 'order.units_cancelled', actor, { reason, lines: [...units].filter(([, n]) => n > 0).map(([line, quantity]) => ({ line, quantity })) });
  if (order.paymentStatus === 'deposit' && lines.every((l) => l.cancelled + (units.get(l.lineNo) ?? 0) === l.quantity)) await settleDeposit(tx, order, lines, actor);
}

/**
 * Takes back everything of an order that has not left: reservations, shortages, fulfillment orders of the given states. Those at a
 * location are marked so that the location is told. Returns how many units were cancelled.
 */
export async function cancelUnissued(
  tx: Tx, order: Order, reason: string, actor: string, cause: RefundCause = 'cancellation', causeId: string = uuidv7(),
  only: (fulfillmentOrderId: string | null) => boolean = () => true,
): Promise<number> {
  const fulfillments = (await readFulfillments(tx.client, order.id)).filter((f) => only(f.id) && !VOID.has(f.status) && !LEFT.has(f.status));
  for (const f of fulfillments) {
    await tx.query(
      `update fulfillment_orders set status = 'cancelled', ended_at = $2, end_reason = $3,
         cancel_requested_at = case when $4 then coalesce(cancel_requested_at, $2) else cancel_requested_at end, cancel_reason = coalesce(cancel_reason, $3),
         cancel_outcome = case when not $4 then cancel_outcome end where id = $1`,
      [f.id, tx.now, reason, AT_LOCATION.has(f.status) && f.cancelOutcome !== 'cancelled']);
    if (AT_LOCATION.has(f.status)) await voidWaybills(tx, encodeId('ful', f.id));
  }
  const live = (await liveReservations(tx, order.id)).filter((r) => only(r.fulfillmentOrderId));
  await releaseReservations(tx, order.id, live.map((r) => ({ reservation: r, units: r.quantity })), cause);
  if (only(null)) await tx.query('update order_lines set cancel_wanted = 0 where order_id = $1 and cancel_wanted > 0', [order.id]);
  if (only(null)) await tx.query(`update shortages set status = 'cancelled', closed_at = $2 where order_id = $1 and status = 'open'`, [order.id, tx.now]);
  const units = await unissuedUnits(tx, order.id, only(null) ? null : fulfillments.map((f) => f.id));
  const total = [...units.values()].reduce((sum, n) => sum + n, 0);
  if (total > 0) await cancelUnits(tx, order, units, cause, reason, actor, causeId);
  return total;
}

/** Units by line: those of the given fulfillment orders, or (null) all that no living fulfillment order carries. */
async function unissuedUnits(tx: Tx, orderId: string, fulfillmentIds: readonly string[] | null): Promise<Map<number, number>> {
  if (fulfillmentIds === null) return unroutedUnits(tx.client, orderId);
  const rows = await tx.query<{ line_no: number; units: number }>(
    `select line_no, sum(quantity - short_quantity)::int units from fulfillment_order_lines where fulfillment_order_id = any($1::uuid[]) group by 1`, [fulfillmentIds]);
  return new Map(rows.map((r) => [r.line_no, r.units]));
}

/**
 * Cancels an order. What no location knows of is cancelled at once; a location that knows is asked, and what it has already
 * packed or handed over goes on. Returns `cancelled` or `asked`. Refused with `conflict` once goods have left.
 */
export async function cancelOrder(writer: StockWriter, orderId: string, reason: string, actor: string): Promise<'cancelled' | 'asked'> {
  return writer.change(async (tx) => {
    const order = await lockOrder(tx, orderId);
    if (order.status === 'cancelled') return 'cancelled';
    if (TERMINAL.has(order.status)) throw new Problem('conflict', `the order is ${order.status}: it can no longer be cancelled`);
    const fulfillments = (await readFulfillments(tx.client, orderId)).filter((f) => !VOID.has(f.status));
    if (fulfillments.some((f) => LEFT.has(f.status))) {
      throw new Problem('conflict', 'goods have left: request a refund (POST …/refund-requests) or a return (POST …/returns) instead');
    }
    return cancelRest(tx, order, reason, actor);
  });
}

/** What has not left is cancelled, or its location asked. Under the order's lock. */
export async function cancelRest(tx: Tx, order: Order, reason: string, actor: string): Promise<'cancelled' | 'asked'> {
  const there = (await readFulfillments(tx.client, order.id)).filter((f) => AT_LOCATION.has(f.status));
  if (there.length === 0) {
    await tx.event(order.id, 'order.cancel_requested', actor, { reason });
    await cancelUnissued(tx, order, reason, actor);
    await refreshStatus(tx, order, actor);
    await tx.wake(order.id);
    return 'cancelled';
  }
  const asked = await tx.query(
    `update fulfillment_orders set cancel_requested_at = $2, cancel_reason = $3, cancel_outcome = null, replan = false
     where id = any($1::uuid[]) and (cancel_requested_at is null or replan) returning 1`, [there.map((f) => f.id), tx.now, reason]);
  // What the location does not know of needs nobody's consent.
  const kept = new Set(there.map((f) => f.id));
  const cancelled = await cancelUnissued(tx, order, reason, actor, 'cancellation', uuidv7(), (id) => id === null || !kept.has(id));
  if (cancelled > 0) await refreshStatus(tx, order, actor);
  if (asked.length > 0) {
    await tx.event(order.id, 'order.cancel_requested', actor, { reason, asked: asked.length });
    await tx.wake(order.id);
  }
  return 'asked';
}
