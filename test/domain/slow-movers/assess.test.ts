import { expect, test } from 'vitest';
import { assessRate, assessSku, severityOf, subjectKey, type SkuFacts } from '../../../domain/slow-movers/assess.ts';
import { moneyAtRisk, sellThrough, turnoverDays, weeksOfCover } from '../../../domain/slow-movers/figures.ts';
import { ruleParams, rulesFor } from '../../../domain/slow-movers/rules.ts';

const rules = rulesFor([], null);
const steady = (location: string, region: string, before: number, now: number, country = 'CN') => ({ location, country, region, daily: Array.from({ length: 60 }, (_, d) => (d < 30 ? before : now)), out: new Float64Array(60) });
const facts = (changes: Partial<SkuFacts> = {}): SkuFacts => ({
  sku: 'S', category: 'coats', cells: [steady('A', 'North', 2, 2)], season: 1, days: 30, onHand: 100, coming: 0, opening: 160, received: 0, now: { meanOnHand: 100, sold: 60 }, before: { meanOnHand: 100, sold: 60 },
  ages: [[10, 100]], outlook: null, daysLeft: 30, unitValue: 500, ...changes,
});
const found = (f: SkuFacts): string[] => assessSku(f, rules).map((x) => `${x.subject.kind} ${x.subject.region ?? '-'}: ${x.triggers.map((t) => t.rule).join()} ${x.moneyAtRisk}`);

test('the figures by hand', () => {
  expect([turnoverDays(100, 60, 30), turnoverDays(1, 0, 30), sellThrough(60, 160, 40), sellThrough(0, 0, 0), weeksOfCover(70, 2), weeksOfCover(1, 0)]).toEqual([50, null, 0.3, null, 5, null]);
  expect(moneyAtRisk({ stock: 100, rate: 2, slowRate: 1, chance: 0.25, daysLeft: 40, unitValue: 10 })).toBe(10 * (0.25 * 60 + 0.75 * 20));
  expect([severityOf(99, { medium: 100, high: 200 }), severityOf(100, { medium: 100, high: 200 }), severityOf(200, { medium: 100, high: 200 })]).toEqual(['low', 'medium', 'high']);
});

test('a steady SKU raises nothing, nor does one that has no stock', () => {
  expect(found(facts())).toEqual([]);
  expect(found(facts({ cells: [steady('A', 'North', 10, 1)], onHand: 0 }))).toEqual([]);
});

test('a region that collapses is told although the total rises', () => {
  const f = facts({ cells: [steady('A', 'North', 4, 1), steady('B', 'South', 4, 12)], now: { meanOnHand: 100, sold: 390 }, before: { meanOnHand: 100, sold: 240 }, daysLeft: 0 });
  expect(found(f)).toEqual(['sku_region North: region_trend 25000']); // half of what the SKU sold before, half of the money
  expect(assessSku(f, rules)[0]?.triggers[0]?.words).toBe('sales in North, CN -75 % in 30 days (120 → 30 units)');
});

test('a province of one country says nothing of its namesake in another', () => {
  const f = facts({ cells: [steady('A', 'Punjab', 4, 1, 'IN'), steady('B', 'Punjab', 4, 12, 'PK')], now: { meanOnHand: 100, sold: 390 }, before: { meanOnHand: 100, sold: 240 }, daysLeft: 0 });
  expect(assessSku(f, rules).map((x) => [x.subject.country, x.subject.region, x.figures['sold'], x.moneyAtRisk])).toEqual([['IN', 'Punjab', 30, 25_000]]);
  expect(subjectKey(assessSku(f, rules)[0]!.subject)).toBe('sku_region\nS\n\nPunjab\nIN');
});

test('longer turnover, long cover, old stock and an outlook each speak for themselves', () => {
  expect(found(facts({ now: { meanOnHand: 150, sold: 60 } }))).toEqual(['sku -: turnover 20000']);
  expect(found(facts({ now: { meanOnHand: 110, sold: 60 } }))).toEqual([]); // 50 → 55 days
  expect(found(facts({ onHand: 400, now: { meanOnHand: 100, sold: 60 }, ages: [[31, 400]] }))).toEqual(['sku -: cover 170000']);
  expect(found(facts({ onHand: 400, now: { meanOnHand: 100, sold: 60 }, ages: [[29, 400]] }))).toEqual([]); // it has only just come
  expect(found(facts({ ages: [[5, 50], [200, 50]], daysLeft: 90 }))).toEqual(['sku -: age 0']);
  const outlook = { chance: 0.6, threshold: 0.3, slowShare: 0.25, steadyShare: 1, perDay: 2 };
  expect(found(facts({ onHand: 1000, ages: [[1, 1000]], outlook }))).toEqual([`sku -: outlook ${500 * (0.6 * (1000 - 15) + 0.4 * (1000 - 60))}`]);
  expect(found(facts({ onHand: 100, outlook }))).toEqual([]); // too little money
  expect(found(facts({ onHand: 1000, ages: [[1, 1000]], outlook: { ...outlook, chance: 0.2 } }))).toEqual([]);
});

test('a rule that is off is silent; a category has rules of its own', () => {
  const own = rulesFor([{ kind: 'turnover', category: 'coats', enabled: false, params: {} }, { kind: 'turnover', category: null, enabled: true, params: { leastDays: 10 } }], 'coats');
  expect([own.turnover.enabled, rulesFor([{ kind: 'turnover', category: null, enabled: true, params: { leastDays: 10 } }], 'hats').turnover.params]).toEqual([false, { longerPercent: 50, leastDays: 10 }]);
  expect(assessSku(facts({ now: { meanOnHand: 150, sold: 60 } }), own)).toEqual([]);
  expect(() => ruleParams('trend', { fallPercent: 0 })).toThrow('whole number from 1 to 100');
  expect(() => ruleParams('trend', { weeks: 4 })).toThrow('has no "weeks"');
});

test('动销率 falls by the points of the rule', () => {
  const rate = (now: [number, number], before: [number, number]) => assessRate({ of: 'category', category: 'coats', money: 7, now: { stocked: now[0], sold: now[1] }, before: { stocked: before[0], sold: before[1] } }, rules.selling_rate);
  expect(rate([20, 10], [20, 12])?.triggers[0]?.words).toBe('50 % of the SKUs stocked sold, 60 % before');
  expect(rate([20, 11], [20, 12])).toBeNull();
  expect(rate([9, 0], [20, 12])).toBeNull();
  const one = rate([20, 0], [20, 12]);
  expect([one?.moneyAtRisk, one && subjectKey(one.subject)]).toEqual([7, 'category\n\ncoats\n']);
});
