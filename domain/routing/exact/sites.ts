import { rankKm, zone, type Zone } from '../../geo.ts';
import { barred } from '../eligibility.ts';
import { KIND_RANK } from '../types.ts';
import type { InstanceLocation, InstanceRate, InstanceStock, RoutingInstance } from '../model.ts';

/** A location that may take part. `rates`: the carriers that go from there to the destination, with the expected lateness of each in thousandths of a day. */
export type Site = { location: InstanceLocation; shipsAt: number; rates: { rate: InstanceRate; lateMilli: number }[]; lane: string };
type Lane = Pick<Site, 'shipsAt' | 'rates' | 'lane'>;
export type Rejection = { location: string; reason: string };

const DAY_MS = 86_400_000;

/** When a shipment arrives, ms since epoch: a day later where it is ready after the carrier's cut-off (both minutes after local midnight). */
export function arrival(shipsAt: number, rate: InstanceRate, readyMinute: number | undefined): number {
  const missed = readyMinute !== undefined && rate.cutoffMinute !== undefined && readyMinute > rate.cutoffMinute;
  return shipsAt + (rate.transitDays + (missed ? 1 : 0)) * DAY_MS;
}

/** Expected days late in thousandths: begun days beyond the promise; one more at the carrier's measured risk where a day more would pass it. */
function lateness(arrivesAt: number, promisedBy: number | null, lateRisk: number): number {
  if (promisedBy === null) return 0;
  const days = Math.max(0, Math.ceil((arrivesAt - promisedBy) / DAY_MS));
  return 1000 * days + (arrivesAt + DAY_MS > promisedBy ? lateRisk : 0);
}

/** Locations that may serve the order, the nearest first; every other one with the reason. Where several reasons hold the first is told. */
export function eligibleSites({ order, locations, rates, policy, hurry, wanted }: RoutingInstance): { sites: Site[]; rejected: Rejection[] } {
  const rejected: Rejection[] = [];
  const sites: (Site & { km: number })[] = [];
  const promisedBy = order.promisedBy === null ? null : Date.parse(order.promisedBy);
  const skus = [...new Set(order.lines.map((l) => l.sku))];
  const reject = (location: InstanceLocation, reason: string): void => { rejected.push({ location: location.code, reason }); };
  // Many locations have the same way to the destination and leave at the same time.
  const known = new Map<string, Lane>();
  const way = (to: Zone, at: string, ready: number | undefined): Lane => {
    const key = `${to}|${at}|${ready ?? ''}`;
    let found = known.get(key);
    if (!found) {
      const shipsAt = Date.parse(at);
      const own = rates.filter((r) => r.zone === to && (order.forcedCarrier === undefined || r.carrier === order.forcedCarrier) && !refusalOf(order, r))
        .map((rate) => ({ rate, lateMilli: lateness(arrival(shipsAt, rate, ready), promisedBy, rate.lateRisk ?? 0) }));
      // Locations of one lane differ in nothing that depends on weight or date.
      known.set(key, (found = { shipsAt, rates: own, lane: `${to}|${own.map((r) => r.lateMilli).join(',')}` }));
    }
    return found;
  };
  for (const location of locations) {
    const ineligible = barred(location, order, policy);
    if (order.forcedLocation !== undefined && location.code !== order.forcedLocation) reject(location, 'another location was forced by an operator');
    else if (!policy.kinds.includes(location.kind)) reject(location, `the policy does not ship from a ${location.kind}`);
    else if (ineligible !== null) reject(location, ineligible);
    else if (location.channels && !location.channels.includes(order.channel)) reject(location, `does not serve channel ${order.channel}`);
    else if (order.excluded?.includes(location.code)) reject(location, 'gave this order back before');
    else if (hurry?.exclude?.includes(location.code)) reject(location, 'is too late for the promise');
    else if (wanted && !wanted.includes(location.code)) reject(location, 'its wave sends the order from elsewhere');
    else if (location.shipsAt === null) reject(location, location.pause === undefined ? 'takes nothing now' : `takes nothing now: ${location.pause}`);
    else if (location.capacityUnits !== undefined && location.capacityUnits < 1) reject(location, 'has no capacity left');
    else if (!hasAny(skus, location)) reject(location, blockedWords(skus, location) ?? 'has none of the SKUs');
    else {
      const to = zone(location.place, order.destination);
      const lane = way(to, location.shipsAt, location.readyMinute);
      const refusal = lane.rates.length > 0 ? undefined : rates.flatMap((r) => (r.zone === to && (order.forcedCarrier === undefined || r.carrier === order.forcedCarrier) ? refusalOf(order, r) ?? [] : []))[0];
      if (refusal) reject(location, `carrier ${refusal.carrier} does not take it: ${refusal.reason}`);
      else if (lane.rates.length === 0) reject(location, order.forcedCarrier === undefined ? `no carrier has a rate for zone ${to}` : `carrier ${order.forcedCarrier} has no rate for zone ${to}`);
      else sites.push({ location, shipsAt: lane.shipsAt, rates: lane.rates, lane: lane.lane, km: rankKm(location.place, order.destination) });
    }
  }
  sites.sort((a, b) => a.km - b.km || KIND_RANK[a.location.kind] - KIND_RANK[b.location.kind] || (a.location.code < b.location.code ? -1 : 1));
  return { sites, rejected };
}

function refusalOf({ refused }: RoutingInstance['order'], rate: InstanceRate): { carrier: string; reason: string } | undefined {
  return refused?.find((r) => r.carrier === rate.carrier && (r.service === undefined || r.service === (rate.service ?? 'standard')));
}

/** Units of a SKU that a location may give at all. */
export function unitsThere(stock: InstanceStock | undefined): number { return stock && stock.blocked === undefined ? stock.available : 0; }

function hasAny(skus: readonly string[], { stock }: InstanceLocation): boolean {
  for (const sku of skus) if (unitsThere(stock[sku]) > 0) return true;
  return false;
}

function blockedWords(skus: readonly string[], { stock }: InstanceLocation): string | null {
  const blocked = skus.filter((sku) => stock[sku]?.blocked !== undefined);
  return blocked.length === 0 ? null : `has blocked ${blocked.map((sku) => `${sku} (${stock[sku]?.blocked ?? ''})`).join(', ')}`;
}
