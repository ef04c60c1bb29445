import { expect, test } from 'vitest';
import { canonicalJson } from '../../../domain/routing/canonical.ts';
import type { InstancePolicy } from '../../../domain/routing/model.ts';
import type { RecordedOrder, SimulationInput } from '../../../domain/simulation/model.ts';
import { handOver } from '../../../domain/promising/hand-over.ts';
import { Shelves } from '../../../domain/simulation/shelves.ts';
import { Simulation } from '../../../domain/simulation/simulate.ts';

const DAY = 86_400_000;
const T0 = Date.parse('2026-11-23T00:00:00Z'); // a Monday
const calendar = { timeZone: 'UTC', cutoffMinutes: 16 * 60, handlingMinutes: 60, workDays: [1, 2, 3, 4, 5, 6, 7] };
const at = (city: string, lat: number) => ({ country: 'CN', province: 'P', city, lat, lon: 0 });
const policy = (changes: Partial<InstancePolicy['weights']> = {}, rest: Partial<InstancePolicy> = {}): InstancePolicy => ({
  code: 'p', version: 1, kinds: ['warehouse', 'store'], maxShipments: 2, lineMaySplit: true, minShipmentValue: 0, dealers: 'equal',
  weights: { shipping: 1000, handling: 1000, splitPenalty: 100, latenessPerDay: 0, loadBalance: 0, opportunity: 0, slowCredit: 0, settlement: 1000, ...changes }, ...rest,
});
const order = (id: string, hour: number, lines: Record<string, number>, more: Partial<RecordedOrder> & { province?: string; promisedBy?: string | null } = {}): RecordedOrder => {
  const { province = 'P', promisedBy = null, ...rest } = more;
  return {
    id, at: T0 + hour * 3_600_000, ...rest,
    order: { channel: 'own', destination: { ...at('A', 0), province }, promisedBy, lines: Object.entries(lines).map(([sku, quantity], i) => ({ line: i + 1, sku, quantity, value: 100 * quantity, weightG: 100 })) },
  };
};
/** NEAR costs 10 freight + 1 a shipment and a unit; FAR 30 freight + 2. */
const world = (stock: SimulationInput['stock'], orders: RecordedOrder[], more: Partial<SimulationInput> = {}, capacity?: number): SimulationInput => ({
  locations: [
    { code: 'NEAR', kind: 'store', place: at('A', 0), calendar, handling: { perShipment: 1, perUnit: 1 }, ...(capacity === undefined ? {} : { dailyCapacity: capacity }) },
    { code: 'FAR', kind: 'warehouse', place: at('B', 1), calendar, handling: { perShipment: 2, perUnit: 2 } },
  ],
  rates: [
    { carrier: 'c', zone: 'same_city', firstWeightG: 1000, firstCost: 10, stepG: 1000, stepCost: 5, transitDays: 1 },
    { carrier: 'c', zone: 'same_province', firstWeightG: 1000, firstCost: 30, stepG: 1000, stepCost: 5, transitDays: 3 },
    { carrier: 'c', zone: 'national', firstWeightG: 1000, firstCost: 50, stepG: 1000, stepCost: 5, transitDays: 4 },
  ],
  stock, orders, arrivals: [], ...more,
});
function total(input: SimulationInput, p = policy()) {
  const simulation = new Simulation(input, p);
  expect(simulation.run(Number.POSITIVE_INFINITY)).toBe(false);
  return simulation.result();
}

test('earlier orders take the near stock: the second goes far, the third gets nothing', () => {
  const { total: t } = total(world([{ location: 'NEAR', sku: 'X', units: 1 }, { location: 'FAR', sku: 'X', units: 1 }], [order('a', 1, { X: 1 }), order('b', 2, { X: 1 }), order('c', 3, { X: 1 })]));
  expect(t).toMatchObject({
    orders: 3, complete: 2, shipments: 2, units: 2, cost: { freight: 40, handling: 2 + 4, settlement: 0, total: 46 }, costPerOrder: 15.33, shipmentsPerOrder: 0.6667, stockOuts: { orders: 1, lines: 1, units: 1 },
    promised: 0, onTimeShare: null, measured: 2, km: 111.2,
  });
});

test('what can be served of an order ships, over two locations where none has all', () => {
  const { total: t } = total(world([{ location: 'NEAR', sku: 'X', units: 1 }, { location: 'FAR', sku: 'Y', units: 5 }], [order('a', 1, { X: 1, Y: 2, Z: 3 })]));
  expect(t).toMatchObject({ orders: 1, complete: 0, shipments: 2, units: 3, cost: { freight: 40, handling: 2 + 6 }, stockOuts: { orders: 1, lines: 1, units: 3 } });
});

test('a day\'s capacity is used up and there again the next day', () => {
  const orders = [order('a', 1, { X: 2 }), order('b', 2, { X: 1 }), order('c', 25, { X: 1 })];
  const { total: t } = total(world([{ location: 'NEAR', sku: 'X', units: 9 }, { location: 'FAR', sku: 'X', units: 9 }], orders, {}, 2));
  // a: near, 2 units; b: far; c: near.
  expect(t.cost).toEqual({ freight: 10 + 30 + 10, handling: 3 + 4 + 2, settlement: 0, total: 59 });
});

