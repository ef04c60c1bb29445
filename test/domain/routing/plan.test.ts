import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planOrder } from '../../../domain/routing/plan.ts';
import type { InstanceLocation, InstancePlan, InstanceRate, RoutingInstance } from '../../../domain/routing/model.ts';
import { cheapest } from './brute-force.ts';

const place = (province: string, city = province) => ({ country: 'CN', province, city, lat: null, lon: null });
const HERE = place('Shanghai');
const rate = (zone: InstanceRate['zone'], changes: Partial<InstanceRate> = {}): InstanceRate => ({ carrier: 'sf', zone, firstWeightG: 1000, firstCost: 800, stepG: 500, stepCost: 200, transitDays: 1, ...changes });
const location = (code: string, stock: InstanceLocation['stock'], changes: Partial<InstanceLocation> = {}): InstanceLocation => ({
  code, kind: 'warehouse', place: HERE, shipsAt: '2026-11-23T08:00:00.000Z', handling: { perShipment: 100, perUnit: 10 }, load: 0, stock, ...changes,
});
const line = (no: number, sku: string, quantity = 1) => ({ line: no, sku, quantity, value: 1000 * quantity, weightG: 400 });
function instance(lines: RoutingInstance['order']['lines'], locations: InstanceLocation[], policy: Partial<RoutingInstance['policy']> = {}, changes: Partial<RoutingInstance> = {}): RoutingInstance {
  return {
    order: { channel: 'own', destination: HERE, promisedBy: null, lines }, locations, rates: [rate('same_city'), rate('national', { firstCost: 1200, stepCost: 300, transitDays: 3 })],
    policy: {
      code: 'p', version: 1, kinds: ['warehouse', 'store', 'dealer'], maxShipments: 4, lineMaySplit: false, minShipmentValue: 0, dealers: 'equal',
      weights: { shipping: 1000, handling: 1000, splitPenalty: 500, latenessPerDay: 300, loadBalance: 0, opportunity: 1000, slowCredit: 1000, settlement: 1000 }, ...policy,
    }, ...changes,
  };
}
const where = (plan: InstancePlan): string => plan.shipments.map((s) => `${s.location}:${s.lines.map((l) => `${l.line}×${l.quantity}`).join('+')}`).join(' ');
const has = (units: number) => ({ available: units });

