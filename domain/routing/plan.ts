import { cheapestRate, SCALE } from './exact/cost.ts';
import { itemsOf, type Item } from './exact/items.ts';
import { solveLarge } from './exact/large.ts';
import { partition } from './exact/partition.ts';
import { shipmentOf } from './exact/shipment.ts';
import { eligibleSites, type Site } from './exact/sites.ts';
import { buildTables } from './exact/tables.ts';
import { explain, type Found } from './explain.ts';
import type { InstancePlan, RoutingInstance } from './model.ts';

/** Items up to which the optimum is found for certain; beyond, the plan comes with a bound. */
export const MOST_EXACT = 12;

/**
 * The cheapest way to send one order, by the objective of docs/routing.md: as many lines as can be served, then the least cost. The same instance gives the same plan to the
 * byte. `optimal` says whether it is proved; else `bound` says how far from it the plan can be at most. The instance is taken as valid (`checkInstance`).
 * Not `explained`, `rejected` and `reasons` stay empty: for those who plan thousands of orders.
 */
export function planOrder(instance: RoutingInstance, explained = true): InstancePlan {
  const { sites, rejected } = eligibleSites(instance);
  const items = itemsOf(instance, sites);
  const found = items.length <= MOST_EXACT && items.every((i) => !i.divided || i.quantity === 1) ? solveExact(instance, items, sites) : solveBounded(instance, items, sites);
  const { chosen, cost, bound } = found;
  const shipments = chosen.map((c) => shipmentOf(instance, c.site, c.items));
  const plan: InstancePlan = {
    policy: { code: instance.policy.code, version: instance.policy.version }, shipments, cost: cost / SCALE, splitPenalty: Math.max(0, shipments.length - 1) * instance.policy.weights.splitPenalty,
    bound: bound / SCALE, optimal: cost === bound, unallocated: [], rejected: explained ? rejected : [], reasons: [],
  };
  for (const line of instance.order.lines) {
    const units = shipments.reduce((sum, s) => sum + s.lines.filter((l) => l.line === line.line).reduce((n, l) => n + l.quantity, 0), 0);
    if (units < line.quantity) plan.unallocated.push({ line: line.line, sku: line.sku, quantity: line.quantity - units });
  }
  if (explained) explain(instance, plan, items, sites, found);
  return plan;
}

function solveExact({ policy }: RoutingInstance, items: readonly Item[], sites: readonly Site[]): Found {
  const tables = buildTables(items, sites, policy.dealers, policy.weights);
  const { parts, cost, bound } = partition(tables, { maxShipments: policy.maxShipments, splitPenalty: policy.weights.splitPenalty, minShipmentValue: policy.minShipmentValue });
  const chosen = [...parts].sort((a, b) => a.site - b.site).map(({ site, mask }) => ({ site: sites[site] as Site, items: items.filter((_, i) => (mask >> i) & 1) }));
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
    chosen, cost, bound, alone: (s) => tables.costAt(s, tables.full),
    lacking: (s) => itemsIn(tables.full & ~(tables.mask[s] as number)), stuck: (s) => itemsIn((tables.mask[s] as number) & untakenBy(sites[s] as Site)),
  };
}

function solveBounded({ policy }: RoutingInstance, items: readonly Item[], sites: readonly Site[]): Found {
  const { parts, cost, bound, can, costAt } = solveLarge(items, sites, policy);
  return { chosen: [...parts].sort((a, b) => a.site - b.site).map((p) => ({ site: sites[p.site] as Site, items: p.items.map((i) => items[i] as Item) })), cost, bound,
    lacking: (s) => items.filter((_, i) => !can[i]?.[s]), stuck: (s) => items.filter((_, i) => can[i]?.[s] && !Number.isFinite(costAt(s, [i]))), alone: (s) => costAt(s, items.map((_, i) => i)) };
}
