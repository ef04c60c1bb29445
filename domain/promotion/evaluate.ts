import type { Bearer } from '../order/pricing.ts';
import { unitAfter } from './check.ts';
import type { GiftTerms, Promotion, PromotionKind, Used } from './model.ts';
import { bestOrder, conflict, inScope, NOTHING_USED, unfit, type Cart, type CartLine } from './select.ts';
import { spread } from './spread.ts';

/** What one promotion did: by line (minor units; lines with nothing are left out), in all, on how many units. */
export type Applied = { promotion: Promotion; lines: { lineNo: number; amount: number }[]; amount: number; units: number };
export type Gift = { promotion: Promotion; sku: string; quantity: number; outOfStock: 'drop' | 'refuse' };
/** `lost`: coupons that were left unused, with the reason; `excluded` when another promotion took their place. */
export type Evaluation = { applied: Applied[]; gifts: Gift[]; lost: { promotion: string; reason: string; excluded: boolean }[] };

/** Prices of a unit come first, gifts are judged before coupons. */
const STAGES: readonly (readonly PromotionKind[])[] = [['markdown', 'staff_price'], ['bundle'], ['threshold'], ['gift'], ['coupon']];

/**
 * What the promotions do for an order. Each holds whole lines: who is in conflict with one that goes before it does not get them. Unit prices, then bundles, thresholds on what is left, gifts, coupons on what is left.
 * No line goes below the floor of any promotion on it (its own, else the price book's), nor below 0. The order of lines and promotions in the input does not matter.
 */
export function evaluate(cart: Cart, promotions: readonly Promotion[], matrix: ReadonlySet<string>, used: ReadonlyMap<string, Used>): Evaluation {
  const lines = [...cart.lines].sort((a, b) => (a.sku < b.sku ? -1 : a.sku > b.sku ? 1 : a.unitPrice - b.unitPrice || a.quantity - b.quantity || a.lineNo - b.lineNo));
  const usedOf = (p: Promotion): Used => used.get(p.id) ?? NOTHING_USED;
  const lost: Evaluation['lost'] = [];
  const fit = promotions.filter((p) => {
    const reason = unfit(p, cart, usedOf(p));
    if (reason !== null && p.kind === 'coupon' && cart.coupons.has(p.id)) lost.push({ promotion: p.id, reason, excluded: false });
    return reason === null;
  });
  const run = (order: readonly Promotion[]): Run => settled(order, lines, matrix, usedOf);
  const saved = ({ applied, gifts }: Run): number => applied.reduce((sum, a) => sum + a.amount, 0) * 1_000 + Math.min(999, gifts.reduce((sum, g) => sum + g.quantity, 0));
  const best = run(bestOrder(fit, lines, matrix, (order) => saved(run(order))));
  for (const p of fit) {
    if (p.kind !== 'coupon' || best.applied.some((a) => a.promotion === p)) continue;
    const alone = run([p]).applied.length > 0;
    lost.push({ promotion: p.id, excluded: alone, reason: alone ? 'another promotion of this order takes its place' : lacking(p) });
  }
  return { applied: best.applied, gifts: best.gifts, lost };
}

function lacking(p: Promotion & { kind: 'coupon' }): string {
  return p.terms.minSpend === undefined ? 'it brings nothing for these lines' : `its lines must come to ${p.terms.minSpend} after other discounts, and it brings nothing below their floor`;
}

/** `holders`: who has lines; `given`: of each shared budget. */
type Run = { applied: Applied[]; gifts: Gift[]; holders: Set<Promotion>; given: Map<string, number> };
type LineState = { line: CartLine; net: number; floor: number };

/** Runs again without who brought nothing, so that nobody holds a line for nothing: the first one first, since who comes later may be idle for its sake. */
function settled(order: readonly Promotion[], lines: readonly CartLine[], matrix: ReadonlySet<string>, usedOf: (p: Promotion) => Used): Run {
  let kept = [...order];
  for (;;) {
    const result = once(kept, lines, matrix, usedOf);
    const idle = kept.find((p) => result.holders.has(p) && !result.applied.some((a) => a.promotion === p) && !result.gifts.some((g) => g.promotion === p));
    if (!idle) return result;
    kept = kept.filter((p) => p !== idle);
  }
}