describe('one order', () => {
  test('the location with everything, its cost by term', () => {
    const plan = planOrder(instance([line(1, 'a'), line(2, 'b', 2)], [location('A', { a: has(1) }), location('B', { a: has(1), b: has(2) }), location('C', { b: has(2) })]));
    expect(where(plan)).toBe('B:1×1+2×2');
    // 1,200 g: first weight and one step; 100 + 3 × 10 handling
    expect(plan).toMatchObject({ cost: 1130, bound: 1130, optimal: true, splitPenalty: 0, unallocated: [], shipments: [{ carrier: 'sf', cost: 1130, arrivesAt: '2026-11-24T08:00:00.000Z', terms: { shipping: 1000, handling: 130 } }] });
    expect(plan.rejected.map((r) => [r.location, r.reason])).toEqual([['A', 'cannot serve line 2; the plan without it is cheaper'], ['C', 'cannot serve line 1; the plan without it is cheaper']]);
  });

  test('a split where no location has all; more shipments than allowed are not made: as many lines as can be', () => {
    const locations = [location('A', { a: has(1) }), location('B', { b: has(1) }), location('C', { c: has(1) })];
    const lines = [line(1, 'a'), line(2, 'b'), line(3, 'c')];
    expect(where(planOrder(instance(lines, locations)))).toBe('A:1×1 B:2×1 C:3×1');
    const two = planOrder(instance(lines, locations, { maxShipments: 2 }));
    expect([two.shipments.length, two.unallocated.length]).toEqual([2, 1]);
    expect(planOrder(instance(lines, [])).reasons).toEqual(['no location may serve this order', 'nobody can serve 1 of line 1, 1 of line 2, 1 of line 3']);
  });

  test('two lines with one SKU count together', () => {
    const plan = planOrder(instance([line(1, 'a', 2), line(2, 'a', 2)], [location('A', { a: has(3) }), location('B', { a: has(2) })]));
    expect(where(plan)).toBe('A:1×2 B:2×2');
  });

  test('a line that nobody has whole is divided only where the policy says so', () => {
    const args = [[line(1, 'a', 3)], [location('A', { a: has(2) }), location('B', { a: has(2) })]] as const;
    expect(planOrder(instance([...args[0]], [...args[1]])).unallocated).toEqual([{ line: 1, sku: 'a', quantity: 3 }]);
    expect(where(planOrder(instance([...args[0]], [...args[1]], { lineMaySplit: true })))).toMatch(/^A:1×[12] B:1×[12]$/);
    const whole = planOrder(instance([...args[0]], [...args[1], location('C', { a: has(3) }, { place: place('Beijing') })], { lineMaySplit: true }));
    expect(where(whole)).toBe('C:1×3');
  });

  test('each part of a split is worth the least; an order that cannot be split so stays whole or smaller', () => {
    const locations = [location('A', { a: has(1), b: has(1) }), location('B', { c: has(9) })];
    const lines = [line(1, 'a'), line(2, 'b'), line(3, 'c', 2)];
    expect(where(planOrder(instance(lines, locations, { minShipmentValue: 2000 })))).toBe('A:1×1+2×1 B:3×2');
    expect(where(planOrder(instance(lines, locations, { minShipmentValue: 2001 })))).toBe('A:1×1+2×1');
  });

  test('lateness, load, last units, slow stock and settlements are money', () => {
    const near = location('near', { a: { available: 1, opportunity: { cost: 900, units: 3 } } });
    const far = location('far', { a: has(1) }, { place: place('Beijing') });
    expect(where(planOrder(instance([line(1, 'a')], [near, far])))).toBe('far:1×1');
    const promised = instance([line(1, 'a')], [near, far]);
    promised.order.promisedBy = '2026-11-24T08:00:00.000Z';
    expect(where(planOrder(promised))).toBe('near:1×1'); // two days late at 300 more than it saves
    const slow = instance([line(1, 'a')], [location('A', { a: has(1) }), location('B', { a: { available: 1, slowCredit: 50 } }), location('C', { a: { available: 1, settlement: 10 } })]);
    expect(planOrder(slow)).toMatchObject({ cost: 860, shipments: [{ location: 'B', terms: { slowCredit: -50 } }] });
    const loaded = instance([line(1, 'a')], [location('A', { a: has(1) }, { load: 900 }), location('B', { a: has(1) }, { load: 100 })]);
    loaded.policy.weights.loadBalance = 100;
    expect(planOrder(loaded)).toMatchObject({ cost: 920, shipments: [{ location: 'B', terms: { load: 10 } }] });
  });

  test('eligibility: by channel, way, location and kind; what is barred is told, and takes no part', () => {
    const locations = [location('A', { a: has(1) }), location('B', { a: has(1) }, { kind: 'store', place: place('Beijing') }), location('C', { a: has(1) }, { kind: 'store', place: place('Beijing') })];
    const plan = (eligibility: RoutingInstance['policy']['eligibility'], order: Partial<RoutingInstance['order']> = {}) => {
      const made = instance([line(1, 'a')], locations, { ...(eligibility ? { eligibility } : {}) });
      return planOrder({ ...made, order: { ...made.order, ...order } });
    };
    expect(where(plan(undefined))).toBe('A:1×1');
    const never = plan([{ mode: 'never', locations: ['A'], channels: ['own'] }]);
    expect([where(never), never.rejected[0]]).toEqual(['B:1×1', { location: 'A', reason: 'the policy never serves orders of channel own from there' }]);
    expect(where(plan([{ mode: 'never', locations: ['A'], channels: ['other'] }]))).toBe('A:1×1');
    const only = plan([{ mode: 'only', kinds: ['store'], ways: ['ship'] }, { mode: 'never', locations: ['B'] }]);
    expect([where(only), only.rejected]).toEqual(['C:1×1', [
      { location: 'A', reason: 'the policy serves ship orders only from any store' }, { location: 'B', reason: 'the policy never serves orders from there' }]]);
    expect(where(plan([{ mode: 'only', kinds: ['store'], ways: ['pickup', 'curbside'] }]))).toBe('A:1×1');
    expect(where(plan([{ mode: 'only', kinds: ['store'], ways: ['pickup', 'curbside'] }], { way: 'curbside' }))).toBe('B:1×1');
    expect(plan([{ mode: 'only', locations: ['D'] }])).toMatchObject({ shipments: [], reasons: ['no location may serve this order', 'nobody can serve 1 of line 1'] });
  });

  test('dealers after own stock, or as equals', () => {
    const locations = [location('own', { a: has(1) }, { place: place('Beijing') }), location('dealer', { a: has(1), b: has(1) }, { kind: 'dealer' })];
    expect(where(planOrder(instance([line(1, 'a')], locations)))).toBe('dealer:1×1');
    expect(where(planOrder(instance([line(1, 'a')], locations, { dealers: 'after_own' })))).toBe('own:1×1');
    expect(where(planOrder(instance([line(1, 'a'), line(2, 'b')], locations, { dealers: 'after_own' })))).toBe('dealer:2×1 own:1×1');
  });

  test('what stands against a location is told', () => {
    const blocked = instance([{ ...line(1, 'a'), hazardous: true }], [
      location('forced', { a: has(1) }, { hazardous: true }), location('other', { a: has(1) }), location('vendor', { a: has(1) }, { kind: 'vendor' }), location('shut', { a: has(1) }, { shipsAt: null }),
    ]);
    blocked.rates = [rate('same_city', { hazardous: true })];
    const { rejected } = planOrder(blocked);
    expect(rejected).toEqual([
      { location: 'vendor', reason: 'the policy does not ship from a vendor' }, { location: 'shut', reason: 'takes nothing now' }, { location: 'other', reason: 'can serve no line whole' },
    ]);
    blocked.order.forcedLocation = 'shut';
    expect(planOrder(blocked).rejected[0]).toEqual({ location: 'forced', reason: 'another location was forced by an operator' });
    blocked.order = { ...blocked.order, forcedCarrier: 'none' };
    delete blocked.order.forcedLocation;
    expect(planOrder(blocked).rejected.filter((r) => r.reason === 'carrier none has no rate for zone same_city').map((r) => r.location)).toEqual(['forced', 'other']);
  });

  test('a carrier that takes no more weighs in; volume counts where it is the larger', () => {
    const heavy = instance([line(1, 'a', 5)], [location('A', { a: has(5) })]);
    heavy.rates = [rate('same_city', { maxWeightG: 1999 }), rate('same_city', { carrier: 'truck', firstCost: 5000 })];
    expect(planOrder(heavy).shipments[0]).toMatchObject({ carrier: 'truck', terms: { shipping: 5400 } });
    const bulky = instance([{ ...line(1, 'a'), volumeMm3: 12_000_000 }], [location('A', { a: has(1) })]);
    bulky.rates = [rate('same_city', { volumetricMm3PerG: 6000 })];
    expect(planOrder(bulky).shipments[0]).toMatchObject({ terms: { shipping: 1200 } }); // 2,000 g by volume
  });
});

