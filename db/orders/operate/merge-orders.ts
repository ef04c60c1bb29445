import { encodeId } from '../../../domain/ids.ts';
import { isPaymentDue } from '../../../domain/order/payment.ts';
import { Problem } from '../../../domain/problem.ts';
import type { Network } from '../../network.ts';
import type { Tx } from '../../tx.ts';
import { recomputeGifts } from '../merged-gifts.ts';
import type { Order } from '../order.ts';
import { forgetWishes } from '../wishes.ts';
import { lockChangeable, recheck, unroute } from './guard.ts';
import { sumUp } from './split-order.ts';

/**
 * 合单: the lines of several orders of one channel, person and address move into the oldest, with their money, reservations, shortages and open holds. The
 * most urgent promise and priority stay; gifts are judged again. The others end as cancelled, pointing at it. Returns the id of the order that stays.
 */
export async function mergeOrders(tx: Tx, network: Network, orderIds: readonly string[], reason: string, actor: string): Promise<string> {
  const orders: Order[] = [];
  for (const id of [...new Set(orderIds)].sort()) orders.push(await lockChangeable(tx, id));
  const [first, ...others] = orders;
  if (!first || others.length === 0) throw new Problem('unprocessable', 'two orders or more can be merged', '/orderIds');
  for (const other of others) {
    const name = encodeId('ord', other.id);
    if (other.channelId !== first.channelId || other.currency !== first.currency) throw new Problem('conflict', `order ${name} is of another channel`);
    if (other.personId !== first.personId || other.addressHash === null || !first.addressHash?.equals(other.addressHash)) throw new Problem('conflict', `order ${name} goes to another person or address`);
    if (other.way !== first.way) throw new Problem('conflict', `order ${name} reaches its buyer another way`);
    if (other.type !== first.type) throw new Problem('conflict', `order ${name} is of another type`);
    if (other.forcedLocationId !== first.forcedLocationId || other.forcedCarrier !== first.forcedCarrier) throw new Problem('conflict', `order ${name} is forced to another location or carrier`);
    if (other.scheduledFrom?.getTime() !== first.scheduledFrom?.getTime()) throw new Problem('conflict', `order ${name} is scheduled for another time`);
    const touched = await tx.one('select 1 from order_lines where order_id = $1 and cancelled_quantity + refunded_quantity > 0 limit 1', [other.id]);
    if (touched) throw new Problem('conflict', `order ${name} has cancelled or refunded units: its refunds would lose their lines`);
    if (other.paymentStatus !== first.paymentStatus || isPaymentDue(other.paymentStatus)) throw new Problem('conflict', `order ${name} is ${other.paymentStatus}: merged orders must be paid the same way`);
  }
  for (const order of orders) await unroute(tx, order, 'merged');
  for (const other of others) {
    const top = await tx.one<{ n: number }>('select max(line_no) n from order_lines where order_id = $1', [first.id]);
    await tx.query('update order_lines set bundle_line = bundle_line + $2 where order_id = $1 and bundle_line is not null', [other.id, top?.n ?? 0]);
    await tx.query('update order_lines set merged_line = case when merged_from is null then line_no else merged_line end, merged_from = coalesce(merged_from, $1) where order_id = $1', [other.id]);
    for (const table of ['order_lines', 'reservations', 'shortages']) {
      await tx.query(`update ${table} set order_id = $2, line_no = line_no + $3 where order_id = $1`, [other.id, first.id, top?.n ?? 0]);
    }
    await tx.query('update order_holds set order_id = $2 where order_id = $1 and released_at is null', [other.id, first.id]);
    await tx.query(`update orders set status = 'cancelled', hold_reason = null, parent_id = $2, closed_at = $3, version = version + 1 where id = $1`, [other.id, first.id, tx.now]);
    await tx.event(other.id, 'order.merged_into', actor, { order: encodeId('ord', first.id), reason });
    await tx.wake(other.id);
  }
  await tx.query(
    `update orders set ship_by = o.ship_by, ship_by_given = o.given, deliver_by = o.deliver_by, priority = o.priority, invoice_requested = o.invoice
     from (select min(ship_by) ship_by, bool_or(ship_by_given) given, min(deliver_by) deliver_by, max(priority) priority, bool_or(invoice_requested) invoice from orders where id = any($2::uuid[])) o where id = $1`,
    [first.id, orders.map((o) => o.id)]);
  await sumUp(tx, orders.map((o) => o.id));
  await recomputeGifts(tx, network, first, actor);
  await forgetWishes(tx, first.id);
  await recheck(tx, first, 'order.merged', actor, { orders: others.map((o) => encodeId('ord', o.id)), reason });
  return first.id;
}
