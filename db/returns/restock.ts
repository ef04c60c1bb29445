import { nearestOpen } from '../stock/allotments/allotment.ts';
import { repayBorrowed } from '../stock/allotments/borrowings.ts';
import type { Tx } from '../tx.ts';

/** Units of an order line that came back in good condition; `before`: units of the line that came back earlier, whatever became of them. */
export type Restocked = { lineNo: number; skuId: number; units: number; before: number };

/**
 * Where returned units go: into the allotment they were issued from while it is open, else to its nearest open parent, at last to the shared stock. Which of
 * a line's units came back nobody can tell: they count in the order in which they were reserved. What an allotment had borrowed is given back with them.
 * The order is locked by the caller.
 */
export async function restockInto(tx: Tx, orderId: string, rows: readonly Restocked[]): Promise<{ lineNo: number; skuId: number; units: number; allotmentId: number }[]> {
  const issued = await tx.query<{ lineNo: number; levelId: number; allotmentId: number; units: number }>(
    `select r.line_no "lineNo", r.level_id "levelId", v.allotment_id "allotmentId", r.quantity units from reservations r join stock_levels v on v.id = r.level_id
     where r.order_id = $1 and r.status = 'issued' order by r.line_no, r.seq`, [orderId]);
  const back = rows.flatMap(({ lineNo, skuId, units, before }) => {
    const parts: { lineNo: number; skuId: number; units: number; allotmentId: number; levelId: number | null }[] = [];
    let passed = before;
    let open = units;
    for (const i of issued) {
      if (i.lineNo !== lineNo) continue;
      const skip = Math.min(passed, i.units);
      const now = Math.min(open, i.units - skip);
      passed -= skip;
      open -= now;
      if (now > 0) parts.push({ lineNo, skuId, units: now, allotmentId: i.allotmentId, levelId: i.levelId });
    }
    if (open > 0) parts.push({ lineNo, skuId, units: open, allotmentId: 0, levelId: null });
    return parts;
  });
  await repayBorrowed(tx, orderId, back.flatMap((b) => (b.levelId === null ? [] : [{ levelId: b.levelId, units: b.units }])));
  const homes = new Map<number, number>();
  for (const { allotmentId } of back) if (!homes.has(allotmentId)) homes.set(allotmentId, await nearestOpen(tx, allotmentId));
  return back.map(({ lineNo, skuId, units, allotmentId }) => ({ lineNo, skuId, units, allotmentId: homes.get(allotmentId) ?? 0 }));
}
