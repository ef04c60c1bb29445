import { TERMINAL } from '../../domain/order/status.ts';
import { isPaymentDue } from '../../domain/order/payment.ts';
import { Problem } from '../../domain/problem.ts';
import type { Network } from '../network.ts';
import { redate } from '../promise/redate.ts';
import type { StockWriter } from '../stock-writer.ts';
import { lockOrder, refreshStatus } from './order.ts';

/**
 * `unpaid → paid`, or `deposit → paid` with the balance of a pre-sale: the order no longer expires and its stock is held without an end, and its dates count from now: nobody worked on it before. Whoever locks the order first wins, this or the expiry.
 * A repetition changes nothing. Throws `conflict` where no payment is due: the order is over, or was never to be paid in advance.
 */
export async function payOrder(writer: StockWriter, network: Network, orderId: string, reference: string | null, actor: string): Promise<void> {
  await writer.change(async (tx) => {
    const order = await lockOrder(tx, orderId);
    if (order.paymentStatus === 'paid') return;
    if (TERMINAL.has(order.status)) throw new Problem('conflict', `the order is ${order.status}: it can no longer be paid; give the money back`);
    if (!isPaymentDue(order.paymentStatus)) throw new Problem('conflict', `the payment of the order is ${order.paymentStatus}: none is due now`);
    // Its wait for missing units begins now: the time in which it only had to be paid does not count.
    if (order.paymentStatus === 'deposit') {
      await tx.query(
        `update shortages s set deadline = greatest(s.deadline, $2::timestamptz + make_interval(secs => c.backorder_window_s)) from channels c where c.id = $3 and s.order_id = $1 and s.status = 'open'`,
        [orderId, tx.now, order.channelId]);
    }
    const { deposit } = await tx.one<{ deposit: number }>(`update orders set payment_status = 'paid', payment_due_at = null where id = $1 returning deposit_amount deposit`, [orderId]) ?? { deposit: 0 };
    order.paymentStatus = 'paid';
    await tx.query(`update reservations set expires_at = null where order_id = $1 and status = 'held'`, [orderId]);
    await tx.event(orderId, 'order.paid', actor, { reference, ...(deposit > 0 ? { deposit, balance: order.total - deposit } : {}) });
    await redate(tx, network, order, 'paid', actor);
    await refreshStatus(tx, order, actor);
    await tx.wake(orderId);
  });
}
