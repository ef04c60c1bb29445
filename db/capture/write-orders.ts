import type pg from 'pg';
import { decodeId } from '../../domain/ids.ts';
import { BulkRows, names, unnest } from '../array-literal.ts';
import { isPricedHere } from '../promotions/facts.ts';
import type { Vault } from '../vault.ts';
import type { Decision } from './decide.ts';
import type { PreparedOrder } from './prepare.ts';
import { holdOf } from './answer.ts';
import { routeAfter } from './route-after.ts';

const HEADS = [['id', 'uuid'], ['channel_id', 'smallint'], ['external_id', 'text'], ['type', 'text'], ['status', 'text'], ['payment_status', 'text'],
  ['currency', 'text'], ['list_amount', 'bigint'], ['discount_amount', 'bigint'], ['freight_amount', 'bigint'], ['total_amount', 'bigint'], ['body_hash', 'bytea'],
  ['location_id', 'int'], ['allotment_id', 'int'], ['parent_id', 'uuid'], ['person_id', 'uuid'], ['contact_id', 'uuid'], ['address_hash', 'bytea'],
  ['dest_country', 'text'], ['dest_province', 'text'], ['dest_city', 'text'], ['dest_district', 'text'], ['priority', 'smallint'],
  ['invoice_requested', 'bool'], ['has_remarks', 'bool'], ['scheduled_from', 'timestamptz'], ['scheduled_to', 'timestamptz'], ['ordered_at', 'timestamptz'],
  ['captured_at', 'timestamptz'], ['payment_due_at', 'timestamptz'], ['ship_by', 'timestamptz'], ['deliver_by', 'timestamptz'], ['route_after', 'timestamptz'],
  ['hold_reason', 'text'], ['deposit_amount', 'bigint'], ['way', 'text'], ['forced_location_id', 'int'], ['priced_here', 'bool'], ['ship_by_given', 'bool']] as const;
const LINES = [['order_id', 'uuid'], ['line_no', 'int'], ['sku_id', 'int'], ['sku_code', 'text'], ['quantity', 'int'], ['unit_price', 'bigint'], ['list_amount', 'bigint'],
  ['discount_amount', 'bigint'], ['freight_share', 'bigint'], ['net_amount', 'bigint'], ['discounts', 'jsonb'], ['gift', 'bool'],
  ['bundle_sku', 'text'], ['bundle_line', 'int'], ['given_by', 'uuid']] as const;
/** The ciphertext travels as base64: hexadecimal would be half as long again. */
const CONTACTS = [['id', 'uuid'], ['person_id', 'uuid'], ['sealed', 'text']] as const;

/** What needs no lock on stock: heads, lines and contacts. Written before the levels are locked, so that hot levels stay locked for half the time. */
const WRITE = `with
  heads as (insert into orders (${names(HEADS)}) select * from ${unnest(HEADS, 1)} on conflict (channel_id, external_id) do nothing returning id, contact_id),
  lines as (insert into order_lines (${names(LINES)}) select t.* from ${unnest(LINES, 1 + HEADS.length)} where t.order_id in (select id from heads)),
  contacts as (insert into vault_records (id, person_id, kind, ciphertext) select t.id, t.person_id, 'contact', decode(t.sealed, 'base64')
    from ${unnest(CONTACTS, 1 + HEADS.length + LINES.length)} where t.id in (select contact_id from heads))
  select id from heads`;

export type NewOrder = { order: PreparedOrder; decision: Decision; person: { id: string; key: Buffer }; contactId: string };

/** Writes orders with their lines and contacts: the unique key decides which are new. Returns the ids that were written. */
export async function writeOrders(client: pg.ClientBase, rows: readonly NewOrder[], vault: Vault): Promise<Set<string>> {
  const sorted = [...rows].sort((a, b) => a.order.channel.id - b.order.channel.id || (a.order.intake.externalId < b.order.intake.externalId ? -1 : 1));
  const heads = new BulkRows(HEADS);
  const lines = new BulkRows(LINES);
  const contacts = new BulkRows(CONTACTS);
  for (const { order: o, decision, person, contactId } of sorted) {
    heads.push(
      o.id, o.channel.id, o.intake.externalId, o.type, holdOf(decision) !== null ? 'on_hold' : o.payBy ? 'awaiting_payment' : 'captured', o.payment,
      o.intake.currency, o.list, o.discount, o.freight, o.total, o.bodyHash, o.locationId, o.allotmentId, o.parentId, person.id, contactId, o.addressHash,
      o.destination.country, o.destination.province, o.destination.city, o.intake.shipTo.district ?? null, o.intake.priority ?? 0,
      o.contact.invoice !== null, o.contact.buyerRemark !== null || o.contact.sellerRemark !== null, o.scheduledFrom, o.scheduledTo, o.orderedAt,
      o.capturedAt, o.payBy, o.shipBy ?? decision.promise?.shipBy ?? null, decision.promise?.deliverBy ?? null, routeAfter(o), holdOf(decision), o.intake.payment.deposit ?? 0, o.pickup?.way ?? 'ship', o.forcedLocationId,
      isPricedHere(o.intake, o.channel), o.shipBy !== null,
    );
    for (const { lineNo, skuId, skuCode, quantity, gift, priced: p, bundle, given } of o.lines) {
      if (decision.dropped.includes(lineNo)) continue;
      lines.push(o.id, lineNo, skuId, skuCode, quantity, p.unitPrice, p.listAmount, p.discountAmount, p.freightShare, p.netAmount,
        p.discounts.length > 0 ? JSON.stringify(p.discounts) : null, gift, bundle?.sku ?? null, bundle?.line ?? null, given ? decodeId('prm', given.promotion) : null);
    }
    contacts.push(contactId, person.id, vault.sealContact(person, o.contact).toString('base64'));
  }
  const result = await client.query<{ id: string }>({ name: 'capture_orders', text: WRITE, values: [heads, lines, contacts].flatMap((c) => c.values()) });
  return new Set(result.rows.map((row) => row.id));
}
