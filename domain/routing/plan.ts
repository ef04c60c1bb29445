import { arrival, eligibleSites, type Site } from './exact/sites.ts';
import { cheapestRate, opportunityUnits, rejectionCost, SCALE } from './exact/cost.ts';
import { itemsOf, type Item } from './exact/items.ts';
import { solveLarge } from './exact/large.ts';
import { partition } from './exact/partition.ts';
import { buildTables } from './exact/tables.ts';
import type { CostTerm, InstancePlan, InstanceShipment, InstanceStock, RoutingInstance } from './model.ts';

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

type Chosen = { site: Site; items: Item[] };
/**
 * Costs in thousandths of a minor unit. `lacking`: items that a site cannot serve each by itself; `stuck`: those that it could, but no carrier takes them from there; `alone`: what
 * everything from one site would cost, Infinity where it cannot.
 */
type Found = { chosen: Chosen[]; cost: number; bound: number; lacking: (site: number) => Item[]; stuck: (site: number) => Item[]; alone: (site: number) => number };

function solveExact({ policy }: RoutingInstance, items: readonly Item[], sites: readonly Site[]): Found {
  const tables = buildTables(items, sites, policy.dealers, policy.weights);
  const { parts, cost, bound } = partition(tables, { maxShipments: policy.maxShipments, splitPenalty: policy.weights.splitPenalty, minShipmentValue: policy.minShipmentValue });
  const chosen = [...parts].sort((a, b) => a.site - b.site).map(({ site, mask }) => ({ site: sites[site] as Site, items: items.filter((_, i) => (mask >> i) & 1) }));
  const can = (s: number, i: number): boolean => (((tables.mask[s] as number) >> i) & 1) === 1;
  return { chosen, cost, bound, lacking: (s) => items.filter((_, i) => !can(s, i)), stuck: (s) => items.filter((_, i) => can(s, i) && !Number.isFinite(tables.costAt(s, 1 << i))), alone: (s) => tables.costAt(s, tables.full) };
}

function solveBounded({ policy }: RoutingInstance, items: readonly Item[], sites: readonly Site[]): Found {
  const { parts, cost, bound, can, costAt } = solveLarge(items, sites, policy);
  return { chosen: [...parts].sort((a, b) => a.site - b.site).map((p) => ({ site: sites[p.site] as Site, items: p.items.map((i) => items[i] as Item) })), cost, bound,
    lacking: (s) => items.filter((_, i) => !can[i]?.[s]), stuck: (s) => items.filter((_, i) => can[i]?.[s] && !Number.isFinite(costAt(s, [i]))), alone: (s) => costAt(s, items.map((_, i) => i)) };
}

