import type { Discount } from '../order/intake.ts';
import type { SeenLine, SeenOrder } from './seen-order.ts';

/** Others pay the shop what they take off: only what it bears itself makes its price lower. */
const ours = (discounts: readonly Discount[]): number => discounts.reduce((sum, d) => sum + (d.bearer === 'shop' || d.bearer === 'brand' ? d.amount : 0), 0);
const listed = (line: SeenLine): number => line.unitPrice * line.quantity;

/**
 * The first line of which the shop is paid less a unit than its listing's floor (minor units; no floor: any price). Discounts on the whole order count by the lines' amounts. Gifts and lines without units have no
 * price to look at. `unit`: what it is paid, rounded down.
 */
export function belowFloor(order: Pick<SeenOrder, 'lines' | 'discounts'>, floors: ReadonlyMap<string, number | null>): { platformSku: string; unit: number; floor: number } | null {
  const all = order.lines.reduce((sum, l) => sum + listed(l), 0);
  const off = ours(order.discounts);
  for (const line of order.lines) {
    const floor = floors.get(line.platformSku) ?? null;
    if (floor === null || line.gift || line.quantity <= 0) continue;
    const share = all === 0 ? 0 : (off * listed(line)) / all;
    const paid = listed(line) - ours(line.discounts) - share;
    if (paid < floor * line.quantity) return { platformSku: line.platformSku, unit: Math.floor(paid / line.quantity), floor };
  }
  return null;
}
