import type { RoutingInstance } from '../../domain/routing/model.ts';
import { handOverDay } from '../../domain/promising/hand-over.ts';
import { planOrder } from '../../domain/routing/plan.ts';
import type { Location, Network } from '../network.ts';
import type { Tx } from '../tx.ts';
import { addressRefusals, fullCarriers } from './carrier-facts.ts';
import type { Reader } from './reader.ts';

const DAY_MS = 86_400_000;

/** Units that locations with a capacity have been given for the day with which an order of now would leave: its hand-over, whenever it was routed. */
export async function capacityTaken(tx: Reader, network: Network, ids: readonly number[], scheduledFrom: Date | null): Promise<Map<number, number>> {
  const limited = limitedOf(network, ids);
  if (limited.length === 0) return new Map();
  const rows = await tx.query<{ id: number; units: number }>(
    `select f.location_id id, sum(l.quantity - l.short_quantity)::int units from fulfillment_orders f join fulfillment_order_lines l on l.fulfillment_order_id = f.id
     where (f.location_id, f.hand_over_on) in (select * from unnest($1::int[], $2::date[])) and f.status not in ('rejected', 'cancelled') group by 1`,
    [limited, limited.map((id) => handOverDay(network.locationById.get(id) as Location, tx.now, scheduledFrom).day)]);
  return new Map(rows.map((r) => [r.id, r.units]));
}

function limitedOf(network: Network, ids: Iterable<number>): number[] {
  return [...new Set(ids)].filter((id) => { const l = network.locationById.get(id); return l?.active === true && l.dailyCapacity !== null; }).sort((a, b) => a - b);
}

/**
 * Decisions that give units to a location with a capacity follow one another, whatever SKUs they are about, so that none is given away twice. By location: orders that have no location in common do not wait for each other.
 * After carriers' days, before levels; locations without a capacity are not locked.
 */
export async function lockCapacity(tx: Tx, network: Network, locationIds: Iterable<number>): Promise<void> {
  const limited = limitedOf(network, locationIds);
  if (limited.length > 0) await tx.query(`select pg_advisory_xact_lock(hashtext('tributary:capacity'), id) from unnest($1::int[]) id`, [limited]);
}

/** Whether each location can still pick what a plan wants from it for the day of its hand-over. Call under `lockCapacity` of these locations. */
export async function stillRoom(tx: Tx, network: Network, shipments: readonly { locationId: number; lines: readonly { quantity: number }[] }[], scheduledFrom: Date | null): Promise<boolean> {
  const taken = await capacityTaken(tx, network, shipments.map((s) => s.locationId), scheduledFrom);
  return shipments.every(({ locationId, lines }) => {
    const most = network.locationById.get(locationId)?.dailyCapacity ?? null;
    return most === null || unitsOf(lines) <= most - (taken.get(locationId) ?? 0);
  });
}

const unitsOf = (lines: readonly { quantity: number }[]): number => lines.reduce((n, l) => n + l.quantity, 0);

/** `at`: code of the location or carrier that would take it on a day that begins empty. */
export type FullDay = { at: string; kind: 'location' | 'carrier'; reason: string; until: Date };

/**
 * Why nobody takes an order now though somebody would the next day: the day of its hand-over at a location, or a carrier's of today (UTC), is full, and with an empty one it could be sent whole. Null where a new day would change nothing, as for an order of
 * more units than the location ever takes in one: that one is for a person.
 */
export async function fullToday(tx: Tx, network: Network, order: { country: string; province: string; city: string; scheduledFrom: Date | null }, instance: RoutingInstance): Promise<FullDay | null> {
  const full = await fullCarriers(tx, network);
  const capacity = (code: string): number => network.locations.get(code)?.dailyCapacity ?? Number.POSITIVE_INFINITY;
  const begun = new Map(instance.locations.flatMap((l) => (l.capacityUnits !== undefined && l.capacityUnits < capacity(l.code) ? [[l.code, l.capacityUnits] as const] : [])));
  if (full.size === 0 && begun.size === 0) return null;
  const { refused, ...wanted } = instance.order;
  const fresh: RoutingInstance = {
    ...instance, order: { ...wanted, ...(refused ? { refused: addressRefusals(network, order) } : {}) },
    locations: instance.locations.map((l) => (begun.has(l.code) ? { ...l, capacityUnits: capacity(l.code) } : l)),
  };
  const plan = planOrder(fresh, false);
  if (plan.unallocated.length > 0) return null;
  for (const s of plan.shipments) {
    if (unitsOf(s.lines) > (begun.get(s.location) ?? Number.POSITIVE_INFINITY)) {
      // After its cut-off orders leave with the next day's.
      const { day, cutoff } = handOverDay(network.locations.get(s.location) as Location, tx.now, order.scheduledFrom);
      return { at: s.location, kind: 'location', reason: `${capacity(s.location) - (begun.get(s.location) ?? 0)} of its ${capacity(s.location)} units for ${day} are taken`, until: cutoff };
    }
    const reason = full.get(s.carrier);
    if (reason !== undefined) return { at: s.carrier, kind: 'carrier', reason, until: new Date((Math.floor(tx.now.getTime() / DAY_MS) + 1) * DAY_MS) };
  }
  return null;
}
