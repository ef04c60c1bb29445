import { encodeId } from '../../domain/ids.ts';
import { askAgainAt } from '../../domain/routing/ask-again.ts';
import { voidWaybills } from '../carriers/waybills.ts';
import { cancelUnits } from '../orders/cancel-order.ts';
import { lookAtPromise } from '../promise/look.ts';
import { settleWanted } from '../orders/replan.ts';
import type { FulfillmentOrder, Order } from '../orders/order.ts';
import { liveReservations, openShortages, releaseReservations } from '../orders/reservations.ts';
import { forgetWave } from '../orders/wishes.ts';
import type { Tx } from '../tx.ts';
import { bookRejected, pauseRejecting, takesStock } from './reject-stock.ts';

/** Why a location gives an order back. The first three say that the stock is not what we thought. */
export const REJECT_REASONS = ['not_found', 'mismatch', 'damaged', 'no_capacity', 'closed', 'silent', 'unreachable', 'refused'] as const;
export type RejectReason = (typeof REJECT_REASONS)[number];

/** How long re-routing may look for stock elsewhere before the units are given up, seconds. */
const RESOURCE_WINDOW_S = 7 * 86_400;

/**
 * A location gives an order back: its units become a shortage that is served from elsewhere. `not_found` takes the
 * units off the location's books, `damaged` and `mismatch` (into quarantine) move them, the others leave its stock alone; `no_capacity` and `closed` pause the location.
 */
export async function rejectFulfillment(tx: Tx, order: Order, f: FulfillmentOrder, reason: RejectReason, actor: string): Promise<void> {
  const told = f.status !== 'routed' && actor === 'system';
  await tx.query(
    `update fulfillment_orders set status = 'rejected', ended_at = $2, end_reason = $3,
       cancel_requested_at = case when $4 then $2 else cancel_requested_at end, cancel_reason = coalesce(cancel_reason, $3),
       cancel_outcome = case when $4 or cancel_requested_at is null then cancel_outcome else 'cancelled' end where id = $1`,
    [f.id, tx.now, reason, told]);
  await voidWaybills(tx, encodeId('ful', f.id));
  const own = (await liveReservations(tx, order.id)).filter((r) => r.fulfillmentOrderId === f.id);
  const gone = takesStock(reason);
  await releaseReservations(tx, order.id, own.map((r) => ({ reservation: r, units: r.quantity })), `reject:${reason}`, 'released', () => (gone ? 1 : 0));
  await bookRejected(tx, order.id, own, reason);
  await forgetWave(tx, order.id, f.locationId);
  const pausedUntil = await pauseRejecting(tx, f.locationId, reason);
  await mayBeAsked(tx, order.id, f, reason, pausedUntil);
  const units = new Map<number, { skuId: number; quantity: number }>();
  for (const r of own) units.set(r.lineNo, { skuId: r.skuId, quantity: (units.get(r.lineNo)?.quantity ?? 0) + r.quantity });
  await tx.event(order.id, 'fulfillment.rejected', actor, { fulfillmentOrder: encodeId('ful', f.id), reason, ...(pausedUntil ? { pausedUntil: pausedUntil.toISOString() } : {}) });
  if (cancelPending(f)) {
    await cancelUnits(tx, order, new Map([...units].map(([lineNo, u]) => [lineNo, u.quantity])), 'cancellation', 'given back while a cancellation stood', actor, f.id);
  } else {
    await openShortages(tx, order.id, [...units].map(([lineNo, u]) => ({ lineNo, ...u })), `rejected:${reason}`, new Date(tx.now.getTime() + RESOURCE_WINDOW_S * 1000));
  }
  await settleWanted(tx, order, actor);
  await lookAtPromise(tx, order.id);
  await tx.wake(order.id, order.shipBy);
}

/** From when on it may be asked again. A release that never came through counts as no time that it gave the order back. */
async function mayBeAsked(tx: Tx, orderId: string, f: FulfillmentOrder, reason: RejectReason, pausedUntil: Date | null): Promise<void> {
  const row = await tx.one<{ before: number; short: boolean }>(
    `select (select count(*)::int from fulfillment_orders where order_id = $2 and location_id = $3 and status = 'rejected' and end_reason <> 'unreachable' and id <> $1) before,
       exists (select from fulfillment_order_lines where fulfillment_order_id = $1 and short_quantity > 0) short`, [f.id, orderId, f.locationId]);
  await tx.query('update fulfillment_orders set ask_again_at = $2 where id = $1', [f.id, askAgainAt({ final: takesStock(reason) || row?.short === true, pausedUntil, before: row?.before ?? 0 }, tx.now)]);
}

/** The buyer wants these units cancelled and the location has not answered yet: what it gives back is not looked for elsewhere. */
export function cancelPending(f: FulfillmentOrder): boolean { return f.cancelRequestedAt !== null && f.cancelOutcome === null && !f.replan; }
