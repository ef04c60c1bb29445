import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { accountFor } from '../../../bin/journey/account.ts';
import { readJourney } from '../../../bin/journey/read.ts';
import { toOrder } from '../../../bin/journey/send.ts';

let directory: string;
beforeEach(() => { directory = mkdtempSync(join(tmpdir(), 'journey-')); });
afterEach(() => { rmSync(directory, { recursive: true, force: true }); });

const PRODUCTS = 'product_id,manufacturer_id,department,brand,product_category,product_type,package_size\n10,1,GROCERY,National,MILK,WHOLE,1 L\n11,1,GROCERY,National,BREAD,,\n';
const HEAD = 'household_id,store_id,basket_id,product_id,quantity,sales_value,retail_disc,coupon_disc,coupon_match_disc,week,transaction_timestamp\n';
const row = (basket: string, product: string, quantity: number, sales: string, week = 5): string => `7,330,${basket},${product},${quantity},${sales},0.10,0,0,${week},2017-02-01 10:00:00\n`;

function write(lines: string[]): void {
  writeFileSync(join(directory, 'products.csv.gz'), gzipSync(PRODUCTS));
  writeFileSync(join(directory, 'transactions-weeks-01-39.csv.gz'), gzipSync(HEAD + lines.join('')));
}

const LINES = [
  row('1', '10', 4, '1.00', 1), row('1', '10', 2, '1.00', 4), row('1', '11', 5_000, '9.00', 4), // opening weeks; the fuel is no stock
  row('A', '10', 1, '1.00'), row('A', '11', 3, '1.00'), row('A', '10', 2, '2.01'), row('A', '10', 0, '0'), row('A', '99', 1, '1.00'),
  row('B', '10', 9_000, '20.00'), // nothing usable
  row('C', '11', 1, '0.50'), row('D', '10', 1, '1.00'), row('A', '11', 1, '0'), // D comes after the third basket; a late line of A still counts
];

test('baskets in the order of time after the opening weeks; every line ordered, merged or bad', async () => {
  write(LINES);
  const journey = await readJourney(directory, 3, () => undefined);
  expect(journey.baskets.map((b) => b.id)).toEqual(['A', 'C']);
  expect(journey.opening).toEqual(new Map([['330', new Map([['10', 6]])]]));
  expect([...journey.products.keys()].sort()).toEqual(['10', '11']);
  expect(journey.bad).toEqual(new Map([['quantity 0', 1], ['product not in the product list', 1], ['quantity over 1,000 (fuel by the fluid ounce)', 1], ['no sales value', 1]]));
  expect({ read: journey.linesRead, ordered: journey.linesOrdered, merged: journey.linesMerged, empty: journey.emptyBaskets }).toEqual({ read: 8, ordered: 3, merged: 1, empty: 1 });
});

test('a basket becomes an order: merged lines, exact prices, an invented contact', async () => {
  write(LINES);
  const [basket] = (await readJourney(directory, 3, () => undefined)).baskets;
  expect(basket && toOrder(basket)).toMatchObject({
    channel: 'journey-pos', externalId: 'A', currency: 'USD', orderedAt: '2017-02-01T10:00:00Z', location: 'STORE-330', buyer: { id: 'household-7' }, shipTo: { phone: '555-0000007' },
    lines: [
      { sku: 'P-10', quantity: 3, unitPrice: 107, discounts: [{ bearer: 'shop', code: 'LOYALTY', amount: 20 }] }, // 3 × 107 − 20 = 301
      { sku: 'P-11', quantity: 3, unitPrice: 37, discounts: [{ bearer: 'shop', code: 'LOYALTY', amount: 10 }, { bearer: 'shop', code: 'ROUNDING', amount: 1 }] }, // 3 × 37 − 11 = 100
    ],
  });
});

test('the account adds up against the orders of the system, and falls short when one is missing or differs', async () => {
  write(LINES);
  const journey = await readJourney(directory, 3, () => undefined);
  const head = (externalId: string, total: number) => [externalId, { externalId, total, status: 'delivered' }] as const;
  const none = { refused: new Set<string>() };
  const whole = { linesRead: 8, ordered: 3, merged: 1, bad: 4, refused: 0, lost: 0, faults: [] };
  expect(accountFor(journey, none, new Map([head('A', 401), head('C', 50)]))).toEqual(whole);
  expect(accountFor(journey, none, new Map([head('A', 401)]))).toEqual({ ...whole, ordered: 2, lost: 1, faults: ['basket C: not in the system'] });
  expect(accountFor(journey, none, new Map([head('A', 400), head('C', 50)]))).toEqual({ ...whole, ordered: 1, lost: 2, faults: ['basket A: total 400 in the system, 401 at the till'] });
  expect(accountFor(journey, { refused: new Set(['C']) }, new Map([head('A', 401)]))).toEqual({ ...whole, ordered: 2, refused: 1 });
});

test('a folder without transactions is an error', async () => {
  writeFileSync(join(directory, 'products.csv.gz'), gzipSync(PRODUCTS));
  await expect(readJourney(directory, 1, () => undefined)).rejects.toThrow('holds no transactions*.csv.gz');
});
