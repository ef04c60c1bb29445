import type { SeenAfterSale } from '../../domain/channel/seen-order.ts';
import { Problem } from '../../domain/problem.ts';
import { cancelLines } from '../orders/cancel-lines.ts';
import { holdOrder, releaseOrder } from '../orders/hold-order.ts';
import { readLines, type OrderLine } from '../orders/order.ts';
import { requestRefund } from '../orders/refund-request.ts';
import { requestReturn } from '../returns/returns.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { LineMap } from './intake.ts';

/** Our lines of a platform line: those it became, and the components of a bundle that was ordered on one of them. */
export function linesOf(map: LineMap, lines: readonly OrderLine[]): OrderLine[] {
  return lines.filter((l) => { const ordered = l.bundle?.line ?? l.lineNo; return ordered >= map.first && ordered < map.first + map.components.length; });
}

/**
 * Cancels units that the platform has taken off an order: those that no location works on at once, others when their location gives them back. The platform's figure is the whole of
 * what is cancelled, so once is as good as twice. Throws `conflict` when they are packed or have left.
 */
export async function cancelUnitsOf(writer: StockWriter, orderId: string, cancelled: readonly { lineId: string; cancelled: number }[], map: readonly LineMap[], actor: string): Promise<void> {
  const lines = await readLines(writer.pool, orderId);
  const wanted = cancelled.flatMap((c) => {
    const m = map.find((x) => x.lineId === c.lineId);
    return m ? linesOf(m, lines).map((l) => ({ line: l.lineNo, before: l.cancelled, quantity: Math.min(l.quantity, (l.quantity / m.units) * c.cancelled) - l.cancelled })).filter((l) => l.quantity > 0) : [];
  });
  if (wanted.length === 0) return;
  // The reference names from where to where: another attempt at the same step is the same cancellation.
  const reference = `platform ${wanted.map((w) => `${w.line}:${w.before}+${w.quantity}`).join(' ')}`;
  await cancelLines(writer, orderId, { reference, reason: 'units cancelled on the platform', lines: wanted.map(({ line, quantity }) => ({ line, quantity })) }, actor);
}

/** Units of our lines for units of platform lines; all that were ordered where none are named. Parts of a line that do not divide are rounded up: the buyer sends whole SKUs. */
function unitsOf(afterSale: SeenAfterSale, map: readonly LineMap[], lines: readonly OrderLine[]): { line: number; quantity: number }[] {
  const wanted = afterSale.lines.length > 0 ? afterSale.lines : map.map((m) => ({ lineId: m.lineId, quantity: m.units }));
  return wanted.flatMap((w) => {
    const m = map.find((x) => x.lineId === w.lineId);
    return m ? linesOf(m, lines).map((l) => ({ line: l.lineNo, quantity: Math.min(Math.ceil((l.quantity / m.units) * w.quantity), l.issued - l.returned) })).filter((l) => l.quantity > 0) : [];
  });
}

const holdReason = (afterSale: SeenAfterSale): string => `after-sale ${afterSale.id}`;

/**
 * Money back without goods. For the whole order it is a refund request: what has not left stays. For some units of it the order waits while the platform decides, and they are cancelled
 * once it has agreed; what has left already follows the platform's own decision.
 */
export async function refundAfterSale(writer: StockWriter, orderId: string, afterSale: SeenAfterSale, map: readonly LineMap[], actor: string): Promise<void> {
  const part = afterSale.lines.length > 0 && map.some((m) => (afterSale.lines.find((l) => l.lineId === m.lineId)?.quantity ?? 0) < m.units);
  try {
    if (!part) await requestRefund(writer, orderId, afterSale.reason || 'after-sale on the platform', actor);
    else if (afterSale.status === 'requested') await holdOrder(writer, orderId, holdReason(afterSale), actor);
    else {
      await cancelUnitsOf(writer, orderId, afterSale.lines.map((l) => ({ lineId: l.lineId, cancelled: l.quantity })), map, actor);
      await closeAfterSale(writer, orderId, afterSale, actor);
    }
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'conflict') throw error; // the order is past it: a location has it, or it is over
  }
}

/** The platform has decided: the order goes on, if it waited for that. */
export async function closeAfterSale(writer: StockWriter, orderId: string, afterSale: SeenAfterSale, actor: string): Promise<void> {
  const { rows } = await writer.pool.query<{ id: number }>(`select id from order_holds where order_id = $1 and reason = 'manual' and detail = $2 and released_at is null`, [orderId, holdReason(afterSale)]);
  for (const { id } of rows) await releaseOrder(writer, orderId, `the after-sale is ${afterSale.status}`, actor, Number(id));
}

/**
 * A return or exchange that began on the platform, once per after-sale. Goods that have not arrived cannot come back: their order is stopped as by a refund request.
 */
export async function openReturn(writer: StockWriter, orderId: string, afterSale: SeenAfterSale, map: readonly LineMap[], actor: string): Promise<void> {
  const reason = `after-sale ${afterSale.id} on the platform`;
  const { rows: [state] } = await writer.pool.query<{ delivered_at: Date | null; known: boolean }>(
    'select delivered_at, exists (select from returns where order_id = o.id and reason = $2) known from orders o where id = $1', [orderId, reason]);
  if (state?.known) return;
  try {
    if (!state?.delivered_at) {
      await requestRefund(writer, orderId, reason, actor);
      return;
    }
    const lines = unitsOf(afterSale, map, await readLines(writer.pool, orderId));
    if (lines.length > 0) await requestReturn(writer, orderId, { kind: afterSale.kind === 'return' || afterSale.kind === 'refund' ? 'refund' : 'exchange', reason, method: 'drop_off', lines, goodwill: true }, null, actor);
  } catch (error) {
    // The order is past it: everything has been given back already, or it is over.
    if (!(error instanceof Problem) || (error.code !== 'conflict' && error.code !== 'unprocessable')) throw error;
  }
}
