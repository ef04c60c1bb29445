import { TERMINAL } from '../../domain/order/status.ts';
import { askAgain, liftGivenBack } from '../orders/hold-given-back.ts';
import { lockOrder, refreshStatus, type Order } from '../orders/order.ts';
import { addReservations } from '../orders/reservations.ts';
import type { Tx } from '../tx.ts';
import type { Transfer } from './transfer.ts';

/** The order that waits at the receiver for what a transfer brings, locked: before levels. Null where there is none. */
export async function waitingOrder(tx: Tx, transfer: Transfer): Promise<Order | null> {
  if (transfer.orderId === null) return null;
  const order = await lockOrder(tx, transfer.orderId);
  return order.way === 'ship_to_store' && order.forcedLocationId === transfer.toLocationId && !TERMINAL.has(order.status) ? order : null;
}

/**
 * What is sent for an order is the order's from its leaving on: as free stock of the shop it could be kept from it, by a buffer or a sharing rule, or go to another. A shop that gave the order back
 * is asked again: these are other goods than those that it did not find.
 */
export async function earmark(tx: Tx, order: Order, sent: readonly { levelId: number; skuId: number; units: number }[]): Promise<void> {
  const open = await tx.query<{ id: number; lineNo: number; skuId: number; quantity: number }>(
    `select id, line_no "lineNo", sku_id "skuId", quantity from shortages where order_id = $1 and status = 'open' and sku_id is not null order by id for no key update`, [order.id]);
  const rows: { lineNo: number; levelId: number; quantity: number; fulfillmentOrderId: null }[] = [];
  for (const { levelId, skuId, units } of sent) {
    let rest = units;
    for (const shortage of open) {
      const given = shortage.skuId === skuId ? Math.min(rest, shortage.quantity) : 0;
      if (given <= 0) continue;
      rest -= given;
      rows.push({ lineNo: shortage.lineNo, levelId, quantity: given, fulfillmentOrderId: null });
      if (given === shortage.quantity) await tx.query(`update shortages set status = 'served', closed_at = $2 where id = $1`, [shortage.id, tx.now]);
      else await tx.query('update shortages set quantity = quantity - $2 where id = $1', [shortage.id, given]);
      shortage.quantity -= given;
    }
  }
  if (rows.length === 0) return;
  await tx.post('reserve', order.id, rows.map((r) => ({ levelId: r.levelId, onHand: 0, reserved: r.quantity })));
  await addReservations(tx, order.id, rows);
  await tx.event(order.id, 'order.shortage_served', 'system', { units: rows.reduce((sum, r) => sum + r.quantity, 0) });
  await askAgain(tx, order.id, order.forcedLocationId);
  await liftGivenBack(tx, order.id);
  await refreshStatus(tx, order, 'system');
  await tx.wake(order.id, order.shipBy);
}
