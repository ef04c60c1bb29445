import type pg from 'pg';
import { acceptance } from '../../domain/routing/reliability.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Reader } from './reader.ts';

/** Weeks that count. */
export const WEEKS = 4;
/** Reasons that are the location's own. A carrier or our own data being wrong ("refused") says nothing about it, nor does a line that was down ("unreachable"): nobody there was asked. */
const OWN_REASONS = ['not_found', 'mismatch', 'damaged', 'no_capacity', 'closed', 'silent'];

const TAKEN = `'accepted', 'packed', 'issued', 'delivered', 'returned'`;

/** Acceptance per mille of locations that have been measured. */
export async function readReliability(tx: Reader, locationIds: readonly number[]): Promise<Map<number, number>> {
  const rows = await tx.query<{ id: number; acceptance: number }>('select location_id id, acceptance from location_reliability where location_id = any($1::int[])', [locationIds]);
  return new Map(rows.map((r) => [r.id, r.acceptance]));
}

/** Counts the last weeks anew and writes what each location comes to (domain/routing/reliability.ts). Returns how many locations were measured. */
export async function measureReliability(writer: StockWriter): Promise<number> {
  return writer.change(async (tx) => {
    const rows = await tx.query<{ id: number; accepted: number; rejected: number }>(
      `select location_id id, (coalesce(sum(1 - short) filter (where status in (${TAKEN})), 0))::float8 accepted,
         (count(*) filter (where status = 'rejected' and end_reason = any($2::text[])) + coalesce(sum(short) filter (where status in (${TAKEN})), 0))::float8 rejected
       from fulfillment_orders f left join lateral (select round(sum(short_quantity)::numeric / sum(quantity), 3) short from fulfillment_order_lines l where l.fulfillment_order_id = f.id) s on true where routed_at > $1::timestamptz - make_interval(weeks => $3) and routed_at <= $1 group by 1`, [tx.now, OWN_REASONS, WEEKS]);
    const known = rows.filter((r) => r.accepted + r.rejected > 0);
    const all = { accepted: known.reduce((n, r) => n + r.accepted, 0), rejected: known.reduce((n, r) => n + r.rejected, 0) };
    await tx.query('delete from location_reliability where location_id <> all($1::int[])', [known.map((r) => r.id)]);
    await tx.query(
      `insert into location_reliability (location_id, accepted, rejected, acceptance, measured_at) select *, $5::timestamptz from unnest($1::int[], $2::numeric[], $3::numeric[], $4::int[])
       on conflict (location_id) do update set accepted = excluded.accepted, rejected = excluded.rejected, acceptance = excluded.acceptance, measured_at = excluded.measured_at`,
      [known.map((r) => r.id), known.map((r) => r.accepted), known.map((r) => r.rejected), known.map((r) => acceptance(r, all)), tx.now]);
    return known.length;
  });
}

export type ReliabilityView = { location: string; accepted: number; rejected: number; acceptance: number; measuredAt: string };

/** What was measured, the least reliable first; of one location where asked for. */
export async function listReliability(pool: pg.Pool, locationId: number | null): Promise<ReliabilityView[]> {
  const { rows } = await pool.query<Omit<ReliabilityView, 'measuredAt'> & { at: Date }>(
    `select l.code location, r.accepted::float8, r.rejected::float8, r.acceptance, r.measured_at at from location_reliability r join locations l on l.id = r.location_id
     where $1::int is null or l.id = $1 order by r.acceptance, l.code`, [locationId]);
  return rows.map(({ at, ...r }) => ({ ...r, measuredAt: at.toISOString() }));
}
