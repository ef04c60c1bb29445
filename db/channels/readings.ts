import type pg from 'pg';
import { settle, shown, type Account, type Short } from '../../domain/channel/grant.ts';
import { inTransaction } from '../transaction.ts';
import { markListing } from './listings.ts';
import type { Pending } from './publish.ts';

/** What a platform shows of a listing. `figure`: with what it holds for buyers of orders that it does not show us. */
export type Figure = { id: number; sellable: number; figure: number };
/** A figure that was read and waits for its proof; ms since epoch. `counted`: units that are sold or held here, now. */
export type KeptReading = { id: number; platformSku: string; itemId: string | null; at: number; counted: number };

/** A reading is kept until every order from before it has been taken; one that is kept already stays. */
export async function keepReadings(pool: pg.Pool, figures: readonly Figure[], now: Date): Promise<void> {
  if (figures.length === 0) return;
  await pool.query({
    name: 'readings_keep',
    text: `update listings l set reading = jsonb_build_object('figure', t.f, 'granted', l.granted, 'tries', 1, 'key', l.pending ->> 'key', 'seen', jsonb_build_object('sellable', t.s, 'key', l.pending ->> 'key')), read_at = $4
      from unnest($1::bigint[], $2::bigint[], $3::bigint[]) as t(id, f, s) where l.id = t.id and l.reading is null`,
    values: [figures.map((f) => f.id), figures.map((f) => f.figure), figures.map((f) => f.sellable), now],
  });
}

/** What the platform shows now of listings whose reading still waits for its proof, which it does not change. */
export async function noteSeen(pool: pg.Pool, seen: ReadonlyMap<number, number>): Promise<void> {
  if (seen.size === 0) return;
  await pool.query({
    name: 'readings_seen',
    text: `update listings l set reading = l.reading || jsonb_build_object('seen', jsonb_build_object('sellable', t.s, 'key', l.pending ->> 'key')) from unnest($1::bigint[], $2::bigint[]) as t(id, s) where l.id = t.id and l.reading is not null`,
    values: [[...seen.keys()], [...seen.values()]],
  });
}

/** Readings taken until then, the oldest first. `keyed`: a change that was sent and not acknowledged is sent again first, which says what became of it. */
export async function keptReadings(pool: pg.Pool, channelId: number, until: Date, limit: number, keyed: boolean): Promise<KeptReading[]> {
  const { rows } = await pool.query<{ id: string; platform_sku: string; item_id: string | null; read_at: Date; sold: number }>({
    name: 'readings_kept', text: 'select id, platform_sku, item_id, read_at, sold from listings where channel_id = $1 and reading is not null and read_at <= $2 and not (pending is not null and $4) order by read_at, id limit $3', values: [channelId, until, limit, keyed] });
  const open = rows.length === 0 ? new Map<string, number>() : await openUnits(pool, channelId, rows.map((r) => r.platform_sku));
  return rows.map((r) => ({ id: Number(r.id), platformSku: r.platform_sku, itemId: r.item_id, at: r.read_at.getTime(), counted: r.sold + (open.get(r.platform_sku) ?? 0) }));
}

/**
 * Nobody knows whether these changes arrived, and the platform shows more than may be sold: that is told at once, as if increases had arrived and decreases had not, for too much granted sells nothing twice. What it really
 * was the proof of the reading tells (`maybe`).
 */
export async function assumeLeast(pool: pg.Pool, listingIds: readonly number[]): Promise<void> {
  if (listingIds.length === 0) return;
  await pool.query({
    name: 'readings_assume',
    text: `update listings set granted = granted + greatest(0, (pending ->> 'delta')::bigint), pending = null,
        reading = reading || jsonb_build_object('granted', granted + greatest(0, (pending ->> 'delta')::bigint), 'key', null, 'maybe', coalesce(reading -> 'maybe', '[]') || to_jsonb(-abs((pending ->> 'delta')::bigint)))
      where id = any($1::bigint[]) and opened and pending is not null and reading is not null`,
    values: [listingIds],
  });
}

/** When the oldest reading that waits was taken, ms since epoch. */
export async function oldestReading(pool: pg.Pool, channelId: number): Promise<number | null> {
  const { rows: [row] } = await pool.query<{ at: Date | null }>({ name: 'readings_oldest', text: 'select min(read_at) at from listings where channel_id = $1 and reading is not null', values: [channelId] });
  return row?.at?.getTime() ?? null;
}

/** Units of orders that the platform has sold and we hold, by its SKU: off its figure, and in no account. */
async function openUnits(client: pg.ClientBase | pg.Pool, channelId: number, platformSkus: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await client.query<{ sku: string; n: string }>({
    name: 'units_open', text: `select u.key sku, sum(u.value::bigint) n from channel_orders o cross join jsonb_each_text(o.held_units) u where o.channel_id = $1 and o.held_units is not null and u.key = any($2::text[]) group by 1`,
    values: [channelId, platformSkus],
  });
  return new Map(rows.map((r) => [r.sku, Number(r.n)]));
}