const SKUS = ['a', 'b', 'c', 'd'];
const anyInstance: fc.Arbitrary<RoutingInstance> = fc.record({
  lines: fc.array(fc.record({ sku: fc.constantFrom(...SKUS), quantity: fc.integer({ min: 1, max: 3 }), weightG: fc.integer({ min: 0, max: 900 }), value: fc.integer({ min: 0, max: 5000 }), hazardous: fc.boolean() }), { minLength: 1, maxLength: 5 }),
  locations: fc.array(fc.record({
    kind: fc.constantFrom('warehouse', 'store', 'dealer'), near: fc.boolean(), perShipment: fc.integer({ min: 0, max: 300 }), perUnit: fc.integer({ min: 0, max: 50 }), fee: fc.option(fc.integer({ min: 1, max: 400 }), { nil: undefined }), load: fc.integer({ min: 0, max: 1000 }),
    capacity: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }), hazardous: fc.boolean(), days: fc.integer({ min: 0, max: 3 }),
    stock: fc.array(fc.record({ available: fc.integer({ min: 0, max: 6 }), cost: fc.integer({ min: 0, max: 900 }), units: fc.integer({ min: 0, max: 4 }), slowCredit: fc.integer({ min: 0, max: 400 }), settlement: fc.integer({ min: 0, max: 300 }) }), { minLength: 4, maxLength: 4 }),
  }), { minLength: 1, maxLength: 5 }),
  first: fc.integer({ min: 0, max: 900 }), step: fc.integer({ min: 0, max: 700 }), max: fc.option(fc.integer({ min: 500, max: 3000 }), { nil: undefined }),
  maxShipments: fc.integer({ min: 1, max: 5 }), lineMaySplit: fc.boolean(), minShipmentValue: fc.constantFrom(0, 0, 3000), dealers: fc.constantFrom('after_own', 'equal'), splitPenalty: fc.constantFrom(0, 250), promised: fc.boolean(),
  eligibility: fc.option(fc.array(fc.record({ mode: fc.constantFrom('only' as const, 'never' as const), locations: fc.subarray(['L0', 'L1', 'L2']), kinds: fc.subarray(['store' as const, 'dealer' as const]), channels: fc.constantFrom<string[]>(['own'], ['other']) }), { maxLength: 2 }), { nil: undefined }),
}).map((g) => {
  const lines = g.lines.map((l, i) => ({ ...l, line: i + 1 }));
  const made = instance(lines, g.locations.map((l, i) => location(`L${i}`, Object.fromEntries(SKUS.map((sku, k) => {
    const { cost, units, ...rest } = l.stock[k]!;
    return [sku, { ...rest, opportunity: { cost, units } }];
  })), {
    kind: l.kind as 'warehouse', place: l.near ? HERE : place('Beijing'), handling: { perShipment: l.perShipment, perUnit: l.perUnit }, load: l.load, hazardous: l.hazardous, shipsAt: `2026-11-2${3 + l.days}T08:00:00.000Z`,
    ...(l.capacity === undefined ? {} : { capacityUnits: l.capacity }), ...(l.fee === undefined ? {} : { settlementFee: l.fee }),
  })), { maxShipments: g.maxShipments, lineMaySplit: g.lineMaySplit, minShipmentValue: g.minShipmentValue, dealers: g.dealers as 'equal' });
  made.rates = [rate('same_city', { firstCost: g.first, stepCost: g.step, hazardous: true, ...(g.max === undefined ? {} : { maxWeightG: g.max }) }), rate('national', { firstCost: g.first * 2, stepCost: g.step, transitDays: 2 }), rate('national', { carrier: 'jd', firstCost: g.first, stepCost: g.step * 3, transitDays: 4, hazardous: true })];
  made.policy.weights.splitPenalty = g.splitPenalty;
  made.policy.weights.loadBalance = 100;
  if (g.eligibility !== undefined) made.policy.eligibility = g.eligibility;
  made.order.promisedBy = g.promised ? '2026-11-26T08:00:00.000Z' : null;
  return made;
});

