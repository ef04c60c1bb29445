import { encodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import type { Network } from '../network.ts';
import type { StockWriter } from '../stock-writer.ts';
import { afterRefusals, cancelLines } from './cancel-lines.ts';
import { cancelOrder } from './cancel-order.ts';
import { giftChange, takenView } from './merged-gifts.ts';

type Row = { root: string; channelId: number; currency: string; line: number; units: number; asked: boolean; own: boolean; given: boolean; packed: boolean };

/**
 * Cancels what one customer's order brought into a merged one (合单), and gifts that the rest no longer earns: the others stay. An order that was never merged is cancelled whole. Returns `cancelled` or `asked`, like
 * `cancelOrder`; refused with `conflict` where units of it are packed or have left. `all`: the order that the others were merged into means all of them. `once`: as of `cancelLines`.
 */
export async function cancelMember(writer: StockWriter, network: Network, orderId: string, reason: string, actor: string, { all = false, once = false }: { all?: boolean; once?: boolean } = {}): Promise<'cancelled' | 'asked'> {
  const { rows } = await writer.pool.query<Row>(
    `select l.order_id root, o.channel_id "channelId", o.currency, l.line_no line, l.quantity - l.cancelled_quantity - l.cancel_wanted units, l.cancel_wanted > 0 asked, coalesce(l.merged_from, l.order_id) = $1 own, l.given_by is not null given, l.issued_quantity > 0 packed
     from order_lines l join orders o on o.id = l.order_id where l.order_id in (select order_id from order_lines where merged_from = $1 union select $1) order by 1, 4`, [orderId]);
  if (rows.length === 0) return cancelOrder(writer, orderId, reason, actor);
  // What it was merged into may have been split since.
  const outcomes: ('cancelled' | 'asked')[] = [];
  for (const root of new Set(rows.map((r) => r.root))) {
    const there = rows.filter((r) => r.root === root);
    const whole = there.every((r) => r.own || r.given) || (all && root === orderId);
    outcomes.push(whole ? await cancelOrder(writer, root, reason, actor) : await cancelOwn(writer, network, orderId, there, reason, actor, once));
  }
  return outcomes.includes('asked') ? 'asked' : 'cancelled';
}

async function cancelOwn(writer: StockWriter, network: Network, orderId: string, rows: readonly Row[], reason: string, actor: string, once: boolean): Promise<'cancelled' | 'asked'> {
  const [root] = rows;
  // Gifts that a promotion gave are of the merged order as a whole.
  const own = rows.filter((r) => r.own && !r.given);
  if (own.some((r) => r.packed)) throw new Problem('conflict', 'goods have left: request a refund (POST …/refund-requests) or a return (POST …/returns) instead');
  const goods = own.filter((r) => r.units > 0).map((r) => ({ line: r.line, quantity: r.units }));
  if (root === undefined || goods.length === 0) return own.some((r) => r.asked) ? 'asked' : 'cancelled';
  const { take } = await giftChange(writer.pool, network, { id: root.root, channelId: root.channelId, currency: root.currency }, orderId);
  const lines = [...goods, ...take.map((t) => ({ line: t.lineNo, quantity: t.quantity }))];
  const { waiting } = await cancelLines(writer, root.root, { reference: `member:${encodeId('ord', orderId)}:${lines.map((l) => `${l.line}x${l.quantity}`).join(',')}${await afterRefusals(writer.pool, root.root)}`, reason, lines, ...(once ? { once: true as const } : {}) }, actor,
    async (tx) => { if (take.length > 0) await tx.event(root.root, 'order.gifts_recomputed', actor, { added: [], removed: takenView(take), dropped: [] }); });
  return waiting.length > 0 ? 'asked' : 'cancelled';
}
