import { zone, type Place } from '../../domain/geo.ts';
import { offsetMinutes, promise } from '../../domain/promising/promise.ts';
import { VOID, type FulfillmentStatus } from '../../domain/order/status.ts';
import type { Location, Network } from '../network.ts';
import type { Order } from '../orders/order.ts';
import { liveReservations } from '../orders/reservations.ts';
import { readyMinute, transitDays } from '../routing/carrier-facts.ts';
import type { Tx } from '../tx.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/**
 * A part of an order and when it will be there; null: nobody knows. `movable`: not packed, so it can still come from elsewhere. `missedAt`: when it will have missed its hand-over unless somebody packs it.
 * `unplaced`: its units are reserved at the location, and routing has not said yet who sends them. `newsBy`: it left in time, and until then news that it came in time may come.
 */
export type Part = { fulfillmentOrderId: string | null; locationId: number | null; lines: number[]; expectedBy: Date | null; movable: boolean; missedAt: Date | null; unplaced?: true; newsBy?: Date };

/** What a ladder and a promise say about time: `newsBy` as in `Part`. */
type Times = { atRiskMinutes: number; promisedBy: Date; newsBy: Date };

type Fulfilled = { id: string; location_id: number; status: FulfillmentStatus; carrier: string | null; service: string; routed_at: Date; issued_at: Date | null; heard: Date | null; asked: boolean; troubled: boolean; lines: number[] };

/** The days from a location by the service that was chosen, or (null) by the standard one: one more where it is ready at a minute (of the location's day) after the carrier's cut-off, as routing counts. Null: none goes there. */
function daysFrom(network: Network, from: Location, to: Place, carrier: string | null, service: string, minute = readyMinute(from)): number | null {
  const lane = zone(from.place, to);
  const days = carrier === null ? [transitDays(network, from, to)].filter(Number.isFinite)
    : network.rates.filter((r) => r.zone === lane && r.carrier === carrier && r.service === service).map((r) => r.transitDays + (r.cutoffMinute !== null && minute > r.cutoffMinute ? 1 : 0));
  return days.length > 0 ? Math.min(...days) : null;
}

const minuteAt = (timeZone: string, at: Date): number => (Math.floor(at.getTime() / MINUTE_MS) + offsetMinutes(timeZone, at.getTime())) % 1440;

/** From when the dates of an order count: the moment at which it was dated anew, else the end of its channel's merge window. */
function countsFrom(network: Network, order: Order): Date {
  return order.promiseFrom ?? new Date(order.capturedAt.getTime() + (network.channelById.get(order.channelId)?.mergeWindowS ?? 0) * 1000);
}

/** The date that an order would have had, had the nearest place all of it: what its channel told the customer. Null: nobody sends there. */
export function usualDate(network: Network, order: Order, from = countsFrom(network, order)): Date | null {
  const to = network.place(order.country, order.province, order.city);
  for (const id of network.ranked(to)) {
    const location = network.locationById.get(id);
    const days = location ? daysFrom(network, location, to, null, 'standard') : null;
    if (location && days !== null) return promise({ orderedAt: from, scheduledFrom: order.scheduledFrom, location, transitDays: days, arrivesIn: network.zoneOf(to) }).deliverBy;
  }
  return null;
}

/**
 * When each part of an order will be with the customer, as far as anybody can say now: what has left by the transit of its carrier (a day more when that has passed, or a delivery has failed), what
 * is at a location by its next hand-over, what routing has not placed yet by that of the place where it is reserved, what is missing by the supply that is announced. Parts that arrived are left out.
 */
