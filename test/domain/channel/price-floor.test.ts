import { expect, test } from 'vitest';
import { belowFloor } from '../../../domain/channel/price-floor.ts';
import type { SeenLine } from '../../../domain/channel/seen-order.ts';

const line = (platformSku: string, quantity: number, unitPrice: number, more: Partial<SeenLine> = {}): SeenLine => ({ lineId: platformSku, itemId: null, platformSku, merchantCode: null, title: '', quantity, cancelled: 0, unitPrice, discounts: [], gift: false, ...more });
const floors = new Map<string, number | null>([['A', 900], ['B', null]]);

test('at its floor a price is good, a unit below is not; without a floor any price is', () => {
  expect(belowFloor({ lines: [line('A', 2, 900), line('B', 1, 0)], discounts: [] }, floors)).toBeNull();
  expect(belowFloor({ lines: [line('B', 1, 1), line('A', 2, 899)], discounts: [] }, floors)).toEqual({ platformSku: 'A', unit: 899, floor: 900 });
});

test('what the platform pays is no loss of the shop; what the shop gives on line or order is', () => {
  expect(belowFloor({ lines: [line('A', 1, 1000, { discounts: [{ bearer: 'platform', code: 'p', amount: 600 }] })], discounts: [] }, floors)).toBeNull();
  expect(belowFloor({ lines: [line('A', 1, 1000, { discounts: [{ bearer: 'shop', code: 's', amount: 101 }] })], discounts: [] }, floors)).toMatchObject({ unit: 899 });
  // 400 off an order of 4000: a tenth of every line.
  expect(belowFloor({ lines: [line('A', 1, 1000), line('B', 3, 1000)], discounts: [{ bearer: 'shop', code: 'o', amount: 400 }] }, floors)).toBeNull();
  expect(belowFloor({ lines: [line('A', 1, 1000), line('B', 3, 1000)], discounts: [{ bearer: 'brand', code: 'o', amount: 404 }] }, floors)).toEqual({ platformSku: 'A', unit: 899, floor: 900 });
});

test('gifts and empty lines have no price to look at', () => {
  expect(belowFloor({ lines: [line('A', 1, 0, { gift: true }), line('A', 0, 0)], discounts: [{ bearer: 'shop', code: 'o', amount: 5 }] }, floors)).toBeNull();
});
