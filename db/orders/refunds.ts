import { encodeId } from '../../domain/ids.ts';
import { refundForUnits } from '../../domain/returns/refund.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import type { Tx } from '../tx.ts';
import type { Order, OrderLine } from './order.ts';

export type RefundCause = 'cancellation' | 'refund_request' | 'return' | 'shortage' | 'loss';

/**
 * Books a refund for units of lines from the shares frozen at capture; exact to the minor unit over any number of refunds.
 * Unpaid orders and orders that cost nothing owe nothing: the units are only marked. One refund a cause: a repetition changes nothing.
 */
export async function bookRefund(
  tx: Tx, order: Order, lines: readonly OrderLine[], units: ReadonlyMap<number, number>, cause: RefundCause, causeId: string, actor: string,
): Promise<number> {
  const parts = lines.flatMap((line) => {
    const count = units.get(line.lineNo) ?? 0;
    return count > 0 ? [{ line: line.lineNo, units: count, ...refundForUnits(line.priced, line.refunded, count, { freight: true }) }] : [];
  });
  if (parts.length === 0) return 0;
  const amount = parts.reduce((sum, p) => sum + p.amount, 0);
  const owed = order.paymentStatus === 'paid' && amount > 0;
  if (owed) {
    const id = uuidv7();
    const written = await tx.query(
      `insert into refunds (id, order_id, cause, cause_id, amount, currency, lines, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8)
       on conflict (cause, cause_id) do nothing returning 1`,
      [id, order.id, cause, causeId, amount, order.currency, JSON.stringify(parts), tx.now]);
    if (written.length === 0) return 0;
    await tx.event(order.id, 'refund.due', actor, { refund: encodeId('ref', id), amount, currency: order.currency, cause });
  }
  for (const part of parts) {
    await tx.query('update order_lines set refunded_quantity = refunded_quantity + $3 where order_id = $1 and line_no = $2', [order.id, part.line, part.units]);
  }
  return owed ? amount : 0;
}
