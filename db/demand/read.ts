import type pg from 'pg';

/** By inside ids; absent: all. Days are business days of the location (ISO dates), both inclusive. */
export type DemandFilter = { from: string; to: string; skus?: readonly number[]; locations?: readonly number[]; channels?: readonly number[]; regions?: readonly string[]; categories?: readonly string[] };
/**
 * Units wanted on a day. `units` were ordered, `cancelled` and `returned` are of them; `lost` were wanted and not served (refused: not in units; cancelled while we lacked them: in
 * both). `locationId` 0: no location had them. `outMinutes`: how long of the day the location had none of the SKU to sell; `promoted`: the SKU was, there and in that channel.
 */
export type DemandRow = {
  day: string; skuId: number; locationId: number; channelId: number; country: string; region: string; units: number; revenue: number; cancelled: number; returned: number; lost: number;
  promoted: boolean; outMinutes: number;
};

const WHERE = `d.day between $1::date and $2::date and ($3::int[] is null or d.sku_id = any($3)) and ($4::int[] is null or d.location_id = any($4)) and ($5::int[] is null or d.channel_id = any($5))
  and ($6::text[] is null or d.region = any($6)) and ($7::text[] is null or exists (select from skus k where k.id = d.sku_id and k.category = any($7)))`;
const values = (f: DemandFilter): unknown[] => [f.from, f.to, f.skus ?? null, f.locations ?? null, f.channels ?? null, f.regions ?? null, f.categories ?? null];

/** SQL: minutes of the business day of `day` that SKU × location had nothing to sell, until `now`; the location's row is `v`. */
const outMinutes = (sku: string, location: string, day: string, zone: string, now: string): string =>
  `coalesce((select floor(sum(extract(epoch from least(coalesce(o.until, ${now}), (${day} + 1)::timestamp at time zone ${zone}) - greatest(o.since, ${day}::timestamp at time zone ${zone}))) / 60)::int
    from stock_outs o where o.sku_id = ${sku} and o.location_id = ${location} and o.since < (${day} + 1)::timestamp at time zone ${zone} and coalesce(o.until, ${now}) > ${day}::timestamp at time zone ${zone}), 0)`;
/** SQL: a promotion of the SKU touched that business day. `channel` null in SQL: in any channel. */
const promoted = (sku: string, location: string, channel: string, day: string, zone: string): string =>
  `exists (select from promoted_spans p where p.sku_id = ${sku} and (p.location_id is null or p.location_id = ${location}) and (p.channel_id is null or ${channel} is null or p.channel_id = ${channel})
    and p.starts_at < (${day} + 1)::timestamp at time zone ${zone} and p.ends_at > ${day}::timestamp at time zone ${zone})`;

export type DemandCursor = { day: string; skuId: number; locationId: number; channelId: number; country: string; region: string };

/** The rows of `daily_demand` in order of day, SKU, location, channel, region; after a row where given. */
export async function readDailyDemand(pool: pg.Pool | pg.ClientBase, filter: DemandFilter, now: Date, page?: { after: DemandCursor | null; limit: number }): Promise<DemandRow[]> {
  const a = page?.after ?? null;
  return (await pool.query<DemandRow>(
    `select d.day::text, d.sku_id "skuId", d.location_id "locationId", d.channel_id "channelId", d.country, d.region, d.units, d.revenue, d.cancelled, d.returned, d.lost,
       ${promoted('d.sku_id', 'd.location_id', 'd.channel_id::int', 'd.day', `coalesce(v.time_zone, 'UTC')`)} promoted, ${outMinutes('d.sku_id', 'd.location_id', 'd.day', `coalesce(v.time_zone, 'UTC')`, '$8::timestamptz')} "outMinutes"
     from daily_demand d left join locations v on v.id = d.location_id
     where ${WHERE} and (d.units <> 0 or d.lost <> 0)
       and ($9::date is null or (d.day, d.sku_id, d.location_id, d.channel_id, d.country, d.region) > ($9::date, $10::int, $11::int, $12::int, $13::text, $14::text))
     order by d.day, d.sku_id, d.location_id, d.channel_id, d.country, d.region limit $15`,
    [...values(filter), now, a?.day ?? null, a?.skuId ?? null, a?.locationId ?? null, a?.channelId ?? null, a?.country ?? null, a?.region ?? null, page?.limit ?? null])).rows;
}

