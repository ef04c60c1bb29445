import type pg from 'pg';
import type { WeeklyForecast, WeeklySeries } from '../../domain/replenishment/weekly-forecast.ts';
import { addDays, mondayOf, weeksOf } from '../../domain/replenishment/weeks.ts';
import { readDemandDays, type DemandDay } from '../demand/read.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Scope } from './scopes.ts';

/** Weeks of history that are read. */
const WEEKS = 60;
/** SKUs forecast together: each set is a transaction of its own, so that a killed job goes on where it was. */
const SKUS = 200;

export type ForecastSet = { skuIds: number[]; keys: { skuId: number; locationId: number }[]; series: WeeklySeries[] };

/** The next SKUs of a scope, in order of category, that have sold and have no forecast of `week` yet; null when all have. */
export async function nextForecastSet(pool: pg.Pool, scope: Scope, week: string, now: Date): Promise<ForecastSet | null> {
  const from = addDays(week, -7 * WEEKS);
  const { rows } = await pool.query<{ id: number; category: string | null }>(
    `select k.id, k.category from skus k where k.active and ($2::text[] is null or k.category = any($2))
       and exists (select from daily_demand d where d.sku_id = k.id and d.location_id = any($1::int[]) and d.day >= $3::date and d.day < $4::date and (d.units <> 0 or d.lost <> 0))
       and not exists (select from forecasts f where f.sku_id = k.id and f.location_id = any($1::int[]) and f.week >= $4::date)
     order by k.category nulls last, k.id limit ${SKUS}`, [scope.locationIds, scope.categories, from, week]);
  if (rows.length === 0) return null;
  const skuIds = rows.map((r) => r.id);
  const days = await readDemandDays(pool, { from, to: addDays(week, -1), skus: skuIds, locations: scope.locationIds }, now);
  const everywhere = await around(pool, skuIds, from, week);
  const groups = new Map<string, DemandDay[]>();
  for (const d of days) {
    const group = groups.get(`${d.skuId}|${d.locationId}`);
    if (group) group.push(d);
    else groups.set(`${d.skuId}|${d.locationId}`, [d]);
  }
  const keys: ForecastSet['keys'] = [];
  const series: WeeklySeries[] = [];
  for (const some of groups.values()) {
    const first = some[0];
    if (!first) continue;
    const periods = weeksOf(some, week, WEEKS);
    const last = (x: readonly number[]): number[] => x.slice(x.length - periods.length);
    const own = everywhere.get(first.skuId);
    keys.push({ skuId: first.skuId, locationId: first.locationId });
    series.push({
      periods, around: own === undefined ? null : {
        elsewhere: last(own.units).map((n, i) => Math.max(0, n - (periods[i]?.units ?? 0))), category: last(own.category), reduced: last(own.promoted), price: last(own.price),
      },
    });
  }
  return { skuIds, keys, series };
}

type Around = { units: number[]; category: number[]; promoted: number[]; price: number[] };

/** By week: units of each SKU everywhere, of its category, whether it was promoted, and its mean price. */
async function around(pool: pg.Pool, skuIds: readonly number[], from: string, week: string): Promise<Map<number, Around>> {
  const { rows } = await pool.query<{ sku_id: number; category: string | null; week: string; units: number; revenue: number; ordered: number; promoted: boolean }>(
    `select x.*, exists (select from promoted_spans p where p.sku_id = x.sku_id and p.starts_at < x.week::date + 7 and p.ends_at > x.week::date) promoted from (
       select d.sku_id, k.category, date_trunc('week', d.day)::date::text week, sum(d.units - d.cancelled - d.returned + d.lost)::bigint units, sum(d.revenue)::bigint revenue, sum(d.units)::bigint ordered
       from daily_demand d join skus k on k.id = d.sku_id where d.day >= $2::date and d.day < $3::date
         and (d.sku_id = any($1::int[]) or k.category in (select category from skus where id = any($1::int[]))) group by 1, 2, 3) x`, [[...skuIds], from, week]);
  const place = (w: string): number => Math.round((Date.parse(w) - Date.parse(mondayOf(from))) / 604_800_000);
  const zeros = (): number[] => Array.from({ length: WEEKS }, () => 0);
  const categories = new Map<string, number[]>();
  for (const r of rows) {
    const sum = categories.get(r.category ?? '') ?? zeros();
    sum[place(r.week)] = (sum[place(r.week)] ?? 0) + r.units;
    categories.set(r.category ?? '', sum);
  }
  const found = new Map<number, Around>();
  for (const r of rows) {
    const own = found.get(r.sku_id) ?? { units: zeros(), category: categories.get(r.category ?? '') ?? zeros(), promoted: zeros(), price: zeros() };
    const at = place(r.week);
    own.units[at] = Math.max(0, r.units);
    own.promoted[at] = r.promoted ? 1 : 0;
    own.price[at] = r.ordered > 0 ? r.revenue / r.ordered / 100 : 0;
    found.set(r.sku_id, own);
  }
  return found;
}

