import { describe, expect, test } from 'vitest';
import { seeded } from '../../../../bench/support/random.ts';
import { planOrder } from '../../../../domain/routing/plan.ts';
import type { InstanceLine, InstanceLocation, InstancePlan, RoutingInstance } from '../../../../domain/routing/model.ts';

const HERE = { country: 'CN', province: 'Shanghai', city: 'Shanghai', lat: null, lon: null };
const lines = (count: number): InstanceLine[] => Array.from({ length: count }, (_, i) => ({ line: i + 1, sku: `s${i + 1}`, quantity: 1, value: 1000, weightG: 400 }));
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const location = (code: string, has: readonly number[], changes: Partial<InstanceLocation> = {}): InstanceLocation => ({
  code, kind: 'warehouse', place: HERE, shipsAt: '2026-11-23T08:00:00.000Z', handling: { perShipment: 100, perUnit: 10 }, load: 0, stock: Object.fromEntries(has.map((i) => [`s${i}`, { available: 5 }])), ...changes,
});
const instance = (own: InstanceLine[], locations: InstanceLocation[], policy: Partial<RoutingInstance['policy']>): RoutingInstance => ({
  order: { channel: 'own', destination: HERE, promisedBy: null, lines: own }, locations, rates: [{ carrier: 'sf', zone: 'same_city', firstWeightG: 1000, firstCost: 800, stepG: 500, stepCost: 200, transitDays: 1 }],
  policy: {
    code: 'p', version: 1, kinds: ['warehouse'], maxShipments: 4, lineMaySplit: false, minShipmentValue: 0, dealers: 'equal',
    weights: { shipping: 1000, handling: 1000, splitPenalty: 500, latenessPerDay: 0, loadBalance: 0, opportunity: 0, slowCredit: 0, settlement: 0 }, ...policy,
  },
});
const by = (plan: InstancePlan): Record<string, number[]> => Object.fromEntries(plan.shipments.map((s) => [s.location, s.lines.map((l) => l.line).sort((a, b) => a - b)]));

describe('as many lines as can be, beyond the exact search', () => {
  test('the location with most of them is a trap: two others have all', () => {
    const plan = planOrder(instance(lines(14), [location('TRAP', [...range(1, 4), ...range(8, 11)]), location('A', range(1, 7)), location('B', range(8, 14))], { maxShipments: 2 }));
    expect([by(plan), plan.unallocated]).toEqual([{ A: range(1, 7), B: range(8, 14) }, []]);
  });

  test('a part that is worth too little gets a line of the other', () => {
    const plan = planOrder(instance(lines(13), [location('A', range(1, 12)), location('B', range(11, 13))], { minShipmentValue: 2000 }));
    expect([plan.unallocated, plan.shipments.map((s) => s.lines.length)]).toEqual([[], [11, 2]]);
  });

  test('a location that is full leaves what another has to that one', () => {
    const plan = planOrder(instance(lines(13), [location('A', range(1, 13), { capacityUnits: 10 }), location('B', range(1, 3), { capacityUnits: 3 })], { maxShipments: 2 }));
    expect(by(plan)).toEqual({ A: range(4, 13), B: range(1, 3) });
  });

  test('who cannot be served is told as certain only where it is', () => {
    const nobody = planOrder(instance(lines(13), [location('A', range(1, 6)), location('B', range(5, 12))], {}));
    expect(nobody.reasons).toContain('nobody can serve 1 of line 13');
    // Each part must be worth 13 lines: a search for sites does not settle that.
    const unsure = planOrder(instance(lines(13), [location('A', range(1, 6)), location('B', range(5, 13))], { minShipmentValue: 13_000 }));
    expect([unsure.unallocated.length, unsure.reasons.find((r) => r.includes('serve 1 of'))]).toEqual([4, 'no way was found to serve 1 of line 1, 1 of line 2, 1 of line 3, 1 of line 4']);
  });

  test('any choice of locations: as many lines as trying all of them serves', () => {
    const random = seeded(11);
    for (let round = 0; round < 300; round++) {
      const count = 13 + Math.floor(random() * 8);
      const has = Array.from({ length: 3 + Math.floor(random() * 6) }, () => range(1, count).filter(() => random() < 0.45));
      const maxShipments = 1 + Math.floor(random() * 4);
      let most = 0;
      for (let set = 1; set < 1 << has.length; set++) {
        const chosen = has.filter((_, i) => (set >> i) & 1);
        if (chosen.length <= maxShipments) most = Math.max(most, new Set(chosen.flat()).size);
      }
      const plan = planOrder(instance(lines(count), has.map((own, i) => location(`L${i}`, own, { handling: { perShipment: 40 * i, perUnit: 10 } })), { maxShipments }));
      expect([count - plan.unallocated.length, plan.reasons.some((r) => r.startsWith('no way'))]).toEqual([most, false]);
    }
  });
});