/** One shipment with its cost by term; the terms add up to it. */
function shipmentOf({ policy: { weights: w } }: RoutingInstance, site: Site, items: readonly Item[]): InstanceShipment {
  const { location } = site;
  const lines = new Map<number, { line: number; sku: string; quantity: number }>();
  for (const { line, quantity } of items) {
    const known = lines.get(line.line);
    if (known) known.quantity += quantity;
    else lines.set(line.line, { line: line.line, sku: line.sku, quantity });
  }
  const bySku = new Map<string, number>();
  for (const { sku, quantity } of lines.values()) bySku.set(sku, (bySku.get(sku) ?? 0) + quantity);
  const of = (value: (stock: InstanceStock, quantity: number) => number): number => [...bySku].reduce((sum, [sku, quantity]) => sum + value(location.stock[sku] ?? { available: 0 }, quantity), 0);
  const units = [...bySku.values()].reduce((sum, n) => sum + n, 0);
  const load = {
    weightG: items.reduce((sum, i) => sum + i.quantity * i.line.weightG, 0), volumeMm3: items.reduce((sum, i) => sum + i.quantity * (i.line.volumeMm3 ?? 0), 0),
    hazardous: items.some((i) => i.line.hazardous === true),
  };
  const [carriage, at] = cheapestRate(site.rates, load, w);
  const { rate, lateMilli } = site.rates[at] as Site['rates'][number];
  const lateness = w.latenessPerDay * lateMilli;
  const terms: InstanceShipment['terms'] = {
    shipping: carriage - lateness, handling: w.handling * (location.handling.perShipment + location.handling.perUnit * units), lateness, load: w.loadBalance * location.load,
    opportunity: w.opportunity * of((s, q) => (s.opportunity?.cost ?? 0) * opportunityUnits(s, q)), slowCredit: 0 - w.slowCredit * of((s, q) => (s.slowCredit ?? 0) * q),
    settlement: w.settlement * of((s, q) => (s.settlement ?? 0) * q), ...(w.rejection === undefined ? {} : { rejection: rejectionCost(location, w) }),
  };
  const cost = Object.values(terms).reduce((sum, n) => sum + n, 0);
  for (const key of Object.keys(terms) as CostTerm[]) terms[key] = (terms[key] ?? 0) / SCALE || 0;
  return {
    location: location.code, carrier: rate.carrier, ...(rate.service === undefined || rate.service === 'standard' ? {} : { service: rate.service }), shipsAt: new Date(site.shipsAt).toISOString(), arrivesAt: new Date(arrival(site.shipsAt, rate, location.readyMinute)).toISOString(), lines: [...lines.values()], terms, cost: cost / SCALE,
  };
}

/** Why it is this plan, and why each site that could have taken part does not. */
function explain({ order, policy }: RoutingInstance, plan: InstancePlan, items: readonly Item[], sites: readonly Site[], { chosen, lacking, stuck, alone, cost }: Found): void {
  const used = new Set(chosen.map((c) => c.site));
  let noCarrier = false;
  sites.forEach((site, s) => {
    if (used.has(site)) return;
    const [missing, untaken] = [lacking(s), stuck(s)];
    noCarrier ||= untaken.length > 0;
    const linesOf = (some: readonly Item[]): string => [...new Set(some.map((i) => i.line.line))].join(', ');
    const reject = (reason: string): void => { plan.rejected.push({ location: site.location.code, reason }); };
    if (missing.length === items.length) reject(site.location.kind === 'dealer' && policy.dealers === 'after_own' ? 'a dealer, and has nothing that our own locations lack' : 'can serve no line whole');
    else if (untaken.length + missing.length === items.length) reject(`no carrier takes line ${linesOf(untaken)} from there (weight or hazardous goods)`);
    else if (missing.length > 0) reject(`cannot serve line ${linesOf(missing)}; the plan without it is cheaper`);
    else {
      const own = alone(s);
      if (own === Number.POSITIVE_INFINITY) reject('cannot send all of it together (stock of one SKU, capacity or carrier); the plan without it is cheaper');
      else reject(own > cost ? `would cost ${(own - cost) / SCALE} more` : 'costs the same');
    }
  });
  if (sites.length === 0) plan.reasons.push('no location may serve this order');
  else if (plan.shipments.length === 0) plan.reasons.push(noCarrier ? 'no carrier takes what the eligible locations have (weight or hazardous goods)' : 'no eligible location has a line whole');
  else if (plan.shipments.length === 1) plan.reasons.push(`${plan.shipments[0]?.location ?? ''} has ${plan.unallocated.length === 0 ? 'all lines' : 'all that can be served'}, at the least cost of ${sites.length} locations`);
  else plan.reasons.push(`split over ${plan.shipments.map((x) => x.location).join(', ')}: no cheaper way serves as many of ${order.lines.length} lines`);
  if (plan.unallocated.length > 0) plan.reasons.push(`nobody can serve ${plan.unallocated.map((u) => `${u.quantity} of line ${u.line}`).join(', ')}`);
  if (!plan.optimal) plan.reasons.push(`not proved to be the best: at most ${Math.round(plan.cost * SCALE - plan.bound * SCALE) / SCALE} above it`);
}
