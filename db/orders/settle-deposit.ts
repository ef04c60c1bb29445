import { allocate } from '../../domain/money.ts';
import { encodeId } from '../../domain/ids.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import type { Tx } from '../tx.ts';
import type { Order, OrderLine } from './order.ts';

/**
 * A pre-sale ends before its balance was paid: the deposit is given back where the channel does so, or where we lacked units ourselves, else it is kept; an
 * event says which. The refund is spread over the lines by their net amounts. Under the order's lock, once, when its last unit is cancelled.
 */
export async function settleDeposit(tx: Tx, order: Order, lines: readonly OrderLine[], actor: string): Promise<void> {
  // Shortages have been closed in this transaction by then.
  const row = await tx.one<{ deposit: number; refundable: boolean; short: boolean }>(
    `select o.deposit_amount deposit, c.deposit_refundable refundable,
       exists (select from shortages s where s.order_id = o.id and (s.status = 'open' or (s.status = 'cancelled' and s.closed_at = $2))) short
     from orders o join channels c on c.id = o.channel_id where o.id = $1`, [order.id, tx.now]);
  const net = lines.map((l) => l.priced.netAmount);
  const amount = Math.min(row?.deposit ?? 0, net.reduce((sum, n) => sum + n, 0));
  if (!row || amount === 0) return;
  if (!row.refundable && !row.short) return tx.event(order.id, 'order.deposit_kept', actor, { amount, currency: order.currency });
  const id = uuidv7();
  const shares = allocate(amount, net);
  const parts = lines.flatMap((l, i) => ((shares[i] as number) > 0 ? [{ line: l.lineNo, units: l.quantity, amount: shares[i], list: shares[i], freight: 0, byBearer: { platform: 0, shop: 0, influencer: 0, brand: 0 } }] : []));
  await tx.query(`insert into refunds (id, order_id, cause, cause_id, amount, currency, lines, created_at) values ($1, $2, 'cancellation', $1, $3, $4, $5, $6)`,
    [id, order.id, amount, order.currency, JSON.stringify(parts), tx.now]);
  await tx.event(order.id, 'refund.due', actor, { refund: encodeId('ref', id), amount, currency: order.currency, cause: 'cancellation' });
  await tx.event(order.id, 'order.deposit_refunded', actor, { amount, currency: order.currency, why: row.short ? 'units were missing' : 'policy' });
}
