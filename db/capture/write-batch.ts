import type pg from 'pg';
import { encodeId } from '../../domain/ids.ts';
import { urgency, type CaptureAnswer } from '../../domain/order/intake.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import type { Network } from '../network.ts';
import type { Vault } from '../vault.ts';
import type { Decision } from './decide.ts';
import type { PreparedOrder } from './prepare.ts';

export type Captured = { order: PreparedOrder; decision: Decision; personId: string; contactId: string; answer: CaptureAnswer };

export function holdOf(decision: Decision): string | null {
  return decision.missing.some((m) => m.cause === 'unknown_sku') ? 'unknown_sku' : null;
}

/** The answer is fixed at capture: a repetition gets the very same, whatever has become of the order since. */
export function answerOf(order: PreparedOrder, decision: Decision, network: Network): CaptureAnswer {
  return {
    id: encodeId('ord', order.id), channel: order.channel.code, externalId: order.intake.externalId,
    status: holdOf(decision) !== null ? 'on_hold' : order.payBy ? 'awaiting_payment' : 'captured',
    currency: order.intake.currency, total: order.total, payBy: order.payBy?.toISOString() ?? null,
    promise: decision.promise && { shipBy: decision.promise.shipBy.toISOString(), deliverBy: decision.promise.deliverBy.toISOString() },
    reserved: decision.picks.map((p) => ({ line: p.lineNo, location: network.locationById.get(p.locationId)?.code ?? '', quantity: p.quantity })),
    missing: decision.missing.map((m) => ({ line: m.lineNo, sku: m.skuCode, quantity: m.quantity, cause: m.cause })),
    capturedAt: order.capturedAt.toISOString(),
  };
}

const iso = (date: Date | null | undefined): string | null => (date ? date.toISOString() : null);

/** The heads of the orders: the unique key decides which are new. Returns the ids that were written. */
export async function insertHeads(client: pg.ClientBase, rows: readonly { order: PreparedOrder; decision: Decision; personId: string; contactId: string }[]): Promise<Set<string>> {
  const sorted = [...rows].sort((a, b) => a.order.channel.id - b.order.channel.id || (a.order.intake.externalId < b.order.intake.externalId ? -1 : 1));
  const col = <T>(pick: (row: (typeof rows)[number]) => T): T[] => sorted.map(pick);
  const result = await client.query<{ id: string }>({
    name: 'orders_insert',
    text: `insert into orders (id, channel_id, external_id, type, status, payment_status, currency, list_amount, discount_amount, freight_amount,
        total_amount, body_hash, location_id, parent_id, person_id, contact_id, address_hash, dest_country, dest_province, dest_city, dest_district,
        priority, invoice_requested, has_remarks, scheduled_from, scheduled_to, ordered_at, captured_at, payment_due_at, ship_by, deliver_by,
        route_after, hold_reason)
      select * from unnest($1::uuid[], $2::smallint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::bigint[], $10::bigint[],
        $11::bigint[], $12::bytea[], $13::int[], $14::uuid[], $15::uuid[], $16::uuid[], $17::bytea[], $18::text[], $19::text[], $20::text[], $21::text[],
        $22::smallint[], $23::bool[], $24::bool[], $25::timestamptz[], $26::timestamptz[], $27::timestamptz[], $28::timestamptz[], $29::timestamptz[],
        $30::timestamptz[], $31::timestamptz[], $32::timestamptz[], $33::text[])
      on conflict (channel_id, external_id) do nothing returning id`,
    values: [
      col((r) => r.order.id), col((r) => r.order.channel.id), col((r) => r.order.intake.externalId), col((r) => r.order.type),
      col((r) => (holdOf(r.decision) !== null ? 'on_hold' : r.order.payBy ? 'awaiting_payment' : 'captured')), col((r) => r.order.payment),
      col((r) => r.order.intake.currency), col((r) => r.order.list), col((r) => r.order.discount), col((r) => r.order.freight), col((r) => r.order.total),
      col((r) => r.order.bodyHash), col((r) => r.order.locationId), col((r) => r.order.parentId), col((r) => r.personId), col((r) => r.contactId),
      col((r) => r.order.addressHash), col((r) => r.order.destination.country), col((r) => r.order.destination.province),
      col((r) => r.order.destination.city), col((r) => r.order.intake.shipTo.district ?? null), col((r) => r.order.intake.priority ?? 0),
      col((r) => r.order.contact.invoice !== null), col((r) => r.order.contact.buyerRemark !== null || r.order.contact.sellerRemark !== null),
      col((r) => iso(r.order.scheduledFrom)), col((r) => iso(r.order.scheduledTo)), col((r) => iso(r.order.orderedAt)),
      col((r) => iso(r.order.capturedAt)), col((r) => iso(r.order.payBy)), col((r) => iso(r.order.shipBy ?? r.decision.promise?.shipBy)),
      col((r) => iso(r.decision.promise?.deliverBy)), col((r) => iso(routeAfter(r.order))), col((r) => holdOf(r.decision)),
    ],
  });
  return new Set(result.rows.map((row) => row.id));
}

/** Routing waits for the channel's merge window, and for a scheduled delivery until its day. */
function routeAfter(order: PreparedOrder): Date | null {
  const window = order.channel.mergeWindowS > 0 ? order.capturedAt.getTime() + order.channel.mergeWindowS * 1000 : 0;
  const at = Math.max(window, order.scheduledFrom?.getTime() ?? 0);
  return at > 0 ? new Date(at) : null;
}