function once(order: readonly Promotion[], lines: readonly CartLine[], matrix: ReadonlySet<string>, usedOf: (p: Promotion) => Used): Run {
  const held = new Map<CartLine, Promotion[]>(lines.map((l) => [l, []]));
  const own = new Map<Promotion, Set<CartLine>>();
  for (const p of order) {
    const mine = lines.filter((l) => inScope(p, l) && !(held.get(l) ?? []).some((q) => conflict(p, q, matrix)));
    for (const l of mine) held.get(l)?.push(p);
    own.set(p, new Set(mine));
  }
  const states = lines.map((line): LineState => ({ line, net: line.quantity * line.unitPrice, floor: 0 }));
  const run: Run = { applied: [], gifts: [], holders: new Set([...own].filter(([, mine]) => mine.size > 0).map(([p]) => p)), given: new Map() };
  for (const kinds of STAGES) {
    for (const p of order) {
      if (!kinds.includes(p.kind)) continue;
      const mine = states.filter((s) => own.get(p)?.has(s.line));
      if (mine.length === 0) continue;
      if (p.kind === 'gift') run.gifts.push(...giftsOf(p, mine));
      else apply(p, mine, usedOf(p), run);
    }
  }
  return run;
}

function apply(p: Promotion, mine: LineState[], used: Used, run: Run): void {
  const floors = mine.map((s) => Math.max(s.floor, p.skus.get(s.line.sku)?.floor ?? s.line.floor ?? 0));
  const rooms = mine.map((s, i) => Math.max(0, s.net - (floors[i] as number) * s.line.quantity));
  const { amounts, units } = offOf(p, mine, rooms, used);
  const amount = amounts.reduce((sum, a) => sum + a, 0);
  if (amount === 0 || (p.budget !== null && used.amount + amount > p.budget)) return;
  const given = (run.given.get(p.pool ?? '') ?? 0) + amount;
  if (used.poolLeft !== null && given > used.poolLeft) return;
  if (p.pool !== null) run.given.set(p.pool, given);
  const lines: Applied['lines'] = [];
  amounts.forEach((off, i) => {
    if (off === 0) return;
    const s = mine[i] as LineState;
    s.net -= off;
    s.floor = floors[i] as number;
    lines.push({ lineNo: s.line.lineNo, amount: off });
  });
  run.applied.push({ promotion: p, lines: lines.sort((a, b) => a.lineNo - b.lineNo), amount, units });
}

type Off = { amounts: number[]; units: number };
const total = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0);

function offOf(p: Promotion, mine: LineState[], rooms: number[], used: Used): Off {
  switch (p.kind) {
    case 'markdown': case 'staff_price': return unitOff(p, mine, rooms, unitsLeft(p, used));
    case 'bundle': return bundleOff(p, mine, rooms, unitsLeft(p, used));
    case 'threshold': {
      const base = total(mine.map((s) => s.net));
      const count = total(mine.map((s) => s.line.quantity));
      const tier = p.terms.tiers.filter((t) => (t.minSpend === undefined ? count >= (t.minQuantity ?? 0) : base >= t.minSpend)).at(-1);
      if (!tier) return { amounts: mine.map(() => 0), units: 0 };
      const times = p.terms.repeat === true ? Math.floor(tier.minSpend === undefined ? count / (tier.minQuantity ?? 1) : base / tier.minSpend) : 1;
      return overLines(mine, rooms, tier.percentOff === undefined ? (tier.amountOff ?? 0) * times : percent(base, tier.percentOff));
    }
    case 'coupon': {
      const base = total(mine.map((s) => s.net));
      if (base < (p.terms.minSpend ?? 0)) return { amounts: mine.map(() => 0), units: 0 };
      const off = p.terms.percentOff === undefined ? p.terms.amountOff ?? 0 : Math.min(p.terms.maxOff ?? Infinity, percent(base, p.terms.percentOff));
      return overLines(mine, rooms, off);
    }
    case 'gift': return { amounts: mine.map(() => 0), units: 0 };
  }
}

/** Exact beyond 2^53: whole minor units, rounded down. */
function percent(amount: number, of: number): number { return Number((BigInt(amount) * BigInt(of)) / 100n); }

function unitsLeft(p: Promotion, used: Used): number {
  return Math.min(p.perCustomerUnits === null ? Infinity : p.perCustomerUnits - used.customerUnits, p.perStaffUnits === null ? Infinity : p.perStaffUnits - used.staffUnits);
}

