import { describe, expect, test } from 'vitest';
import { planOrder } from '../../../../domain/routing/plan.ts';
import type { InstanceLine, InstanceLocation, InstancePlan, InstanceRate, RoutingInstance } from '../../../../domain/routing/model.ts';

const HERE = { country: 'CN', province: 'Shanghai', city: 'Shanghai', lat: null, lon: null };
const FAR = { ...HERE, province: 'Beijing', city: 'Beijing' };
const rate = (changes: Partial<InstanceRate> = {}): InstanceRate => ({ carrier: 'sf', zone: 'same_city', firstWeightG: 1000, firstCost: 800, stepG: 500, stepCost: 200, transitDays: 1, hazardous: true, ...changes });
const location = (code: string, stock: Record<string, number>, changes: Partial<InstanceLocation> = {}): InstanceLocation => ({
  code, kind: 'warehouse', place: HERE, shipsAt: '2026-11-23T08:00:00.000Z', handling: { perShipment: 100, perUnit: 10 }, load: 0, stock: Object.fromEntries(Object.entries(stock).map(([sku, available]) => [sku, { available }])), ...changes,
});
const line = (no: number, sku: string, quantity: number, changes: Partial<InstanceLine> = {}): InstanceLine => ({ line: no, sku, quantity, value: 1000 * quantity, weightG: 400, ...changes });
const plan = (lines: InstanceLine[], locations: InstanceLocation[], policy: Partial<RoutingInstance['policy']> = {}, rates = [rate()]): InstancePlan => planOrder({
  order: { channel: 'own', destination: HERE, promisedBy: null, lines }, locations, rates,
  policy: {
    code: 'p', version: 1, kinds: ['warehouse', 'store', 'dealer'], maxShipments: 4, lineMaySplit: true, minShipmentValue: 0, dealers: 'equal',
    weights: { shipping: 1000, handling: 1000, splitPenalty: 500, latenessPerDay: 0, loadBalance: 0, opportunity: 0, slowCredit: 0, settlement: 0 }, ...policy,
  },
});
const where = (p: InstancePlan): string => p.shipments.map((s) => `${s.location}:${s.lines.map((l) => `${l.line}×${l.quantity}`).join('+')}`).join(' ');

describe('what can be served is served', () => {
  test('a line that no carrier takes whole is divided, though a location has it whole', () => {
    const locations = [location('A', { a: 4 }), location('B', { a: 4 })];
    const heavy = [line(1, 'a', 4, { weightG: 10_000 })];
    const parts = plan(heavy, locations, {}, [rate({ maxWeightG: 25_000 })]);
    // 20 kg each: first weight and 38 steps, 120 handling; the split.
    expect([where(parts), parts.optimal, parts.cost, parts.unallocated]).toEqual(['A:1×2 B:1×2', true, 2 * (800 + 38 * 200 + 120) + 500, []]);
    expect(where(plan(heavy, locations, { lineMaySplit: false }, [rate({ maxWeightG: 25_000 })]))).toBe('');
    // Not one unit goes: it stays a line, and takes nothing from what is certain.
    const none = plan([...heavy, line(2, 'b', 1)], [location('A', { a: 4, b: 1 })], {}, [rate({ maxWeightG: 5000 })]);
    expect([where(none), none.optimal, none.unallocated]).toEqual(['A:2×1', true, [{ line: 1, sku: 'a', quantity: 4 }]]);
  });

  test('lines of one SKU that do not go together are divided, others are not', () => {
    const lines = [line(1, 'a', 3), line(2, 'a', 3)];
    const parts = plan(lines, [location('A', { a: 4 }), location('B', { a: 2 })]);
    // Six units, whichever line they are of.
    expect([parts.unallocated, parts.shipments.map((s) => [s.location, s.lines.reduce((n, l) => n + l.quantity, 0)]), parts.cost, parts.optimal]).toEqual([[], [['A', 4], ['B', 2]], (1200 + 140) + (800 + 120) + 500, true]);
    expect(plan(lines, [location('A', { a: 4 }), location('B', { a: 2 })], { lineMaySplit: false }).unallocated).toHaveLength(1);
    const whole = plan(lines, [location('A', { a: 4 }), location('B', { a: 3 })]);
    expect([whole.shipments.map((s) => s.lines.map((l) => l.quantity)), whole.unallocated]).toEqual([[[3], [3]], []]);
  });

  test('a dealer serves what our own location has and no carrier takes from there', () => {
    const own = location('OWN', { a: 4 }, { hazardous: true, place: FAR });
    const dealer = location('DEALER', { a: 4 }, { kind: 'dealer', hazardous: true });
    const lines = [line(1, 'a', 1, { hazardous: true })];
    expect(where(plan(lines, [own, dealer], { dealers: 'after_own' }, [rate(), rate({ zone: 'national', hazardous: false })]))).toBe('DEALER:1×1');
    expect(where(plan(lines, [own, dealer], { dealers: 'after_own' }, [rate(), rate({ zone: 'national', firstCost: 9000 })]))).toBe('OWN:1×1');
  });

  test('a dealer serves what our own location has no room for, and no more', () => {
    const lines = [line(1, 'a', 1), line(2, 'b', 1), line(3, 'c', 1)];
    const all = { a: 4, b: 4, c: 4 };
    const full = plan(lines, [location('OWN', all, { capacityUnits: 2, handling: { perShipment: 900, perUnit: 0 } }), location('DEALER', all, { kind: 'dealer', handling: { perShipment: 0, perUnit: 0 } })], { dealers: 'after_own' });
    // Two at our own, though the dealer alone would cost 1,000: 900 + 800, 800, the split.
    expect([full.shipments.map((s) => [s.location, s.lines.length]), full.unallocated, full.optimal, full.cost, full.bound]).toEqual([[['OWN', 2], ['DEALER', 1]], [], true, 3000, 3000]);
    // With room nothing goes to the dealer.
    expect(where(plan(lines, [location('OWN', all), location('DEALER', all, { kind: 'dealer' })], { dealers: 'after_own' }))).toBe('OWN:1×1+2×1+3×1');
    // Two shipments are not allowed: whoever has all.
    const one = plan(lines, [location('OWN', { a: 4 }), location('DEALER', all, { kind: 'dealer' })], { dealers: 'after_own', maxShipments: 1 });
    expect([where(one), one.unallocated]).toEqual(['DEALER:1×1+2×1+3×1', []]);
  });

  test('the same beyond the exact search', () => {
    const lines = Array.from({ length: 14 }, (_, i) => line(i + 1, `s${i}`, 1));
    const all = Object.fromEntries(lines.map((l) => [l.sku, 4]));
    const full = plan(lines, [location('OWN', all, { capacityUnits: 9 }), location('DEALER', all, { kind: 'dealer' })], { dealers: 'after_own' });
    expect([full.shipments.map((s) => [s.location, s.lines.length]), full.unallocated]).toEqual([[['OWN', 9], ['DEALER', 5]], []]);
    expect(full.cost).toBe(full.shipments.reduce((sum, s) => sum + s.cost, 0) + full.splitPenalty);
  });
});
