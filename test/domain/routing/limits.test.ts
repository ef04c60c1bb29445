import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkInstance } from '../../../domain/routing/check.ts';
import { planOrder } from '../../../domain/routing/plan.ts';
import type { InstanceLine, InstanceLocation, InstancePlan, InstanceRate, RoutingInstance } from '../../../domain/routing/model.ts';
import { cheapest } from './brute-force.ts';

/** Instances at the limits of the search: one cheap location that may send only once, more units than are looked at singly, amounts beyond exact numbers. */
const HERE = { country: 'CN', province: 'Shanghai', city: 'Shanghai', lat: null, lon: null };
const rate = (changes: Partial<InstanceRate> = {}): InstanceRate => ({ carrier: 'sf', zone: 'same_city', firstWeightG: 1000, firstCost: 800, stepG: 500, stepCost: 200, transitDays: 1, ...changes });
const line = (no: number, changes: Partial<InstanceLine> = {}): InstanceLine => ({ line: no, sku: `s${no}`, quantity: 1, value: 1000, weightG: 500, ...changes });
const lines = (count: number, changes: Partial<InstanceLine> = {}): InstanceLine[] => Array.from({ length: count }, (_, i) => line(i + 1, changes));
const stock = (from: number, to: number, available = 9, settlement = 0): InstanceLocation['stock'] => Object.fromEntries(Array.from({ length: to - from + 1 }, (_, i) => [`s${from + i}`, { available, settlement }]));
const location = (code: string, has: InstanceLocation['stock'], changes: Partial<InstanceLocation> = {}): InstanceLocation => ({
  code, kind: 'warehouse', place: HERE, shipsAt: '2026-11-23T08:00:00.000Z', handling: { perShipment: 100, perUnit: 10 }, load: 0, stock: has, ...changes,
});
function instance(own: InstanceLine[], locations: InstanceLocation[], policy: Partial<RoutingInstance['policy']> = {}, rates = [rate()]): RoutingInstance {
  return {
    order: { channel: 'own', destination: HERE, promisedBy: null, lines: own }, locations, rates,
    policy: {
      code: 'p', version: 1, kinds: ['warehouse', 'dealer'], maxShipments: 8, lineMaySplit: false, minShipmentValue: 0, dealers: 'equal',
      weights: { shipping: 1000, handling: 1000, splitPenalty: 0, latenessPerDay: 0, loadBalance: 0, opportunity: 1000, slowCredit: 1000, settlement: 1000 }, ...policy,
    },
  };
}
const served = (plan: InstancePlan): number => plan.shipments.reduce((sum, s) => sum + s.lines.reduce((n, l) => n + l.quantity, 0), 0);

describe('a location sends at most once', () => {
  test('12 lines × 400 locations of which each sends two lines: the optimum, proved', () => {
    const locations = Array.from({ length: 400 }, (_, i) => location(`L${i}`, stock(1, 12), { handling: { perShipment: i === 0 ? 0 : 100 + i, perUnit: 0 } }));
    const plan = planOrder(instance(lines(12), locations, {}, [rate({ maxWeightG: 1000 })]));
    // Six first weights and the six cheapest to open: 0 and 101 to 105.
    expect([plan.optimal, plan.cost, plan.bound]).toEqual([true, 6 * 800 + 515, 6 * 800 + 515]);
    expect(plan.shipments.map((s) => s.location).sort()).toEqual(['L0', 'L1', 'L2', 'L3', 'L4', 'L5']);
  });

  test('fewer locations than it takes: as many lines as these can send, proved', () => {
    const plan = planOrder(instance(lines(12), [location('A', stock(1, 12), { capacityUnits: 3 }), location('B', stock(1, 12), { capacityUnits: 2 })]));
    expect([plan.optimal, served(plan), plan.unallocated.length]).toEqual([true, 5, 7]);
  });

  test('any small order with little room: the cost is that of trying everything', () => {
    const any = fc.record({
      lines: fc.array(fc.record({ sku: fc.integer({ min: 1, max: 4 }), quantity: fc.integer({ min: 1, max: 2 }), weightG: fc.integer({ min: 100, max: 900 }), value: fc.integer({ min: 0, max: 3000 }) }), { minLength: 2, maxLength: 5 }),
      rooms: fc.array(fc.record({ units: fc.integer({ min: 1, max: 4 }), perShipment: fc.integer({ min: 0, max: 90 }), perUnit: fc.integer({ min: 0, max: 40 }), has: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 4, maxLength: 4 }) }), { minLength: 2, maxLength: 4 }),
      most: fc.integer({ min: 900, max: 1600 }), maxShipments: fc.integer({ min: 2, max: 5 }), splitPenalty: fc.constantFrom(0, 100), minShipmentValue: fc.constantFrom(0, 0, 1000),
    });
    fc.assert(fc.property(any, (g) => {
      const made = instance(
        g.lines.map((l, i) => ({ ...line(i + 1), ...l, sku: `s${l.sku}` })),
        g.rooms.map(({ units, has, perShipment, perUnit }, i) => location(`L${i}`, Object.fromEntries(has.map((available, k) => [`s${k + 1}`, { available }])), { capacityUnits: units, handling: { perShipment: i === 0 ? perShipment : 60 + perShipment, perUnit } })),
        { maxShipments: g.maxShipments, minShipmentValue: g.minShipmentValue }, [rate({ maxWeightG: g.most })],
      );
      made.policy.weights.splitPenalty = g.splitPenalty;
      const best = cheapest(made);
      const plan = planOrder(made);
      expect([plan.optimal, plan.cost, plan.bound, best.valid(plan)]).toEqual([true, best.cost, best.cost, '']);
    }), { numRuns: 400 });
  });
});

