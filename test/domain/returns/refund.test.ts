import fc from 'fast-check';
import { expect, test } from 'vitest';
import { priceOrder } from '../../../domain/order/pricing.ts';
import { refundForUnits } from '../../../domain/returns/refund.ts';
import { returnLocation } from '../../../domain/returns/return-location.ts';

const [line] = priceOrder({
  currency: 'CNY', freight: 100, discounts: [{ bearer: 'platform', code: 'P', amount: 50 }],
  lines: [{ lineNo: 1, quantity: 3, unitPrice: 100, discounts: [{ bearer: 'shop', code: 'S', amount: 10 }] }],
}).lines;

test('unit by unit, the first bear the odd minor units, freight only where it is given back', () => {
  const one = (already: number) => refundForUnits(line!, already, 1, { freight: true });
  expect([one(0), one(1), one(2)]).toEqual([
    { amount: 113, list: 100, freight: 34, byBearer: { platform: 17, shop: 4, influencer: 0, brand: 0 } },
    { amount: 113, list: 100, freight: 33, byBearer: { platform: 17, shop: 3, influencer: 0, brand: 0 } },
    { amount: 114, list: 100, freight: 33, byBearer: { platform: 16, shop: 3, influencer: 0, brand: 0 } },
  ]);
  expect(refundForUnits(line!, 0, 3, { freight: false })).toMatchObject({ amount: 240, freight: 0 });
  expect(refundForUnits(line!, 1, 0, { freight: true }).amount).toBe(0);
});

test.each([[0, 4], [3, 1], [2, 2], [0, -1], [0, 0.5], [-1, 1]])('%d refunded, %d more: refused', (already, units) => {
  expect(() => refundForUnits(line!, already, units, { freight: true })).toThrow(RangeError);
});

test('any split of all units gives the net back to the minor unit, and each bearer his discount', () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }), fc.integer({ min: 0, max: 9_999 }), fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 0, max: 999 }), (parts, unitPrice, share, freight) => {
    const quantity = parts.reduce((a, b) => a + b, 0);
    const amount = Math.floor(quantity * unitPrice * share);
    const [l] = priceOrder({ currency: 'CNY', freight, discounts: [{ bearer: 'brand', code: 'B', amount }], lines: [{ lineNo: 1, quantity, unitPrice, discounts: [] }] }).lines;
    let [already, paid, brand] = [0, 0, 0];
    for (const units of parts) {
      const refund = refundForUnits(l!, already, units, { freight: true });
      already += units;
      paid += refund.amount;
      brand += refund.byBearer.brand;
    }
    expect([paid, brand]).toEqual([l!.netAmount, amount]);
  }));
});

test('a return goes back to the depot that shipped it, else to the nearest active depot, else to whoever shipped it', () => {
  const place = (id: number, kind: string, rank: number, shipped = false, active = true) => ({ id, kind, rank, shipped, active });
  expect(returnLocation([place(1, 'warehouse', 5, true), place(2, 'warehouse', 1), place(3, 'store', 0)])).toBe(1);
  expect(returnLocation([place(1, 'warehouse', 5, true, false), place(2, 'third_party', 1), place(3, 'store', 0, true)])).toBe(2);
  expect(returnLocation([place(3, 'store', 4, true), place(4, 'store', 0)])).toBe(3);
  expect(returnLocation([place(2, 'warehouse', 1), place(1, 'warehouse', 1)])).toBe(1);
  expect(returnLocation([place(4, 'store', 0), place(5, 'dealer', 0, true, false)])).toBeNull();
});
