import { rankKm, zone, type Zone } from '../../geo.ts';
import { KIND_RANK } from '../types.ts';
import type { InstanceLocation, InstanceRate, RoutingInstance } from '../model.ts';

/** A location that may take part. `rates`: the carriers that go from there to the destination, with the days that each would be late. */
export type Site = { location: InstanceLocation; shipsAt: number; rates: { rate: InstanceRate; daysLate: number }[]; lane: string };
export type Rejection = { location: string; reason: string };

const DAY_MS = 86_400_000;

/** When a shipment arrives, ms since epoch. */
export function arrival(shipsAt: number, rate: InstanceRate): number { return shipsAt + rate.transitDays * DAY_MS; }

/** Locations that may serve the order, the nearest first; every other one with the reason. Where several reasons hold the first is told. */
export function eligibleSites({ order, locations, rates, policy }: RoutingInstance): { sites: Site[]; rejected: Rejection[] } {
  const rejected: Rejection[] = [];
  const sites: (Site & { km: number })[] = [];
  const promisedBy = order.promisedBy === null ? null : Date.parse(order.promisedBy);
  const skus = [...new Set(order.lines.map((l) => l.sku))];
  // Many locations have the same way to the destination and leave at the same time.
  const known = new Map<string, Pick<Site, 'shipsAt' | 'rates' | 'lane'>>();
  const way = (to: Zone, at: string): Pick<Site, 'shipsAt' | 'rates' | 'lane'> => {
    const key = `${to}|${at}`;
    let found = known.get(key);
    if (!found) {
      const shipsAt = Date.parse(at);
      const own = rates.filter((r) => r.zone === to && (order.forcedCarrier === undefined || r.carrier === order.forcedCarrier))
        .map((rate) => ({ rate, daysLate: promisedBy === null ? 0 : Math.max(0, Math.ceil((arrival(shipsAt, rate) - promisedBy) / DAY_MS)) }));
      // Locations of one lane differ in nothing that depends on weight or date.
      known.set(key, (found = { shipsAt, rates: own, lane: `${to}|${own.map((r) => r.daysLate).join(',')}` }));
    }
    return found;
  };
  for (const location of locations) {
    const reject = (reason: string): void => { rejected.push({ location: location.code, reason }); };
    if (order.forcedLocation !== undefined && location.code !== order.forcedLocation) reject('another location was forced by an operator');
    else if (!policy.kinds.includes(location.kind)) reject(`the policy does not ship from a ${location.kind}`);
    else if (location.channels && !location.channels.includes(order.channel)) reject(`does not serve channel ${order.channel}`);
    else if (order.excluded?.includes(location.code)) reject('gave this order back before');
    else if (location.shipsAt === null) reject('takes nothing now');
    else if (location.capacityUnits !== undefined && location.capacityUnits < 1) reject('has no capacity left');
    else if (!skus.some((sku) => (location.stock[sku]?.available ?? 0) > 0)) reject('has none of the SKUs');
    else {
      const to = zone(location.place, order.destination);
      const lane = way(to, location.shipsAt);
      if (lane.rates.length === 0) reject(order.forcedCarrier === undefined ? `no carrier has a rate for zone ${to}` : `carrier ${order.forcedCarrier} has no rate for zone ${to}`);
      else sites.push({ location, ...lane, km: rankKm(location.place, order.destination) });
    }
  }
  sites.sort((a, b) => a.km - b.km || KIND_RANK[a.location.kind] - KIND_RANK[b.location.kind] || (a.location.code < b.location.code ? -1 : 1));
  return { sites, rejected };
}