describe('beyond what is searched exactly', () => {
  test('the bound holds for plans that serve other lines', () => {
    // The 60 locations that are tried first serve lines 1 to 12 dearly; the last one serves as many others for 1,020.
    const last = location('Z', stock(2, 13));
    const own = lines(13, { weightG: 1 });
    const plan = planOrder(instance(own, [...Array.from({ length: 60 }, (_, i) => location(`A${i}`, stock(1, 12, 9, 5000))), last], { maxShipments: 1 }));
    const other = planOrder(instance(own, [last], { maxShipments: 1 }));
    expect([served(plan), served(other), other.cost]).toEqual([12, 12, 1020]);
    expect(plan.bound).toBeLessThanOrEqual(1020);
  });

  test('a line of many units is divided in pieces that fit, and never said to be proved', () => {
    for (const quantity of [400, 1_000_000]) {
      const plan = planOrder(instance([line(1, { quantity, weightG: 0 })], Array.from({ length: 9 }, (_, i) => location(`L${i}`, { s1: { available: quantity / 4 } })), { lineMaySplit: true }));
      expect([plan.shipments.map((s) => s.lines), plan.unallocated, plan.optimal]).toEqual([Array(4).fill([{ line: 1, sku: 's1', quantity: quantity / 4 }]), [], false]);
      // One opening and first weight, and every unit.
      expect([plan.cost, plan.bound]).toEqual([4 * 900 + 10 * quantity, 900 + 10 * quantity]);
    }
  });
});

describe('what cannot be', () => {
  const heavy = instance([line(1, { weightG: 5000 })], [location('A', stock(1, 1))], {}, [rate({ maxWeightG: 1000 })]);

  test('a rate card with a hole is told, by location and for the order', () => {
    const plan = planOrder(heavy);
    expect([plan.rejected, plan.reasons[0]]).toEqual([[{ location: 'A', reason: 'no carrier takes line 1 from there (weight or hazardous goods)' }], 'no carrier takes what the eligible locations have (weight or hazardous goods)']);
  });

  test('weights and amounts that cannot be counted exactly are refused', () => {
    const with_ = (change: (made: RoutingInstance) => void): (() => void) => () => {
      const made = structuredClone(heavy);
      change(made);
      checkInstance(made);
    };
    expect(with_(() => undefined)).not.toThrow();
    expect(with_((m) => { m.policy.weights.splitPenalty = Number.MAX_SAFE_INTEGER; })).toThrow(expect.objectContaining({ code: 'unprocessable', field: '/order/lines' }) as Error);
    expect(with_((m) => { m.order.lines[0]!.quantity = 1_000_000; m.locations[0]!.handling.perUnit = 10_000_000; })).toThrow(expect.objectContaining({ code: 'unprocessable', field: '/order/lines' }) as Error);
  });
});
