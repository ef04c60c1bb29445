import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evaluate, type Evaluation } from '../../../domain/promotion/evaluate.ts';
import type { Promotion, Used } from '../../../domain/promotion/model.ts';
import type { Cart, CartLine } from '../../../domain/promotion/select.ts';
import { spread } from '../../../domain/promotion/spread.ts';

const MATRIX = new Set(['markdown|markdown', 'staff_price|staff_price', 'bundle|bundle', 'threshold|threshold', 'coupon|coupon', 'markdown|staff_price', 'bundle|markdown', 'bundle|staff_price', 'coupon|staff_price',
  'staff_price|threshold', 'bundle|threshold']);
const AT = 1_000;
type Made = Partial<Omit<Promotion, 'kind' | 'terms' | 'skus'>> & Pick<Promotion, 'kind' | 'terms'> & { of?: Record<string, { price?: number; floor?: number }> };
let n = 0;
const promo = ({ of = {}, ...changes }: Made): Promotion => ({
  id: `p${String(++n).padStart(4, '0')}`, code: `P${n}`, name: '', currency: 'CNY', version: 1, channels: null, skus: new Map(Object.entries(of).map(([k, v]) => [k, { price: v.price ?? null, floor: v.floor ?? null }])),
  categories: new Set<string>(), from: 0, until: 2_000, bearer: 'shop', priority: 100, stackable: true, perCustomerOrders: null, perCustomerUnits: null, perStaffUnits: null, budget: null, ...changes,
} as Promotion);
const line = (lineNo: number, sku: string, quantity: number, unitPrice: number, floor: number | null = null): CartLine => ({ lineNo, sku, category: null, quantity, unitPrice, floor });
const cart = (lines: CartLine[], changes: Partial<Cart> = {}): Cart => ({ channel: 'own', currency: 'CNY', at: AT, priced: true, lines, staffGroup: null, known: true, coupons: new Set(), ...changes });
const run = (c: Cart, promotions: Promotion[], used = new Map<string, Used>()): Evaluation => evaluate(c, promotions, MATRIX, used);
const off = (e: Evaluation): [string, number, number][] => e.applied.map((a) => [a.promotion.kind, a.amount, a.units]);

