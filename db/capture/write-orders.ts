import type pg from 'pg';
import { ColumnLiterals } from '../array-literal.ts';
import type { Vault } from '../vault.ts';
import type { Decision } from './decide.ts';
import type { PreparedOrder } from './prepare.ts';
import { holdOf } from './answer.ts';

const HEAD = ['raw', 'raw', 'text', 'raw', 'raw', 'raw', 'raw', 'raw', 'raw', 'raw', 'raw', 'bytes', 'raw', 'raw', 'raw', 'raw', 'bytes', 'text', 'text', 'text', 'text',
  'raw', 'raw', 'raw', 'raw', 'raw', 'raw', 'raw', 'raw', 'raw', 'raw', 'raw', 'raw'] as const;

/**
 * What needs no lock on stock: heads, lines and contacts. Written before the levels are locked, so that hot levels stay locked for half the time.
 * Parameters: heads 1–33, lines 34–45, contacts 46–48.
 */
const WRITE = `with
  heads as (insert into orders (id, channel_id, external_id, type, status, payment_status, currency, list_amount, discount_amount, freight_amount,
      total_amount, body_hash, location_id, parent_id, person_id, contact_id, address_hash, dest_country, dest_province, dest_city, dest_district,
      priority, invoice_requested, has_remarks, scheduled_from, scheduled_to, ordered_at, captured_at, payment_due_at, ship_by, deliver_by,
      route_after, hold_reason)
    select * from unnest($1::uuid[], $2::smallint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::bigint[], $10::bigint[],
      $11::bigint[], $12::bytea[], $13::int[], $14::uuid[], $15::uuid[], $16::uuid[], $17::bytea[], $18::text[], $19::text[], $20::text[], $21::text[],
      $22::smallint[], $23::bool[], $24::bool[], $25::timestamptz[], $26::timestamptz[], $27::timestamptz[], $28::timestamptz[], $29::timestamptz[],
      $30::timestamptz[], $31::timestamptz[], $32::timestamptz[], $33::text[])
    on conflict (channel_id, external_id) do nothing returning id, contact_id),
  lines as (insert into order_lines (order_id, line_no, sku_id, sku_code, quantity, unit_price, list_amount, discount_amount, freight_share, net_amount, discounts, gift)
    select o, l, s, c, q, u, la, da, f, n, d::jsonb, g from unnest($34::uuid[], $35::int[], $36::int[], $37::text[], $38::int[], $39::bigint[], $40::bigint[], $41::bigint[],
      $42::bigint[], $43::bigint[], $44::text[], $45::bool[]) as t(o, l, s, c, q, u, la, da, f, n, d, g) where o in (select id from heads)),
  contacts as (insert into vault_records (id, person_id, kind, ciphertext)
    select i, p, 'contact', decode(c, 'base64') from unnest($46::uuid[], $47::uuid[], $48::text[]) as t(i, p, c) where i in (select contact_id from heads))
  select id from heads`;

export type NewOrder = { order: PreparedOrder; decision: Decision; person: { id: string; key: Buffer }; contactId: string };

/** Writes orders with their lines and contacts: the unique key decides which are new. Returns the ids that were written. */
export async function writeOrders(client: pg.ClientBase, rows: readonly NewOrder[], vault: Vault): Promise<Set<string>> {
  const sorted = [...rows].sort((a, b) => a.order.channel.id - b.order.channel.id || (a.order.intake.externalId < b.order.intake.externalId ? -1 : 1));
  const columns = new ColumnLiterals(...HEAD);
  const lines = new ColumnLiterals('raw', 'raw', 'raw', 'text', 'raw', 'raw', 'raw', 'raw', 'raw', 'raw', 'text', 'raw');
  const contacts = new ColumnLiterals('raw', 'raw', 'raw');
  for (const { order: o, decision, person, contactId } of sorted) {
    columns.push(
      o.id, o.channel.id, o.intake.externalId, o.type, holdOf(decision) !== null ? 'on_hold' : o.payBy ? 'awaiting_payment' : 'captured', o.payment,
      o.intake.currency, o.list, o.discount, o.freight, o.total, o.bodyHash, o.locationId, o.parentId, person.id, contactId, o.addressHash,
      o.destination.country, o.destination.province, o.destination.city, o.intake.shipTo.district ?? null, o.intake.priority ?? 0,
      o.contact.invoice !== null, o.contact.buyerRemark !== null || o.contact.sellerRemark !== null, o.scheduledFrom, o.scheduledTo, o.orderedAt,
      o.capturedAt, o.payBy, o.shipBy ?? decision.promise?.shipBy ?? null, decision.promise?.deliverBy ?? null, routeAfter(o), holdOf(decision),
    );
    for (const { lineNo, skuId, skuCode, quantity, gift, priced: p } of o.lines) {
      lines.push(o.id, lineNo, skuId, skuCode, quantity, p.unitPrice, p.listAmount, p.discountAmount, p.freightShare, p.netAmount,
        p.discounts.length > 0 ? JSON.stringify(p.discounts) : null, gift);
    }
    contacts.push(contactId, person.id, vault.sealContact(person, o.contact).toString('base64'));
  }
  const result = await client.query<{ id: string }>({ name: 'capture_orders', text: WRITE, values: [columns, lines, contacts].flatMap((c) => c.values()) });
  return new Set(result.rows.map((row) => row.id));
}

/** Routing waits for the channel's merge window, and for a scheduled delivery until its day. */
function routeAfter(order: PreparedOrder): Date | null {
  const window = order.channel.mergeWindowS > 0 ? order.capturedAt.getTime() + order.channel.mergeWindowS * 1000 : 0;
  const at = Math.max(window, order.scheduledFrom?.getTime() ?? 0);
  return at > 0 ? new Date(at) : null;
}
