import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cleanLine, mergeLine, toOrderLine, type CleanLine, type RawLine } from '../../../bin/journey/clean.ts';
import { priceOrder } from '../../../domain/order/pricing.ts';

const raw = (changes: Partial<RawLine> = {}): RawLine => ({
  household_id: '1', store_id: '2', basket_id: '3', product_id: '4', quantity: '2', sales_value: '1.50', retail_disc: '0.50', coupon_disc: '0', coupon_match_disc: '0', week: '5',
  transaction_timestamp: '2017-02-01 10:00:00', ...changes,
});
const known = (product: string): boolean => product !== 'unknown';

test.each([
  [{ quantity: '0' }, 'quantity 0'], [{ quantity: '1001' }, 'quantity over 1,000 (fuel by the fluid ounce)'], [{ quantity: 'x' }, 'quantity is no number'], [{ quantity: '-1' }, 'quantity is no number'],
  [{ sales_value: '0' }, 'no sales value'], [{ sales_value: '' }, 'no sales value'], [{ product_id: 'unknown' }, 'product not in the product list'], [{ coupon_disc: '2.00' }, 'coupons exceed the price'],
  [{ retail_disc: '-0.50' }, 'discount negative or no number'], [{ coupon_match_disc: 'x' }, 'discount negative or no number'],
])('%o is bad: %s', (changes, reason) => {
  expect(cleanLine(raw(changes), known)).toEqual({ bad: reason });
});

test('a line keeps what the buyer paid to the cent', () => {
  const line = cleanLine(raw({ quantity: '3', sales_value: '1.00', retail_disc: '0.10', coupon_disc: '0.25', coupon_match_disc: '0.05' }), known);
  expect(line).toEqual({ product: '4', quantity: 3, list: 115, shopDiscount: 15, brandDiscount: 25 });
  expect(toOrderLine(line as CleanLine)).toEqual({
    sku: 'P-4', quantity: 3, unitPrice: 39,
    discounts: [{ bearer: 'shop', code: 'LOYALTY', amount: 15 }, { bearer: 'brand', code: 'COUPON', amount: 25 }, { bearer: 'shop', code: 'ROUNDING', amount: 2 }],
  });
});

test('any lines, merged or not, price to sales value less coupon', () => {
  const amount = fc.integer({ min: 0, max: 5_000 });
  fc.assert(fc.property(fc.array(fc.record({ quantity: fc.integer({ min: 1, max: 1_000 }), sales: fc.integer({ min: 1, max: 50_000 }), retail: amount, coupon: amount }), { minLength: 1, maxLength: 4 }), (lines) => {
    const clean = lines.map((l) => cleanLine(raw({ quantity: String(l.quantity), sales_value: (l.sales / 100).toFixed(2), retail_disc: (l.retail / 100).toFixed(2), coupon_disc: (Math.min(l.coupon, l.sales) / 100).toFixed(2) }), known) as CleanLine);
    const [first, ...more] = clean as [CleanLine, ...CleanLine[]];
    for (const line of more) mergeLine(first, line);
    const { discounts = [], ...line } = toOrderLine(first);
    const priced = priceOrder({ currency: 'USD', lines: [{ lineNo: 1, ...line, discounts }], discounts: [], freight: 0 });
    expect(priced.total).toBe(lines.reduce((sum, l) => sum + l.sales - Math.min(l.coupon, l.sales), 0));
  }));
});
