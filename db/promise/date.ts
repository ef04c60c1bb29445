import type { Place } from '../../domain/geo.ts';
import { promise } from '../../domain/promising/promise.ts';
import { readyAt } from '../../domain/promising/ready.ts';
import type { Channel, Location, Network } from '../network.ts';
import { transitDays } from '../routing/carrier-facts.ts';

/** What of an order its date depends on. `pickup`: the shop where it is fetched; null: it is sent. */
export type Dated = { channel: Pick<Channel, 'pickupReadyS'>; destination: Place; scheduledFrom: Date | null; pickup: Location | null };
/** Where units of an order are; `expectedAt` (ms since epoch) where they are still to come. */
export type Placed = { locationId: number; expectedAt: number | null };
export type Dates = { shipBy: Date; deliverBy: Date };

/** The date of a whole order on which work may begin at `begins` (ms since epoch): the latest of its locations, from the end of their pauses on, and of the units that are still to come. Null: no carrier goes there, and somebody has to say how. */
export function dateOf(network: Network, order: Dated, begins: number, placed: readonly Placed[]): Dates | null {
  const start = new Date(begins);
  const ready = new Map<number, number>();
  for (const p of placed) ready.set(p.locationId, Math.max(ready.get(p.locationId) ?? network.pausedUntil(p.locationId, start)?.getTime() ?? begins, p.expectedAt ?? 0));
  if (order.pickup) {
    const from = new Date(Math.max(begins, order.scheduledFrom?.getTime() ?? 0, ...ready.values()));
    const fetched = readyAt(order.pickup, from, order.channel.pickupReadyS * 1000);
    return { shipBy: fetched, deliverBy: fetched };
  }
  const arrivesIn = network.zoneOf(order.destination);
  let [shipBy, deliverBy] = [0, 0];
  for (const [id, from] of ready) {
    const location = network.locationById.get(id);
    if (!location) continue;
    const days = transitDays(network, location, order.destination);
    if (!Number.isFinite(days)) return null;
    const at = promise({ orderedAt: new Date(from), scheduledFrom: order.scheduledFrom, location, transitDays: days, arrivesIn });
    shipBy = Math.max(shipBy, at.shipBy.getTime());
    deliverBy = Math.max(deliverBy, at.deliverBy.getTime());
  }
  return deliverBy > 0 ? { shipBy: new Date(shipBy), deliverBy: new Date(deliverBy) } : null;
}
