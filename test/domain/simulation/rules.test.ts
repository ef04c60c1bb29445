import { expect, test } from 'vitest';
import type { InstancePolicy } from '../../../domain/routing/model.ts';
import type { RecordedOrder, SimulatedLocation, SimulatedStock, SimulationInput } from '../../../domain/simulation/model.ts';
import { Simulation } from '../../../domain/simulation/simulate.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const T0 = Date.parse('2026-11-23T00:00:00Z'); // a Monday
const calendar = { timeZone: 'UTC', cutoffMinutes: 16 * 60, handlingMinutes: 60, workDays: [1, 2, 3, 4, 5, 6, 7] };
const at = (city: string, lat: number) => ({ country: 'CN', province: 'P', city, lat, lon: 0 });
const policy = (changes: Partial<InstancePolicy['weights']> = {}): InstancePolicy => ({
  code: 'p', version: 1, kinds: ['warehouse', 'store', 'dealer'], maxShipments: 2, lineMaySplit: true, minShipmentValue: 0, dealers: 'equal',
  weights: { shipping: 1000, handling: 1000, splitPenalty: 100, latenessPerDay: 0, loadBalance: 0, opportunity: 0, slowCredit: 0, settlement: 1000, ...changes },
});
const near: SimulatedLocation = { code: 'NEAR', kind: 'store', place: at('A', 0), calendar, handling: { perShipment: 0, perUnit: 0 } };
const far: SimulatedLocation = { code: 'FAR', kind: 'warehouse', place: at('B', 1), calendar, handling: { perShipment: 0, perUnit: 0 } };
const stock = (changes: Partial<SimulatedStock> = {}): SimulatedStock[] => [{ location: 'NEAR', sku: 'X', units: 9, ...changes }, { location: 'FAR', sku: 'X', units: 9 }];
const order = (hour: number, more: Partial<RecordedOrder['order']> = {}, rest: Partial<RecordedOrder> = {}): RecordedOrder => ({
  id: `o${hour}`, at: T0 + hour * HOUR, ...rest,
  order: { channel: 'own', destination: at('A', 0), promisedBy: null, lines: [{ line: 1, sku: 'X', quantity: 1, value: 100, weightG: 100 }], ...more },
});
/** From NEAR a parcel costs 10 and takes a day, from FAR 30 and three. */
function run(orders: RecordedOrder[], input: Partial<SimulationInput> = {}, p = policy()) {
  const simulation = new Simulation({
    locations: [near, far], stock: stock(), orders, arrivals: [],
    rates: [{ carrier: 'c', zone: 'same_city', firstWeightG: 1000, firstCost: 10, stepG: 1000, stepCost: 5, transitDays: 1 }, { carrier: 'c', zone: 'same_province', firstWeightG: 1000, firstCost: 30, stepG: 1000, stepCost: 5, transitDays: 3 }],
    ...input,
  }, p);
  expect(simulation.run(Number.POSITIVE_INFINITY)).toBe(false);
  return simulation.result().total;
}

test('a dealer is owed by the term of the moment: by its price, then by a part of what was paid', () => {
  const terms = [{ from: T0, price: 15 }, { from: T0 + 2 * HOUR, percentOfNet: 50 }];
  const dealer = { locations: [{ ...near, kind: 'dealer' as const }, far], stock: stock({ terms }) };
  // 10 + 15 is less than 30; half of 100 is not; half of 20 is.
  expect(run([order(1)], dealer).cost).toMatchObject({ freight: 10, settlement: 15, total: 25 });
  expect(run([order(3, {}, { nets: { X: 100 } })], dealer).cost).toMatchObject({ freight: 30, settlement: 0, total: 30 });
  expect(run([order(3, {}, { nets: { X: 20 } })], dealer).cost).toMatchObject({ freight: 10, settlement: 10, total: 20 });
  // What is not weighed is paid all the same.
  expect(run([order(3, {}, { nets: { X: 100 } })], dealer, policy({ settlement: 0 })).cost).toMatchObject({ freight: 10, settlement: 50, total: 60 });
});

