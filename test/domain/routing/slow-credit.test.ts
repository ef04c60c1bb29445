import { expect, test } from 'vitest';
import { slowCredit } from '../../../domain/routing/slow-credit.ts';

const slow = { moneyAtRisk: 10_050, stock: 100, daysLeft: 30 };
test.each([
  ['more than it sells by itself', { units: 40, perDay: 1 }, 100], ['just one unit more', { units: 31, perDay: 1 }, 100], ['as much as it sells', { units: 30, perDay: 1 }, 0], ['it sells nothing', { units: 1, perDay: 0 }, 100],
  ['it has none', { units: 0, perDay: 0 }, 0],
])('a location that has %s', (_what, there, credit) => { expect(slowCredit(slow, there)).toBe(credit); });

test('a season that is over, and an alert without stock', () => {
  expect([slowCredit({ ...slow, daysLeft: -5 }, { units: 3, perDay: 9 }), slowCredit({ ...slow, stock: 0 }, { units: 3, perDay: 0 })]).toEqual([100, 0]);
});
