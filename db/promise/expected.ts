import { zone, type Place } from '../../domain/geo.ts';
import { promise } from '../../domain/promising/promise.ts';
import { VOID, type FulfillmentStatus } from '../../domain/order/status.ts';
import type { Location, Network } from '../network.ts';
import type { Order } from '../orders/order.ts';
import type { Tx } from '../tx.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** A part of an order and when it will be there; null: nobody knows. `movable`: not packed, so it can still come from elsewhere. `missedAt`: when it will have missed its hand-over unless somebody packs it. */
export type Part = { fulfillmentOrderId: string | null; locationId: number | null; lines: number[]; expectedBy: Date | null; movable: boolean; missedAt: Date | null };

type Fulfilled = { id: string; location_id: number; status: FulfillmentStatus; carrier: string | null; service: string; routed_at: Date; issued_at: Date | null; asked: boolean; troubled: boolean; lines: number[] };

/** The days a carrier takes, the shortest of all where none is chosen; null: none goes there. */
function transitDays(network: Network, from: Location, to: Place, carrier: string | null, service: string): number | null {
  const lane = zone(from.place, to);
  const days = network.rates.filter((r) => r.zone === lane && (carrier === null || (r.carrier === carrier && (r.service ?? 'standard') === service))).map((r) => r.transitDays);
  return days.length > 0 ? Math.min(...days) : null;
}

/** The date that an order would have had, had the nearest place all of it: what its channel told the customer. Null: nobody sends there. */
export function usualDate(network: Network, order: Order): Date | null {
  const to = network.place(order.country, order.province, order.city);
  for (const id of network.ranked(to)) {
    const location = network.locationById.get(id);
    const days = location ? transitDays(network, location, to, null, 'standard') : null;
    if (location && days !== null) return promise({ orderedAt: order.capturedAt, scheduledFrom: order.scheduledFrom, location, transitDays: days }).deliverBy;
  }
  return null;
}

/**
 * When each part of an order will be with the customer, as far as anybody can say now: what has left by the transit of its carrier (a day more when that has passed, or a delivery has failed), what
 * is at a location by its next hand-over, what is missing by the supply that is announced. Parts that arrived are left out, so are units that routing has not placed yet.
 */
export async function expectedParts(tx: Tx, network: Network, order: Order, atRiskMinutes: number): Promise<Part[]> {
  const to = network.place(order.country, order.province, order.city);
  const fulfilled = await tx.query<Fulfilled>(
    `select f.id, f.location_id, f.status, f.carrier, f.service, f.routed_at, f.issued_at, f.cancel_requested_at is not null asked,
       exists (select from shipments s join parcels p on p.shipment_id = s.id where s.fulfillment_order_id = f.id and p.milestone in ('attempt_failed', 'exception')) troubled,
       array(select line_no from fulfillment_order_lines l where l.fulfillment_order_id = f.id and quantity > short_quantity order by 1) lines
     from fulfillment_orders f where f.order_id = $1 order by f.id`, [order.id]);
  const parts = fulfilled.flatMap((f): Part[] => {
    if (VOID.has(f.status) || f.status === 'delivered' || f.status === 'returned' || f.status === 'lost') return [];
    const location = network.locationById.get(f.location_id);
    const days = location ? transitDays(network, location, to, f.carrier, f.service) : null;
    const part = { fulfillmentOrderId: f.id, locationId: f.location_id, lines: f.lines };
    if (!location || days === null) return [{ ...part, expectedBy: null, movable: f.status !== 'issued' && f.status !== 'packed', missedAt: null }];
    if (f.status === 'issued') return [{ ...part, expectedBy: underWay(location, days, f.issued_at ?? f.routed_at, f.troubled, tx.now), movable: false, missedAt: null }];
    return [{ ...part, ...atLocation(location, days, f, order, atRiskMinutes, tx.now) }];
  });
  return [...parts, ...await missingParts(tx, network, order, to)];
}

function underWay(location: Location, days: number, leftAt: Date, troubled: boolean, now: Date): Date {
  const noon = promise({ orderedAt: leftAt, scheduledFrom: null, location: { ...location, cutoffMinutes: 1440, handlingMinutes: 0, workDays: [1, 2, 3, 4, 5, 6, 7] }, transitDays: days });
  let at = noon.deliverBy.getTime();
  if (troubled) at = Math.max(at, now.getTime());
  while (at <= now.getTime()) at += DAY_MS;
  return new Date(at);
}

function atLocation(location: Location, days: number, f: Fulfilled, order: Order, atRiskMinutes: number, now: Date): Pick<Part, 'expectedBy' | 'movable' | 'missedAt'> {
  const packed = f.status === 'packed';
  const handOver = (from: Date): ReturnType<typeof promise> => promise({ orderedAt: from, scheduledFrom: order.scheduledFrom, location, transitDays: days });
  const lost = (at: Date): Date => new Date(at.getTime() - (packed ? 0 : atRiskMinutes * MINUTE_MS));
  let next = handOver(f.routed_at);
  // What has missed a hand-over, or is about to, goes with the next one.
  for (let from = f.routed_at; lost(next.shipBy) <= now; next = handOver(from)) from = new Date(Math.max(now.getTime(), next.shipBy.getTime() - location.handlingMinutes * MINUTE_MS) + MINUTE_MS);
  return { expectedBy: next.deliverBy, movable: !packed && !f.asked, missedAt: lost(next.shipBy) };
}

/** Units that nobody has: by the supply that has some left, else nobody knows. And units that wait for a supply of their own. */
async function missingParts(tx: Tx, network: Network, order: Order, to: Place): Promise<Part[]> {
  const rows = await tx.query<{ line: number; at: Date | null; location: number | null }>(
    `select s.line_no line, c.expected_at at, c.location_id location from shortages s left join lateral (
       select p.expected_at, v.location_id from stock_levels v join supplies p on p.id = v.supply_id where v.sku_id = s.sku_id and v.supply_id <> 0 and p.status = 'open' and p.expected_at > $2
         and v.on_hand - v.reserved - v.buffer > 0 order by p.expected_at, p.id limit 1) c on true where s.order_id = $1 and s.status = 'open'
     union all select r.line_no, p.expected_at, v.location_id from reservations r join stock_levels v on v.id = r.level_id join supplies p on p.id = v.supply_id and p.id <> 0
       where r.order_id = $1 and r.status in ('held', 'confirmed') order by 1`, [order.id, tx.now]);
  return rows.map(({ line, at, location: id }): Part => {
    const location = id === null ? undefined : network.locationById.get(id);
    const days = location ? transitDays(network, location, to, null, 'standard') : null;
    const none = { fulfillmentOrderId: null, locationId: null, lines: [line], movable: false, missedAt: null };
    if (!at || !location || days === null) return { ...none, expectedBy: null };
    const from = at > tx.now ? at : tx.now;
    return { ...none, expectedBy: promise({ orderedAt: from, scheduledFrom: order.scheduledFrom, location, transitDays: days }).deliverBy };
  });
}