test('a dealer\'s fee is paid once a shipment, and weighed', () => {
  const dealer = (settlementFee: number) => ({ locations: [{ ...near, kind: 'dealer' as const, settlementFee }, far], stock: stock({ terms: [{ from: T0, price: 5 }] }) });
  const two = order(1, { lines: [{ line: 1, sku: 'X', quantity: 2, value: 100, weightG: 100 }] });
  expect(run([two], dealer(9)).cost).toMatchObject({ freight: 10, settlement: 19, total: 29 });
  expect(run([two], dealer(11)).cost).toMatchObject({ freight: 30, settlement: 0, total: 30 });
  expect(run([two], dealer(11), policy({ settlement: 0 })).cost).toMatchObject({ freight: 10, settlement: 21, total: 31 });
});

test('a carrier takes what is ready after its cut-off a day later', () => {
  const rates = [{ carrier: 'c', zone: 'same_city' as const, firstWeightG: 1000, firstCost: 10, stepG: 1000, stepCost: 5, transitDays: 1, cutoffMinute: 16 * 60 }];
  const promised = order(1, { promisedBy: new Date(T0 + DAY + 18 * HOUR).toISOString() });
  expect(run([promised], { rates, locations: [{ ...near, readyMinute: 16 * 60 }] , stock: [stock()[0]!] })).toMatchObject({ promised: 1, onTime: 1, daysLate: 0 });
  expect(run([promised], { rates, locations: [{ ...near, readyMinute: 17 * 60 }], stock: [stock()[0]!] })).toMatchObject({ promised: 1, onTime: 0, daysLate: 1 });
});

test('what a location is expected to refuse counts where the policy weighs it', () => {
  const locations = [{ ...near, reliability: 500 }, far];
  expect(run([order(1)], { locations }, policy({ rejection: 30 })).cost.freight).toBe(10);
  expect(run([order(1)], { locations }, policy({ rejection: 50 })).cost.freight).toBe(30);
});

test('a shop that shares nothing with a channel ships none of its orders; what is set apart is shared by no rule', () => {
  const rule = { id: 1, location: 'NEAR', channel: 'live', skus: null, category: null, mode: 'none' as const, value: null, hours: null, weekdays: null, priority: 100 };
  const sharing = { rules: [rule], categories: {} };
  expect(run([order(1), order(2, { channel: 'live' })], { sharing }).cost.freight).toBe(10 + 30);
  expect(run([order(2, { channel: 'live' })], { sharing, stock: stock({ allotted: true }) }).cost.freight).toBe(10);
  // Half of four: two, then one of the three, then one of the two.
  const half = { rules: [{ ...rule, category: 'shoes', mode: 'percent' as const, value: 50 }], categories: { X: 'shoes' } };
  expect(run([1, 2, 3, 4].map((h) => order(h, { channel: 'live' })), { sharing: half, stock: stock({ units: 4 }) }).cost.freight).toBe(10 + 10 + 10 + 30);
  // A rule of hours: from two on nothing is given.
  const hours = { rules: [{ ...rule, mode: 'all' as const, hours: { from: 0, to: 120 } }], categories: {} };
  expect(run([order(1, { channel: 'live' }), order(2, { channel: 'live' })], { sharing: hours }).cost.freight).toBe(10 + 30);
});

test('a blocked SKU stays where it is while it is blocked', () => {
  const blocked = { from: T0 + 2 * HOUR, until: T0 + 4 * HOUR };
  expect(run([order(1), order(2), order(3), order(4)], { stock: stock({ blocked }) }).cost.freight).toBe(10 + 30 + 30 + 10);
  expect(run([order(5)], { stock: stock({ blocked: { ...blocked, until: null } }) }).cost.freight).toBe(30);
});

test('slow stock is worth its clearing while its alert is open, where the policy weighs that', () => {
  const slow = [{ from: T0 + 2 * HOUR, until: T0 + 4 * HOUR, moneyAtRisk: 250, stock: 10, daysLeft: 0 }];
  const both = [stock()[0]!, { ...stock()[1]!, slow }];
  expect(run([order(1), order(2), order(4)], { stock: both }, policy({ slowCredit: 1000 })).cost.freight).toBe(10 + 30 + 10);
  expect(run([order(2)], { stock: both }).cost.freight).toBe(10);
});

test('what is fetched costs no freight, from the shop where it is fetched, and is not promised', () => {
  const fetched = order(1, { way: 'pickup', forcedLocation: 'FAR' });
  expect(run([fetched])).toMatchObject({ orders: 1, complete: 1, shipments: 1, cost: { freight: 0, handling: 0, settlement: 0, total: 0 }, promised: 0 });
  expect(run([{ ...fetched, order: { ...fetched.order, way: 'ship' } }]).cost.freight).toBe(30);
});