test('any small order: the cost is that of trying everything, and the plan is one that may be', () => {
  fc.assert(fc.property(anyInstance, (made) => {
    const units = made.order.lines.reduce((sum, l) => sum + l.quantity, 0);
    fc.pre(!made.policy.lineMaySplit || units <= 7);
    const best = cheapest(made);
    const plan = planOrder(made);
    expect([plan.optimal, plan.cost, plan.bound]).toEqual([true, best.cost, best.cost]);
    expect(best.valid(plan)).toBe('');
    expect(JSON.stringify(planOrder(structuredClone(made)))).toBe(JSON.stringify(plan));
  }), { numRuns: 400 });
});

test('more lines than are searched exactly: a plan with a bound that holds, and every line is served', () => {
  const lines = Array.from({ length: 20 }, (_, i) => line(i + 1, `s${i}`));
  const stock = (keep: (i: number) => boolean) => Object.fromEntries(lines.filter((_, i) => keep(i)).map((l) => [l.sku, has(1)]));
  const plan = planOrder(instance(lines, [location('A', stock((i) => i % 2 === 0)), location('B', stock((i) => i % 2 === 1)), location('C', stock((i) => i < 10))]));
  expect([where(plan).split(' ').length, plan.unallocated, plan.optimal]).toEqual([2, [], false]);
  expect(plan.bound).toBeLessThanOrEqual(plan.cost);
  expect(plan.reasons.at(-1)).toMatch(/^not proved to be the best: at most \d+ above it$/);
});