/** Keeps the forecasts of a set; SKUs whose series tell nothing yet lose theirs, and are not asked for again this week. */
export async function keepForecasts(writer: StockWriter, { keys }: ForecastSet, forecasts: readonly (WeeklyForecast | null)[], week: string): Promise<void> {
  const rows = keys.map((k, i) => ({ ...k, f: forecasts[i] ?? null }));
  await writer.change(async (tx) => {
    const json = rows.map(({ f }) => f && { weeks: JSON.stringify(f.weeks), backtest: JSON.stringify(f.backtest) });
    await tx.query(
      `insert into forecasts (sku_id, location_id, week, made_at, method, source, pattern, mean, variance, uplift, estimated, weeks, backtest)
       select s, l, $1, $2, m, o, p, a, v, u, e, w, b from unnest($3::int[], $4::int[], $5::text[], $6::text[], $7::text[], $8::float8[], $9::float8[], $10::float8[], $11::int[], $12::jsonb[], $13::jsonb[]) x(s, l, m, o, p, a, v, u, e, w, b)
       order by s, l on conflict (sku_id, location_id) do update set week = excluded.week, made_at = excluded.made_at, method = excluded.method, source = excluded.source, pattern = excluded.pattern, mean = excluded.mean,
         variance = excluded.variance, uplift = excluded.uplift, estimated = excluded.estimated, weeks = excluded.weeks, backtest = excluded.backtest`,
      [week, tx.now, rows.map((r) => r.skuId), rows.map((r) => r.locationId), rows.map(({ f }) => f?.method ?? 'none'), rows.map(({ f }) => f?.source ?? 'it was never in stock for a whole week'),
        rows.map(({ f }) => f?.pattern ?? 'none'), rows.map(({ f }) => f?.mean ?? 0), rows.map(({ f }) => f?.variance ?? 0), rows.map(({ f }) => f?.uplift ?? 1), rows.map(({ f }) => f?.estimated ?? 0),
        json.map((j) => j?.weeks ?? '[]'), json.map((j) => j?.backtest ?? '{"origins":0,"loss":0,"methods":[]}')]);
  });
}

/** All forecasts of a scope's week are made. A scope that was changed meanwhile is looked at again. */
export async function markForecast(writer: StockWriter, scope: Scope, week: string): Promise<void> {
  await writer.pool.query('update replenishment_scopes set forecast_week = $3 where code = $1 and version = $2', [scope.code, scope.version, week]);
}

export type ForecastView = {
  sku: string; location: string; week: string; madeAt: string; method: string; source: string; pattern: string; mean: number; variance: number; uplift: number; estimated: number;
  weeks: { mean: number; quantiles: number[] }[]; backtest: { origins: number; loss: number; methods: { method: string; loss: number }[] };
};
export type ForecastFilter = { sku: number | null; location: number | null; after: { skuId: number; locationId: number } | null; limit: number };

export async function listForecasts(pool: pg.Pool, f: ForecastFilter): Promise<{ items: ForecastView[]; last: { skuId: number; locationId: number } | null }> {
  const { rows } = await pool.query<Omit<ForecastView, 'madeAt'> & { sku_id: number; location_id: number; made_at: Date }>(
    `select f.sku_id, f.location_id, k.code sku, l.code "location", f.week::text, f.made_at, f.method, f.source, f.pattern, f.mean, f.variance, f.uplift, f.estimated, f.weeks, f.backtest
     from forecasts f join skus k on k.id = f.sku_id join locations l on l.id = f.location_id
     where ($1::int is null or f.sku_id = $1) and ($2::int is null or f.location_id = $2) and ($3::int is null or (f.sku_id, f.location_id) > ($3, $4::int)) order by f.sku_id, f.location_id limit $5`,
    [f.sku, f.location, f.after?.skuId ?? null, f.after?.locationId ?? null, f.limit]);
  const last = rows.at(-1);
  return { items: rows.map(({ sku_id: _s, location_id: _l, made_at, ...r }) => ({ ...r, madeAt: made_at.toISOString() })), last: last && rows.length === f.limit ? { skuId: last.sku_id, locationId: last.location_id } : null };
}