describe('each kind', () => {
  test('markdown: per cent rounded down, an amount, a price of its own', () => {
    expect(off(run(cart([line(1, 'A', 3, 999)]), [promo({ kind: 'markdown', terms: { percentOff: 20 } })]))).toEqual([['markdown', 597, 3]]);
    expect(off(run(cart([line(1, 'A', 3, 999)]), [promo({ kind: 'markdown', terms: {}, of: { A: { price: 700 } } })]))).toEqual([['markdown', 897, 3]]);
    expect(run(cart([line(1, 'B', 3, 999)]), [promo({ kind: 'markdown', terms: {}, of: { A: { price: 700 } } })]).applied).toEqual([]);
  });
  test('staff price: for staff, of the group, as many units as are left to them, the dearest first', () => {
    const p = promo({ kind: 'staff_price', terms: { percentOff: 50, groups: ['hq'] }, perStaffUnits: 3 });
    const lines = [line(1, 'A', 2, 100), line(2, 'B', 2, 500)];
    expect(run(cart(lines), [p]).applied).toEqual([]);
    expect(run(cart(lines, { staffGroup: 'shop' }), [p]).applied).toEqual([]);
    expect(run(cart(lines, { staffGroup: 'hq' }), [p]).applied).toMatchObject([{ amount: 550, units: 3, lines: [{ lineNo: 1, amount: 50 }, { lineNo: 2, amount: 500 }] }]);
    expect(off(run(cart(lines, { staffGroup: 'hq' }), [p], new Map([[p.id, { amount: 0, customerOrders: 0, customerUnits: 0, staffUnits: 2, poolLeft: null }]])))).toEqual([['staff_price', 250, 1]]);
  });
  test('bundle: as many sets as there are, over two lines of one SKU too', () => {
    const p = promo({ kind: 'bundle', terms: { items: [{ sku: 'A', quantity: 2 }, { sku: 'B', quantity: 1 }], price: 1000 }, of: { A: {}, B: {} } });
    expect(off(run(cart([line(1, 'A', 3, 500), line(2, 'A', 2, 500), line(3, 'B', 2, 400)]), [p]))).toEqual([['bundle', 800, 6]]);
    expect(off(run(cart([line(1, 'A', 1, 500), line(3, 'B', 2, 400)]), [p]))).toEqual([]);
  });
  test('threshold: the highest tier reached, or again for each', () => {
    const tiers = promo({ kind: 'threshold', terms: { tiers: [{ minSpend: 200, amountOff: 20 }, { minSpend: 500, amountOff: 80 }] } });
    expect([199, 200, 499, 500].map((v) => run(cart([line(1, 'A', 1, v)]), [tiers]).applied[0]?.amount ?? 0)).toEqual([0, 20, 20, 80]);
    const each = promo({ kind: 'threshold', terms: { tiers: [{ minSpend: 300, amountOff: 40 }], repeat: true } });
    expect([299, 300, 899, 900].map((v) => run(cart([line(1, 'A', 1, v)]), [each]).applied[0]?.amount ?? 0)).toEqual([0, 40, 80, 120]);
  });
  test('coupon: judged by what is left after thresholds; capped; it says why it brings nothing', () => {
    const p = promo({ kind: 'coupon', terms: { percentOff: 50, maxOff: 100, minSpend: 200 } });
    const th = promo({ kind: 'threshold', terms: { tiers: [{ minSpend: 210, amountOff: 20 }] } });
    const c = (v: number) => cart([line(1, 'A', 1, v)], { coupons: new Set([p.id]) });
    expect(off(run(c(219), [p, th]))).toEqual([['threshold', 20, 1]]);
    expect(run(c(219), [p, th]).lost).toMatchObject([{ promotion: p.id, excluded: true }]);
    expect(run(c(199), [p]).lost).toMatchObject([{ promotion: p.id, excluded: false }]);
    expect(off(run(c(220), [p, th]))).toEqual([['threshold', 20, 1], ['coupon', 100, 1]]);
    expect(run(cart([line(1, 'A', 1, 300)]), [p]).applied).toEqual([]);
  });
  test('gift: once, or for each amount; judged before coupons', () => {
    const g = promo({ kind: 'gift', terms: { gifts: [{ sku: 'G', quantity: 2 }], minSpend: 100, repeat: true, outOfStock: 'drop' } });
    const c = promo({ kind: 'coupon', terms: { amountOff: 150 } });
    expect(run(cart([line(1, 'A', 1, 299)], { coupons: new Set([c.id]) }), [g, c]).gifts).toMatchObject([{ sku: 'G', quantity: 4, outOfStock: 'drop' }]);
    expect(run(cart([line(1, 'A', 1, 99)]), [g]).gifts).toEqual([]);
  });
});

test('the window is [from, until), to the millisecond; other channels and currencies do not see it', () => {
  const p = promo({ kind: 'markdown', terms: { percentOff: 10 }, from: 1_000, until: 2_000, channels: new Set(['own']) });
  const has = (changes: Partial<Cart>) => run(cart([line(1, 'A', 1, 100)], changes), [p]).applied.length;
  expect([999, 1_000, 1_999, 2_000].map((at) => has({ at }))).toEqual([0, 1, 1, 0]);
  expect([has({ channel: 'other' }), has({ currency: 'USD' }), has({ priced: false })]).toEqual([0, 0, 0]);
});

test('prices that are facts stay: only a gift that names the channel is added', () => {
  const gift: Made = { kind: 'gift', terms: { gifts: [{ sku: 'G', quantity: 1 }], outOfStock: 'drop' } };
  const named = promo({ ...gift, channels: new Set(['own']) });
  expect(run(cart([line(1, 'A', 1, 100)], { priced: false }), [named, promo(gift), promo({ kind: 'markdown', terms: { percentOff: 10 }, channels: new Set(['own']) })])).toMatchObject({ applied: [], gifts: [{ promotion: { id: named.id } }] });
});