test('a capacity is that of the day of hand-over: after the cut-off the next day\'s is used up, and a cancelled order gives its own day back', () => {
  const stock = [{ location: 'NEAR', sku: 'X', units: 9 }, { location: 'FAR', sku: 'X', units: 9 }];
  // a: near, all of Monday; b, after Monday's cut-off: near, all of Tuesday; c, on Tuesday: far.
  const orders = [order('a', 1, { X: 2 }), order('b', 17, { X: 2 }), order('c', 25, { X: 1 })];
  expect(total(world(stock, orders, {}, 2)).total.cost).toMatchObject({ freight: 10 + 10 + 30 });
  const cancelled = [order('a', 1, { X: 2 }), order('b', 17, { X: 2 }, { cancelledAt: T0 + 24 * 3_600_000 }), order('c', 25, { X: 1 })];
  expect(total(world(stock, cancelled, {}, 2)).total.cost).toMatchObject({ freight: 10 + 10 + 10 });
  // What is scheduled for Tuesday takes nothing of Monday.
  const scheduled = [order('a', 1, { X: 2 }, { scheduledFrom: T0 + 26 * 3_600_000 }), order('b', 2, { X: 2 }), order('c', 25, { X: 1 })];
  expect(total(world(stock, scheduled, {}, 2)).total.cost).toMatchObject({ freight: 10 + 10 + 30 });
});

test('arrivals serve who comes after them, units that went elsewhere are gone, cancelled orders give back', () => {
  const orders = [order('a', 1, { X: 1 }), order('b', 3, { X: 1 }, { cancelledAt: T0 + 4 * 3_600_000 }), order('c', 5, { X: 1 }), order('d', 7, { X: 1 })];
  const arrivals = [{ at: T0 + 2 * 3_600_000, location: 'NEAR', sku: 'X', units: 1 }, { at: T0 + 6 * 3_600_000, location: 'NEAR', sku: 'X', units: -1 }, { at: T0 + 6.5 * 3_600_000, location: 'NEAR', sku: 'X', units: 1 }];
  const { total: t } = total(world([], orders, { arrivals }));
  // a: nothing yet; b: the arrival; c: what b gave back; d: one came, but one was owed.
  expect(t).toMatchObject({ orders: 4, complete: 2, stockOuts: { orders: 2, lines: 2, units: 2 } });
});

test('on time: complete and by the promise; the policy that pays for lateness keeps it', () => {
  const promisedBy = new Date(T0 + 2 * DAY).toISOString();
  const stock = [{ location: 'NEAR', sku: 'X', units: 1 }, { location: 'FAR', sku: 'X', units: 5 }];
  const { total: t } = total(world(stock, [order('a', 1, { X: 1 }, { promisedBy }), order('b', 2, { X: 1 }, { promisedBy }), order('c', 3, { Y: 1 }, { promisedBy })]));
  expect(t).toMatchObject({ promised: 3, onTime: 1, onTimeShare: 0.3333, daysLate: 2 });
});

test('figures stand by region and add up; the last units are left to the shop where the policy weighs that', () => {
  const stock = [{ location: 'NEAR', sku: 'X', units: 5, keep: 5 }, { location: 'FAR', sku: 'X', units: 5 }];
  const orders = [order('a', 1, { X: 1 }, { margins: { X: 100 } }), order('b', 2, { X: 1 }, { margins: { X: 100 }, province: 'Q' })];
  const plain = total(world(stock, orders));
  expect(Object.keys(plain.regions)).toEqual(['P', 'Q']);
  expect([plain.regions['P']?.cost.freight, plain.regions['Q']?.cost.freight, plain.total.cost.freight]).toEqual([10, 50, 60]);
  expect(total(world(stock, orders), policy({ opportunity: 1000 })).regions['P']?.cost.freight).toBe(30);
});

test('the same input gives the same bytes, in any number of steps, and is not changed', () => {
  const input = world([{ location: 'NEAR', sku: 'X', units: 3 }, { location: 'FAR', sku: 'X', units: 2 }], Array.from({ length: 6 }, (_, i) => order(`o${i}`, i, { X: 1 })));
  const before = canonicalJson(input);
  const stepwise = new Simulation(input, policy());
  const seen: number[] = [];
  while (stepwise.run(2)) seen.push(stepwise.orders);
  expect(seen).toEqual([2, 4]);
  expect(stepwise.orders).toBe(6);
  expect(canonicalJson(stepwise.result())).toBe(canonicalJson(total(input)));
  expect(canonicalJson(input)).toBe(before);
});

test('the hand-over is told by the location\'s own clock on the promised day, order by order, before and after clocks change', () => {
  const york = { ...calendar, timeZone: 'America/New_York' };
  const shelves = new Shelves([{ code: 'NEAR', kind: 'store', place: at('A', 0), calendar: york, handling: { perShipment: 1, perUnit: 1 } }], [{ location: 'NEAR', sku: 'X', units: 9 }], false);
  const noon = Date.parse('2026-10-30T16:00:00Z'); // New York leaves summer time on 1 November
  const shown = (promisedBy: string | null): string | null | undefined => {
    const recorded = { ...order('a', 0, { X: 1 }, { promisedBy }), at: noon };
    const [location] = shelves.candidates(recorded);
    expect(location?.shipsAt).toBe(new Date(handOver({ orderedAt: new Date(noon), scheduledFrom: null, location: york }, promisedBy === null ? null : Date.parse(promisedBy))).toISOString());
    return location?.shipsAt;
  };
  const [before, after, none] = ['2026-10-31T22:00:00Z', '2026-11-03T23:00:00Z', null];
  expect([before, after, none, before, after].map(shown)).toEqual(['2026-10-30T22:00:00.000Z', '2026-10-30T23:00:00.000Z', '2026-10-30T22:00:00.000Z', '2026-10-30T22:00:00.000Z', '2026-10-30T23:00:00.000Z']);
});
