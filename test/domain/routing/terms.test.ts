import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../../domain/routing/canonical.ts';
import { checkInstance } from '../../../domain/routing/check.ts';
import type { InstanceLocation, InstanceRate, RoutingInstance } from '../../../domain/routing/model.ts';
import { planOrder } from '../../../domain/routing/plan.ts';
import { acceptance, lateRisk } from '../../../domain/routing/reliability.ts';
import { inWords } from '../../../domain/routing/words.ts';
import { cheapest } from './brute-force.ts';

const HERE = { country: 'CN', province: 'Shanghai', city: 'Shanghai', lat: null, lon: null };
const DAY = 86_400_000;
const SHIPS = '2026-11-23T10:00:00.000Z';
const rate = (changes: Partial<InstanceRate> = {}): InstanceRate => ({ carrier: 'sf', zone: 'same_city', firstWeightG: 1000, firstCost: 800, stepG: 500, stepCost: 200, transitDays: 1, ...changes });
const location = (code: string, changes: Partial<InstanceLocation> = {}): InstanceLocation => ({ code, kind: 'warehouse', place: HERE, shipsAt: SHIPS, handling: { perShipment: 100, perUnit: 10 }, load: 0, stock: { a: { available: 5 } }, ...changes });
const instance = (locations: InstanceLocation[], rates: InstanceRate[], weights: Partial<RoutingInstance['policy']['weights']> = {}, order: Partial<RoutingInstance['order']> = {}): RoutingInstance => ({
  order: { channel: 'own', destination: HERE, promisedBy: null, lines: [{ line: 1, sku: 'a', quantity: 1, value: 1000, weightG: 400 }], ...order }, locations, rates,
  policy: {
    code: 'p', version: 1, kinds: ['warehouse'], maxShipments: 3, lineMaySplit: false, minShipmentValue: 0, dealers: 'equal',
    weights: { shipping: 1000, handling: 1000, splitPenalty: 500, latenessPerDay: 300, loadBalance: 0, opportunity: 0, slowCredit: 0, settlement: 0, ...weights },
  },
});
const at = (days: number): string => new Date(Date.parse(SHIPS) + days * DAY).toISOString();

describe('the risk of a rejection', () => {
  const shops = [location('A', { reliability: 900 }), location('B', { handling: { perShipment: 130, perUnit: 10 } })];

  test('is weight × what the location does not accept; the less reliable one falls in rank', () => {
    const plan = planOrder(instance(shops, [rate()], { rejection: 400 }));
    expect(plan.shipments.map((s) => [s.location, s.cost, s.terms.rejection])).toEqual([['B', 940, 0]]);
    const [only] = shops;
    const alone = planOrder(instance([only!], [rate()], { rejection: 400 }));
    expect([alone.cost, alone.shipments[0]?.terms]).toEqual([950, { shipping: 800, handling: 110, lateness: 0, load: 0, opportunity: 0, slowCredit: 0, settlement: 0, rejection: 40 }]);
    expect(inWords(alone)[1]).toContain('40 for the risk of a rejection');
  });

  test('a policy that does not weigh it gives the plan of before, to the byte', () => {
    const without = planOrder(instance(shops.map(({ reliability: _, ...l }) => l), [rate()]));
    expect(JSON.stringify(planOrder(instance(shops, [rate()])))).toBe(JSON.stringify(without));
    expect(Object.keys(without.shipments[0]?.terms ?? {})).toEqual(['shipping', 'handling', 'lateness', 'load', 'opportunity', 'slowCredit', 'settlement']);
    expect(canonicalJson(instance([], []).policy)).not.toContain('rejection');
    expect(() => { checkInstance(instance(shops, [rate()], { rejection: -1 })); }).toThrow('weight rejection is -1');
  });

  test('is measured as the mean of a Beta posterior around the rate of the network', () => {
    // Nobody has any history: 19 of 20. With one: (a + 20 m) ⁄ (n + 20), m over all and the 20 orders supposed.
    expect(acceptance({ accepted: 0, rejected: 0 }, { accepted: 0, rejected: 0 })).toBe(950);
    expect(acceptance({ accepted: 10, rejected: 10 }, { accepted: 171, rejected: 9 })).toBe(725);
    expect(acceptance({ accepted: 0, rejected: 1 }, { accepted: 171, rejected: 9 })).toBe(905);
    expect(lateRisk({ parcels: 20, onTime: 10 }, { parcels: 180, onTime: 171 })).toBe(275);
    fc.assert(fc.property(fc.nat(500), fc.nat(500), fc.nat(500), (a, r, more) => {
      const network = { accepted: 900, rejected: 100 };
      const own = acceptance({ accepted: a, rejected: r }, network);
      return own >= 0 && own <= 1000 && acceptance({ accepted: a, rejected: r + more }, network) <= own && acceptance({ accepted: a + more, rejected: r }, network) >= own;
    }));
  });
});