/** What rows may be added up by. */
export const DEMAND_GROUPS = ['day', 'week', 'sku', 'location', 'channel', 'region', 'category'] as const;
export type DemandGroup = (typeof DEMAND_GROUPS)[number];
/** A sum; only what it was grouped by is there. `week` is its Monday. */
export type DemandSum = {
  day?: string; week?: string; skuId?: number; locationId?: number; channelId?: number; country?: string; region?: string; category?: string | null;
  units: number; revenue: number; cancelled: number; returned: number; lost: number;
};
const GROUP: Record<DemandGroup, string> = {
  day: 'd.day::text "day"', week: `date_trunc('week', d.day)::date::text "week"`, sku: 'd.sku_id "skuId"', location: 'd.location_id "locationId"', channel: 'd.channel_id "channelId"',
  region: 'd.country, d.region', category: '(select k.category from skus k where k.id = d.sku_id) "category"',
};

/** Demand added up by any of the groups, in their order. */
export async function sumDemand(pool: pg.Pool | pg.ClientBase, filter: DemandFilter, by: readonly DemandGroup[]): Promise<DemandSum[]> {
  const columns = by.map((g) => GROUP[g]);
  const count = by.length + (by.includes('region') ? 1 : 0);
  const order = Array.from({ length: count }, (_, i) => i + 1).join(', ');
  return (await pool.query<DemandSum>(
    `select ${[...columns, 'sum(d.units)::bigint units', 'sum(d.revenue)::bigint revenue', 'sum(d.cancelled)::bigint cancelled', 'sum(d.returned)::bigint returned', 'sum(d.lost)::bigint lost'].join(', ')}
     from daily_demand d where ${WHERE} ${count > 0 ? `group by ${order} order by ${order}` : ''}`, values(filter))).rows;
}

/** A day of one SKU at one location, over all channels and regions; days without demand are there when the location had none to sell or it was promoted. */
export type DemandDay = { day: string; skuId: number; locationId: number; units: number; revenue: number; cancelled: number; returned: number; lost: number; promoted: boolean; outMinutes: number };

/** Days per SKU × location with their marks, by SKU, location, day. Days that are not there had no demand, stock and no promotion. */
export async function readDemandDays(pool: pg.Pool | pg.ClientBase, filter: DemandFilter, now: Date): Promise<DemandDay[]> {
  return (await pool.query<DemandDay>(
    `with sold as (select d.day, d.sku_id, d.location_id, sum(d.units)::bigint units, sum(d.revenue)::bigint revenue, sum(d.cancelled)::bigint cancelled, sum(d.returned)::bigint returned, sum(d.lost)::bigint lost
         from daily_demand d where ${WHERE} group by 1, 2, 3),
       out as (select distinct g::date as day, o.sku_id, o.location_id from stock_outs o join locations v on v.id = o.location_id
         cross join lateral generate_series(greatest($1::date, (o.since at time zone v.time_zone)::date), least($2::date, (coalesce(o.until, $8::timestamptz) at time zone v.time_zone)::date), interval '1 day') g
         where ($3::int[] is null or o.sku_id = any($3)) and ($4::int[] is null or o.location_id = any($4))
           and ($7::text[] is null or exists (select from skus k where k.id = o.sku_id and k.category = any($7)))),
       days as (select coalesce(s.day, o.day) as day, coalesce(s.sku_id, o.sku_id) sku_id, coalesce(s.location_id, o.location_id) location_id, s.units, s.revenue, s.cancelled, s.returned, s.lost
         from sold s full join out o on o.day = s.day and o.sku_id = s.sku_id and o.location_id = s.location_id)
     select d.day::text, d.sku_id "skuId", d.location_id "locationId", coalesce(d.units, 0) units, coalesce(d.revenue, 0) revenue, coalesce(d.cancelled, 0) cancelled, coalesce(d.returned, 0) returned,
       coalesce(d.lost, 0) lost, ${promoted('d.sku_id', 'd.location_id', 'null::int', 'd.day', `coalesce(v.time_zone, 'UTC')`)} promoted,
       ${outMinutes('d.sku_id', 'd.location_id', 'd.day', `coalesce(v.time_zone, 'UTC')`, '$8::timestamptz')} "outMinutes"
     from days d left join locations v on v.id = d.location_id order by 2, 3, 1`, [...values(filter), now])).rows;
}
