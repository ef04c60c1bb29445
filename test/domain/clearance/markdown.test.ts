import fc from 'fast-check';
import { expect, test } from 'vitest';
import { measure, PRIOR, rate, type PriceStep } from '../../../domain/clearance/elasticity.ts';
import { nextMarkdown, shareOut } from '../../../domain/clearance/markdown.ts';

/** What a true elasticity sells at a ratio, so many days. */
const sold = (e: number, perDay: number, ratio: number, days: number): PriceStep => ({ ratio, days, units: Math.round(perDay * days * ratio ** -e) });
const one = (steps: PriceStep[]) => measure([{ sku: 'A', category: null, steps }]).get('A')!;

test('nothing seen: the prior; much seen: the truth; little seen: between them', () => {
  expect(one([])).toMatchObject({ e: expect.closeTo(PRIOR.mean, 6), sd: expect.closeTo(PRIOR.sd, 6), perDay: 0, steps: 0 });
  const much = one([sold(1.5, 100, 1, 28), sold(1.5, 100, 0.8, 7), sold(1.5, 100, 0.6, 7)]);
  expect(much.e).toBeCloseTo(1.5, 1);
  expect(much.sd).toBeLessThan(0.1);
  expect(much.perDay).toBeCloseTo(100, 0);
  const little = one([{ ratio: 1, days: 28, units: 14 }, { ratio: 0.8, days: 2, units: 1 }]);
  expect(little.e).toBeGreaterThan(0.5);
  expect(little.e).toBeLessThan(PRIOR.mean);
  expect(little.sd).toBeGreaterThan(0.5);
});

test('a SKU with few sales leans on its category, one with many on its own', () => {
  const elastic = [sold(4, 50, 1, 28), sold(4, 50, 0.8, 7)];
  const few = [{ ratio: 1, days: 28, units: 3 }, { ratio: 0.8, days: 7, units: 1 }];
  const both = measure([{ sku: 'A', category: 'coats', steps: elastic }, { sku: 'B', category: 'coats', steps: few }]);
  expect(both.get('A')!.e).toBeCloseTo(4, 0);
  expect(both.get('B')!.e).toBeGreaterThan(3.2);
  expect(measure([{ sku: 'B', category: 'hats', steps: few }]).get('B')!.e).toBeLessThan(3);
});

test('more sold at the lower price never means a lower elasticity', () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: 500 }), fc.integer({ min: 1, max: 200 }), (base, low, more) => {
    const at = (units: number) => one([{ ratio: 1, days: 28, units: base }, { ratio: 0.7, days: 7, units }]).e;
    expect(at(low + more)).toBeGreaterThanOrEqual(at(low) - 1e-9);
  }));
  expect(rate([], 2)).toBe(0);
});

const rules = { floorMargin: 100, mostPercentOff: 50, roundTo: 10 };
const item = { sku: 'A', listPrice: 1000, cost: 450, price: 900, elasticity: { e: 2, sd: 0.2, perDay: 10, prior: PRIOR, steps: 2 } };

test('the next price is the highest at which the rest is expected to go', () => {
  // 10 a day × 5 days at list; 80 to sell: (50/80)^(1/2) = 0.79
  const m = nextMarkdown({ ...item, toSell: 80, daysLeft: 5 }, rules);
  expect(m).toMatchObject({ from: 900, price: 790, reachable: true, limit: null, toSell: 80, e: 2, perDay: 10 });
  expect(m.expected).toBeGreaterThanOrEqual(80);
  expect(m.kept).toBeLessThan(80);
});

test('it keeps the price where that is enough, and stops at the floor or at the deepest markdown', () => {
  expect(nextMarkdown({ ...item, toSell: 10, daysLeft: 5 }, rules)).toMatchObject({ price: 900, reachable: true, limit: null });
  expect(nextMarkdown({ ...item, toSell: 1000, daysLeft: 5 }, rules)).toMatchObject({ price: 500, reachable: false, limit: 'most' });
  expect(nextMarkdown({ ...item, toSell: 1000, daysLeft: 5 }, { ...rules, floorMargin: 200 })).toMatchObject({ price: 570, reachable: false, limit: 'floor' }); // 450 ÷ 0.8 = 562.5
  expect(nextMarkdown({ ...item, toSell: 5, daysLeft: 5, elasticity: { ...item.elasticity, perDay: 0 } }, rules)).toMatchObject({ price: 500, reachable: false });
  expect(nextMarkdown({ ...item, toSell: 0, daysLeft: 0 }, rules)).toMatchObject({ price: 900, reachable: true });
});

test('never above the price of now, never below the floor or the deepest, whatever is measured', () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 0, max: 100_000 }), fc.integer({ min: 0, max: 1000 }), fc.integer({ min: -500, max: 900 }), fc.integer({ min: 0, max: 100 }), fc.integer({ min: 1, max: 100 }),
    fc.double({ min: 0.1, max: 8, noNaN: true }), fc.double({ min: 0, max: 1000, noNaN: true }), fc.integer({ min: 0, max: 100_000 }), fc.double({ min: 0, max: 60, noNaN: true }),
    (listPrice, costShare, now, floorMargin, most, roundTo, e, perDay, toSell, daysLeft) => {
      const cost = Math.floor((listPrice * costShare) / 200_000);
      const floor = Math.ceil((cost * 1000) / (1000 - floorMargin));
      fc.pre(floor <= listPrice);
      const price = Math.max(floor, Math.ceil((listPrice * (1000 - now)) / 1000));
      const m = nextMarkdown({ sku: 'A', listPrice, cost, price, toSell, daysLeft, elasticity: { ...item.elasticity, e, perDay } }, { floorMargin, mostPercentOff: most, roundTo });
      expect(m.price).toBeLessThanOrEqual(price);
      expect(m.price).toBeGreaterThanOrEqual(Math.min(price, floor));
      expect(Number.isSafeInteger(m.price)).toBe(true);
    }));
});

test('what is missing is shared out whole, by what is left', () => {
  expect(shareOut(10, [30, 10, 0])).toEqual([8, 2, 0]);
  expect(shareOut(100, [30, 10])).toEqual([30, 10]);
  expect([shareOut(-3, [5]), shareOut(3, [0, 0])]).toEqual([[0], [0, 0]]);
});
