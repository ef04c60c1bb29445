import type { Network } from '../network.ts';
import type { Order } from '../orders/order.ts';
import type { Tx } from '../tx.ts';
import { dateOf, type Placed } from './date.ts';
import { usualDate } from './expected.ts';
import { changePromise, forgetPromise } from './row.ts';

/**
 * Dates an order anew as if it had come now, where work on it begins only now (it is paid at last) or it goes elsewhere: from where its units are, what is missing from where it usually comes. A date moves on, never forward:
 * who was promised a later one goes on with it. A day to leave that a platform has set stays. An order whose units were missing has no date: it gets one when it is first looked at, from now. `kept`: fulfillment orders that go on as they were.
 * Under the order's lock, after it was written.
 */
export async function redate(tx: Tx, network: Network, order: Order, reason: string, actor: string, kept: readonly string[] = []): Promise<void> {
  const begins = order.routeAfter && order.routeAfter > tx.now ? order.routeAfter : tx.now;
  order.promiseFrom = begins;
  await tx.query('update orders set promise_from = $2, promise_over = promise_over and exists (select from order_promises p where p.order_id = $1 and p.closed_at is not null) where id = $1', [order.id, begins]);
  const channel = network.channelById.get(order.channelId);
  const { missing, forgotten } = await tx.one<{ missing: boolean; forgotten: boolean }>(
    `select exists (select from shortages where order_id = $1 and status = 'open') missing, exists (select from promise_changes where order_id = $1) forgotten`, [order.id]) ?? { missing: false, forgotten: false };
  if (!channel || (!order.deliverBy && (missing || !forgotten))) return;
  const placed = await placedUnits(tx, order.id, kept);
  const pickup = order.way === 'ship' ? null : network.locationById.get(order.forcedLocationId ?? 0) ?? null;
  const destination = network.place(order.country, order.province, order.city);
  const dates = dateOf(network, { channel, destination, scheduledFrom: order.scheduledFrom, pickup }, begins.getTime(), placed);
  const usual = missing && order.way === 'ship' ? usualDate(network, order) : null;
  if ((placed.length > 0 && !dates) || (missing && !usual && order.way === 'ship')) return order.deliverBy ? forgetPromise(tx, order, order.deliverBy, reason, actor) : undefined;
  if (dates && !(order.shipBy && order.shipBy >= dates.shipBy)) {
    const row = await tx.one<{ at: Date }>('update orders set ship_by = $2 where id = $1 and not ship_by_given returning ship_by at', [order.id, dates.shipBy]);
    order.shipBy = row?.at ?? order.shipBy;
  }
  const before = order.deliverBy?.getTime() ?? 0;
  const deliverBy = new Date(Math.max(before, dates?.deliverBy.getTime() ?? 0, usual?.getTime() ?? 0));
  if (deliverBy.getTime() > before) await changePromise(tx, order, deliverBy, false, reason, actor);
}

async function placedUnits(tx: Tx, orderId: string, kept: readonly string[]): Promise<Placed[]> {
  const rows = await tx.query<{ locationId: number; expectedAt: Date | null }>(
    `select v.location_id "locationId", max(case when p.id <> 0 then p.expected_at end) "expectedAt" from reservations r join stock_levels v on v.id = r.level_id join supplies p on p.id = v.supply_id
     where r.order_id = $1 and r.status in ('held', 'confirmed') and (r.fulfillment_order_id is null or not r.fulfillment_order_id = any($2::uuid[])) group by 1`, [orderId, kept]);
  return rows.map((r) => ({ locationId: r.locationId, expectedAt: r.expectedAt?.getTime() ?? null }));
}