describe('who excludes whom', () => {
  const staff = () => promo({ kind: 'staff_price', terms: { percentOff: 20 } });
  const markdown = (changes: Partial<Promotion> = {}) => promo({ kind: 'markdown', terms: { percentOff: 30 }, ...changes } as Made);
  test('on a tie of priority the customer saves most; else priority decides', () => {
    const c = cart([line(1, 'A', 1, 100)], { staffGroup: 'hq' });
    expect(off(run(c, [staff(), markdown()]))).toEqual([['markdown', 30, 1]]);
    expect(off(run(c, [{ ...staff(), priority: 1 }, markdown()]))).toEqual([['staff_price', 20, 1]]);
  });
  test('line by line: what one holds another does not get, the rest it does', () => {
    const c = cart([line(1, 'A', 1, 100), line(2, 'B', 1, 100)], { staffGroup: 'hq' });
    expect(off(run(c, [staff(), promo({ kind: 'markdown', terms: {}, of: { A: { price: 10 } } })]))).toEqual([['markdown', 90, 1], ['staff_price', 20, 1]]);
  });
  test('one that does not stack stands alone but for gifts', () => {
    const alone = promo({ kind: 'threshold', terms: { tiers: [{ minSpend: 1, percentOff: 40 }] }, stackable: false });
    const gift = promo({ kind: 'gift', terms: { gifts: [{ sku: 'G', quantity: 1 }], outOfStock: 'drop' } });
    const e = run(cart([line(1, 'A', 1, 100)]), [alone, markdown(), gift]);
    expect([off(e), e.gifts.length]).toEqual([[['threshold', 40, 1]], 1]);
  });
  test('who brings nothing holds nothing', () => {
    const idle = promo({ kind: 'staff_price', terms: {}, of: { A: { price: 100 } }, priority: 1 });
    expect(off(run(cart([line(1, 'A', 1, 100)], { staffGroup: 'hq' }), [idle, markdown()]))).toEqual([['markdown', 30, 1]]);
  });
});

test('floors: of the promotion, else of the price book; a coupon stops there', () => {
  const md = promo({ kind: 'markdown', terms: { percentOff: 50 }, of: { A: { floor: 60 } } });
  const c = promo({ kind: 'coupon', terms: { amountOff: 100 } });
  const e = run(cart([line(1, 'A', 2, 100, 10), line(2, 'B', 1, 100, 70)], { coupons: new Set([c.id]) }), [md, c]);
  expect(e.applied.map((a) => [a.promotion.kind, a.lines])).toEqual([['markdown', [{ lineNo: 1, amount: 80 }]], ['coupon', [{ lineNo: 2, amount: 30 }]]]);
});

test('a budget is never overdrawn: what would go beyond it is not given', () => {
  const p = promo({ kind: 'markdown', terms: { amountOff: 50 }, budget: 120 });
  const used = (amount: number) => new Map([[p.id, { amount, customerOrders: 0, customerUnits: 0, staffUnits: 0, poolLeft: null }]]);
  expect([20, 21, 120].map((a) => run(cart([line(1, 'A', 2, 100)]), [p], used(a)).applied.length)).toEqual([1, 0, 0]);
});

