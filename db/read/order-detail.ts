import type pg from 'pg';
import { encodeId } from '../../domain/ids.ts';
import type { Bearer } from '../../domain/order/pricing.ts';
import { readLines } from '../orders/order.ts';
import { inTransaction, SNAPSHOT } from '../transaction.ts';
import type { Contact, Vault } from '../vault.ts';
import { fulfillmentsOf, type FulfillmentView } from './order-goods.ts';
import { noSuchOrder, ownOrder } from './own-orders.ts';
import { refundsOf, type RefundView } from './refunds.ts';
import { returnsOf, type ReturnView } from './returns.ts';

/** An order with all that belongs to it. Money in minor units, times ISO 8601. `contact` is left out unless asked for, null when the person is erased. */
export type OrderDetail = {
  id: string; channel: string; externalId: string; type: string; status: string; holdReason: string | null; paymentStatus: string; payBy: string | null;
  money: { currency: string; list: number; discount: number; freight: number; total: number; deposit: number };
  location: string | null; way: string; pickupAt: string | null; parent: string | null; destination: { country: string; province: string; city: string; district: string | null };
  priority: number; scheduled: { from: string; to: string | null } | null; invoiceRequested: boolean;
  orderedAt: string; capturedAt: string; validatedAt: string | null; shipBy: string | null; deliverBy: string | null; deliveredAt: string | null;
  returnUntil: string | null; closedAt: string | null; version: number;
  lines: LineView[];
  reservations: { line: number; location: string; units: number; status: string; fulfillmentOrder: string | null }[];
  shortages: { line: number; units: number; cause: string; deadline: string; status: string }[];
  holds: { id: number; reason: string; detail: string | null; placedAt: string; placedBy: string; releasedAt: string | null; releasedBy: string | null; note: string | null }[];
  fulfillmentOrders: FulfillmentView[]; returns: ReturnView[]; refunds: RefundView[];
  refundRequests: { id: string; status: string; reason: string; requestedAt: string; requestedBy: string; closedAt: string | null }[];
  timeline: { at: string; type: string; actor: string; data: unknown }[];
  contact?: Contact | null;
};
type LineView = {
  line: number; sku: string; quantity: number; cancelled: number; issued: number; returned: number; refunded: number; gift: boolean; bundle: { sku: string; line: number } | null;
  unitPrice: number; list: number; discount: number; freight: number; net: number; discounts: { bearer: Bearer; code: string; amount: number; promotion?: string }[];
};

type Head = {
  channel: string; external_id: string; type: string; status: string; hold_reason: string | null; payment_status: string; payment_due_at: Date | null; currency: string;
  list_amount: number; discount_amount: number; freight_amount: number; total_amount: number; deposit_amount: number; location: string | null; way: string; pickup_at: string | null; parent_id: string | null; contact_id: string;
  dest_country: string; dest_province: string; dest_city: string; dest_district: string | null; priority: number; scheduled_from: Date | null; scheduled_to: Date | null;
  invoice_requested: boolean; ordered_at: Date; captured_at: Date; validated_at: Date | null; ship_by: Date | null; deliver_by: Date | null; delivered_at: Date | null;
  return_until: Date | null; closed_at: Date | null; version: number; may_see_people: boolean;
};
const iso = (date: Date | null): string | null => date?.toISOString() ?? null;

/**
 * Reads an order as it is at one moment: all parts from one snapshot. `onlyLocation`: the location that the key is bound to; another's order throws
 * not_found. Such a key sees the contact as long as its location took the order or still has a part of it: who gave an order back needs it no more.
 */
export async function readOrder(pool: pg.Pool, vault: Vault, id: string, access: { onlyLocation: number | null; personal: boolean }): Promise<OrderDetail> {
  const order = await inTransaction(pool, (client) => assemble(client, vault, id, access), SNAPSHOT);
  if (order === null) throw noSuchOrder(encodeId('ord', id));
  return order;
}

