import { AT_LOCATION, LEFT, TERMINAL, VOID } from '../../../domain/order/status.ts';
import { Problem } from '../../../domain/problem.ts';
import type { Tx } from '../../tx.ts';
import { lockOrder, readFulfillments, refreshStatus, type Order } from '../order.ts';

/** Locks an order that an operator may still change: not over, and no location knows of it. Throws `conflict` naming the state. */
export async function lockChangeable(tx: Tx, orderId: string): Promise<Order> {
  const order = await lockOrder(tx, orderId);
  if (TERMINAL.has(order.status)) throw new Problem('conflict', `the order is ${order.status}: it can no longer be changed`);
  const living = (await readFulfillments(tx.client, orderId)).filter((f) => !VOID.has(f.status));
  if (living.some((f) => AT_LOCATION.has(f.status) || LEFT.has(f.status))) throw new Problem('conflict', `the order is ${order.status}: a location works on it; cancel it first`);
  return order;
}

/** Takes back a plan that no location has seen; the reservations stay and are routed anew. */
export async function unroute(tx: Tx, order: Order, reason: string): Promise<void> {
  const gone = await tx.query<{ id: string }>(
    `update fulfillment_orders set status = 'cancelled', ended_at = $2, end_reason = $3 where order_id = $1 and status = 'routed' returning id`, [order.id, tx.now, reason]);
  await tx.query(`update reservations set fulfillment_order_id = null where order_id = $1 and fulfillment_order_id = any($2::uuid[]) and status in ('held', 'confirmed')`, [order.id, gone.map((g) => g.id)]);
}

/** Releases the hold for unknown SKUs where no open line has one any more. The caller refreshes the status. */
export async function releaseMendedHold(tx: Tx, orderId: string, note: string, actor: string): Promise<void> {
  await tx.query(
    `update order_holds set released_at = $2, released_by = $3, note = $4 where order_id = $1 and reason = 'unknown_sku' and released_at is null
       and not exists (select from order_lines where order_id = $1 and sku_id is null and quantity > cancelled_quantity)`, [orderId, tx.now, actor, note]);
}

/** After a change: checked again by the audit rules, routed again, its workflow told. */
export async function recheck(tx: Tx, order: Order, type: string, actor: string, data: Record<string, unknown>): Promise<void> {
  await unroute(tx, order, type);
  order.validatedAt = null;
  await tx.query('update orders set validated_at = null, version = version + 1 where id = $1', [order.id]);
  await tx.event(order.id, type, actor, data);
  await refreshStatus(tx, order, actor);
  await tx.wake(order.id, order.shipBy);
}
