import type { SeenAfterSale, SeenOrder } from './seen-order.ts';

/** A line of the platform's as it was captured: `units` of the `ordered` ones, the others had been cancelled before. */
export type CapturedLine = { lineId: string; units: number; ordered: number };

/** What refunds take off an order. `money`: no unit. `unknown`: nobody can tell. `units`: of each line all that refunds have taken off, those of before included. */
export type RefundScope = { takes: 'money' | 'unknown' | 'all' } | { takes: 'units'; lines: { lineId: string; cancelled: number }[] };

/** Agreed to, and nothing that came after takes that back. */
export const isDecided = (status: SeenAfterSale['status']): boolean => status === 'agreed' || status === 'goods_sent' || status === 'done';

/**
 * What a refund of money takes off its order, together with those that were agreed to before. With lines: their units, summed up over all refunds. Without: everything, once all that is left of what was paid (`left`, minor units)
 * is given back; else money only, such as the freight.
 */
export function refundScope(seen: SeenOrder, afterSale: SeenAfterSale, captured: readonly CapturedLine[], left: number): RefundScope {
  const all = seen.afterSales.filter((a) => a.kind === 'refund' && (a.id === afterSale.id || isDecided(a.status)));
  if (afterSale.lines.length === 0) {
    if (afterSale.amount === null) return { takes: 'unknown' };
    const given = all.reduce((sum, a) => sum + (a.lines.length === 0 ? a.amount ?? 0 : 0), 0);
    return { takes: afterSale.amount > 0 && given >= left ? 'all' : 'money' };
  }
  const off = (c: CapturedLine): number => {
    const refunded = all.flatMap((a) => a.lines).reduce((sum, l) => sum + (l.lineId === c.lineId ? l.quantity : 0), 0);
    return Math.max(0, Math.min(c.units, refunded - (c.ordered - c.units)));
  };
  const lines = captured.map((c) => ({ lineId: c.lineId, cancelled: off(c) })).filter((l) => l.cancelled > 0);
  return captured.length > 0 && captured.every((c) => off(c) === c.units) ? { takes: 'all' } : { takes: 'units', lines };
}