async function assemble(client: pg.ClientBase, vault: Vault, id: string, { onlyLocation, personal }: { onlyLocation: number | null; personal: boolean }): Promise<OrderDetail | null> {
  const { rows: [o] } = await client.query<Head>({
    name: 'order_detail',
    text: `select o.*, c.code channel, l.code location, case when o.way <> 'ship' then (select code from locations p where p.id = o.forced_location_id) end pickup_at, ($2::int is null or o.location_id = $2 or exists (select from fulfillment_orders f
        where f.order_id = o.id and f.location_id = $2 and f.status not in ('rejected', 'cancelled'))) may_see_people
      from orders o join channels c on c.id = o.channel_id left join locations l on l.id = o.location_id
      where o.id = $1 and ($2::int is null or ${ownOrder('o', '$2')})`,
    values: [id, onlyLocation],
  });
  if (!o) return null;
  return {
    id: encodeId('ord', id), channel: o.channel, externalId: o.external_id, type: o.type, status: o.status, holdReason: o.hold_reason, paymentStatus: o.payment_status,
    payBy: iso(o.payment_due_at),
    money: { currency: o.currency, list: o.list_amount, discount: o.discount_amount, freight: o.freight_amount, total: o.total_amount, deposit: o.deposit_amount },
    location: o.location, way: o.way, pickupAt: o.pickup_at, parent: o.parent_id === null ? null : encodeId('ord', o.parent_id),
    destination: { country: o.dest_country, province: o.dest_province, city: o.dest_city, district: o.dest_district }, priority: o.priority,
    scheduled: o.scheduled_from && { from: o.scheduled_from.toISOString(), to: iso(o.scheduled_to) }, invoiceRequested: o.invoice_requested,
    orderedAt: o.ordered_at.toISOString(), capturedAt: o.captured_at.toISOString(), validatedAt: iso(o.validated_at), shipBy: iso(o.ship_by), deliverBy: iso(o.deliver_by),
    deliveredAt: iso(o.delivered_at), returnUntil: iso(o.return_until), closedAt: iso(o.closed_at), version: o.version,
    lines: (await readLines(client, id)).map((l) => ({
      line: l.lineNo, sku: l.skuCode, quantity: l.quantity, cancelled: l.cancelled, issued: l.issued, returned: l.returned, refunded: l.refunded, gift: l.gift, bundle: l.bundle,
      unitPrice: l.priced.unitPrice, list: l.priced.listAmount, discount: l.priced.discountAmount, freight: l.priced.freightShare, net: l.priced.netAmount,
      discounts: l.priced.discounts.map(({ bearer, code, amount, promotion }) => ({ bearer, code, amount, ...(promotion === undefined ? {} : { promotion }) })),
    })),
    ...(await waiting(client, id)),
    fulfillmentOrders: await fulfillmentsOf(client, id), returns: await returnsOf(client, id), refunds: await refundsOf(client, id),
    ...(await told(client, id)),
    ...(personal && o.may_see_people ? { contact: await vault.readContact(client, o.contact_id) } : {}),
  };
}

/** What an order has, what it lacks, and what keeps it. */
async function waiting(client: pg.ClientBase, id: string): Promise<Pick<OrderDetail, 'reservations' | 'shortages' | 'holds'>> {
  const reservations = await client.query<{ line: number; location: string; units: number; status: string; fulfillment: string | null }>({
    name: 'order_detail_reservations',
    text: `select r.line_no line, l.code location, r.quantity units, r.status, r.fulfillment_order_id fulfillment
      from reservations r join stock_levels v on v.id = r.level_id join locations l on l.id = v.location_id where r.order_id = $1 order by r.line_no, r.seq`,
    values: [id],
  });
  const shortages = await client.query<{ line: number; units: number; cause: string; deadline: Date; status: string }>({
    name: 'order_detail_shortages', text: 'select line_no line, quantity units, cause, deadline, status from shortages where order_id = $1 order by line_no, id', values: [id],
  });
  const holds = await client.query<{ id: number; reason: string; detail: string | null; placed: Date; placed_by: string; released: Date | null; released_by: string | null; note: string | null }>({
    name: 'order_detail_holds', text: 'select id, reason, detail, placed_at placed, placed_by, released_at released, released_by, note from order_holds where order_id = $1 order by id', values: [id],
  });
  return {
    reservations: reservations.rows.map(({ fulfillment, ...r }) => ({ ...r, fulfillmentOrder: fulfillment === null ? null : encodeId('ful', fulfillment) })),
    shortages: shortages.rows.map((s) => ({ ...s, deadline: s.deadline.toISOString() })),
    holds: holds.rows.map((h) => ({
      id: h.id, reason: h.reason, detail: h.detail, placedAt: h.placed.toISOString(), placedBy: h.placed_by, releasedAt: iso(h.released), releasedBy: h.released_by, note: h.note,
    })),
  };
}

/** What was asked for and what happened. */
async function told(client: pg.ClientBase, id: string): Promise<Pick<OrderDetail, 'refundRequests' | 'timeline'>> {
  const requests = await client.query<{ id: string; status: string; reason: string; requested_at: Date; requested_by: string; closed_at: Date | null }>({
    name: 'order_detail_requests', text: 'select id, status, reason, requested_at, requested_by, closed_at from refund_requests where order_id = $1 order by id', values: [id],
  });
  const events = await client.query<{ at: Date; type: string; actor: string; data: unknown }>({
    name: 'order_detail_events', text: 'select at, type, actor, data from order_events where order_id = $1 order by id', values: [id],
  });
  return {
    refundRequests: requests.rows.map((r) => ({
      id: encodeId('rrq', r.id), status: r.status, reason: r.reason, requestedAt: r.requested_at.toISOString(), requestedBy: r.requested_by, closedAt: iso(r.closed_at),
    })),
    timeline: events.rows.map((e) => ({ ...e, at: e.at.toISOString() })),
  };
}
