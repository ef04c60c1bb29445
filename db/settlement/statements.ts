import type pg from 'pg';
import { Problem } from '../../domain/problem.ts';
import { encodeId } from '../../domain/ids.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import { claimReference, storeAnswer } from '../stock/receipts.ts';
import type { StockWriter } from '../stock-writer.ts';

export type Statement = { id: number; location: string; to: string; currency: string; amount: number; entries: number; status: 'closed' | 'paid'; closedAt: string; closedBy: string; paidAt: string | null; paymentReference: string | null };
export type Entry = {
  id: number; location: string; kind: 'goods' | 'handling' | 'return' | 'adjustment'; order: string | null; fulfillmentOrder: string | null; line: number | null; sku: string | null; units: number; net: number | null; amount: number | null; bookedAt: string; statement: number | null; note: string | null;
};
type Row = { id: string; location: string; period_to: Date; currency: string; amount: string; entries: number; status: Statement['status']; closed_at: Date; closed_by: string; paid_at: Date | null; payment_reference: string | null };

const STATEMENT = 'select s.id, l.code location, s.period_to, s.currency, s.amount, s.entries, s.status, s.closed_at, s.closed_by, s.paid_at, s.payment_reference from settlement_statements s join locations l on l.id = s.location_id';
const view = (r: Row): Statement => ({
  id: Number(r.id), location: r.location, to: r.period_to.toISOString(), currency: r.currency, amount: Number(r.amount), entries: r.entries, status: r.status, closedAt: r.closed_at.toISOString(), closedBy: r.closed_by,
  paidAt: r.paid_at?.toISOString() ?? null, paymentReference: r.payment_reference,
});

/** Puts everything that was booked before `to` and is on no statement on one. The same `to` again is the same statement. Throws Problem: `unprocessable` for a time to come or without terms, `conflict` while entries lack a price. */
export async function closeStatement(writer: StockWriter, locationId: number, to: Date, actor: string): Promise<number> {
  return writer.change(async (tx) => {
    if (to > tx.now) throw new Problem('unprocessable', 'a statement is of the past: `to` is not over yet', '/to');
    const party = await tx.one<{ currency: string }>('select currency from settlement_parties where location_id = $1 for no key update', [locationId]);
    if (!party) throw new Problem('unprocessable', 'this location has no settlement terms', '/location');
    const known = await tx.one<{ id: string }>('select id from settlement_statements where location_id = $1 and period_to = $2', [locationId, to]);
    if (known) return Number(known.id);
    const open = await tx.query<{ id: string; amount: string | null; sku: number | null }>(
      'select id, amount, sku_id sku from settlement_entries where location_id = $1 and statement_id is null and booked_at < $2 order by id for no key update', [locationId, to]);
    const unpriced = open.filter((e) => e.amount === null);
    if (unpriced.length > 0) {
      const skus = await tx.query<{ code: string }>('select distinct code from skus where id = any($1::int[]) order by 1 limit 20', [unpriced.map((e) => e.sku)]);
      throw new Problem('conflict', `${unpriced.length} entries have no price: add terms for ${skus.map((s) => s.code).join(', ')} that were valid then`, null, { skus: skus.map((s) => s.code) });
    }
    const amount = open.reduce((sum, e) => sum + Number(e.amount), 0);
    const row = await tx.one<{ id: string }>(
      'insert into settlement_statements (location_id, period_to, currency, amount, entries, closed_at, closed_by) values ($1, $2, $3, $4, $5, $6, $7) returning id', [locationId, to, party.currency, amount, open.length, tx.now, actor]);
    if (!row) throw new Error('an insert returns its row');
    await tx.query('update settlement_entries set statement_id = $2 where id = any($1::bigint[])', [open.map((e) => e.id), row.id]);
    return Number(row.id);
  });
}

/** The statement was paid. The same reference again changes nothing. Throws Problem: not_found, `conflict` where it was paid under another one. */
export async function payStatement(writer: StockWriter, id: number, reference: string): Promise<void> {
  await writer.change(async (tx) => {
    const row = await tx.one<{ status: string; reference: string | null }>('select status, payment_reference reference from settlement_statements where id = $1 for no key update', [id]);
    if (!row) throw new Problem('not_found', `statement ${id} does not exist`);
    if (row.status === 'paid' && row.reference === reference) return;
    if (row.status === 'paid') throw new Problem('conflict', `it was paid as "${row.reference ?? ''}"`, '/reference');
    await tx.query(`update settlement_statements set status = 'paid', paid_at = $2, payment_reference = $3 where id = $1`, [id, tx.now, reference]);
  });
}

/** Something that no shipment says, for or against the location. One reference is one adjustment. Throws Problem `unprocessable` without terms. */
export async function adjust(writer: StockWriter, locationId: number, wish: { reference: string; amount: number; note: string }): Promise<void> {
  await writer.change(async (tx) => {
    const source = `settlement:${locationId}`;
    if (await claimReference<{ done: true }>(tx, source, wish.reference, wish)) return;
    if (!await tx.one('select 1 from settlement_parties where location_id = $1', [locationId])) throw new Problem('unprocessable', 'this location has no settlement terms', '/location');
    await tx.query(`insert into settlement_entries (location_id, kind, units, amount, booked_at, cause_id, note) values ($1, 'adjustment', 0, $2, $3, $4, $5)`, [locationId, wish.amount, tx.now, uuidv7(), wish.note]);
    await storeAnswer(tx, source, wish.reference, { done: true });
  });
}

export async function listStatements(pool: pg.Pool, locationId: number | null): Promise<Statement[]> {
  return (await pool.query<Row>(`${STATEMENT} where $1::int is null or s.location_id = $1 order by s.id desc limit 500`, [locationId])).rows.map(view);
}

/** Throws Problem not_found; another location's is as if it did not exist. */
export async function readStatement(pool: pg.Pool, id: number, onlyLocation: number | null): Promise<Statement> {
  const { rows: [row] } = await pool.query<Row>(`${STATEMENT} where s.id = $1 and ($2::int is null or s.location_id = $2)`, [id, onlyLocation]);
  if (!row) throw new Problem('not_found', `statement ${id} does not exist`);
  return view(row);
}

/** Entries in the order they were booked. `open`: those on no statement. */
export async function listEntries(pool: pg.Pool, filter: { locationId: number | null; statement: number | null; open: boolean; after: number; limit: number }): Promise<Entry[]> {
  const { rows } = await pool.query<{ id: string; location: string; kind: Entry['kind']; order_id: string | null; fulfillment_order_id: string | null; line_no: number | null; sku: string | null; units: number; net: string | null; amount: string | null; booked_at: Date; statement_id: string | null; note: string | null }>(
    `select e.*, l.code location, k.code sku from settlement_entries e join locations l on l.id = e.location_id left join skus k on k.id = e.sku_id
     where ($1::int is null or e.location_id = $1) and ($2::bigint is null or e.statement_id = $2) and (not $3 or e.statement_id is null) and e.id > $4 order by e.id limit $5`,
    [filter.locationId, filter.statement, filter.open, filter.after, filter.limit]);
  const money = (text: string | null): number | null => (text === null ? null : Number(text));
  return rows.map((r) => ({
    id: Number(r.id), location: r.location, kind: r.kind, order: r.order_id && encodeId('ord', r.order_id), fulfillmentOrder: r.fulfillment_order_id && encodeId('ful', r.fulfillment_order_id), line: r.line_no, sku: r.sku, units: r.units,
    net: money(r.net), amount: money(r.amount), bookedAt: r.booked_at.toISOString(), statement: r.statement_id === null ? null : Number(r.statement_id), note: r.note,
  }));
}