test('a dealer\'s fee for a shipment is part of its settlement; one that is not told changes no byte', () => {
  const shops = [location('A', { settlementFee: 41 }), location('B', { handling: { perShipment: 140, perUnit: 10 } })];
  const chosen = (weight: number) => planOrder(instance(shops, [rate()], { settlement: weight })).shipments.map((s) => [s.location, s.terms.settlement, s.cost]);
  expect([chosen(1000), chosen(500)]).toEqual([[['B', 0, 950]], [['A', 20.5, 930.5]]]);
  expect(cheapest(instance(shops, [rate()], { settlement: 500 })).cost).toBe(930.5);
  const without = shops.map(({ settlementFee: _, ...l }) => l);
  expect(JSON.stringify(planOrder(instance(without, [rate()], { settlement: 500 })))).toBe(JSON.stringify(planOrder(instance(without.map((l) => ({ ...l, settlementFee: 0 })), [rate()], { settlement: 500 }))));
  expect(() => { checkInstance(instance([location('A', { settlementFee: 2 ** 50 })], [rate()], { settlement: 1000 })); }).toThrow('could not be counted exactly');
});

describe('carriers', () => {
  test('a faster service is taken where it keeps the promise for less than the delay costs, and named', () => {
    const rates = [rate({ transitDays: 3 }), rate({ service: 'express', firstCost: 1300 })];
    const plan = planOrder(instance([location('A')], rates, {}, { promisedBy: at(1) }));
    expect(plan.shipments.map((s) => [s.carrier, s.service, s.terms.shipping, s.terms.lateness])).toEqual([['sf', 'express', 1300, 0]]);
    expect(inWords(plan)[1]).toContain('with sf (express)');
    const cheap = planOrder(instance([location('A')], rates, {}, { promisedBy: at(2) }));
    expect(cheap.shipments.map((s) => [s.service, s.terms.lateness])).toEqual([[undefined, 300]]);
    expect(() => { checkInstance(instance([location('A')], [rate({ service: 'express' }), rate({ service: 'express' })])); }).toThrow('rate of carrier sf (express) in zone same_city is there twice');
  });

  test('what is ready after the cut-off leaves a day later', () => {
    const rates = [rate({ cutoffMinute: 1000 }), rate({ carrier: 'late', firstCost: 900, cutoffMinute: 1200 })];
    const carrier = (readyMinute: number) => planOrder(instance([location('A', { readyMinute })], rates, {}, { promisedBy: at(1) })).shipments.map((s) => [s.carrier, s.arrivesAt]);
    expect(carrier(1000)).toEqual([['sf', at(1)]]);
    expect(carrier(1001)).toEqual([['late', at(1)]]);
    expect(carrier(1201)).toEqual([['sf', at(2)]]);
  });

  test('the risk of being late counts where a day more would pass the promise', () => {
    const rates = [rate({ lateRisk: 500 }), rate({ carrier: 'sure', firstCost: 900 })];
    const chosen = (days: number) => planOrder(instance([location('A')], rates, {}, { promisedBy: at(days) })).shipments.map((s) => [s.carrier, s.terms.lateness]);
    expect([chosen(1), chosen(2)]).toEqual([[['sure', 0]], [['sf', 0]]]);
    expect(planOrder(instance([location('A')], [rate({ lateRisk: 333 })], {}, { promisedBy: at(0) })).shipments[0]?.terms.lateness).toBe(399.9);
  });

  test('one that does not take it is left out, with all services or one; where none is left the reason is told', () => {
    const rates = [rate(), rate({ service: 'express', firstCost: 900 }), rate({ carrier: 'other', firstCost: 1000 })];
    const chosen = (refused: NonNullable<RoutingInstance['order']['refused']>) => planOrder(instance([location('A')], rates, {}, { refused })).shipments.map((s) => [s.carrier, s.service]);
    expect(chosen([{ carrier: 'sf', service: 'standard', reason: 'x' }])).toEqual([['sf', 'express']]);
    expect(chosen([{ carrier: 'sf', reason: 'x' }])).toEqual([['other', undefined]]);
    expect(planOrder(instance([location('A')], [rate()], {}, { refused: [{ carrier: 'sf', reason: 'island' }] })).rejected).toEqual([{ location: 'A', reason: 'carrier sf does not take it: island' }]);
  });
});

