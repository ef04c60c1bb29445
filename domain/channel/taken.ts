import type { SeenOrder } from './seen-order.ts';

/** Lines whose units are on the platform's figure still: it takes them with the payment. */
export const notTaken = (seen: SeenOrder): ReadonlySet<string> => new Set(seen.paidAt !== null || seen.cashOnDelivery ? [] : seen.lines.filter((l) => l.takenWhenPaid === true).map((l) => l.lineId));

/** Units by listing; null: none. */
export type Units = Readonly<Record<string, number>> | null;

/** Units that the platform has sold in an order and no account counts: all that are to be shipped, less those that are counted of a line. */
export function uncounted(seen: SeenOrder, counted: Readonly<Record<string, number>>): Units {
  const units: Record<string, number> = {};
  const untaken = notTaken(seen);
  for (const l of seen.lines.filter((x) => !untaken.has(x.lineId))) {
    const more = l.quantity - l.cancelled - (counted[l.lineId] ?? 0);
    if (more > 0) units[l.platformSku] = (units[l.platformSku] ?? 0) + more;
  }
  return Object.keys(units).length === 0 ? null : units;
}
