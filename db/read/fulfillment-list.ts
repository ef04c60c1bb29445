import type pg from 'pg';
import { encodeId } from '../../domain/ids.ts';
import type { FulfillmentStatus } from '../../domain/order/status.ts';
import { VOID } from '../../domain/order/status.ts';
import type { ShipTo, Vault } from '../vault.ts';
import { FULFILLMENT_LINES } from './order-goods.ts';

/** A fulfillment order as its location works on it. `shipTo` is left out unless asked for; null when the receiver is erased, or the order is no longer here. */
export type FulfillmentWork = {
  id: string; order: string; location: string; status: string; carrier: string | null; service: string; waybillNo: string | null; priority: number; shipBy: string | null;
  routedAt: string; acceptBy: string | null; remindedAt: string | null; rerouteAt: string | null; cancelRequested: boolean; lines: { line: number; sku: string | null; quantity: number; short: number; issued: number }[]; shipTo?: ShipTo | null;
};
type Row = {
  id: string; order_id: string; location: string; status: FulfillmentStatus; carrier: string | null; service: string; waybill_no: string | null; priority: number; ship_by: Date | null;
  routed_at: Date; accept_by: Date | null; reminded_at: Date | null; reroute_at: Date | null; cancel: boolean; lines: FulfillmentWork['lines']; contact_id: string;
};

/** Oldest first: what has waited longest is worked on first. `after` is an inside id; `next` the cursor of the following page. */
export async function listFulfillments(
  pool: pg.Pool, vault: Vault, filter: { locationId: number | null; status: FulfillmentStatus | null; after: string | null; limit: number; personal: boolean },
): Promise<{ fulfillmentOrders: FulfillmentWork[]; next: string | null }> {
  const { rows } = await pool.query<Row>({
    name: 'fulfillment_list',
    text: `select f.id, f.order_id, l.code location, f.status, f.carrier, f.service, f.waybill_no, o.priority, o.ship_by, f.routed_at, f.accept_by, f.escalated_at reminded_at, f.reroute_at,
        f.cancel_requested_at is not null cancel, ${FULFILLMENT_LINES} lines, coalesce(f.contact_id, o.contact_id) contact_id
      from fulfillment_orders f join orders o on o.id = f.order_id join locations l on l.id = f.location_id
      where ($1::int is null or f.location_id = $1) and ($2::text is null or f.status = $2) and ($3::uuid is null or f.id > $3) order by f.id limit $4`,
    values: [filter.locationId, filter.status, filter.after, filter.limit + 1],
  });
  const page: FulfillmentWork[] = [];
  for (const f of rows.slice(0, filter.limit)) {
    const receiver = filter.personal && !VOID.has(f.status) ? (await vault.readContact(pool, f.contact_id))?.shipTo ?? null : null;
    page.push({
      id: encodeId('ful', f.id), order: encodeId('ord', f.order_id), location: f.location, status: f.status, carrier: f.carrier, service: f.service, waybillNo: f.waybill_no, priority: f.priority,
      shipBy: f.ship_by?.toISOString() ?? null, routedAt: f.routed_at.toISOString(), acceptBy: f.accept_by?.toISOString() ?? null, remindedAt: f.reminded_at?.toISOString() ?? null, rerouteAt: f.reroute_at?.toISOString() ?? null, cancelRequested: f.cancel, lines: f.lines,
      ...(filter.personal ? { shipTo: receiver } : {}),
    });
  }
  return { fulfillmentOrders: page, next: rows.length > filter.limit ? page.at(-1)?.id ?? null : null };
}
