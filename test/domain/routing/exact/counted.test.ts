import { describe, expect, test } from 'vitest';
import { generate } from '../../../../bench/routing/generate.ts';
import { solveCounted } from '../../../../domain/routing/exact/counted.ts';
import { Counts } from '../../../../domain/routing/exact/counts.ts';
import { itemsOf } from '../../../../domain/routing/exact/items.ts';
import { eligibleSites } from '../../../../domain/routing/exact/sites.ts';
import type { InstanceLine, InstanceLocation, RoutingInstance } from '../../../../domain/routing/model.ts';
import { planOrder } from '../../../../domain/routing/plan.ts';
import { cheapest } from '../brute-force.ts';

const HERE = { country: 'CN', province: 'Shanghai', city: 'Shanghai', lat: null, lon: null };
const location = (code: string, stock: Record<string, number>, perShipment = 100): InstanceLocation => ({
  code, kind: 'warehouse', place: HERE, shipsAt: '2026-11-23T08:00:00.000Z', handling: { perShipment, perUnit: 10 }, load: 0, stock: Object.fromEntries(Object.entries(stock).map(([sku, available]) => [sku, { available }])),
});
const line = (no: number, sku: string, quantity: number): InstanceLine => ({ line: no, sku, quantity, value: 1000 * quantity, weightG: 400 });
const instance = (lines: InstanceLine[], locations: InstanceLocation[]): RoutingInstance => ({
  order: { channel: 'own', destination: HERE, promisedBy: null, lines }, locations, rates: [{ carrier: 'sf', zone: 'same_city', firstWeightG: 1000, firstCost: 800, stepG: 500, stepCost: 200, transitDays: 1 }],
  policy: {
    code: 'p', version: 1, kinds: ['warehouse'], maxShipments: 4, lineMaySplit: true, minShipmentValue: 0, dealers: 'equal',
    weights: { shipping: 1000, handling: 1000, splitPenalty: 500, latenessPerDay: 0, loadBalance: 0, opportunity: 0, slowCredit: 0, settlement: 0 },
  },
});

test('a state fits beside another where no group has more units than there are', () => {
  const made = instance([line(1, 'a', 1), line(2, 'b', 2), line(3, 'c', 3), line(4, 'd', 7)], [location('A', { a: 1, b: 1, c: 1, d: 2 }), location('B', { b: 1, c: 2, d: 5 })]);
  const counts = new Counts(itemsOf(made, eligibleSites(made).sites));
  expect([counts.size, counts.groups.map((g) => g.of.length)]).toEqual([2 * 3 * 4 * 8, [1, 2, 3, 7]]);
  for (let a = 0; a < counts.size; a++) {
    const room = counts.room(a);
    for (let b = 0; b < counts.size; b++) expect(counts.fits(b, room)).toBe(counts.groups.every(({ of }, g) => counts.amount(a, g) + counts.amount(b, g) <= of.length));
  }
});

describe('divided lines', () => {
  test('12 lines, one of three units that nobody has together: the optimum, proved', () => {
    const lines = [...Array.from({ length: 11 }, (_, i) => line(i + 1, `s${i}`, 1)), line(12, 'z', 3)];
    const singles = Object.fromEntries(lines.slice(0, 11).map((l) => [l.sku, 5]));
    const plan = planOrder(instance(lines, [location('A', { ...singles, z: 2 }), location('B', { z: 2 }), location('C', { z: 1 }, 90)]));
    expect([plan.optimal, plan.bound, plan.unallocated]).toEqual([true, plan.cost, []]);
    expect(plan.cost).toBe(Math.min(
      800 + 9 * 200 + 100 + 130 + 800 + 90 + 10 + 500, // A: 11 + 2, C: 1
      800 + 8 * 200 + 100 + 120 + 800 + 100 + 20 + 500, // A: 11 + 1, B: 2
    ));
  });

  test('one line of 90 units', () => {
    const plan = planOrder(instance([line(1, 'a', 90)], [location('A', { a: 50 }), location('B', { a: 30 }), location('C', { a: 40 }, 90)]));
    expect([plan.optimal, plan.shipments.map((s) => [s.location, s.lines[0]?.quantity])]).toEqual([true, [['A', 50], ['C', 40]]]);
  });

  test('counted or told apart, the cost is the same, and that of trying everything', () => {
    let [compared, brute] = [0, 0];
    for (let seed = 1; compared < 250; seed++) {
      const made = generate(70_000 + seed, 4, 3 + (seed % 5));
      made.policy = { ...made.policy, lineMaySplit: true, dealers: 'equal', minShipmentValue: seed % 3 === 0 ? 20_000 : 0 };
      if (seed % 4 === 0) for (const l of made.order.lines) l.sku = `S${l.line % 3}`;
      if (seed % 5 === 0) for (const r of made.rates) r.maxWeightG = 3000;
      for (const l of made.locations) {
        for (const s of Object.values(l.stock)) s.available = Math.min(s.available, 1 + (seed % 3));
        if (seed % 2 === 0) l.capacityUnits = 2 + (seed % 3);
      }
      const { sites } = eligibleSites(made);
      const items = itemsOf(made, sites);
      if (items.length > 12 || !items.some((i) => i.divided)) continue;
      compared++;
      const counted = solveCounted(items, sites, made.policy, 'equal');
      const plan = planOrder(made);
      expect([counted?.cost, counted?.bound, counted?.parts.length]).toEqual([Math.round(plan.cost * 1000), Math.round(plan.cost * 1000), counted?.parts.length]);
      expect(new Set(counted?.parts.map((p) => p.site)).size).toBe(counted?.parts.length);
      expect((counted?.parts ?? []).reduce((sum, { site, items: own }) => sum + (counted?.costAt(site, own) ?? 0), Math.max(0, (counted?.parts.length ?? 0) - 1) * 1000 * made.policy.weights.splitPenalty)).toBe(counted?.cost);
      if (items.length > 6) continue;
      brute++;
      const all = cheapest(made);
      expect([plan.cost, counted?.parts.reduce((n, p) => n + p.items.length, 0)]).toEqual([all.cost, all.served]);
    }
    expect(brute).toBeGreaterThan(40);
  });
});
