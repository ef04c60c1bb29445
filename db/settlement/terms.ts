import type pg from 'pg';
import { Problem } from '../../domain/problem.ts';
import { owedIn, type Term } from '../../domain/settlement/terms.ts';
import type { Reader } from '../routing/reader.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';

export type TermInput = { sku: string | null; price?: number; percentOfNet?: number; validFrom?: string };
export type TermsInput = { currency: string; handlingFee: number; terms: TermInput[] };
export type TermsView = { location: string; currency: string; handlingFee: number; terms: { sku: string | null; price: number | null; percentOfNet: number | null; validFrom: string; author: string }[] };

const termOf = (row: { price: number | null; percent: number | null }): Term => (row.price !== null ? { price: Number(row.price) } : { percentOfNet: row.percent ?? 0 });

/** The terms of locations for SKUs at a moment, by `location|sku`; a SKU's own before the general one, of those the newest. */
export async function termsAt(tx: Reader, locationIds: readonly number[], skuIds: readonly number[], at: Date): Promise<Map<string, Term>> {
  const rows = await tx.query<{ at: number; sku: number; price: number | null; percent: number | null }>(
    `select distinct on (t.location_id, s) t.location_id "at", s sku, t.price, t.percent_of_net percent from settlement_terms t join unnest($2::int[]) s on t.sku_id is null or t.sku_id = s
     where t.location_id = any($1::int[]) and t.valid_from <= $3 order by t.location_id, s, t.sku_id nulls last, t.valid_from desc`, [locationIds, skuIds, at]);
  return new Map(rows.map((r) => [`${r.at}|${r.sku}`, termOf(r)]));
}

/** In what currency locations are settled, and the fee for each shipment, minor units of it. */
export async function partiesOf(tx: Reader, locationIds: readonly number[]): Promise<Map<number, { currency: string; fee: number }>> {
  const rows = await tx.query<{ id: number; currency: string; fee: number }>('select location_id id, currency, handling_fee fee from settlement_parties where location_id = any($1::int[])', [locationIds]);
  return new Map(rows.map((r) => [r.id, { currency: r.currency, fee: Number(r.fee) }]));
}

export async function readTerms(pool: pg.Pool, location: { id: number; code: string }): Promise<TermsView | null> {
  const { rows: [party] } = await pool.query<{ currency: string; fee: number }>('select currency, handling_fee fee from settlement_parties where location_id = $1', [location.id]);
  if (!party) return null;
  const { rows } = await pool.query<{ sku: string | null; price: number | null; percentOfNet: number | null; validFrom: Date; author: string }>(
    `select k.code sku, t.price, t.percent_of_net "percentOfNet", t.valid_from "validFrom", t.author from settlement_terms t left join skus k on k.id = t.sku_id where t.location_id = $1 order by k.code nulls last, t.valid_from`, [location.id]);
  return { location: location.code, currency: party.currency, handlingFee: Number(party.fee), terms: rows.map((r) => ({ ...r, price: r.price === null ? null : Number(r.price), validFrom: r.validFrom.toISOString() })) };
}

/**
 * Adds terms of a location and sets its fee; earlier terms stay as they were. Entries that no term priced are priced now, where one that was valid at their time has come. Throws Problem: `unknown_sku`,
 * `unprocessable` for a term that is neither or both, `conflict` for another term of the same time, or for another currency once something was booked.
 */
export async function putTerms(writer: StockWriter, locationId: number, input: TermsInput, author: string): Promise<void> {
  await writer.change(async (tx) => {
    await tx.query('select 1 from locations where id = $1 for no key update', [locationId]);
    const old = await tx.one<{ currency: string; booked: boolean }>('select currency, exists (select from settlement_entries where location_id = $1) booked from settlement_parties where location_id = $1', [locationId]);
    if (old?.booked && old.currency !== input.currency) throw new Problem('conflict', `it is settled in ${old.currency}: entries are booked`, '/currency');
    await tx.query(
      'insert into settlement_parties (location_id, currency, handling_fee) values ($1, $2, $3) on conflict (location_id) do update set currency = excluded.currency, handling_fee = excluded.handling_fee', [locationId, input.currency, input.handlingFee]);
    const skus = new Map((await tx.query<{ id: number; code: string }>('select id, code from skus where code = any($1::text[])', [input.terms.flatMap((t) => t.sku ?? [])])).map((r) => [r.code, r.id]));
    for (const [i, t] of input.terms.entries()) await writeTerm(tx, locationId, t, skus, `/terms/${i}`, author);
    await priceEntries(tx, locationId);
  });
}

async function writeTerm(tx: Tx, locationId: number, t: TermInput, skus: ReadonlyMap<string, number>, field: string, author: string): Promise<void> {
  if ((t.price === undefined) === (t.percentOfNet === undefined)) throw new Problem('unprocessable', 'give price or percentOfNet, one of them', field);
  const sku = t.sku === null ? null : skus.get(t.sku);
  if (sku === undefined) throw new Problem('unknown_sku', `SKU "${t.sku ?? ''}" is not known`, `${field}/sku`);
  const from = t.validFrom === undefined ? tx.now : new Date(t.validFrom);
  if (Number.isNaN(from.getTime())) throw new Problem('invalid', `"${t.validFrom ?? ''}" is no time`, `${field}/validFrom`);
  const written = await tx.query(
    `insert into settlement_terms (location_id, sku_id, price, percent_of_net, valid_from, author, created_at) values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning 1`,
    [locationId, sku, t.price ?? null, t.percentOfNet ?? null, from, author, tx.now]);
  if (written.length > 0) return;
  const same = await tx.one('select 1 from settlement_terms where location_id = $1 and sku_id is not distinct from $2::int and valid_from = $3 and price is not distinct from $4::bigint and percent_of_net is not distinct from $5::smallint',
    [locationId, sku, from, t.price ?? null, t.percentOfNet ?? null]);
  if (!same) throw new Problem('conflict', 'another term begins at the same moment: terms do not change, give a later validFrom', `${field}/validFrom`);
}

async function priceEntries(tx: Tx, locationId: number): Promise<void> {
  const open = await tx.query<{ id: number; sku: number; units: number; net: number; at: Date; same: boolean }>(
    `select e.id, e.sku_id sku, e.units, e.net, e.booked_at at, o.currency = p.currency same from settlement_entries e join settlement_parties p on p.location_id = e.location_id join orders o on o.id = e.order_id
     where e.location_id = $1 and e.amount is null order by e.id for no key update of e`, [locationId]);
  for (const e of open) {
    const term = (await termsAt(tx, [locationId], [e.sku], e.at)).get(`${locationId}|${e.sku}`);
    const amount = term ? owedIn(term, Math.abs(e.units), Math.abs(Number(e.net)), e.same) : null;
    if (amount !== null) await tx.query('update settlement_entries set amount = $2 where id = $1', [e.id, Math.sign(e.units) * amount]);
  }
}
