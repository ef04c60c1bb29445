import { encodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import type { StockWriter } from '../stock-writer.ts';
import { cancelLines } from './cancel-lines.ts';
import { cancelOrder } from './cancel-order.ts';

/**
 * Cancels what one customer's order brought into a merged one (合单): the others stay. An order that was never merged is cancelled whole. Returns `cancelled` or `asked`, like `cancelOrder`; refused with `conflict` where units of it
 * are packed or have left. `all`: the order that the others were merged into means all of them.
 */
export async function cancelMember(writer: StockWriter, orderId: string, reason: string, actor: string, all = false): Promise<'cancelled' | 'asked'> {
  const { rows } = await writer.pool.query<{ root: string; line: number; units: number; own: boolean; packed: boolean }>(
    `select l.order_id root, l.line_no line, l.quantity - l.cancelled_quantity units, coalesce(l.merged_from, l.order_id) = $1 own, l.issued_quantity > 0 packed
     from order_lines l where l.order_id = coalesce((select order_id from order_lines where merged_from = $1 limit 1), $1) order by 2`, [orderId]);
  const own = rows.filter((r) => r.own);
  const root = rows[0]?.root;
  if (root === undefined || own.length === rows.length || (all && root === orderId)) return cancelOrder(writer, orderId, reason, actor);
  if (own.some((r) => r.packed)) throw new Problem('conflict', 'goods have left: request a refund (POST …/refund-requests) or a return (POST …/returns) instead');
  const lines = own.filter((r) => r.units > 0).map((r) => ({ line: r.line, quantity: r.units }));
  if (lines.length === 0) return 'cancelled';
  const { waiting } = await cancelLines(writer, root, { reference: `member:${encodeId('ord', orderId)}:${lines.map((l) => `${l.line}x${l.quantity}`).join(',')}`, reason, lines }, actor);
  return waiting.length > 0 ? 'asked' : 'cancelled';
}
