import type { Tx } from '../tx.ts';

/** Holds an order for a reason, in words (kept up to 2,000 characters), and says so on its timeline. The caller has its lock and refreshes its status. */
export async function placeHold(tx: Tx, orderId: string, reason: string, detail: string, by: string): Promise<void> {
  const words = detail.slice(0, 2_000);
  await tx.query('insert into order_holds (order_id, reason, detail, placed_at, placed_by) values ($1, $2, $3, $4, $5)', [orderId, reason, words, tx.now, by]);
  await tx.event(orderId, 'order.held', by, { rules: [{ rule: reason, reason: words }] });
}