const READINGS = 3;

/**
 * The second reading of a listing, after every order from before the first was taken: begins the account of a new listing, ends a change whose answer was lost, corrects what has drifted, and has the listing told.
 * Where the two prove nothing the second one is kept as the first of another try. `counted`: units that were sold or
 * held here before it was taken; `hidden`: see domain/channel/grant.ts. Returns whether it is settled.
 */
export async function settleReading(pool: pg.Pool, channelId: number, seen: Figure, counted: number, hidden: number | null, now: Date): Promise<boolean> {
  return inTransaction(pool, async (client) => {
    type Row = { platform_sku: string; granted: number; sold: number; opened: boolean; pending: Pending | null; short: Short | null; reading: { figure: number; granted: number; tries: number; key: string | null; maybe?: number[] } | null };
    const { rows: [row] } = await client.query<Row>('select platform_sku, granted, sold, opened, pending, short, reading from listings where id = $1 for no key update', [seen.id]);
    if (!row?.reading) return true;
    const again = async (tries: number): Promise<false> => {
      await client.query(
        `update listings set reading = reading || jsonb_build_object('figure', $2::bigint, 'granted', granted, 'tries', $3::int, 'key', pending ->> 'key', 'seen', jsonb_build_object('sellable', $5::bigint, 'key', pending ->> 'key')), read_at = $4 where id = $1`,
        [seen.id, seen.figure, tries, now, seen.sellable]);
      return false;
    };
    // A change whose answer was lost since then stands between the two.
    if ((row.pending?.key ?? null) !== row.reading.key) return again(1);
    // Read under the listing's lock: an order that is captured meanwhile counts in one of the two sums, never in both or none.
    const open = (await openUnits(client, channelId, [row.platform_sku])).get(row.platform_sku) ?? 0;
    const account: Account = { ...row, maybe: [...row.reading.maybe ?? [], ...row.pending === null ? [] : [row.pending.delta]] };
    // What was told since the first reading has moved the figure by as much.
    const settled = settle(account, {
      first: row.reading.figure + row.granted - row.reading.granted, second: seen.figure, open, before: counted, last: row.reading.tries >= READINGS, hidden, now: now.getTime(),
    });
    if (settled === null) return again(row.reading.tries + 1);
    await client.query('update listings set granted = $2, pending = null, opened = true, shown = $3, shown_at = $4, reading = null, read_at = null, short = $5 where id = $1',
      [seen.id, settled.granted, seen.sellable, now, settled.short === null ? null : JSON.stringify(settled.short)]);
    if (settled.drift !== 0) await client.query('insert into listing_drifts (channel_id, listing_id, drift, at) values ($1, $2, $3, $4)', [channelId, seen.id, settled.drift, now]);
    await markListing(client, seen.id, channelId, now, true);
    return true;
  });
}

/**
 * The platform shows no such SKU, or refuses to: where its figure must be known nothing more is told of it until its stock moves, its mapping changes or it is tried again. A change of one that it knew is not forgotten:
 * it may have arrived, and another on top of it would be one too many.
 */
export async function listingUnknown(pool: pg.Pool, listingId: number): Promise<void> {
  await pool.query(
    `with l as (update listings set pending = case when opened then pending end, reading = null, read_at = null, refused = 'the platform does not know this SKU' where id = $1 returning not opened or pending is not null waits)
     delete from listing_changes where listing_id = $1 and (select waits from l)`, [listingId]);
}

/** All is there again that the platform showed too few of: what is missing later begins then. */
export async function nothingShort(pool: pg.Pool, listingIds: readonly number[]): Promise<void> {
  if (listingIds.length > 0) await pool.query({ name: 'readings_nothing_short', text: 'update listings set short = null where id = any($1::bigint[])', values: [listingIds] });
}

/** What the platform should show of every mapped listing, for the comparison. `settled`: nothing is under way that would make it show something else; `short`: it showed too few. */
export async function expectedFigures(pool: pg.Pool, channelId: number, after: number, limit: number): Promise<{ id: number; platformSku: string; itemId: string | null; figure: number; settled: boolean; short: boolean }[]> {
  const { rows } = await pool.query<{ id: string; platform_sku: string; item_id: string | null; granted: number; sold: number; settled: boolean; short: boolean }>(
    `select l.id, platform_sku, item_id, granted, sold, short is not null short, opened and pending is null and reading is null and not exists (select from listing_changes c where c.listing_id = l.id) settled
     from listings l where channel_id = $1 and l.id > $2 and version > 0 and publish <> 'stopped' order by l.id limit $3`, [channelId, after, limit]);
  const open = await openUnits(pool, channelId, rows.map((r) => r.platform_sku));
  return rows.map((r) => ({ id: Number(r.id), platformSku: r.platform_sku, itemId: r.item_id, figure: shown(r) - (open.get(r.platform_sku) ?? 0), settled: r.settled, short: r.short }));
}