/**
 * Everything else of a batch in one statement: a round trip costs both processes more than the rows do.
 * Order of parameters: lines 1–12, vault 13–15, levels 16–17, reservations and movements 18–23, events and outbox 24–28, shortages 29–34, holds 35–37.
 */
const WRITE = `with
  lines as (insert into order_lines (order_id, line_no, sku_id, sku_code, quantity, unit_price, list_amount, discount_amount, freight_share, net_amount, discounts, gift)
    select o, l, s, c, q, u, la, da, f, n, d::jsonb, g from unnest($1::uuid[], $2::int[], $3::int[], $4::text[], $5::int[], $6::bigint[], $7::bigint[], $8::bigint[],
      $9::bigint[], $10::bigint[], $11::text[], $12::bool[]) as t(o, l, s, c, q, u, la, da, f, n, d, g)),
  contacts as (insert into vault_records (id, person_id, kind, ciphertext)
    select i, p, 'contact', decode(c, 'base64') from unnest($13::uuid[], $14::uuid[], $15::text[]) as t(i, p, c)),
  levels as (update stock_levels l set reserved = l.reserved + d.r from unnest($16::bigint[], $17::int[]) as d(id, r) where l.id = d.id),
  movements as (insert into stock_movements (command_id, leg, level_id, d_on_hand, d_reserved, cause, order_id)
    select o, s, l, 0, q, 'capture', o from unnest($18::uuid[], $20::int[], $21::bigint[], $22::int[]) as t(o, s, l, q)),
  reserved as (insert into reservations (order_id, line_no, seq, level_id, quantity, status, expires_at)
    select o, n, s, l, q, 'held', e from unnest($18::uuid[], $19::int[], $20::int[], $21::bigint[], $22::int[], $23::timestamptz[]) as t(o, n, s, l, q, e)),
  events as (insert into order_events (order_id, type, at, actor, data)
    select o, 'order.captured', a, w, d::jsonb from unnest($24::uuid[], $25::timestamptz[], $26::text[], $27::text[]) as t(o, a, w, d)),
  news as (insert into outbox (topic, order_id, priority) select 'start', o, p from unnest($24::uuid[], $28::timestamptz[]) as t(o, p)),
  missing as (insert into shortages (order_id, line_no, sku_id, quantity, cause, deadline)
    select * from unnest($29::uuid[], $30::int[], $31::int[], $32::int[], $33::text[], $34::timestamptz[])),
  held as (insert into order_holds (order_id, reason, detail, placed_at, placed_by)
    select o, 'unknown_sku', d, a, 'system' from unnest($35::uuid[], $36::text[], $37::timestamptz[]) as t(o, d, a))
  select pg_notify('outbox', '')`;

/** Everything that belongs to the new orders of a batch; wakes the relays at its commit. */
export async function writeBatch(client: pg.ClientBase, batch: readonly Captured[], vault: Vault, persons: readonly { id: string; key: Buffer }[]): Promise<void> {
  const lines = columns(12);
  const picks = columns(6);
  const missing = columns(6);
  const holds = columns(3);
  const contacts = columns(3);
  const news = columns(5);
  const net = new Map<number, number>();
  batch.forEach(({ order, decision, personId, contactId, answer }, i) => {
    const captured = iso(order.capturedAt);
    for (const l of order.lines) {
      const p = l.priced;
      push(lines, order.id, l.lineNo, l.skuId, l.skuCode, l.quantity, p.unitPrice, p.listAmount, p.discountAmount, p.freightShare, p.netAmount,
        p.discounts.length > 0 ? JSON.stringify(p.discounts) : null, l.gift);
    }
    push(contacts, contactId, personId, vault.sealContact(persons[i] as { id: string; key: Buffer }, order.contact).toString('base64'));
    decision.picks.forEach((p, seq) => {
      net.set(p.levelId, (net.get(p.levelId) ?? 0) + p.quantity);
      push(picks, order.id, p.lineNo, seq, p.levelId, p.quantity, iso(order.payBy));
    });
    push(news, order.id, captured, order.actor, JSON.stringify(answer),
      iso(urgency(order.shipBy ?? decision.promise?.shipBy ?? null, order.capturedAt, order.intake.priority ?? 0)));
    const deadline = new Date(order.capturedAt.getTime() + order.channel.backorderWindowS * 1000).toISOString();
    for (const m of decision.missing) push(missing, order.id, m.lineNo, m.skuId, m.quantity, m.cause, deadline);
    if (holdOf(decision) !== null) push(holds, order.id, decision.missing.filter((m) => m.cause === 'unknown_sku').map((m) => m.skuCode).join(', '), captured);
  });
  await client.query({ name: 'capture_write', text: WRITE, values: [...lines, ...contacts, [...net.keys()], [...net.values()], ...picks, ...news, ...missing, ...holds] });
}

type Cell = string | number | boolean | null;
const columns = (count: number): Cell[][] => Array.from({ length: count }, () => []);
function push(into: Cell[][], ...row: Cell[]): void {
  for (let i = 0; i < row.length; i++) (into[i] as Cell[]).push(row[i] as Cell);
}

export function contactIds(count: number): string[] { return Array.from({ length: count }, () => uuidv7()); }
