import { beforeAll, describe, expect, test } from 'vitest';
import type { InstanceLocation, InstanceOrder } from '../../../../domain/routing/model.ts';
import { FREE, Pricing, type Column } from '../../../../domain/routing/wave/columns.ts';
import { leastOf, mergeable, single } from '../../../../domain/routing/wave/groups.ts';
import type { Solve, WaveInstance } from '../../../../domain/routing/wave/model.ts';
import { solveWave } from '../../../../domain/routing/wave/solve.ts';
import { openHighs } from '../../../../runtime/highs.ts';

let solve: Solve;
beforeAll(async () => { solve = await openHighs(); });

const place = (city: string, province = city) => ({ country: 'CN', province, city, lat: null, lon: null });
const order = (city: string, lines: [sku: string, quantity: number][], changes: Partial<InstanceOrder> = {}): InstanceOrder => ({
  channel: 'own', destination: place(city), promisedBy: null, lines: lines.map(([sku, quantity], i) => ({ line: i + 1, sku, quantity, value: quantity * 10_000, weightG: 500 })), ...changes,
});
const site = (code: string, city: string, stock: Record<string, number>, changes: Partial<InstanceLocation> = {}): InstanceLocation => ({
  code, kind: 'warehouse', place: place(city), shipsAt: '2026-11-23T10:00:00.000Z', handling: { perShipment: 100, perUnit: 10 }, load: 0, stock: Object.fromEntries(Object.entries(stock).map(([sku, available]) => [sku, { available }])), ...changes,
});
const wave = (orders: WaveInstance['orders'], locations: InstanceLocation[], policy: Partial<WaveInstance['policy']> = {}): WaveInstance => ({
  orders, locations, unserved: { base: 3000, perMilleOfValue: 100 },
  rates: [{ carrier: 'c', zone: 'same_city', firstWeightG: 1000, firstCost: 500, stepG: 500, stepCost: 100, transitDays: 1 }, { carrier: 'c', zone: 'national', firstWeightG: 1000, firstCost: 1500, stepG: 500, stepCost: 400, transitDays: 3 }],
  policy: { code: 'p', version: 1, kinds: ['warehouse', 'store', 'dealer'], maxShipments: 3, lineMaySplit: false, minShipmentValue: 0, dealers: 'equal', weights: { shipping: 1000, handling: 1000, splitPenalty: 200, latenessPerDay: 0, loadBalance: 0, opportunity: 0, slowCredit: 0, settlement: 1000 }, ...policy },
});
const run = (w: WaveInstance, with_: Solve = solve) => solveWave(w, { solve: with_, now: () => performance.now(), seconds: 10, gap: 0.001 });
const where = (r: ReturnType<typeof run>) => Object.fromEntries(r.plans.map((p) => [p.orders.join('+'), p.plan.shipments.map((s) => s.location)]));

