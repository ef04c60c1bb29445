import { expect, test } from 'vitest';
import { routeOrder } from '../../../domain/routing/route-order.ts';
import type { Candidate, RateCard, RoutingOrder, RoutingPolicy } from '../../../domain/routing/types.ts';

const place = (lat: number, city = 'C') => ({ country: 'CN', province: 'P', city, lat, lon: 0 });
const policy: RoutingPolicy = { version: 'v1', maxShipments: 3, splitPenalty: 500, kindRank: { warehouse: 0, third_party: 1, store: 2, vendor: 3, dealer: 4 } };
const rate = (carrier: string, zone: RateCard['zone'], firstCost: number, transitDays = 1): RateCard => ({ carrier, zone, firstWeightG: 1000, firstCost, stepG: 500, stepCost: 100, transitDays });
const rates = [rate('a', 'same_city', 600), rate('b', 'same_city', 700), rate('a', 'same_province', 900, 2)];
const at = (locationId: number, lat: number, available: Record<number, number>, changes: Partial<Candidate> = {}): Candidate => ({
  locationId, code: `L-${locationId}`, kind: 'warehouse', place: place(lat), active: true, handlingCost: 200, available: new Map(Object.entries(available).map(([k, v]) => [Number(k), v])), ...changes,
});
const order = (lines: [skuId: number, quantity: number, weightG: number][], changes: Partial<RoutingOrder> = {}): RoutingOrder => ({
  destination: place(0), lines: lines.map(([skuId, quantity, weightG], i) => ({ lineNo: i + 1, skuId, quantity, weightG })), forcedLocationId: null, forcedCarrier: null, excludedLocationIds: [], ...changes,
});
const route = (o: RoutingOrder, candidates: Candidate[]) => routeOrder(o, candidates, rates, policy);

test('the nearest location with all lines, its cheapest carrier, the cost by weight, and why not the others', () => {
  const plan = route(order([[1, 2, 600], [2, 1, 100]]), [at(1, 3, { 1: 9, 2: 9 }), at(2, 1, { 1: 2, 2: 1 }), at(3, 0, { 1: 2 })]);
  // 1,300 g: the first kilogram, then one begun step; and handling.
  expect(plan).toEqual({
    policyVersion: 'v1', cost: 900, unallocated: [], reasons: ['L-2 is the nearest location with all lines'],
    shipments: [{ locationId: 2, carrier: 'a', cost: 900, transitDays: 1, lines: [{ lineNo: 1, skuId: 1, quantity: 2 }, { lineNo: 2, skuId: 2, quantity: 1 }], reasons: ['111 km, a in 1 days, 900 with handling'] }],
    rejected: [{ locationId: 3, reason: 'lacks stock for line 2' }, { locationId: 1, reason: '334 km away, L-2 111 km' }],
  });
});

test('lines of one SKU share its stock', () => {
  const plan = route(order([[1, 2, 100], [1, 2, 100]]), [at(1, 1, { 1: 3 }), at(2, 2, { 1: 4 })]);
  expect([plan.shipments.map((s) => s.locationId), plan.rejected]).toEqual([[2], [{ locationId: 1, reason: 'lacks stock for lines that share a SKU' }]]);
});

test('the cheapest split, not the nearest: two shipments beat three', () => {
  const plan = route(order([[1, 1, 100], [2, 1, 100], [3, 1, 100]]), [at(1, 1, { 1: 1 }), at(2, 2, { 2: 1 }), at(3, 3, { 3: 1 }), at(4, 4, { 2: 1, 3: 1 })]);
  expect(plan.shipments.map((s) => [s.locationId, s.lines.map((l) => l.lineNo)])).toEqual([[1, [1]], [4, [2, 3]]]);
  expect(plan.cost).toBe(800 + 800 + 500);
});

test('no more shipments than the policy allows while whole lines can do it; else by units, and the rest is not allocated', () => {
  const plan = route(order([[1, 5, 100]]), [at(1, 1, { 1: 2 }), at(2, 2, { 1: 2 })]);
  expect(plan.shipments.map((s) => [s.locationId, s.lines[0]?.quantity])).toEqual([[1, 2], [2, 2]]);
  expect(plan.unallocated).toEqual([{ lineNo: 1, skuId: 1, quantity: 1 }]);
});

test('who may not take part is rejected with the reason', () => {
  const plan = route(order([[1, 1, 100]], { excludedLocationIds: [2] }), [at(1, 1, { 1: 1 }, { active: false }), at(2, 1, { 1: 1 }), at(3, 1, {}), at(4, 1, { 1: 1 }, { place: { ...place(1), country: 'JP' } })]);
  expect(plan.rejected).toEqual([
    { locationId: 1, reason: 'not active' }, { locationId: 2, reason: 'gave this order back before' }, { locationId: 3, reason: 'has none of the SKUs' },
    { locationId: 4, reason: 'no carrier goes from there to the destination' }]);
  expect([plan.shipments, plan.unallocated, plan.reasons]).toEqual([[], [{ lineNo: 1, skuId: 1, quantity: 1 }], ['no location can serve any line']]);
});

test("an operator's word counts: location and carrier", () => {
  const both = [at(1, 1, { 1: 1 }), at(2, 2, { 1: 1 })];
  expect(route(order([[1, 1, 100]], { forcedLocationId: 2, forcedCarrier: 'b' }), both).shipments).toMatchObject([{ locationId: 2, carrier: 'b', cost: 900 }]);
  expect(route(order([[1, 1, 100]], { forcedLocationId: 9 }), both).reasons).toContain('the forced location has none of the SKUs');
  expect(route(order([[1, 1, 100]], { forcedCarrier: 'z' }), both).shipments).toEqual([]);
});

test('the same input in another order gives the same plan to the byte', () => {
  const candidates = [at(3, 2, { 1: 1, 2: 1 }), at(1, 2, { 1: 1 }, { kind: 'store' }), at(2, 2, { 2: 1, 3: 1 })];
  const o = order([[1, 1, 100], [2, 1, 100], [3, 1, 100]]);
  expect(JSON.stringify(route(o, candidates.toReversed()))).toBe(JSON.stringify(route(o, candidates)));
});