const SKUS = ['A', 'B', 'C', 'D'];
const aLine = fc.record({ sku: fc.constantFrom(...SKUS), quantity: fc.integer({ min: 1, max: 9 }), unitPrice: fc.integer({ min: 0, max: 5_000 }), floor: fc.option(fc.integer({ min: 0, max: 5_000 })) });
const of = fc.dictionary(fc.constantFrom(...SKUS), fc.record({ floor: fc.option(fc.integer({ min: 0, max: 4_000 }), { nil: undefined }) }, { requiredKeys: [] }), { maxKeys: 3 });
const aPromotion = fc.tuple(fc.constantFrom('markdown', 'staff_price', 'coupon', 'threshold', 'bundle', 'gift'), fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 3_000 }), of, fc.integer({ min: 1, max: 3 }), fc.boolean(), fc.option(fc.integer({ min: 1, max: 9_000 })))
  .map(([kind, percentOff, amount, skus, priority, stackable, budget]): Made => {
    const terms = kind === 'threshold' ? { tiers: [{ minSpend: amount, amountOff: Math.ceil(amount / 3) }], repeat: true } : kind === 'coupon' ? { amountOff: amount }
      : kind === 'bundle' ? { items: [{ sku: 'A', quantity: 1 }, { sku: 'B', quantity: 1 }], price: amount } : kind === 'gift' ? { gifts: [{ sku: 'G', quantity: 1 }], minSpend: amount, outOfStock: 'drop' } : { percentOff };
    return { kind, terms, of: (kind === 'bundle' ? { A: {}, B: {} } : skus) as Record<string, { floor?: number }>, priority, stackable, budget: kind === 'gift' ? null : budget } as unknown as Made;
  });

test('always: nothing negative, nothing below a floor, sums exact, no two in conflict on a line, and the order of the input does not matter', () => {
  fc.assert(fc.property(fc.array(aLine, { minLength: 1, maxLength: 6 }), fc.array(aPromotion, { maxLength: 6 }), fc.infiniteStream(fc.integer({ min: 0, max: 1_000 })), (rawLines, made, random) => {
    const promotions = made.map(promo);
    const lines = rawLines.map((l, i): CartLine => ({ lineNo: i + 1, category: null, ...l }));
    const changes = { staffGroup: 'hq', coupons: new Set(promotions.map((p) => p.id)) };
    const e = run(cart(lines, changes), promotions);
    for (const l of lines) {
      const here = e.applied.filter((a) => a.lines.some((x) => x.lineNo === l.lineNo));
      const net = l.quantity * l.unitPrice - here.reduce((sum, a) => sum + (a.lines.find((x) => x.lineNo === l.lineNo)?.amount ?? 0), 0);
      expect(net).toBeGreaterThanOrEqual(0);
      for (const a of here) expect(net).toBeGreaterThanOrEqual((a.promotion.skus.get(l.sku)?.floor ?? l.floor ?? 0) * l.quantity);
      for (const a of here) for (const b of here) if (a !== b) expect([MATRIX.has([a.promotion.kind, b.promotion.kind].sort().join('|')), a.promotion.stackable && b.promotion.stackable]).toEqual([false, true]);
    }
    for (const a of e.applied) {
      expect(a.lines.reduce((sum, x) => sum + x.amount, 0)).toBe(a.amount);
      expect(a.lines.every((x) => x.amount > 0)).toBe(true);
      if (a.promotion.budget !== null) expect(a.amount).toBeLessThanOrEqual(a.promotion.budget);
    }
    const shuffle = <T>(items: readonly T[]): T[] => items.map((item) => [random.next().value as number, item] as const).sort(([a], [b]) => a - b).map(([, item]) => item);
    const again = run(cart(shuffle(lines), changes), shuffle(promotions));
    const plain = (x: Evaluation) => [x.applied.map((a) => [a.promotion.id, a.amount, a.units, a.lines]), x.gifts.map((g) => [g.promotion.id, g.quantity]), [...x.lost].sort((a, b) => (a.promotion < b.promotion ? -1 : 1))];
    expect(plain(again)).toEqual(plain(e));
  }), { numRuns: 300 });
});

test('spread: exact where the caps allow, never above one', () => {
  fc.assert(fc.property(fc.array(fc.record({ w: fc.nat(100), c: fc.nat(100) }), { minLength: 1, maxLength: 8 }), fc.nat(500), (rows, total) => {
    const out = spread(total, rows.map((r) => r.w), rows.map((r) => r.c));
    expect(out.reduce((a, b) => a + b, 0)).toBe(Math.min(total, rows.reduce((sum, r) => sum + r.c, 0)));
    expect(out.every((v, i) => v >= 0 && v <= (rows[i]?.c ?? 0))).toBe(true);
  }));
});
