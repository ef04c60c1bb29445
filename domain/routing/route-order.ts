import { rankKm, zone } from '../geo.ts';
import type { Candidate, PlannedShipment, RateCard, RoutingOrder, RoutingPlan, RoutingPolicy } from './types.ts';

type Line = RoutingOrder['lines'][number];
type Site = { candidate: Candidate; km: number; carrier: RateCard };
type Part = { site: Site; lines: { lineNo: number; skuId: number; quantity: number }[]; cost: number };

/** Locations a split is searched over: the nearest that have something of the order. */
const MOST_SITES = 24;
const SEARCH_STEPS = 20_000;

/**
 * The first form of routing: the nearest location that has every line; else the cheapest split, found by branch and bound over which
 * location serves which line (shipping by rate card, handling, split penalty); only where no split into whole lines
 * works does a line come from several locations. The same input gives the same plan to the byte. Money in minor units.
 */
export function routeOrder(order: RoutingOrder, candidates: readonly Candidate[], rates: readonly RateCard[], policy: RoutingPolicy): RoutingPlan {
  const plan: RoutingPlan = { policyVersion: policy.version, shipments: [], unallocated: [], cost: 0, rejected: [], reasons: [] };
  const lines = [...order.lines].sort((a, b) => a.lineNo - b.lineNo);
  const sites = eligible(order, lines, candidates, rates, policy, plan);
  const single = sites.find((site) => servesAll(lines, site.candidate));
  if (single) {
    finish(plan, [{ site: single, lines: lines.map(pick), cost: costOf(single, lines) }], lines, policy);
    for (const site of sites) if (site !== single) plan.rejected.push({ locationId: site.candidate.locationId, reason: why(site, single, lines) });
    plan.reasons.push(`${single.candidate.code} is the nearest location with all lines`);
    return plan;
  }
  const parts = cheapestSplit(lines, sites.slice(0, MOST_SITES), policy) ?? byUnits(lines, sites);
  finish(plan, parts, lines, policy);
  for (const site of sites) {
    if (!parts.some((p) => p.site === site)) plan.rejected.push({ locationId: site.candidate.locationId, reason: 'the chosen split is cheaper or needs fewer shipments' });
  }
  plan.reasons.push(parts.length === 0 ? 'no location can serve any line' : `no location has all lines: split over ${parts.map((p) => p.site.candidate.code).join(', ')}`);
  return plan;
}

const pick = (line: Line): { lineNo: number; skuId: number; quantity: number } => ({ lineNo: line.lineNo, skuId: line.skuId, quantity: line.quantity });

/** Locations that may take part, nearest first; every other one is rejected with its reason. */
function eligible(order: RoutingOrder, lines: readonly Line[], candidates: readonly Candidate[], rates: readonly RateCard[], policy: RoutingPolicy, plan: RoutingPlan): Site[] {
  const sites: Site[] = [];
  for (const candidate of [...candidates].sort((a, b) => a.locationId - b.locationId)) {
    const reject = (reason: string): void => { plan.rejected.push({ locationId: candidate.locationId, reason }); };
    if (order.forcedLocationId !== null && candidate.locationId !== order.forcedLocationId) reject('another location was forced by an operator');
    else if (!candidate.active) reject('not active');
    else if (order.excludedLocationIds.includes(candidate.locationId)) reject('gave this order back before');
    else if (!lines.some((l) => (candidate.available.get(l.skuId) ?? 0) > 0)) reject('has none of the SKUs');
    else {
      const carrier = cheapestCarrier(order, candidate, rates, lines);
      if (carrier) sites.push({ candidate, km: rankKm(candidate.place, order.destination), carrier });
      else reject(order.forcedCarrier === null ? 'no carrier goes from there to the destination' : `carrier ${order.forcedCarrier} does not go from there to the destination`);
    }
  }
  if (order.forcedLocationId !== null && !candidates.some((c) => c.locationId === order.forcedLocationId)) plan.reasons.push('the forced location has none of the SKUs');
  return sites.sort((a, b) => a.km - b.km || policy.kindRank[a.candidate.kind] - policy.kindRank[b.candidate.kind]
    || a.carrier.firstCost - b.carrier.firstCost || (a.candidate.code < b.candidate.code ? -1 : 1));
}

function cheapestCarrier(order: RoutingOrder, candidate: Candidate, rates: readonly RateCard[], lines: readonly Line[]): RateCard | null {
  const to = zone(candidate.place, order.destination);
  const weight = weightOf(lines);
  const usable = rates.filter((r) => r.zone === to && (order.forcedCarrier === null || r.carrier === order.forcedCarrier));
  return usable.sort((a, b) => freight(a, weight) - freight(b, weight) || a.transitDays - b.transitDays || (a.carrier < b.carrier ? -1 : 1))[0] ?? null;
}

const weightOf = (lines: readonly { quantity: number; weightG: number }[]): number => lines.reduce((sum, l) => sum + l.quantity * l.weightG, 0);

/** First weight and steps (首重/续重): every begun step counts. */
function freight(rate: RateCard, weightG: number): number {
  return rate.firstCost + Math.max(0, Math.ceil((weightG - rate.firstWeightG) / rate.stepG)) * rate.stepCost;
}

function costOf(site: Site, lines: readonly { quantity: number; weightG: number }[]): number {
  return freight(site.carrier, weightOf(lines)) + site.candidate.handlingCost;
}

