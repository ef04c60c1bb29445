import { SCALE } from './exact/cost.ts';
import type { Item } from './exact/items.ts';
import type { Site } from './exact/sites.ts';
import type { InstancePlan, RoutingInstance } from './model.ts';

export type Chosen = { site: Site; items: Item[] };
/**
 * Costs in thousandths of a minor unit. `lacking`: items that a site cannot serve each by itself; `stuck`: those that it could, but no carrier takes them from there; `alone`: what
 * everything from one site would cost, Infinity where it cannot; `most`: it is certain that no plan serves more;
 * `barred`: a dealer that got a second look for what our own locations could serve.
 */
export type Found = { chosen: Chosen[]; cost: number; bound: number; most: boolean; lacking: (site: number) => Item[]; stuck: (site: number) => Item[]; alone: (site: number) => number; barred: (site: number) => boolean };

/** Why it is this plan, and why each site that could have taken part does not. */
export function explain({ order, policy }: RoutingInstance, plan: InstancePlan, items: readonly Item[], sites: readonly Site[], { chosen, lacking, stuck, alone, barred, cost, most }: Found): void {
  const used = new Set(chosen.map((c) => c.site));
  let noCarrier = false;
  const words = new Map<readonly Item[], string>();
  const linesOf = (some: readonly Item[]): string => {
    let found = words.get(some);
    if (found === undefined) words.set(some, (found = [...new Set(some.map((i) => i.line.line))].join(', ')));
    return found;
  };
  const reject = ({ location }: Site, reason: string): void => { plan.rejected.push({ location: location.code, reason }); };
  sites.forEach((site, s) => {
    if (used.has(site)) return;
    const [missing, untaken] = [lacking(s), stuck(s)];
    noCarrier ||= untaken.length > 0;
    if (missing.length === items.length) reject(site, site.location.kind === 'dealer' && policy.dealers === 'after_own' ? 'a dealer, and has nothing that our own locations lack' : 'can serve no line whole');
    else if (untaken.length + missing.length === items.length) reject(site, `no carrier takes line ${linesOf(untaken)} from there (weight or hazardous goods)`);
    else if (barred(s)) reject(site, 'a dealer: of what our own locations could serve it gets only what they leave');
    else if (missing.length > 0) reject(site, `cannot serve line ${linesOf(missing)}; the plan without it is cheaper`);
    else {
      const own = alone(s);
      if (own === Number.POSITIVE_INFINITY) reject(site, 'cannot send all of it together (stock of one SKU, capacity or carrier); the plan without it is cheaper');
      else reject(site, own > cost ? `would cost ${(own - cost) / SCALE} more` : 'costs the same');
    }
  });
  if (sites.length === 0) plan.reasons.push('no location may serve this order');
  else if (plan.shipments.length === 0) plan.reasons.push(noCarrier ? 'no carrier takes what the eligible locations have (weight or hazardous goods)' : 'no eligible location has a line whole');
  else if (plan.shipments.length === 1) plan.reasons.push(`${plan.shipments[0]?.location ?? ''} has ${plan.unallocated.length === 0 ? 'all lines' : 'all that can be served'}, at the least cost of ${sites.length} locations`);
  else plan.reasons.push(`split over ${plan.shipments.map((x) => x.location).join(', ')}: no cheaper way serves as many of ${order.lines.length} lines`);
  if (plan.unallocated.length > 0) plan.reasons.push(`${most ? 'nobody can serve' : 'no way was found to serve'} ${plan.unallocated.map((u) => `${u.quantity} of line ${u.line}`).join(', ')}`);
  if (!plan.optimal) plan.reasons.push(`not proved to be the best: at most ${Math.round(plan.cost * SCALE - plan.bound * SCALE) / SCALE} above it`);
}
