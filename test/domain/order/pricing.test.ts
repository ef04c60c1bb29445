import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { priceOrder, PricingError, type PriceInput, type PricedDiscount } from '../../../domain/order/pricing.ts';

const line = (lineNo: number, quantity: number, unitPrice: number, ...discounts: PricedDiscount[]): PriceInput['lines'][number] => ({ lineNo, quantity, unitPrice, discounts });
const off = (amount: number, bearer: PricedDiscount['bearer'] = 'shop', code = 'C'): PricedDiscount => ({ bearer, code, amount });
const price = (lines: PriceInput['lines'], discounts: PricedDiscount[] = [], freight = 0) => priceOrder({ currency: 'CNY', lines, discounts, freight });

describe('an order', () => {
  test('line discounts first, those of the order by what is left, freight by what is paid', () => {
    expect(price([line(1, 1, 1000), line(2, 2, 500, off(100, 'brand', 'L'))], [off(190, 'platform', 'ALL')], 171)).toEqual({
      listAmount: 2000, discountAmount: 290, freight: 171, total: 1881,
      lines: [
        { lineNo: 1, quantity: 1, unitPrice: 1000, listAmount: 1000, discounts: [off(100, 'platform', 'ALL')], discountAmount: 100, freightShare: 90, netAmount: 990 },
        { lineNo: 2, quantity: 2, unitPrice: 500, listAmount: 1000, discounts: [off(100, 'brand', 'L'), off(90, 'platform', 'ALL')], discountAmount: 190, freightShare: 81, netAmount: 891 },
      ],
    });
  });

  test('gifts cost nothing and bear nothing, unless there is nothing else', () => {
    expect(price([line(1, 1, 0), line(2, 1, 999)], [off(9)], 10).lines.map((l) => [l.netAmount, l.freightShare])).toEqual([[0, 0], [1000, 10]]);
    expect(price([line(1, 1, 0), line(2, 1, 0)], [], 9).lines.map((l) => l.netAmount)).toEqual([5, 4]);
  });

  test('a discount of everything leaves 0', () => { expect(price([line(1, 3, 333)], [off(999)])).toMatchObject({ total: 0, discountAmount: 999 }); });
});

test.each<[string, PriceInput['lines'], PricedDiscount[], number, string]>([
  ['a line discount above the line', [line(1, 1, 100, off(60), off(41))], [], 0, '/lines/0/discounts'],
  ['an order discount above the order', [line(1, 1, 100, off(50))], [off(51)], 0, '/discounts/0/amount'],
  ['the second order discount above what the first left', [line(1, 1, 100)], [off(60), off(41)], 0, '/discounts/1/amount'],
  ['half a cent', [line(1, 1, 0.5)], [], 0, '/lines/0/unitPrice'], ['a negative discount', [line(1, 1, 100, off(-1))], [], 0, '/lines/0/discounts/0/amount'],
  ['a price that is not exact any more', [line(1, 1_000_000, 9_000_000_000_000)], [], 0, '/lines/0/unitPrice'], ['negative freight', [line(1, 1, 1)], [], -1, '/freight'],
])('refused with the field: %s', (_, lines, discounts, freight, field) => {
  expect(() => price(lines, discounts, freight)).toThrow(PricingError);
  try {
    price(lines, discounts, freight);
  } catch (error) {
    expect((error as PricingError).field).toBe(field);
  }
});

test('whatever the order: the lines add up to the whole, by bearer too, and nothing is negative', () => {
  const bearer = fc.constantFrom('platform', 'shop', 'influencer', 'brand' as const);
  const lines = fc.array(fc.record({ quantity: fc.integer({ min: 1, max: 99 }), unitPrice: fc.integer({ min: 0, max: 100_000 }), share: fc.double({ min: 0, max: 1, noNaN: true }), bearer }), { minLength: 1, maxLength: 12 });
  fc.assert(fc.property(lines, fc.array(fc.record({ share: fc.double({ min: 0, max: 0.5, noNaN: true }), bearer }), { maxLength: 3 }), fc.integer({ min: 0, max: 5_000 }), (raw, orderOff, freight) => {
    const input = raw.map((l, i) => line(i + 1, l.quantity, l.unitPrice, off(Math.floor(l.quantity * l.unitPrice * l.share), l.bearer)));
    let left = input.reduce((sum, l) => sum + l.quantity * l.unitPrice - (l.discounts[0]?.amount ?? 0), 0);
    const discounts = orderOff.map((d) => {
      const amount = Math.floor(left * d.share);
      left -= amount;
      return off(amount, d.bearer, 'O');
    });
    const priced = price(input, discounts, freight);
    const sum = (pick: (l: (typeof priced.lines)[number]) => number): number => priced.lines.reduce((n, l) => n + pick(l), 0);
    expect([sum((l) => l.netAmount), sum((l) => l.listAmount), sum((l) => l.discountAmount), sum((l) => l.freightShare)]).toEqual([priced.total, priced.listAmount, priced.discountAmount, freight]);
    expect(priced.total).toBe(priced.listAmount - priced.discountAmount + freight);
    for (const l of priced.lines) {
      expect(l.netAmount).toBe(l.listAmount - l.discountAmount + l.freightShare);
      expect(l.discounts.reduce((n, d) => n + d.amount, 0)).toBe(l.discountAmount);
      expect(Math.min(l.netAmount, l.freightShare, l.discountAmount)).toBeGreaterThanOrEqual(0);
    }
    for (const who of ['platform', 'shop', 'influencer', 'brand'] as const) {
      const given = [...input.flatMap((l) => l.discounts), ...discounts].filter((d) => d.bearer === who).reduce((n, d) => n + d.amount, 0);
      expect(sum((l) => l.discounts.filter((d) => d.bearer === who).reduce((n, d) => n + d.amount, 0))).toBe(given);
    }
  }));
});
