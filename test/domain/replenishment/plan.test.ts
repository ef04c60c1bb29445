import { describe, expect, test } from 'vitest';
import { fairShare } from '../../../domain/replenishment/fair-share.ts';
import type { PlanRules, Site, TransferLane, VendorTerms } from '../../../domain/replenishment/plan-model.ts';
import { planReplenishment } from '../../../domain/replenishment/plan.ts';

const law = (mean: number) => ({ mean, dispersion: 0 });
const site = (location: string, position: number, level: number, more: Partial<Site> = {}): Site => ({ sku: 'A', location, free: Math.max(0, position), position, level, law: law(4), value: 1000, ...more });
const lane = (from: string, to: string, perUnit = 100, days = 1): TransferLane => ({ from, to, perUnit, days });
const vendor = (more: Partial<VendorTerms> = {}): VendorTerms => ({ vendor: 'V', sku: 'A', unitCost: 10, pack: 1, minimum: 0, ...more });
const RULES: PlanRules = { nearDays: 2, budget: null, mostOverLevel: 3 };

describe('fair share', () => {
  test('a short source goes to who would run out, one unit at a time', () => {
    const equal = { level: 6, law: law(4) };
    expect(fairShare(6, [{ position: 0, ...equal }, { position: 2, ...equal }, { position: 4, ...equal }])).toEqual([4, 2, 0]);
    expect(fairShare(2, [{ position: 0, ...equal }, { position: 0, ...equal }])).toEqual([1, 1]);
    expect(fairShare(1, [{ position: 0, ...equal }, { position: 0, ...equal }])).toEqual([1, 0]);
  });
  test('nobody gets beyond the level, and what is left stays', () => {
    expect(fairShare(99, [{ position: 1, level: 3, law: law(9) }, { position: 5, level: 4, law: law(9) }])).toEqual([2, 0]);
    expect(fairShare(0, [{ position: 0, level: 3, law: law(9) }])).toEqual([0]);
  });
});