export async function expectedParts(tx: Tx, network: Network, order: Order, times: Times): Promise<Part[]> {
  const { atRiskMinutes } = times;
  const to = network.place(order.country, order.province, order.city);
  const arrivesIn = network.zoneOf(to);
  const fulfilled = await tx.query<Fulfilled>(
    `select f.id, f.location_id, f.status, f.carrier, f.service, f.routed_at, f.issued_at, f.cancel_requested_at is not null asked,
       (select min(coalesce(p.heard_at, p.milestone_at)) from shipments s join parcels p on p.shipment_id = s.id where s.fulfillment_order_id = f.id and p.milestone <> 'delivered') heard,
       exists (select from shipments s join parcels p on p.shipment_id = s.id where s.fulfillment_order_id = f.id and p.milestone in ('attempt_failed', 'exception')) troubled,
       array(select line_no from fulfillment_order_lines l where l.fulfillment_order_id = f.id and quantity > short_quantity order by 1) lines
     from fulfillment_orders f where f.order_id = $1 order by f.id`, [order.id]);
  const parts = fulfilled.flatMap((f): Part[] => {
    if (VOID.has(f.status) || f.status === 'delivered' || f.status === 'returned' || f.status === 'lost') return [];
    const location = network.locationById.get(f.location_id);
    const left = f.status === 'issued' ? f.issued_at ?? f.routed_at : null;
    const days = location ? daysFrom(network, location, to, f.carrier, f.service, left ? minuteAt(location.timeZone, left) : readyMinute(location)) : null;
    const part = { fulfillmentOrderId: f.id, locationId: f.location_id, lines: f.lines };
    if (!location || days === null) return [{ ...part, expectedBy: null, movable: f.status !== 'issued' && f.status !== 'packed', missedAt: null }];
    if (left) return [{ ...part, ...underWay(location, days, { leftAt: left, heardAt: f.heard ?? left, troubled: f.troubled }, times, tx.now, arrivesIn), movable: false, missedAt: null }];
    return [{ ...part, ...atLocation(location, days, f, order, atRiskMinutes, tx.now, arrivesIn) }];
  });
  const missing = await missingParts(tx, network, order, to);
  // While units are missing and nothing is on its way, the rest waits for them: their date is its date.
  return [...parts, ...(missing.length === 0 || parts.length > 0 ? await unplacedParts(tx, network, order, to, atRiskMinutes) : []), ...missing];
}

/** Units that are reserved and in no plan: routed at once, or when the stop or window that they wait for is over, and sent by the next hand-over from then on. */
async function unplacedParts(tx: Tx, network: Network, order: Order, to: Place, atRiskMinutes: number): Promise<Part[]> {
  const lines = new Map<number, Set<number>>();
  for (const r of await liveReservations(tx, order.id)) if (r.fulfillmentOrderId === null && !r.incoming) lines.set(r.locationId, (lines.get(r.locationId) ?? new Set()).add(r.lineNo));
  const from = order.routeAfter && order.routeAfter > tx.now ? order.routeAfter : tx.now;
  const arrivesIn = network.zoneOf(to);
  return [...lines].map(([id, own]): Part => {
    const location = network.locationById.get(id);
    const days = location ? daysFrom(network, location, to, null, 'standard') : null;
    const part = { fulfillmentOrderId: null, locationId: id, lines: [...own].sort((a, b) => a - b), unplaced: true as const };
    return !location || days === null ? { ...part, expectedBy: null, movable: true, missedAt: null } : { ...part, ...atLocation(location, days, { status: 'routed', routed_at: from, asked: false }, order, atRiskMinutes, tx.now, arrivesIn) };
  });
}

type Parcels = { leftAt: Date; heardAt: Date; troubled: boolean };

function underWay(location: Location, days: number, { leftAt, heardAt, troubled }: Parcels, { promisedBy, newsBy }: Times, now: Date, arrivesIn: string | undefined): Pick<Part, 'expectedBy' | 'newsBy'> {
  // The day on which it left, to the last minute of it: carriers drive whenever the location works.
  const left = new Date(Math.floor(leftAt.getTime() / MINUTE_MS) * MINUTE_MS);
  const usual = promise({ orderedAt: left, scheduledFrom: null, location: { timeZone: location.timeZone, cutoffMinutes: 1439, handlingMinutes: 0, workDays: [1, 2, 3, 4, 5, 6, 7] }, transitDays: days, arrivesIn }).deliverBy;
  // Since the promised date nobody has heard of it: it may be there, and only the news is late.
  if (!troubled && usual <= promisedBy && heardAt <= promisedBy && promisedBy <= now && now < newsBy) return { expectedBy: promisedBy, newsBy };
  let at = troubled ? Math.max(usual.getTime(), now.getTime()) : usual.getTime();
  while (at <= now.getTime()) at += DAY_MS;
  return { expectedBy: new Date(at) };
}

function atLocation(location: Location, days: number, f: Pick<Fulfilled, 'status' | 'routed_at' | 'asked'>, order: Order, atRiskMinutes: number, now: Date, arrivesIn: string | undefined): Pick<Part, 'expectedBy' | 'movable' | 'missedAt'> {
  const packed = f.status === 'packed';
  const handOver = (from: Date): ReturnType<typeof promise> => promise({ orderedAt: from, scheduledFrom: order.scheduledFrom, location, transitDays: days, arrivesIn });
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
    const days = location ? daysFrom(network, location, to, null, 'standard') : null;
    const none = { fulfillmentOrderId: null, locationId: null, lines: [line], movable: false, missedAt: null };
    if (!at || !location || days === null) return { ...none, expectedBy: null };
    const from = at > tx.now ? at : tx.now;
    return { ...none, expectedBy: promise({ orderedAt: from, scheduledFrom: order.scheduledFrom, location, transitDays: days, arrivesIn: network.zoneOf(to) }).deliverBy };
  });
}
