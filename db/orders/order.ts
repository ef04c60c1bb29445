import type pg from 'pg';
import { Problem } from '../../domain/problem.ts';
import { encodeId } from '../../domain/ids.ts';
import type { Hurry } from '../../domain/promising/hurry.ts';
import type { Way } from '../../domain/order/intake.ts';
import { isPaymentDue } from '../../domain/order/payment.ts';
import { deriveStatus, VOID, type FulfillmentStatus, type OrderStatus } from '../../domain/order/status.ts';
import type { PricedLine } from '../../domain/order/pricing.ts';
import type { Tx } from '../tx.ts';

export type Order = {
  id: string; channelId: number; externalId: string; type: string; status: OrderStatus; paymentStatus: string; currency: string; total: number;
  locationId: number | null; allotmentId: number; parentId: string | null; personId: string; contactId: string; addressHash: Buffer | null;
  country: string; province: string; city: string; district: string | null; priority: number; scheduledFrom: Date | null;
  orderedAt: Date; capturedAt: Date; paymentDueAt: Date | null; shipBy: Date | null; deliverBy: Date | null; validatedAt: Date | null;
  /** from when its dates count, where it was dated anew */
  promiseFrom: Date | null;
  approvedRules: number[]; routeAfter: Date | null; forcedLocationId: number | null; forcedCarrier: string | null; holdReason: string | null;
  deliveredAt: Date | null; returnUntil: Date | null; closedAt: Date | null; version: number;
  /** how its routing hurries, since its promise was at risk */
  hurry: Hurry | null;
  /** where its wave wants it sent from */
  waveLocations: string[] | null;
  /** the wave that it was gathered in, unless it has changed since */
  waveId: string | null;
  way: Way;
};

export type OrderLine = {
  lineNo: number; skuId: number | null; skuCode: string; quantity: number; cancelled: number; issued: number; returned: number; refunded: number;
  gift: boolean; priced: PricedLine; bundle: { sku: string; line: number } | null;
};

export type FulfillmentOrder = {
  id: string; orderId: string; locationId: number; status: FulfillmentStatus; attempt: number; carrier: string | null; waybillNo: string | null;
  partnerRef: string | null; acceptBy: Date | null; escalatedAt: Date | null; rerouteAt: Date | null; askAgainAt: Date | null; replan: boolean; service: string; cancelRequestedAt: Date | null; cancelOutcome: string | null;
};

const ORDER = `id, channel_id "channelId", external_id "externalId", type, status, payment_status "paymentStatus", currency, total_amount total,
  location_id "locationId", allotment_id "allotmentId", parent_id "parentId", person_id "personId", contact_id "contactId", address_hash "addressHash", dest_country country, dest_province province,
  dest_city city, dest_district district, priority, scheduled_from "scheduledFrom", ordered_at "orderedAt", captured_at "capturedAt", payment_due_at "paymentDueAt",
  ship_by "shipBy", deliver_by "deliverBy", promise_from "promiseFrom", validated_at "validatedAt", approved_rules "approvedRules", route_after "routeAfter",
  forced_location_id "forcedLocationId", forced_carrier "forcedCarrier", hold_reason "holdReason", delivered_at "deliveredAt", return_until "returnUntil",
  closed_at "closedAt", version, hurry, wave_locations "waveLocations", wave_id "waveId", way`;

export const FULFILLMENT_ORDER = `id, order_id "orderId", location_id "locationId", status, attempt, carrier, waybill_no "waybillNo", partner_ref "partnerRef",
  accept_by "acceptBy", escalated_at "escalatedAt", reroute_at "rerouteAt", ask_again_at "askAgainAt", replan, service, cancel_requested_at "cancelRequestedAt", cancel_outcome "cancelOutcome"`;

/** Locks an order; every change of an order or of what belongs to it begins here. Throws Problem not_found. */
export async function lockOrder(tx: Tx, orderId: string): Promise<Order> {
  const { rows: [row] } = await tx.client.query<Order>({
    name: 'order_lock', text: `select ${ORDER} from orders where id = $1 for no key update`, values: [orderId],
  });
  if (!row) throw new Problem('not_found', `order ${encodeId('ord', orderId)} does not exist`);
  tx.locked.add(orderId);
  return row;
}

/** An order as it stands, without a lock; null where there is none. */
export async function readOrder(tx: Tx, orderId: string): Promise<Order | null> {
  const { rows: [row] } = await tx.client.query<Order>({ name: 'order_read', text: `select ${ORDER} from orders where id = $1`, values: [orderId] });
  return row ?? null;
}

export async function readLines(client: pg.ClientBase | pg.Pool, orderId: string): Promise<OrderLine[]> {
  const { rows } = await client.query<{
    line_no: number; sku_id: number | null; sku_code: string; quantity: number; cancelled_quantity: number; issued_quantity: number; returned_quantity: number;
    refunded_quantity: number; gift: boolean; unit_price: number; list_amount: number; discount_amount: number; freight_share: number; net_amount: number;
    discounts: PricedLine['discounts'] | null; bundle_sku: string | null; bundle_line: number | null;
  }>({ name: 'lines_read', text: 'select * from order_lines where order_id = $1 order by line_no', values: [orderId] });
  return rows.map((r) => ({
    lineNo: r.line_no, skuId: r.sku_id, skuCode: r.sku_code, quantity: r.quantity, cancelled: r.cancelled_quantity, issued: r.issued_quantity,
    returned: r.returned_quantity, refunded: r.refunded_quantity, gift: r.gift, bundle: r.bundle_sku === null || r.bundle_line === null ? null : { sku: r.bundle_sku, line: r.bundle_line },
    priced: {
      lineNo: r.line_no, quantity: r.quantity, unitPrice: r.unit_price, listAmount: r.list_amount, discounts: r.discounts ?? [],
      discountAmount: r.discount_amount, freightShare: r.freight_share, netAmount: r.net_amount,
    },
  }));
}

