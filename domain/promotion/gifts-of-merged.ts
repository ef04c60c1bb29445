import { giftTimes } from './evaluate.ts';
import type { Promotion } from './model.ts';
import { conflict, inScope } from './select.ts';

export type GiftPromotion = Promotion & { kind: 'gift' };
/** Open goods of a merged order. `net`: what is left of the open units before coupons, minor units; `priced`: its order was priced here; `promotions`: those that its price has. */
export type MergedLine = { sku: string; category: string | null; quantity: number; net: number; priced: boolean; promotions: readonly Promotion[] };
/** Open units of a line that a promotion gave. */
export type GivenLine = { lineNo: number; sku: string; promotion: string; quantity: number };
export type GiftChange = { add: { promotion: GiftPromotion; sku: string; quantity: number }[]; take: { lineNo: number; sku: string; promotion: string; quantity: number }[] };

/**
 * What must change so that a merged order has the gifts that its lines earn together, each promotion by its own terms. Those count that are live at `at` (ms, the latest capture of a member), and those that gave a
 * member something. What too many lines gave is taken from the last line first; a gift of a promotion that is not among `promotions` stays.
 */
export function giftsOfMerged(
  order: { channel: string; currency: string; at: number; lines: readonly MergedLine[]; given: readonly GivenLine[] }, promotions: readonly Promotion[], matrix: ReadonlySet<string>,
): GiftChange {
  const gave = new Set(order.given.map((g) => g.promotion));
  const fit = promotions.filter((p): p is GiftPromotion => p.kind === 'gift' && p.currency === order.currency && ((p.from <= order.at && order.at < p.until) || gave.has(p.id)))
    .sort((a, b) => a.priority - b.priority || (a.id < b.id ? -1 : 1));
  const held = new Map<MergedLine, Promotion[]>(order.lines.map((l) => [l, [...l.promotions]]));
  const change: GiftChange = { add: [], take: [] };
  for (const p of fit) {
    const mine = order.lines.filter((l) => (p.channels === null ? l.priced : p.channels.has(order.channel))
      && inScope(p, { ...l, lineNo: 0, unitPrice: 0, floor: null }) && !(held.get(l) ?? []).some((q) => conflict(p, q, matrix)));
    const times = mine.length === 0 ? 0 : giftTimes(p.terms, mine.reduce((sum, l) => sum + l.net, 0), mine.reduce((sum, l) => sum + l.quantity, 0));
    if (times > 0) for (const l of mine) held.get(l)?.push(p);
    const earned = new Map<string, number>();
    for (const g of p.terms.gifts) earned.set(g.sku, (earned.get(g.sku) ?? 0) + g.quantity * times);
    for (const [sku, units] of earned) {
      const there = order.given.filter((g) => g.promotion === p.id && g.sku === sku).sort((a, b) => b.lineNo - a.lineNo);
      let surplus = there.reduce((sum, g) => sum + g.quantity, 0) - units;
      if (surplus < 0) change.add.push({ promotion: p, sku, quantity: -surplus });
      for (const { lineNo, quantity } of there) {
        const n = Math.min(surplus, quantity);
        if (n <= 0) break;
        change.take.push({ lineNo, sku, promotion: p.id, quantity: n });
        surplus -= n;
      }
    }
  }
  return change;
}