describe('a wave', () => {
  test('gives the scarce unit to whom it saves most; one by one the first comer takes it', () => {
    // Both want A. The first could have it from afar as well; the second lives where the only other unit is expensive to send from.
    const w = wave([{ id: '1', order: order('X', [['A', 1]]) }, { id: '2', order: order('Y', [['A', 1]]) }], [site('LX', 'X', { A: 1 }), site('LY', 'Y', { B: 1 }), site('LZ', 'Z', { A: 1 })]);
    expect(where(run(w))).toEqual({ 1: ['LX'], 2: ['LZ'] });
    const both = wave([{ id: '1', order: order('Z', [['A', 1]]) }, { id: '2', order: order('X', [['A', 1], ['B', 1]]) }], [site('LX', 'X', { A: 1, B: 1 }), site('LZ', 'Y', { A: 1 })]);
    expect(where(run(both))).toEqual({ 1: ['LZ'], 2: ['LX'] });
  });

  test('who goes without is chosen by value, and a wave is better than one by one', () => {
    const poor = order('X', [['A', 1]]);
    const rich = order('X', [['A', 1]], { lines: [{ line: 1, sku: 'A', quantity: 1, value: 90_000, weightG: 500 }] });
    const result = run(wave([{ id: 'poor', order: poor }, { id: 'rich', order: rich }], [site('LX', 'X', { A: 1 })]));
    expect([where(result), result.unservedLines, result.how, result.plans.flatMap((p) => p.unserved)]).toEqual([{ poor: [], rich: ['LX'] }, 1, 'optimal', [{ order: 'poor', line: 1 }]]);
    // 610 sent + 3000 + 100 ‰ of 10,000 unserved; one by one the rich one is unserved.
    expect([result.cost, result.oneByOne, result.gap]).toEqual([610 + 4000, 610 + 12_000, 0]);
  });

  test('a location that is full is shared out', () => {
    const w = wave([1, 2, 3].map((n) => ({ id: `${n}`, order: order(n === 3 ? 'X' : 'Y', [['A', 1]]) })), [site('LX', 'X', { A: 9 }, { capacityUnits: 1 }), site('LY', 'Y', { A: 9 })]);
    expect(where(run(w))).toEqual({ 1: ['LY'], 2: ['LY'], 3: ['LX'] });
  });

  test('orders of one buyer leave in one parcel where that is cheaper, and keep apart where it is not', () => {
    const orders = [{ id: '1', order: order('X', [['A', 1]]), mergeKey: 'b' }, { id: '2', order: order('X', [['B', 1]]), mergeKey: 'b' }, { id: '3', order: order('X', [['A', 1]]) }];
    const together = run(wave(orders, [site('LX', 'X', { A: 2, B: 1 })]));
    expect([where(together), together.merged, together.plans.find((p) => p.orders.length === 2)?.lines]).toEqual([{ '1+2': ['LX'], 3: ['LX'] }, 2, [{ order: '1', line: 1, planned: 1 }, { order: '2', line: 1, planned: 2 }]]);
    const apart = run(wave(orders, [site('LX', 'X', { A: 2 }), site('LZ', 'Z', { B: 1 })], { weights: { ...wave([], []).policy.weights, splitPenalty: 900 } }));
    expect([Object.keys(where(apart)).sort(), apart.merged]).toEqual([['1', '2', '3'], 0]);
  });

  test('who is forced, was refused or has too many lines is not merged', () => {
    const many = order('X', Array.from({ length: 7 }, (_, i) => [`K${i}`, 1]));
    expect(mergeable([{ id: '1', order: many, mergeKey: 'b' }, { id: '2', order: many, mergeKey: 'b' }])).toEqual([]);
    expect(mergeable([{ id: '1', order: order('X', [['A', 1]], { forcedLocation: 'L' }), mergeKey: 'b' }, { id: '2', order: order('X', [['A', 1]]), mergeKey: 'b' }])).toEqual([]);
    expect(mergeable([{ id: '1', order: order('X', [['A', 1]], { excluded: ['L'] }), mergeKey: 'b' }, { id: '2', order: order('X', [['A', 1]]), mergeKey: 'b' }])).toEqual([]);
  });

  test('of three orders of one buyer two leave together, where the third would only be a parcel more', () => {
    const orders = ['A', 'B', 'C'].map((sku, i) => ({ id: `${i + 1}`, order: order('X', [[sku, 1]]), mergeKey: 'b' }));
    const result = run(wave(orders, [site('LX', 'X', { A: 1, B: 1 }), site('LZ', 'Z', { C: 1 })], { weights: { ...wave([], []).policy.weights, splitPenalty: 900 } }));
    // 100 + 20 + 500 for two in one parcel; 100 + 10 + 1500 for the third.
    expect([where(result), result.cost, result.merged, result.gap]).toEqual([{ '1+2': ['LX'], 3: ['LZ'] }, 620 + 1610, 2, 0]);
  });

  test('orders of one buyer that are too many for one parcel leave in several', () => {
    const sized = (id: string, lines: number) => ({ id, order: order('X', Array.from({ length: lines }, (_, i): [string, number] => [`${id}${i}`, 1])), mergeKey: 'b' });
    const members = (orders: Parameters<typeof mergeable>[0]) => mergeable(orders).map((c) => c.groups.map((g) => g.members.join('+')));
    expect(members([sized('1', 7), sized('2', 3), sized('3', 3)])).toEqual([['1+2', '0+2', '0+1']]);
    expect(members(['1', '2', '3', '4', '5', '6'].map((id) => sized(id, 6))).map((c) => c.length)).toEqual([6, 1]);
    const least = new Map([['0', 5], ['1', 5], ['2', 5], ['0,1', 7], ['1,2', 6]]);
    expect([leastOf([0, 1, 2], (some) => least.get(some.join())), leastOf([0, 1], (some) => least.get(some.join())), leastOf([2], (some) => least.get(some.join()))]).toEqual([11, 7, 5]);
  });

  test('our own stock before a dealer\'s, a dealer\'s before nothing', () => {
    const w = wave([{ id: '1', order: order('X', [['A', 1]]) }, { id: '2', order: order('X', [['A', 1]]) }], [site('D', 'X', { A: 2 }, { kind: 'dealer' }), site('LZ', 'Z', { A: 1 })], { dealers: 'after_own' });
    expect(Object.values(where(run(w))).flat().sort()).toEqual(['D', 'LZ']);
    // However many units the line has: 600 + 60 handling and shipping of 6 units, and half of the base.
    const six = run(wave([{ id: '1', order: order('X', [['A', 6]]) }], [site('D', 'X', { A: 6 }, { kind: 'dealer' })], { dealers: 'after_own' }));
    expect([where(six), six.unservedLines, six.cost]).toEqual([{ 1: ['D'] }, 0, 100 + 60 + 900 + 1500]);
  });

  test('where lines may be divided two are left out when that is best, and the bound is below it', () => {
    const lines = order('X', [['A', 2], ['B', 1], ['C', 1]], { lines: [['A', 2, 90_000], ['B', 1, 0], ['C', 1, 0]].map(([sku, quantity, value], i) => ({ line: i + 1, sku: `${sku}`, quantity: Number(quantity), value: Number(value), weightG: 500 })) });
    const w = { ...wave([{ id: '1', order: lines }], [site('L1', 'X', { A: 1 }), site('L2', 'X', { A: 1 }), site('LZ', 'Z', { B: 1, C: 1 })], { lineMaySplit: true }), unserved: { base: 700, perMilleOfValue: 1000 } };
    const result = run(w);
    // Twice 100 + 10 + 500 for A, and 200; B and C from Z would be 100 + 20 + 1500 and another parcel's 200; each unserved 700.
    expect([where(result), result.cost, result.plans[0]?.unserved.map((u) => u.line)]).toEqual([{ 1: ['L1', 'L2'] }, 1420 + 1400, [2, 3]]);
    // Sent or left out no unit is below 10, and at least one of them costs 700; 0.5 a line for rounding.
    expect(result.bound).toBe(3 * 10 + 700 - 1.5);
  });

  test('a solver that fails, lies or says nothing: one by one, and said so', () => {
    const w = wave([{ id: 'poor', order: order('X', [['A', 1]]) }, { id: 'rich', order: order('X', [['A', 2]]) }], [site('LX', 'X', { A: 2 })]);
    const throwing: Solve = () => { throw new Error('out of memory'); };
    const lying: Solve = (lp) => ({ optimal: true, feasible: true, objective: 0, columns: new Map([...lp.matchAll(/x\d+/g)].map(([x]) => [x, 1])), duals: new Map() });
    const silent: Solve = () => ({ optimal: false, feasible: false, objective: Number.NaN, columns: new Map(), duals: new Map() });
    for (const bad of [throwing, lying, silent]) {
      const result = run(w, bad);
      expect([result.how, result.cost, where(result)]).toEqual(['fallback', result.oneByOne, { poor: ['LX'], rich: [] }]);
    }
  });
});

