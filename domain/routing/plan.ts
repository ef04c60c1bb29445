import type { Part } from './exact/apart.ts';
import { cheapestRate, SCALE } from './exact/cost.ts';
import { solveCounted } from './exact/counted.ts';
import { barredOf, itemsOf, LAST, type Dealers, type Item } from './exact/items.ts';
import { solveLarge } from './exact/large.ts';
import { countOf } from './exact/loading.ts';
import { partition } from './exact/partition.ts';
import { shipmentOf } from './exact/shipment.ts';
import { eligibleSites, type Site } from './exact/sites.ts';
import { buildTables } from './exact/tables.ts';
import { explain, type Chosen, type Found } from './explain.ts';
import type { InstancePlan, RoutingInstance } from './model.ts';
import { urgent } from './urgent.ts';

/** Items up to which the optimum is found for certain; beyond, the plan comes with a bound. */
export const MOST_EXACT = 12;

/**
 * The cheapest way to send one order, by the objective of docs/routing.md: as many lines as can be served, then the least cost. The same instance gives the same plan to the
 * byte. `optimal` says whether it is proved; else `bound` says how far from it the plan can be at most. The instance is taken as valid (`checkInstance`).
 * Not `explained`, `rejected` and `reasons` stay empty: for those who plan thousands of orders.
 */
export function planOrder(asked: RoutingInstance, explained = true): InstancePlan {
  const instance = urgent(asked);
  const { sites, rejected } = eligibleSites(instance);
  const items = itemsOf(instance, sites);
  const found = solve(instance, items, sites);
  const plan: InstancePlan = { ...planOf(instance, found), rejected: explained ? rejected : [] };
  for (const line of instance.order.lines) {
    const units = plan.shipments.reduce((sum, s) => sum + s.lines.filter((l) => l.line === line.line).reduce((n, l) => n + l.quantity, 0), 0);
    if (units < line.quantity) plan.unallocated.push({ line: line.line, sku: line.sku, quantity: line.quantity - units });
  }
  if (explained) explain(instance, plan, items, sites, found);
  return plan;
}

/**
 * With `after_own` a dealer takes no part in what an own location could serve by itself. Where that leaves something out (our own location is full, or one shipment more would be needed) it may, if so more is
 * served; then as few items of this kind as can be go to dealers: each costs LAST more in the search.
 */
function solve(instance: RoutingInstance, items: readonly Item[], sites: readonly Site[]): Found {
  const way = items.length <= MOST_EXACT && items.every((i) => !i.divided || i.quantity === 1) ? solveExact : solveBounded;
  const { dealers, weights } = instance.policy;
  const first = way(instance, items, sites, dealers);
  const served = ({ chosen }: Found): number => chosen.reduce((sum, { items: some }) => sum + some.reduce((n, i) => n + countOf(i), 0), 0);
  if (dealers === 'equal' || first.chosen.reduce((n, c) => n + c.items.length, 0) === items.length || !barredOf(items, sites, weights).some((of) => of.includes(true))) return first;
  const rest = new Set(items);
  for (const { items: some } of first.chosen) for (const item of some) rest.delete(item);
  // Without proof the rest alone is tried first: the large search seldom finds the fewest by itself.
  const little = first.cost !== first.bound ? way(instance, items, sites, rest) : null;
  const second = little && served(little) > served(first) ? little : way(instance, items, sites, 'last');
  return served(second) > served(first) ? second : { ...first, most: second.most };
}

/** What was chosen as a plan, nothing explained and nothing unallocated yet. */
export function planOf(instance: RoutingInstance, { chosen, cost, bound }: Pick<Found, 'chosen' | 'cost' | 'bound'>): InstancePlan {
  const { policy: { code, version, weights } } = instance;
  const shipments = chosen.map((c) => shipmentOf(instance, c.site, c.items));
  return {
    policy: { code, version }, shipments, cost: cost / SCALE, splitPenalty: Math.max(0, shipments.length - 1) * weights.splitPenalty, bound: bound / SCALE, optimal: cost === bound, unallocated: [], rejected: [], reasons: [],
  };
}

/** Parts of the programme as shipments, by the order of the sites. */
export function chosenOf(parts: readonly Part[], items: readonly Item[], sites: readonly Site[]): Chosen[] {
  return [...parts].sort((a, b) => a.site - b.site).map(({ site, mask }) => ({ site: sites[site] as Site, items: items.filter((_, i) => (mask >> i) & 1) }));
}

function solveExact({ policy }: RoutingInstance, items: readonly Item[], sites: readonly Site[], dealers: Dealers): Found {
  const tables = buildTables(items, sites, dealers, policy.weights);
  const { parts, ...found } = partition(tables, policy);
  const last = LAST * parts.reduce((n, { site, mask }) => n + tables.barred(site, mask), 0);
  const [cost, bound] = [found.cost - last, found.bound - last];
  // Sites by the hundred differ in few sets of items: each set is one list, so that who explains can put it into words once.
  const sets = new Map<number, Item[]>();
  const itemsIn = (mask: number): Item[] => {
    let found = sets.get(mask);
    if (!found) sets.set(mask, (found = items.filter((_, i) => (mask >> i) & 1)));
    return found;
  };
  const untaken = new Map<string, number>();
  const untakenBy = ({ lane, rates }: Site): number => {
    let mask = untaken.get(lane);
    if (mask === undefined) untaken.set(lane, (mask = items.reduce((all, _, i) => (cheapestRate(rates, tables.load(1 << i), policy.weights)[1] < 0 ? all | (1 << i) : all), 0)));
    return mask;
  };
  return {
    chosen: chosenOf(parts, items, sites), cost, bound, most: true, alone: (s) => tables.costAt(s, tables.full), barred: (s) => tables.barred(s, tables.full) > 0,
    lacking: (s) => itemsIn(tables.full & ~(tables.mask[s] as number)), stuck: (s) => itemsIn((tables.mask[s] as number) & untakenBy(sites[s] as Site)),
  };
}

function solveBounded({ policy }: RoutingInstance, items: readonly Item[], sites: readonly Site[], dealers: Dealers): Found {
  const { parts, cost, bound, most, can, costAt, barred } = solveCounted(items, sites, policy, dealers) ?? solveLarge(items, sites, policy, dealers);
  const all = items.map((_, i) => i);
  return { chosen: [...parts].sort((a, b) => a.site - b.site).map((p) => ({ site: sites[p.site] as Site, items: p.items.map((i) => items[i] as Item) })), cost, bound, most,
    lacking: (s) => items.filter((_, i) => !can[i]?.[s]), stuck: (s) => items.filter((_, i) => can[i]?.[s] && !Number.isFinite(costAt(s, [i]))), alone: (s) => costAt(s, all), barred: (s) => barred(s, all) > 0 };
}
