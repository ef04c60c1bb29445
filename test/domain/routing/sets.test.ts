import { expect, test } from 'vitest';
import { generate } from '../../../bench/routing/generate.ts';
import { planOrder } from '../../../domain/routing/plan.ts';
import { planSets } from '../../../domain/routing/sets.ts';

/** The least over every set of lines, each planned by itself; only sets that are served whole count. */
function everySet(instance: ReturnType<typeof generate>, leftOut: readonly number[]): number {
  const { lines } = instance.order;
  let least = Number.POSITIVE_INFINITY;
  for (let set = 0; set < 1 << lines.length; set++) {
    const out = leftOut.reduce((sum, cost, i) => ((set >> i) & 1 ? sum : sum + cost), 0);
    const wanted = lines.filter((_, i) => (set >> i) & 1);
    const plan = wanted.length === 0 ? { cost: 0, unallocated: [] } : planOrder({ ...instance, order: { ...instance.order, lines: wanted } }, false);
    if (plan.unallocated.length === 0) least = Math.min(least, plan.cost + out);
  }
  return least;
}

test('the first of the sets is the best of all, each by itself; the plan costs what it says', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const instance = generate(7_000 + seed, 5, 12);
    // Dear enough to serve, too cheap, and in between.
    const leftOut = instance.order.lines.map((_, i) => [50, 900, 4_000, 100_000][(seed + i) % 4] as number);
    const sets = planSets(instance, leftOut, 3) ?? [];
    expect(sets[0]?.total).toBeCloseTo(everySet(instance, leftOut), 6);
    for (const { lines, plan, total } of sets) {
      const out = instance.order.lines.reduce((sum, l, i) => (lines.includes(l.line) ? sum : sum + (leftOut[i] as number)), 0);
      const again = lines.length === 0 ? { cost: 0 } : planOrder({ ...instance, order: { ...instance.order, lines: instance.order.lines.filter((l) => lines.includes(l.line)) } }, false);
      expect([total, plan.shipments.flatMap((s) => s.lines.map((l) => l.line)).sort((a, b) => a - b)]).toEqual([plan.cost + out, lines]);
      expect(plan.cost).toBeCloseTo(again.cost, 6);
    }
  }
});

test('divided lines are not looked at in sets', () => {
  const instance = generate(3, 3, 12);
  instance.policy.lineMaySplit = true;
  for (const line of instance.order.lines) line.quantity = 9;
  for (const l of instance.locations) for (const s of Object.values(l.stock)) s.available = Math.min(s.available, 3);
  expect(planSets(instance, instance.order.lines.map(() => 1), 3)).toBeNull();
});
