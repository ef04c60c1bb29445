import { SCALE } from './exact/cost.ts';
import { itemsOf } from './exact/items.ts';
import { programme } from './exact/partition.ts';
import { eligibleSites } from './exact/sites.ts';
import { buildTables } from './exact/tables.ts';
import type { InstancePlan, RoutingInstance } from './model.ts';
import { chosenOf, MOST_EXACT, planOf, planOrder } from './plan.ts';

/** The best plan for exactly `lines` (their numbers). `total`: its cost and that of the lines left out, minor units. */
export type SetPlan = { lines: number[]; plan: InstancePlan; total: number };

/**
 * The cheapest ways to serve some of an order's lines and leave out the others, at what leaving out each costs (minor units, in the order of the lines): the best set for certain, then the next ones, `most` in all at
 * most unless more are needed for that; the cheapest first. One look at the network serves all sets. Null where lines are divided or too many for the exact programme.
 */
export function planSets(instance: RoutingInstance, leftOut: readonly number[], most: number): SetPlan[] | null {
  const { order, policy } = instance;
  const { sites } = eligibleSites(instance);
  const items = itemsOf(instance, sites);
  if (items.length > MOST_EXACT || items.some((i) => i.divided)) return null;
  const tables = buildTables(items, sites, policy.dealers, policy.weights);
  const { cheapest, parts } = programme(tables, policy);
  const cost = new Map(order.lines.map((l, i) => [l.line, (leftOut[i] ?? 0) * SCALE]));
  const without = items.map(({ line }) => cost.get(line.line) ?? 0);
  const sets: { set: number; served: number; out: number }[] = [];
  for (let set = 0; set <= tables.full; set++) {
    const served = set === 0 ? 0 : cheapest(set);
    if (served === Number.POSITIVE_INFINITY) continue;
    sets.push({ set, served, out: without.reduce((sum, c, i) => ((set >> i) & 1 ? sum : sum + c), 0) });
  }
  sets.sort((a, b) => a.served + a.out - b.served - b.out || a.set - b.set);
  const found: SetPlan[] = [];
  let least = Number.POSITIVE_INFINITY;
  for (const { set, served, out } of sets) {
    // What the programme says of a set is never more than its true cost.
    if (found.length >= most && (served + out) / SCALE >= least) break;
    const lines = items.filter((_, i) => (set >> i) & 1).map((i) => i.line.line);
    const together = set === 0 ? { parts: [], cost: 0 } : parts(set, served).together;
    const exact = together !== null && together.cost <= served;
    const plan = exact ? planOf(instance, { chosen: chosenOf(together.parts, items, sites), cost: together.cost, bound: together.cost })
      : planOrder({ ...instance, order: { ...order, lines: order.lines.filter((l) => lines.includes(l.line)) } }, false);
    if (plan.unallocated.length > 0) continue; // with different sites it cannot be served: a smaller set is on the list
    found.push({ lines, plan, total: plan.cost + out / SCALE });
    least = Math.min(least, plan.cost + out / SCALE);
  }
  return found.sort((a, b) => a.total - b.total);
}