test('a paused location and a blocked SKU are told as such', () => {
  const plan = planOrder(instance([location('P', { shipsAt: null, pause: 'closed, until tomorrow' }), location('B', { stock: { a: { available: 9, blocked: 'recall' } } })], [rate()]));
  expect(plan.rejected).toEqual([{ location: 'P', reason: 'takes nothing now: closed, until tomorrow' }, { location: 'B', reason: 'has blocked a (recall)' }]);
});

test('any small order with all of these: the cost is that of trying everything', () => {
  const sites = fc.array(fc.record({
    reliability: fc.option(fc.integer({ min: 0, max: 1000 }), { nil: undefined }), readyMinute: fc.option(fc.integer({ min: 0, max: 1440 }), { nil: undefined }), open: fc.nat(300),
    blocked: fc.boolean(), has: fc.array(fc.nat(3), { minLength: 3, maxLength: 3 }), hours: fc.nat(48),
  }), { minLength: 1, maxLength: 4 });
  const rates = fc.array(fc.record({
    service: fc.constantFrom(undefined, 'express', 'economy'), carrier: fc.constantFrom('x', 'y'), cutoffMinute: fc.option(fc.integer({ min: 0, max: 1440 }), { nil: undefined }),
    lateRisk: fc.option(fc.integer({ min: 0, max: 1000 }), { nil: undefined }), firstCost: fc.integer({ min: 300, max: 1500 }), transitDays: fc.nat(3),
  }), { minLength: 1, maxLength: 5 });
  const lines = fc.array(fc.record({ sku: fc.nat(2), quantity: fc.integer({ min: 1, max: 2 }) }), { minLength: 1, maxLength: 4 });
  fc.assert(fc.property(sites, rates, lines, fc.nat(800), fc.nat(4), fc.constantFrom(undefined, 'x', 'y'), (s, r, l, rejection, days, refused) => {
    const clean = <T extends object>(o: T): T => Object.fromEntries(Object.entries(o).filter(([, v]) => v !== undefined)) as T;
    const made = instance(
      s.map(({ open, blocked, has, hours, ...own }, i) => clean({ ...location(`L${i}`), ...own, shipsAt: new Date(Date.parse(SHIPS) + hours * 3_600_000).toISOString(), handling: { perShipment: open, perUnit: 5 },
        stock: Object.fromEntries(has.map((available, k) => [`s${k}`, { available, ...(blocked && k === 0 ? { blocked: 'x' } : {}) }])) }) as InstanceLocation),
      [...new Map(r.map((x) => [`${x.carrier}|${x.service ?? ''}`, clean({ ...rate(), ...x }) as InstanceRate])).values()], { rejection },
      { promisedBy: at(days), lines: l.map((x, i) => ({ line: i + 1, sku: `s${x.sku}`, quantity: x.quantity, value: 500, weightG: 400 })), ...(refused === undefined ? {} : { refused: [{ carrier: refused, reason: 'no' }] }) },
    );
    const best = cheapest(made);
    const plan = planOrder(made);
    expect([plan.optimal, plan.cost, plan.bound, best.valid(plan)]).toEqual([true, best.cost, best.cost, '']);
  }), { numRuns: 400 });
});