function overLines(mine: LineState[], rooms: number[], off: number): Off {
  const amounts = spread(off, mine.map((s) => s.net), rooms);
  return { amounts, units: total(mine.map((s, i) => ((amounts[i] as number) > 0 ? s.line.quantity : 0))) };
}

/** The units that save most get it first, as far as limits go. */
function unitOff(p: Promotion & { kind: 'markdown' | 'staff_price' }, mine: LineState[], rooms: number[], left: number): Off {
  const each = mine.map(({ line }) => Math.max(0, line.unitPrice - (p.skus.get(line.sku)?.price ?? unitAfter(p.terms, line.unitPrice))));
  const amounts = mine.map(() => 0);
  let units = 0;
  const first = mine.map((_, i) => i).sort((a, b) => (each[b] as number) - (each[a] as number) || a - b);
  for (const i of first) {
    const n = Math.min((mine[i] as LineState).line.quantity, left - units);
    const off = Math.min((each[i] as number) * n, rooms[i] as number);
    if (off <= 0) continue;
    amounts[i] = off;
    units += n;
  }
  return { amounts, units };
}

/** As many sets as the lines hold; what they cost now less what they shall cost, over the lines they take. */
function bundleOff(p: Promotion & { kind: 'bundle' }, mine: LineState[], rooms: number[], left: number): Off {
  const { items, price, percentOff } = p.terms;
  const none = { amounts: mine.map(() => 0), units: 0 };
  const there = (sku: string): number => total(mine.filter((s) => s.line.sku === sku).map((s) => s.line.quantity));
  const size = total(items.map((x) => x.quantity));
  const sets = Math.min(Math.floor(left / size), ...items.map((x) => Math.floor(there(x.sku) / x.quantity)));
  if (!(sets > 0)) return none;
  const wanted = new Map(items.map((x) => [x.sku, x.quantity * sets]));
  // The dearest units of a SKU go into the sets: lines are sorted by price, so from the end.
  const values = mine.map(() => 0);
  for (let i = mine.length - 1; i >= 0; i--) {
    const { line, net } = mine[i] as LineState;
    const n = Math.min(line.quantity, wanted.get(line.sku) ?? 0);
    if (n === 0) continue;
    wanted.set(line.sku, (wanted.get(line.sku) ?? 0) - n);
    values[i] = Number((BigInt(net) * BigInt(n)) / BigInt(line.quantity));
  }
  const value = total(values);
  const off = price === undefined ? percent(value, percentOff ?? 0) : value - price * sets;
  if (off <= 0) return none;
  const amounts = spread(off, values, rooms.map((room, i) => Math.min(room, values[i] as number)));
  return { amounts, units: total(amounts) > 0 ? sets * size : 0 };
}

/** How often the gifts of a promotion are earned by what its lines come to (minor units) and their units. */
export function giftTimes({ minSpend, minQuantity, repeat }: GiftTerms, spend: number, units: number): number {
  const reached = minSpend !== undefined ? Math.floor(spend / minSpend) : minQuantity !== undefined ? Math.floor(units / minQuantity) : 1;
  return repeat === true ? reached : Math.min(1, reached);
}

function giftsOf(p: Promotion & { kind: 'gift' }, mine: LineState[]): Gift[] {
  const { gifts, outOfStock } = p.terms;
  const times = giftTimes(p.terms, total(mine.map((s) => s.net)), total(mine.map((s) => s.line.quantity)));
  return times === 0 ? [] : gifts.map((g) => ({ promotion: p, sku: g.sku, quantity: g.quantity * times, outOfStock }));
}

/** A discount as a line keeps it: `code` and `promotion` (its outside id) say which promotion gave it. */
export type LineDiscount = { bearer: Bearer; code: string; amount: number; promotion: string };

/** The discounts of each line, in the order they were given. `idOf`: the outside id of a promotion. */
export function discountsByLine(applied: readonly Applied[], idOf: (uuid: string) => string): Map<number, LineDiscount[]> {
  const byLine = new Map<number, LineDiscount[]>();
  for (const { promotion: p, lines } of applied) {
    for (const { lineNo, amount } of lines) byLine.set(lineNo, [...byLine.get(lineNo) ?? [], { bearer: p.bearer, code: p.code, amount, promotion: idOf(p.id) }]);
  }
  return byLine;
}
