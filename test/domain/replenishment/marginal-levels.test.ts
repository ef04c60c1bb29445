import { expect, test } from 'vitest';
import { LEAST_DAYS, marginalLevels } from '../../../domain/replenishment/marginal-levels.ts';
import { planScope } from '../../../domain/replenishment/scope-plan.ts';
import type { ScopeInput, ScopeSite } from '../../../domain/replenishment/scope-model.ts';
import { seeded } from '../../../bench/support/random.ts';

const random = seeded(7);
const DAYS = 160;
/** Poisson demand by inversion. */
const poisson = (rate: number): number => {
  let units = 0;
  for (let p = random(), floor = Math.exp(-rate); p > floor; p *= random()) units++;
  return units;
};
const series = Array.from({ length: 60 }, (_, i) => ({ sku: String(i % 30), units: Array.from({ length: DAYS }, () => poisson(0.1 + (i % 6) * 0.3)), leadDays: 3 }));

test('a higher fill rate takes more stock everywhere, and faster sellers take more than slow ones', () => {
  const [low, high] = [marginalLevels(series, 1, 0.85, 0), marginalLevels(series, 1, 0.97, 0)];
  const sum = (levels: typeof low): number => levels.reduce((total, l) => total + (l?.level ?? 0), 0);
  expect(low.every((l, i) => (l?.level ?? 0) <= (high[i]?.level ?? 0))).toBe(true);
  expect(sum(high)).toBeGreaterThan(sum(low));
  const of = (rank: number): number => series.reduce((total, _, i) => total + (i % 6 === rank ? high[i]?.level ?? 0 : 0), 0);
  expect(of(5)).toBeGreaterThan(of(0));
});

test('the level found serves about the share that was asked for', () => {
  const levels = marginalLevels(series, 1, 0.95, 0);
  // Base stock, daily review, 3 days lead time, lost sales, 400 fresh days of each series.
  let [asked, served] = [0, 0];
  series.forEach((_, i) => {
    const level = levels[i]?.level ?? 0;
    let stock = level;
    const coming = [0, 0, 0, 0]; // ordered in the evening, there on the fourth morning: three days of lead time between
    for (let day = 0; day < 400; day++) {
      stock += coming.shift() ?? 0;
      const units = poisson(0.1 + (i % 6) * 0.3);
      const sold = Math.min(stock, units);
      asked += units;
      served += sold;
      stock -= sold;
      coming.push(level - stock - coming.reduce((a, b) => a + b, 0));
    }
  });
  expect(served / asked).toBeGreaterThan(0.92);
  expect(served / asked).toBeLessThan(0.985);
});

test('too few or too young series, and those beyond the span, have none', () => {
  expect(marginalLevels(series.slice(0, 20), 1, 0.95, 0).every((l) => l === null)).toBe(true);
  expect(marginalLevels(series.map((s) => ({ ...s, units: s.units.slice(-LEAST_DAYS + 1) })), 1, 0.95, 0).every((l) => l === null)).toBe(true);
  const fast = marginalLevels([...series, { sku: 'F', units: Array.from({ length: DAYS }, () => 79), leadDays: 3 }], 1, 0.95, 0);
  expect([fast.at(-1), fast[0] === null]).toEqual([null, false]);
});

const policy: ScopeInput['policy'] = {
  service: { kind: 'fill', share: 0.95, together: true }, reviewDays: 1, leadDays: 3, nearDays: 2, mostOverLevel: 4, budget: null, approve: { transferUnits: 0, purchaseCost: 0, sendPurchases: false },
};
const site = (sku: string, more: Partial<ScopeSite> = {}): ScopeSite => ({ sku, location: '1', free: 0, position: 0, weekly: { mean: 7, variance: 9 }, rule: null, value: 100, pack: 1, last: null, looked: true, ...more });

test('a plan of everything takes these levels, one of single SKUs those of the last, a rule by hand goes before both', () => {
  const units = Object.fromEntries(series.map((s, i) => [`${i}|1`, s.units]));
  const all = planScope({ sites: series.map((_, i) => site(String(i), i === 0 ? { rule: { reorderPoint: 1, level: 9 } } : {})), lanes: [], vendors: [], policy, budgetLeft: null, daily: { weekday: 0, units } });
  expect([all.sites[0]?.basis, all.sites[0]?.level, all.sites[1]?.basis]).toEqual(['rule', 9, 'panel']);
  const single = planScope({ sites: [site('1', { last: { level: 4, reorderPoint: 2 } }), site('2')], lanes: [], vendors: [], policy, budgetLeft: null });
  expect(single.sites.map((s) => [s.basis, s.basis === 'panel' ? s.level : null])).toEqual([['panel', 4], ['forecast', null]]);
});