describe('plan', () => {
  test('near surplus first, the vendor brings the rest', () => {
    const plan = planReplenishment([site('shop', 1, 8), site('near', 11, 8), site('far', 40, 8)], [lane('near', 'shop'), lane('far', 'shop', 10, 5)], [vendor()], RULES);
    expect(plan).toEqual({
      transfers: [{ sku: 'A', from: 'near', to: 'shop', units: 3, cost: 300 }], purchases: [{ sku: 'A', vendor: 'V', location: 'shop', units: 4, cost: 40 }], unmet: [], spent: 40,
    });
  });
  test('the cheaper lane first; a source gives only what is free above its own level', () => {
    const plan = planReplenishment([site('shop', 0, 6), site('dear', 20, 8), site('cheap', 12, 8, { free: 2 })], [lane('dear', 'shop', 90), lane('cheap', 'shop', 20)], [], RULES);
    expect(plan.transfers).toEqual([{ sku: 'A', from: 'cheap', to: 'shop', units: 2, cost: 40 }, { sku: 'A', from: 'dear', to: 'shop', units: 4, cost: 360 }]);
    expect(plan.unmet).toEqual([]);
  });
  test('two shops at one short source get the same', () => {
    const plan = planReplenishment([site('a', 0, 6), site('b', 0, 6), site('depot', 14, 10)], [lane('depot', 'a'), lane('depot', 'b')], [], RULES);
    expect(plan.transfers.map((t) => [t.to, t.units])).toEqual([['a', 2], ['b', 2]]);
    expect(plan.unmet).toEqual([{ sku: 'A', location: 'a', units: 4, reason: 'no_source' }, { sku: 'A', location: 'b', units: 4, reason: 'no_source' }]);
  });
  test('a unit that saves less than its way costs is not moved', () => {
    // P(D > 4) = 0.3712: worth 371; P(D > 5) = 0.2149: worth 215
    const plan = planReplenishment([site('shop', 4, 9), site('near', 30, 8)], [lane('near', 'shop', 300)], [], RULES);
    expect(plan.transfers).toEqual([{ sku: 'A', from: 'near', to: 'shop', units: 1, cost: 300 }]);
  });
  test('whole packs and minimums; a minimum for years is refused', () => {
    const buy = (terms: Partial<VendorTerms>) => planReplenishment([site('shop', 1, 8)], [], [vendor(terms)], RULES);
    expect(buy({ pack: 6 }).purchases[0]!.units).toBe(12);
    expect(buy({ minimum: 10 }).purchases[0]!.units).toBe(10);
    expect(buy({ minimum: 10, pack: 6 }).purchases[0]!.units).toBe(12);
    expect(buy({ minimum: 24 })).toEqual({ transfers: [], purchases: [], unmet: [{ sku: 'A', location: 'shop', units: 7, reason: 'minimum_too_large' }], spent: 0 });
  });
  test('a source that is too short is shared, in whole packs', () => {
    const shops = [site('a', 0, 6), site('b', 2, 6), site('c', 6, 6)];
    const plan = planReplenishment(shops, [], [vendor({ available: 4 })], RULES);
    expect([plan.purchases.map((p) => [p.location, p.units]), plan.unmet]).toEqual([[['a', 3], ['b', 1]], [{ sku: 'A', location: 'a', units: 3, reason: 'source_short' }, { sku: 'A', location: 'b', units: 3, reason: 'source_short' }]]);
    expect(planReplenishment(shops, [], [vendor({ available: 4, pack: 2 })], RULES).purchases.map((p) => [p.location, p.units])).toEqual([['a', 2]]);
    expect(planReplenishment(shops, [], [vendor({ available: 0 })], RULES).purchases).toEqual([]);
  });
  test('the cheapest vendor who delivers there', () => {
    const plan = planReplenishment([site('shop', 7, 8)], [], [vendor({ vendor: 'cheap', unitCost: 1, location: 'elsewhere' }), vendor({ vendor: 'dear', unitCost: 9 }), vendor({ vendor: 'good', unitCost: 8 })], RULES);
    expect(plan.purchases).toEqual([{ sku: 'A', vendor: 'good', location: 'shop', units: 1, cost: 8 }]);
  });
  test('a budget buys what saves most for its money, a pack at a time', () => {
    const sites = [site('shop', 0, 4), site('shop', 0, 4, { sku: 'B', value: 100 })];
    const plan = planReplenishment(sites, [], [vendor({ unitCost: 10 }), vendor({ sku: 'B', unitCost: 10 })], { ...RULES, budget: 50 });
    expect([plan.purchases, plan.spent]).toEqual([[{ sku: 'A', vendor: 'V', location: 'shop', units: 4, cost: 40 }, { sku: 'B', vendor: 'V', location: 'shop', units: 1, cost: 10 }], 50]);
    expect(plan.unmet).toEqual([{ sku: 'B', location: 'shop', units: 3, reason: 'budget' }]);
    expect(planReplenishment(sites, [], [vendor()], { ...RULES, budget: 0 }).spent).toBe(0);
  });
  test('backorders are served too; who is at the level asks for nothing', () => {
    expect(planReplenishment([site('shop', -3, 2)], [], [vendor()], RULES).purchases[0]!.units).toBe(5);
    expect(planReplenishment([site('shop', 8, 8), site('over', 9, 8)], [lane('over', 'shop')], [vendor()], RULES)).toEqual({ transfers: [], purchases: [], unmet: [], spent: 0 });
  });
  test.each<[string, () => unknown, string]>([
    ['a lead time below 0', () => planReplenishment([], [lane('a', 'b', 1, -1)], [], RULES), '/lanes/0/days'],
    ['a pack of nothing', () => planReplenishment([], [], [vendor({ pack: 0 })], RULES), '/vendors/0/pack'],
    ['a site twice', () => planReplenishment([site('a', 1, 1), site('a', 1, 1)], [], [], RULES), '/sites/1'],
    ['half a unit', () => planReplenishment([site('a', 1, 1.5)], [], [], RULES), '/sites/0/level'],
    ['a budget below 0', () => planReplenishment([], [], [], { ...RULES, budget: -1 }), '/rules/budget'],
  ])('%s is told with a pointer', (_what, run, field) => {
    expect(run).toThrow(expect.objectContaining({ code: 'unprocessable', field }) as Error);
  });
});
