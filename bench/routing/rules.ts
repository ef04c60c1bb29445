import { eligibleSites } from '../../domain/routing/exact/sites.ts';
import { itemsOf } from '../../domain/routing/exact/items.ts';
import { SCALE } from '../../domain/routing/exact/cost.ts';
import { buildTables } from '../../domain/routing/exact/tables.ts';
import type { RoutingInstance } from '../../domain/routing/model.ts';

/** Sets of items and the sites that send them, by a rule of thumb; the cost by the same formula. Null where the rule does not serve every item. */
function costBy(instance: RoutingInstance, next: (left: number, used: readonly number[], most: (site: number, left: number) => number, nearest: readonly number[]) => number): number | null {
  const { sites } = eligibleSites(instance);
  const items = itemsOf(instance, sites);
  const t = buildTables(items, sites, instance.policy.dealers, instance.policy.weights);
  /** As much as a site can send of what is left. */
  const most = (site: number, left: number): number => {
    let mask = 0;
    for (let i = 0; i < items.length; i++) if ((left >> i) & 1 && Number.isFinite(t.costAt(site, mask | (1 << i)))) mask |= 1 << i;
    return mask;
  };
  const nearest = sites.map((_, s) => s); // they come by distance
  const used: number[] = [];
  let cost = 0;
  for (let left = t.full; left !== 0;) {
    const site = next(left, used, most, nearest);
    const mask = site < 0 ? 0 : most(site, left);
    if (mask === 0) return null;
    used.push(site);
    cost += t.costAt(site, mask);
    left &= ~mask;
  }
  return (cost + (used.length - 1) * SCALE * instance.policy.weights.splitPenalty) / SCALE;
}

const count = (mask: number): number => mask.toString(2).replaceAll('0', '').length;

/** The nearest location that has anything of what is left, again and again. */
export function nearestFirst(instance: RoutingInstance): number | null {
  return costBy(instance, (left, used, most, nearest) => nearest.find((s) => !used.includes(s) && most(s, left) !== 0) ?? -1);
}

/** The location that has most of what is left, the nearest of these, again and again. */
export function fewestSplits(instance: RoutingInstance): number | null {
  return costBy(instance, (left, used, most, nearest) => nearest.filter((s) => !used.includes(s)).reduce((best, s) => (count(most(s, left)) > (best < 0 ? 0 : count(most(best, left))) ? s : best), -1));
}
