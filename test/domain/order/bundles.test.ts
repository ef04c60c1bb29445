import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dividePrice, explodeBundles, type BundleComponent } from '../../../domain/order/bundles.ts';
import type { PricedLine } from '../../../domain/order/pricing.ts';

const line = (lineNo: number, quantity: number, listAmount: number, discounts: PricedLine['discounts'] = [], freightShare = 0): PricedLine => {
  const discountAmount = discounts.reduce((sum, d) => sum + d.amount, 0);
  return { lineNo, quantity, unitPrice: listAmount / quantity, listAmount, discounts, discountAmount, freightShare, netAmount: listAmount - discountAmount + freightShare };
};
const part = (sku: string, quantity: number, rest: Partial<BundleComponent> = {}): BundleComponent => ({ sku, quantity, priceShare: null, cost: null, ...rest });

describe('the price of a bundle', () => {
  test('by price share; discounts by what is left, freight by what remains to pay', () => {
    const [a, b] = dividePrice(line(1, 1, 1000, [{ bearer: 'shop', code: 'X', amount: 100 }], 10), [part('A', 1, { priceShare: 2 }), part('B', 2, { priceShare: 1 })]);
    expect([a?.listAmount, a?.discounts, a?.freightShare, a?.netAmount]).toEqual([667, [{ bearer: 'shop', code: 'X', amount: 67 }], 7, 607]);
    expect([b?.listAmount, b?.discounts, b?.freightShare, b?.netAmount, b?.quantity, b?.unitPrice]).toEqual([333, [{ bearer: 'shop', code: 'X', amount: 33 }], 3, 303, 2, 167]);
  });

  test('without shares by the cost of the units; where a cost is not known in equal parts', () => {
    expect(dividePrice(line(1, 1, 1000), [part('A', 3, { cost: 100 }), part('B', 1, { cost: 100 })]).map((p) => p.listAmount)).toEqual([750, 250]);
    expect(dividePrice(line(1, 1, 1001), [part('A', 3, { cost: 100 }), part('B', 1)]).map((p) => p.listAmount)).toEqual([501, 500]);
    expect(dividePrice(line(1, 1, 100), [part('A', 1, { cost: 0 }), part('B', 1, { cost: 0 })]).map((p) => p.listAmount)).toEqual([50, 50]);
  });

  test('a component at no price takes nothing', () => {
    expect(dividePrice(line(1, 2, 900), [part('A', 1, { priceShare: 1 }), part('B', 1, { priceShare: 0 })]).map((p) => [p.quantity, p.listAmount, p.netAmount])).toEqual([[2, 900, 900], [2, 0, 0]]);
  });

  test('nothing is lost and no component is discounted below nothing, whatever the amounts', () => {
    fc.assert(fc.property(
      fc.integer({ min: 1, max: 50 }), fc.integer({ min: 0, max: 500 }), fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 4 }), fc.integer({ min: 0, max: 300 }),
      fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 9 })), { minLength: 1, maxLength: 6 }),
      (quantity, price, wanted, freight, components) => {
        let left = quantity * price;
        const discounts = wanted.map((w, i) => {
          const amount = Math.min(w, left);
          left -= amount;
          return { bearer: 'shop' as const, code: `D${i}`, amount };
        });
        const whole = line(1, quantity, quantity * price, discounts, freight);
        const parts = dividePrice(whole, components.map(([n, priceShare], i) => part(`S${i}`, n, { priceShare })));
        const sum = (of: (p: PricedLine) => number): number => parts.reduce((total, p) => total + of(p), 0);
        expect([sum((p) => p.listAmount), sum((p) => p.discountAmount), sum((p) => p.freightShare), sum((p) => p.netAmount)]).toEqual([whole.listAmount, whole.discountAmount, whole.freightShare, whole.netAmount]);
        for (const d of discounts) expect(sum((p) => p.discounts.find((x) => x.code === d.code)?.amount ?? 0)).toBe(d.amount);
        for (const p of parts) {
          expect(p.discountAmount).toBeLessThanOrEqual(p.listAmount);
          expect(p.listAmount - p.discountAmount + p.freightShare).toBe(p.netAmount);
          expect(p.discounts.reduce((total, d) => total + d.amount, 0)).toBe(p.discountAmount);
        }
      }));
  });
});

describe('lines', () => {
  const components = (sku: string): BundleComponent[] => (sku === 'SET' ? [part('A', 2), part('B', 1), part('C', 3)] : sku === 'DUO' ? [part('A', 1), part('D', 1)] : []);
  const explode = (...ordered: [string, number, boolean?][]) => explodeBundles(ordered.map(([sku, quantity, gift = false], i) => ({ sku, gift, priced: line(i + 1, quantity, 60 * quantity) })), components);

  test('a line that is no bundle keeps its number, further components follow after the last; gifts stay gifts', () => {
    expect(explode(['SET', 2, true], ['X', 1], ['DUO', 1]).map((l) => [l.priced.lineNo, l.sku, l.priced.quantity, l.priced.netAmount, l.gift, l.bundle])).toEqual([
      [1, 'A', 4, 40, true, { sku: 'SET', line: 1 }], [2, 'X', 1, 60, false, null], [3, 'A', 1, 30, false, { sku: 'DUO', line: 3 }],
      [4, 'B', 2, 40, true, { sku: 'SET', line: 1 }], [5, 'C', 6, 40, true, { sku: 'SET', line: 1 }], [6, 'D', 1, 30, false, { sku: 'DUO', line: 3 }],
    ]);
  });

  test('too many units or lines are refused with the line', () => {
    expect(() => explode(['X', 1], ['SET', 400_000])).toThrow(expect.objectContaining({ field: '/lines/1/quantity' }));
    expect(() => explode(...Array<[string, number]>(700).fill(['SET', 1]))).toThrow(expect.objectContaining({ field: '/lines' }));
  });
});
