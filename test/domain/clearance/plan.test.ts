import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkPlan, floorPrice, priceAfter, type CampaignPlan, type StagePlan } from '../../../domain/clearance/plan.ts';
import type { Problem } from '../../../domain/problem.ts';

const day = (n: number): string => new Date(Date.UTC(2026, 10, 1 + n)).toISOString();
const staff: StagePlan = { kind: 'staff', endsAt: day(3), percentOff: 20, group: 'STAFF', perPerson: 2 };
const plan = (changes: Partial<CampaignPlan> = {}): CampaignPlan => ({
  reference: 'C', name: 'Winter', currency: 'CNY', skus: [{ sku: 'A' }], startsAt: day(0), endsAt: day(14), target: 800, floorMargin: 100, budget: 10_000, stages: [staff], ...changes,
});
const fault = (changes: Partial<CampaignPlan>, sku: { listPrice: number | null; cost: number | null } = { listPrice: 1000, cost: 500 }): string | null => {
  const given = plan(changes);
  try {
    checkPlan(given, given.skus.map((s) => ({ sku: s.sku, ...sku })), day(0));
    return null;
  } catch (error) {
    return `${(error as Problem).field}: ${(error as Problem).message}`;
  }
};

test('a plan that makes sense is taken', () => { expect(fault({})).toBeNull(); });

test.each<[string, Partial<CampaignPlan>, string]>([
  ['ends before it begins', { endsAt: day(0) }, '/endsAt: the campaign ends before it begins'],
  ['over already', { startsAt: day(-9), endsAt: day(-1) }, '/endsAt: the campaign is over already'],
  ['budget 0', { budget: 0 }, '/budget: a budget of 0 would end the campaign as it begins: give it what it may cost'],
  ['no such day', { endsAt: '10000-01-01T00:00:00Z' }, '/endsAt: no such moment: ISO 8601 with hours and minutes of the offset, years 1900 to 9999'],
  ['a SKU twice', { skus: [{ sku: 'A' }, { sku: 'A' }] }, '/skus/1/sku: SKU "A" is named twice'],
  ['floor above the price', { floorMargin: 501 }, '/floorMargin: the floor of SKU "A" (1003) is above its price (1000)'],
  ['below the floor', { stages: [{ ...staff, percentOff: 45 }] }, '/stages/0/percentOff: 45 % off makes SKU "A" cost 550, below its floor of 556'],
  ['a stage before the campaign', { stages: [{ ...staff, startsAt: day(-1) }] }, '/stages/0/startsAt: the stage begins before the campaign'],
  ['a stage that ends before it begins', { stages: [{ ...staff, startsAt: day(4) }] }, '/stages/0/endsAt: the stage ends before it begins'],
  ['a stage after the campaign', { stages: [{ ...staff, endsAt: day(15) }] }, '/stages/0/endsAt: the stage ends after the campaign'],
  ['overlapping stages', { stages: [staff, { ...staff, startsAt: day(2), endsAt: day(5) }] }, '/stages/1/startsAt: the stage begins before the one before it ends'],
  ['stage budget 0', { stages: [{ ...staff, budget: 0 }] }, '/stages/0/budget: a budget of 0 would end the stage as it begins'],
  ['a stage dearer than the campaign', { stages: [{ ...staff, budget: 10_001 }] }, '/stages/0/budget: the stage may cost more (10001) than the campaign (10000)'],
  ['a slot dearer than its stage', { stages: [{ ...staff, budget: 10, cost: 11 }] }, '/stages/0/cost: the stage costs more than its budget before it has sold anything'],
  ['a stage target above the campaign\'s', { stages: [{ ...staff, target: 801 }] }, '/stages/0/target: the campaign ends at its own target, which is lower'],
  ['a bundle with itself', { stages: [{ kind: 'bundle', endsAt: day(3), percentOff: 10, partner: 'P', with: ['A'], bearer: 'brand' }] }, '/stages/0/with/0: SKU "A" is itself in the campaign'],
  ['first markdown deeper than the deepest', { stages: [{ kind: 'markdown', endsAt: day(3), percentOff: 20, mostPercentOff: 10, everyS: 86_400, proposals: 'rule' }] }, '/stages/0/mostPercentOff: the first markdown is deeper than the deepest'],
])('%s', (_, changes, expected) => { expect(fault(changes)).toBe(expected); });

test('a SKU without list price or cost is named', () => {
  expect(fault({}, { listPrice: null, cost: 1 })).toBe('/skus/0/listPrice: SKU "A" has no list price: say it here');
  expect(fault({}, { listPrice: 1, cost: null })).toBe('/skus/0/sku: SKU "A" has no cost, so its floor cannot be known: set the cost first');
});

test('the floor is the lowest price that leaves the margin; prices after a discount never exceed the list price and never undercut the exact one', () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 1e9 }), fc.integer({ min: -1000, max: 900 }), (cost, margin) => {
    const p = floorPrice(cost, margin);
    expect((p - cost) * 1000).toBeGreaterThanOrEqual(margin * p);
    if (p > 0) expect((p - 1 - cost) * 1000).toBeLessThan(margin * (p - 1));
  }));
  fc.assert(fc.property(fc.integer({ min: 1, max: 1e9 }), fc.integer({ min: 0, max: 100 }), fc.integer({ min: 1, max: 1000 }), (list, off, roundTo) => {
    const p = priceAfter(list, off, roundTo);
    expect(p).toBeLessThanOrEqual(list);
    expect(p * 100).toBeGreaterThanOrEqual(list * (100 - off));
  }));
  expect([priceAfter(1990, 30), priceAfter(1990, 30, 100), priceAfter(1990, 0, 100)]).toEqual([1393, 1400, 1990]);
});