function servesAll(lines: readonly Line[], candidate: Candidate): boolean {
  const need = new Map<number, number>();
  for (const l of lines) need.set(l.skuId, (need.get(l.skuId) ?? 0) + l.quantity);
  return [...need].every(([skuId, units]) => (candidate.available.get(skuId) ?? 0) >= units);
}

/** Branch and bound over line → site. Null when no assignment of whole lines within the policy's shipments exists. */
function cheapestSplit(lines: readonly Line[], sites: readonly Site[], policy: RoutingPolicy): Part[] | null {
  let best: number[] | null = null;
  let bestCost = Number.POSITIVE_INFINITY;
  let steps = 0;
  const chosen: number[] = [];
  const used = new Map<string, number>();
  // Lines that few locations have come first: they decide the most.
  const order = lines.map((l, i) => ({ l, i, can: sites.flatMap((s, at) => ((s.candidate.available.get(l.skuId) ?? 0) >= l.quantity ? [at] : [])) }))
    .sort((a, b) => a.can.length - b.can.length || a.i - b.i);
  const cost = (upTo: number): number => {
    const weights = new Map<number, number>();
    for (let n = 0; n < upTo; n++) {
      const { l } = order[n] as (typeof order)[number];
      weights.set(chosen[n] as number, (weights.get(chosen[n] as number) ?? 0) + l.quantity * l.weightG);
    }
    let sum = Math.max(0, weights.size - 1) * policy.splitPenalty;
    for (const [at, weight] of weights) sum += freight((sites[at] as Site).carrier, weight) + (sites[at] as Site).candidate.handlingCost;
    return sum;
  };
  const descend = (n: number): void => {
    if (++steps > SEARCH_STEPS && best) return;
    const sofar = cost(n);
    if (sofar >= bestCost) return;
    if (n === order.length) {
      best = [...chosen];
      bestCost = sofar;
      return;
    }
    const { l, can } = order[n] as (typeof order)[number];
    const opened = new Set(chosen.slice(0, n));
    // Locations that are in already cost the least more.
    for (const at of [...can].sort((a, b) => Number(opened.has(b)) - Number(opened.has(a)) || a - b)) {
      if (!opened.has(at) && opened.size >= policy.maxShipments) continue;
      const key = `${at}|${l.skuId}`;
      const taken = used.get(key) ?? 0;
      if (((sites[at] as Site).candidate.available.get(l.skuId) ?? 0) - taken < l.quantity) continue;
      used.set(key, taken + l.quantity);
      chosen[n] = at;
      descend(n + 1);
      used.set(key, taken);
    }
    chosen.length = n;
  };
  descend(0);
  if (!best) return null;
  const parts = new Map<number, Line[]>();
  (best as number[]).forEach((at, n) => parts.set(at, [...(parts.get(at) ?? []), (order[n] as (typeof order)[number]).l]));
  return [...parts].sort(([a], [b]) => a - b).map(([at, own]) => {
    const site = sites[at] as Site;
    return { site, lines: own.sort((a, b) => a.lineNo - b.lineNo).map(pick), cost: costOf(site, own) };
  });
}

/** Units from the nearest locations, where no split into whole lines works; may leave units over. */
function byUnits(lines: readonly Line[], sites: readonly Site[]): Part[] {
  const parts = new Map<Site, (Line & { quantity: number })[]>();
  const left = new Map<string, number>();
  for (const line of lines) {
    let rest = line.quantity;
    for (const site of sites) {
      const key = `${site.candidate.locationId}|${line.skuId}`;
      const units = Math.min(rest, left.get(key) ?? site.candidate.available.get(line.skuId) ?? 0);
      if (units <= 0) continue;
      left.set(key, (left.get(key) ?? site.candidate.available.get(line.skuId) ?? 0) - units);
      parts.set(site, [...(parts.get(site) ?? []), { ...line, quantity: units }]);
      rest -= units;
      if (rest === 0) break;
    }
  }
  return [...parts].map(([site, own]) => ({ site, lines: own.map(pick), cost: costOf(site, own) }));
}

function finish(plan: RoutingPlan, parts: readonly Part[], lines: readonly Line[], policy: RoutingPolicy): void {
  for (const part of parts) {
    const shipment: PlannedShipment = {
      locationId: part.site.candidate.locationId, carrier: part.site.carrier.carrier, cost: part.cost, transitDays: part.site.carrier.transitDays, lines: part.lines,
      reasons: [`${Math.round(part.site.km)} km, ${part.site.carrier.carrier} in ${part.site.carrier.transitDays} days, ${part.cost} with handling`],
    };
    plan.shipments.push(shipment);
    plan.cost += part.cost;
  }
  plan.cost += Math.max(0, parts.length - 1) * policy.splitPenalty;
  for (const line of lines) {
    const units = parts.reduce((sum, p) => sum + p.lines.filter((l) => l.lineNo === line.lineNo).reduce((n, l) => n + l.quantity, 0), 0);
    if (units < line.quantity) plan.unallocated.push({ lineNo: line.lineNo, skuId: line.skuId, quantity: line.quantity - units });
  }
}

function why(site: Site, chosen: Site, lines: readonly Line[]): string {
  const lacking = lines.filter((l) => (site.candidate.available.get(l.skuId) ?? 0) < l.quantity).map((l) => l.lineNo);
  if (lacking.length > 0) return `lacks stock for line ${lacking.join(', ')}`;
  if (!servesAll(lines, site.candidate)) return 'lacks stock for lines that share a SKU';
  return `${Math.round(site.km)} km away, ${chosen.candidate.code} ${Math.round(chosen.km)} km`;
}
