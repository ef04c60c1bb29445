import type { LineAnswer } from '../../domain/edi/answer.ts';
import { linesOf } from '../channels/family.ts';
import type { LineMap } from '../channels/intake.ts';
import { readLines } from '../orders/order.ts';
import type { Tx } from '../tx.ts';

/**
 * What of each of a dealer's lines is on hand for it, comes later, or is no more to be delivered, in the dealer's units: a unit of a listing that sells several SKUs counts where all of them are there.
 */
export async function lineFacts(tx: Tx, orderId: string, map: readonly LineMap[]): Promise<LineAnswer[]> {
  const lines = await readLines(tx.client, orderId);
  const rows = await tx.query<{ line_no: number; units: number }>(
    `select r.line_no, sum(r.quantity)::int units from reservations r join stock_levels v on v.id = r.level_id where r.order_id = $1 and r.status in ('held', 'confirmed', 'issued') and v.supply_id = 0 group by 1`, [orderId]);
  const onHand = new Map(rows.map((r) => [r.line_no, r.units]));
  return map.map((m) => {
    const own = linesOf(m, lines);
    const least = (units: (line: (typeof own)[number]) => number): number => (own.length === 0 ? 0 : Math.min(...own.map((l) => Math.floor((units(l) * m.units) / l.quantity))));
    const alive = least((l) => l.quantity - l.cancelled);
    const accepted = Math.min(alive, least((l) => onHand.get(l.lineNo) ?? 0));
    return { lineNo: m.lineId, accepted, backordered: alive - accepted };
  });
}