/** Every choice of columns for a tiny wave, plans of all subsets of locations included. */
function bruteForce(w: WaveInstance): number {
  const pricing = new Pricing(w);
  const options = w.orders.map((_, i): Column[] => {
    const group = single(w.orders, i);
    const all: Column[] = [];
    for (let mask = 0; mask < 2 ** w.locations.length; mask++) {
      const there = pricing.locations(FREE).filter((_l, l) => (mask & (1 << l)) !== 0);
      for (let lines = 0; lines < 2 ** group.order.lines.length; lines++) all.push(pricing.plan(group, i, group.order.lines.filter((_l, k) => (lines & (1 << k)) !== 0).map((l) => l.line), there, FREE).column);
    }
    return all;
  });
  let best = Infinity;
  const go = (i: number, cost: number, used: Map<string, number>): void => {
    if (cost >= best) return;
    if (i === options.length) { best = cost; return; }
    for (const c of options[i] ?? []) {
      const next = new Map(used);
      let fits = true;
      for (const [key, n] of c.uses) {
        const [code, sku] = key.split('|') as [string, string];
        next.set(key, (next.get(key) ?? 0) + n);
        if ((next.get(key) ?? 0) > (w.locations.find((l) => l.code === code)?.stock[sku]?.available ?? 0)) fits = false;
      }
      if (fits) go(i + 1, cost + c.cost, next);
    }
  };
  go(0, 0, new Map());
  return best;
}

test('on small waves the cost is between the bound and the optimum of all choices, and mostly is the optimum', () => {
  let state = 42;
  const random = (n: number): number => { state = (state * 1103515245 + 12345) % 2147483648; return state % n; };
  let same = 0;
  for (let round = 0; round < 40; round++) {
    const orders = Array.from({ length: 3 }, (_, i) => ({ id: `${i}`, order: order(['X', 'Y', 'Z'][random(3)]!, [['A', 1 + random(2)], ...(random(2) === 0 ? [['B', 1] as [string, number]] : [])]) }));
    const w = wave(orders, ['X', 'Y', 'Z'].map((city) => site(`L${city}`, city, { A: random(3), B: random(2) })));
    const result = run(w);
    const best = bruteForce(w);
    expect(result.bound).toBeLessThanOrEqual(best + 0.001);
    expect(result.cost).toBeGreaterThanOrEqual(best - 0.001);
    expect(result.cost).toBeLessThanOrEqual(result.oneByOne + 0.001);
    if (Math.abs(result.cost - best) < 0.001) same++;
  }
  expect(same).toBeGreaterThanOrEqual(38);
});