/** What a location gave back stands: it is not asked again yet. */
export function gaveBack(f: FulfillmentOrder, now: Date): boolean { return f.status === 'rejected' && (f.askAgainAt === null || f.askAgainAt > now); }

export async function readFulfillments(client: pg.ClientBase | pg.Pool, orderId: string): Promise<FulfillmentOrder[]> {
  const { rows } = await client.query<FulfillmentOrder>({
    name: 'fulfillments_read', text: `select ${FULFILLMENT_ORDER} from fulfillment_orders where order_id = $1 order by routed_at, id`, values: [orderId],
  });
  return rows;
}

/** Units of each line that no living fulfillment order carries: active − Σ(fulfillment quantity − short). */
export async function unroutedUnits(client: pg.ClientBase | pg.Pool, orderId: string): Promise<Map<number, number>> {
  const { rows } = await client.query<{ line_no: number; open: number }>({
    name: 'unrouted_units',
    text: `select l.line_no, l.quantity - l.cancelled_quantity - coalesce(sum(f.quantity - f.short_quantity), 0) open
      from order_lines l left join (fulfillment_order_lines f join fulfillment_orders o on o.id = f.fulfillment_order_id and o.status not in ('rejected', 'cancelled'))
        on o.order_id = l.order_id and f.line_no = l.line_no
      where l.order_id = $1 group by l.line_no, l.quantity, l.cancelled_quantity`,
    values: [orderId],
  });
  return new Map(rows.flatMap((r) => (r.open > 0 ? [[r.line_no, Number(r.open)] as const] : [])));
}

/**
 * Derives the summary status anew and writes it where it changed, with its event. Call last in every change of an order,
 * under the order's lock. Returns the status.
 */
export async function refreshStatus(tx: Tx, order: Order, actor: string): Promise<OrderStatus> {
  const row = await tx.one<{ held: string | null; waiting: boolean; active: number; unrouted: number; statuses: FulfillmentStatus[] }>(
    `select (select reason from order_holds where order_id = $1 and released_at is null order by id limit 1) held,
       exists (select from shortages where order_id = $1 and status = 'open') or exists (select from reservations r join stock_levels v on v.id = r.level_id and v.supply_id <> 0
         where r.order_id = $1 and r.status in ('held', 'confirmed')) waiting,
       (select coalesce(sum(quantity - cancelled_quantity), 0)::int from order_lines where order_id = $1) active,
       (select coalesce(sum(quantity - cancelled_quantity), 0)::int from order_lines where order_id = $1)
         - (select coalesce(sum(f.quantity - f.short_quantity), 0)::int from fulfillment_order_lines f join fulfillment_orders o on o.id = f.fulfillment_order_id
            where o.order_id = $1 and o.status not in ('rejected', 'cancelled')) unrouted,
       array(select status from fulfillment_orders where order_id = $1 order by id) statuses`, [order.id]);
  if (!row) throw new Error('unreachable: an aggregate query returns a row');
  const next = deriveStatus({
    current: order.status, heldOpen: row.held !== null, awaitingPayment: isPaymentDue(order.paymentStatus), validated: order.validatedAt !== null,
    waitingForStock: row.waiting, unroutedUnits: row.unrouted, fulfillments: row.statuses.filter((s) => !VOID.has(s)),
    cancelledWhole: row.active === 0, windowOver: order.closedAt !== null,
  });
  if (next === 'delivered' && !order.deliveredAt) await settleDelivery(tx, order);
  const changed = next !== order.status;
  if (changed || row.held !== order.holdReason) {
    await tx.query(`update orders set status = $2, hold_reason = $3, version = version + 1, closed_at = case when $2 = 'cancelled' then $4 else closed_at end where id = $1`,
      [order.id, next, row.held, tx.now]);
    if (changed) await tx.event(order.id, `order.${next}`, actor);
  }
  order.status = next;
  order.holdReason = row.held;
  return next;
}

/**
 * The first moment at which everything that will arrive has arrived (or come back) opens the return window of the channel; delivered it was when the carrier says, which may be long before we were told, though never
 * before it left.
 */
async function settleDelivery(tx: Tx, order: Order): Promise<void> {
  const row = await tx.one<{ until: Date; came: Date | null }>(
    `select $2::timestamptz + make_interval(secs => c.return_window_s) until,
       (select max(least($2, greatest(s.issued_at, case p.milestone when 'delivered' then p.delivered_at when 'lost' then p.lost_refunded_at else p.milestone_at end)))
         from parcels p join shipments s on s.id = p.shipment_id where p.order_id = $1) came
     from channels c where c.id = $3`, [order.id, tx.now, order.channelId]);
  if (!row) throw new Error(`channel ${order.channelId} does not exist`);
  order.deliveredAt = row.came ?? tx.now;
  order.returnUntil = row.until;
  await tx.query('update orders set delivered_at = $2, return_until = $3 where id = $1', [order.id, order.deliveredAt, order.returnUntil]);
}
