import { zone, type Place } from '../../domain/geo.ts';
import { dayAt } from '../../domain/promising/promise.ts';
import { shareOf } from '../../domain/stock/sharing.ts';
import { borrowKey } from '../capture/taken.ts';
import { comesInTime, sourcesOf, type Source } from '../capture/sources.ts';
import type { Channel, Location, LocationKind, Network } from '../network.ts';
import type { StockProjection } from '../projection.ts';

export type Way = 'ship' | 'pickup' | 'ship_to_store';
/** `at`: the location of a pickup or ship-to-store; `destination`: of a shipment, null for anywhere; `onlyAt`: the one location that the asker may see. `places`: whether units by location are wanted. */
export type AvailabilityQuery = { channel: Channel; way: Way; at: Location | null; destination: Place | null; onlyAt: number | null; places: boolean; now: Date };
export type Units = { now: number; total: number };
/** `incoming` by the day on which the units come, in their location's zone. */
export type SkuAvailability = Units & { incoming: { date: string; units: number }[]; byKind: Partial<Record<LocationKind, number>>; places: Map<number, Units> };

/**
 * The locations whose units can be had that way. pickup: the shop itself. ship_to_store: the shop, and where some carrier goes from there to the shop's place.
 * ship: where some carrier goes from there to the destination; without one, all.
 */
function servingLocations(network: Network, { way, at, destination, onlyAt }: AvailabilityQuery): Map<number, Location> {
  const zones = new Set(network.rates.map((r) => r.zone));
  const to = way === 'ship_to_store' ? at?.place ?? null : destination;
  const serves = (l: Location): boolean => {
    if (!l.active || (onlyAt !== null && onlyAt !== l.id)) return false;
    if (way === 'pickup' || l.id === at?.id) return l.id === at?.id;
    return to === null || zones.has(zone(l.place, to));
  };
  return new Map([...network.locationById].filter(([, l]) => serves(l)));
}

/**
 * What a channel's orders could take of SKUs, by the rules of capture (allotments and their overflow, what locations share, lots' least life, the horizon of incoming
 * stock), from this process's projection alone. `borrowed`: units by `borrowKey`.
 */
export function availability(network: Network, projection: StockProjection, borrowed: ReadonlyMap<string, number>, query: AvailabilityQuery, skuIds: readonly number[]): SkuAvailability[] {
  const { channel, now, places } = query;
  const serving = servingLocations(network, query);
  const demand = { channel, allotmentId: network.allotmentOf(channel.id), capturedAt: now, destination: { country: '', province: '', city: '', lat: null, lon: null }, scheduledFrom: null, lines: [] };
  const sources = sourcesOf(demand, network, projection).at(-1) ?? [];
  const share = network.sharing(channel.id, now);
  return skuIds.map((skuId) => {
    const result: SkuAvailability = { now: 0, total: 0, incoming: [], byKind: {}, places: new Map() };
    const days = new Map<string, number>();
    const lendable = new Map<number, number>();
    /** Counts what may be borrowed of `units`, or all where they need not be. */
    const add = (source: Source, location: Location, units: number, expectedAt: number | null): void => {
      let given = units;
      if (source.borrow) {
        const { allotmentId, limit } = source.borrow;
        const left = lendable.get(allotmentId) ?? Math.max(0, limit - (borrowed.get(borrowKey(allotmentId, skuId)) ?? 0));
        given = Math.min(units, left);
        lendable.set(allotmentId, left - given);
      }
      if (given <= 0) return;
      if (places) {
        const at = result.places.get(location.id) ?? { now: 0, total: 0 };
        result.places.set(location.id, { now: at.now + (expectedAt === null ? given : 0), total: at.total + given });
      }
      result.total += given;
      result.byKind[location.kind] = (result.byKind[location.kind] ?? 0) + given;
      if (expectedAt === null) result.now += given;
      else {
        const day = dayAt(location.timeZone, expectedAt);
        days.set(day, (days.get(day) ?? 0) + given);
      }
    };
    const usable = (source: Source, expires: string | null, expectedAt: number | null): boolean =>
      !(expires !== null && source.lastsUntil !== null && expires < source.lastsUntil) && comesInTime(source, expectedAt);
    const sharedThere = new Map<number, number>();
    for (const source of sources) {
      const limited = source.shared && share !== null;
      const coming = new Map<number, { units: number; expectedAt: number }[]>();
      source.pool.visit(skuId, (locationId, _id, free, expires, expectedAt) => {
        const location = free > 0 ? serving.get(locationId) : undefined;
        if (!location || !usable(source, expires, expectedAt) || network.blocked(locationId, skuId, now)) return;
        if (!limited) add(source, location, free, source.horizon === null ? null : expectedAt);
        else if (source.horizon === null) sharedThere.set(locationId, (sharedThere.get(locationId) ?? 0) + free);
        else coming.set(locationId, [...coming.get(locationId) ?? [], { units: free, expectedAt: expectedAt ?? 0 }]);
      });
      if (!limited) continue;
      if (source.horizon === null) for (const [id, free] of sharedThere) add(source, serving.get(id) as Location, share(skuId, id, free), null);
      for (const [id, supplies] of coming) {
        let sum = 0;
        let given = 0;
        for (const { units, expectedAt } of supplies.sort((a, b) => a.expectedAt - b.expectedAt)) {
          sum += units;
          const upTo = shareOf(share, skuId, id, sharedThere.get(id) ?? 0, sum).coming;
          add(source, serving.get(id) as Location, upTo - given, expectedAt);
          given = upTo;
        }
      }
    }
    result.incoming = [...days].map(([date, units]) => ({ date, units })).sort((a, b) => (a.date < b.date ? -1 : 1));
    return result;
  });
}

/** Whole bundles that the units of their components make up; dates and kinds are those of the components, to be asked there. */
export function bundleAvailability(components: readonly { quantity: number; units: Units }[]): SkuAvailability {
  const whole = (of: (u: Units) => number): number => Math.min(...components.map((c) => Math.floor(of(c.units) / c.quantity)));
  return { now: whole((u) => u.now), total: whole((u) => u.total), incoming: [], byKind: {}, places: new Map() };
}
