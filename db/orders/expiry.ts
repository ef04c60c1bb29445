import { isPaymentDue, PAYMENT_DUE } from '../../domain/order/payment.ts';
import type { StockWriter } from '../stock-writer.ts';
import { cancelUnissued } from './cancel-order.ts';
import { lockOrder } from './order.ts';

/**
 * PostgreSQL decides expiry: unpaid orders whose time has come give their stock back, with Temporal down too. Orders are taken by the
 * index of what is due, each in its own transaction; a payment that came first wins. Returns how many expired.
 */
export async function expireDue(writer: StockWriter, limit = 200): Promise<number> {
  const { rows } = await writer.pool.query<{ id: string }>({
    name: 'orders_due',
    text: `select id from orders where payment_status in ${PAYMENT_DUE} and closed_at is null and payment_due_at <= $1 order by payment_due_at limit $2`,
    values: [writer.clock(), limit],
  });
  let expired = 0;
  for (const { id } of rows) {
    // One order that cannot be expired must not keep the others' stock.
    expired += await expire(writer, id).catch((error: Error) => {
      process.emitWarning(`order ${id} could not expire: ${error.message}`);
      return 0;
    });
  }
  return expired;
}

function expire(writer: StockWriter, id: string): Promise<number> {
  return writer.change(async (tx) => {
    const order = await lockOrder(tx, id);
    if (!isPaymentDue(order.paymentStatus) || !order.paymentDueAt || order.paymentDueAt > tx.now || order.closedAt) return 0;
    await cancelUnissued(tx, order, 'not paid in time', 'system');
    await tx.query(`update orders set status = 'expired', closed_at = $2, version = version + 1 where id = $1`, [id, tx.now]);
    await tx.event(id, 'order.expired', 'system');
    await tx.wake(id);
    return 1;
  });
}
