import type pg from 'pg';
import type { RateFacts, SkuFacts } from '../../domain/slow-movers/assess.ts';
import type { SalesCell } from '../../domain/slow-movers/trend.ts';
import { readDailyDemand, readDemandDays, sumDemand } from '../demand/read.ts';
import { readStockFacts } from './stock-facts.ts';

export const WINDOW_DAYS = 30;
const DAY_MS = 86_400_000;
/** Movements older than this many days are one layer of stock. */
const HISTORY_DAYS = 400;
/** Units that the rest of a category must have sold before, for its change to count as the season's; and how far a season may explain a change. */
const SEASON_UNITS = 50;
const SEASON_LIMITS = [0.5, 2] as const;
/** No location had the units. */
const NOWHERE = 'none';

export type SkuRow = { id: number; code: string; category: string | null; cost: number | null; listPrice: number | null; seasonEnd: string | null };
export type Outlooks = ReadonlyMap<number, { chance: number; perDay: number }>;
export type OutlookTerms = { threshold: number; slowShare: number; steadyShare: number } | null;

export const isoDay = (at: Date): string => at.toISOString().slice(0, 10);
const addDays = (day: string, days: number): string => isoDay(new Date(Date.parse(day) + days * DAY_MS));

/** SKUs that have stock or were wanted since `from`, by category. */
export async function readCategories(db: pg.Pool | pg.ClientBase, from: string): Promise<Map<string | null, SkuRow[]>> {
  const { rows } = await db.query<SkuRow>(
    `select id, code, category, cost, list_price "listPrice", season_end::text "seasonEnd" from skus k where active
       and (exists (select from stock_levels v where v.sku_id = k.id and v.on_hand > 0) or exists (select from daily_demand d where d.sku_id = k.id and d.day >= $1)) order by category nulls first, id`, [from]);
  const found = new Map<string | null, SkuRow[]>();
  for (const row of rows) {
    const of = found.get(row.category);
    if (of) of.push(row);
    else found.set(row.category, [row]);
  }
  return found;
}

/** What is known of the SKUs of a category on the evening of day `to`, over two windows of 30 days. */
export async function readSkuFacts(db: pg.Pool | pg.ClientBase, skus: readonly SkuRow[], to: string, now: Date, seasonDays: number, outlooks: Outlooks, terms: OutlookTerms): Promise<SkuFacts[]> {
  const from = addDays(to, 1 - 2 * WINDOW_DAYS);
  const ids = skus.map((s) => s.id);
  const at = (day: string): Date => new Date(Date.parse(day));
  const cells = await readCells(db, ids, from, to, now);
  const stock = new Map((await readStockFacts(db, ids, { from: at(from), middle: at(addDays(from, WINDOW_DAYS)), to: at(addDays(to, 1)) }, at(addDays(to, -HISTORY_DAYS)))).map((s) => [s.skuId, s]));
  const sums = (c: readonly SalesCell[], second: boolean): number => c.reduce((sum, x) => sum + Array.from(x.daily).slice(second ? WINDOW_DAYS : 0, second ? 2 * WINDOW_DAYS : WINDOW_DAYS).reduce((a, b) => a + b, 0), 0);
  const seasonOf = await readSeason(db, skus, from, to, { now: ids.reduce((sum, id) => sum + sums(cells.get(id) ?? [], true), 0), before: ids.reduce((sum, id) => sum + sums(cells.get(id) ?? [], false), 0) });
  return skus.map((sku) => {
    const own = cells.get(sku.id) ?? [];
    const s = stock.get(sku.id);
    const [sold, soldBefore] = [sums(own, true), sums(own, false)];
    const outlook = outlooks.get(sku.id);
    return {
      sku: sku.code, category: sku.category, cells: own, season: seasonOf(sold, soldBefore), days: WINDOW_DAYS, onHand: s?.onHand ?? 0, coming: s?.coming ?? 0, opening: s?.opening ?? 0, received: s?.received ?? 0,
      now: { meanOnHand: s?.meanNow ?? 0, sold }, before: { meanOnHand: s?.meanBefore ?? 0, sold: soldBefore }, ages: s?.ages ?? [], outlook: outlook && terms ? { ...terms, ...outlook } : null,
      daysLeft: sku.seasonEnd === null ? seasonDays : Math.max(0, Math.round((Date.parse(sku.seasonEnd) - Date.parse(to)) / DAY_MS)), unitValue: sku.cost ?? sku.listPrice ?? 0,
    };
  });
}

/** Daily units by SKU, location, country and region (wanted: ordered less cancelled, and what could not be served), with the share of each day that the location had none. */
async function readCells(db: pg.Pool | pg.ClientBase, skus: number[], from: string, to: string, now: Date): Promise<Map<number, SalesCell[]>> {
  const days = 2 * WINDOW_DAYS;
  const place = (day: string): number => Math.round((Date.parse(day) - Date.parse(from)) / DAY_MS);
  const out = new Map<string, Float64Array>();
  for (const d of await readDemandDays(db, { from, to, skus }, now)) {
    if (d.outMinutes <= 0) continue;
    const key = `${d.skuId} ${d.locationId}`;
    const shares = out.get(key) ?? new Float64Array(days);
    shares[place(d.day)] = Math.min(1, d.outMinutes / 1440);
    out.set(key, shares);
  }
  const cells = new Map<number, Map<string, SalesCell & { daily: Float64Array }>>();
  for (const r of await readDailyDemand(db, { from, to, skus }, now)) {
    const of = cells.get(r.skuId) ?? new Map<string, SalesCell & { daily: Float64Array }>();
    cells.set(r.skuId, of);
    const key = `${r.locationId}\n${r.country}\n${r.region}`;
    const cell = of.get(key) ?? { location: r.locationId === 0 ? NOWHERE : String(r.locationId), country: r.country, region: r.region, daily: new Float64Array(days), out: out.get(`${r.skuId} ${r.locationId}`) ?? new Float64Array(days) };
    of.set(key, cell);
    const d = place(r.day);
    cell.daily[d] = (cell.daily[d] ?? 0) + Math.max(0, r.units - r.cancelled + r.lost);
  }
  return new Map([...cells].map(([id, of]) => [id, [...of.values()]]));
}

/**
 * What the season alone does to a SKU of the category, as a factor of its sales: the category's change a year ago between the same days, where enough was sold then; else its change now, without the SKU
 * itself; 1 where neither says enough. Within 0.5 and 2: more than that is no season.
 */
async function readSeason(db: pg.Pool | pg.ClientBase, skus: readonly SkuRow[], from: string, to: string, all: { now: number; before: number }): Promise<(now: number, before: number) => number> {
  const category = skus[0]?.category ?? null;
  if (category === null) return () => 1;
  const units = async (first: string, last: string): Promise<number> => {
    const [row] = await sumDemand(db, { from: first, to: last, categories: [category] }, []);
    return row ? Number(row.units ?? 0) - Number(row.cancelled ?? 0) + Number(row.lost ?? 0) : 0;
  };
  const lastYear = (day: string): string => addDays(day, -364);
  const middle = addDays(from, WINDOW_DAYS);
  const [then, thenBefore] = [await units(lastYear(middle), lastYear(to)), await units(lastYear(from), lastYear(addDays(middle, -1)))];
  const limited = (factor: number): number => Math.min(SEASON_LIMITS[1], Math.max(SEASON_LIMITS[0], factor));
  if (thenBefore >= SEASON_UNITS && then > 0) return () => limited(then / thenBefore);
  return (now, before) => (all.before - before >= SEASON_UNITS ? limited((all.now - now) / (all.before - before)) : 1);
}

/** 动销率 of a category: of the SKUs that had stock in a window, how many were wanted in it. */
export function rateFacts(category: string | null, facts: readonly SkuFacts[]): RateFacts {
  const count = (read: (f: SkuFacts) => SkuFacts['now']): { stocked: number; sold: number } => {
    const stocked = facts.filter((f) => read(f).meanOnHand > 0);
    return { stocked: stocked.length, sold: stocked.filter((f) => read(f).sold > 0).length };
  };
  const idle = facts.filter((f) => f.now.meanOnHand > 0 && f.now.sold === 0);
  return { of: 'category', category, now: count((f) => f.now), before: count((f) => f.before), money: Math.round(idle.reduce((sum, f) => sum + f.onHand * f.unitValue, 0)) };
}

/** 动销率 of the whole assortment: slow erosion in many small categories is seen in none of them. */
export function wholeRate(rates: readonly RateFacts[]): RateFacts {
  const add = (read: (r: RateFacts) => RateFacts['now']): RateFacts['now'] => rates.reduce((sum, r) => ({ stocked: sum.stocked + read(r).stocked, sold: sum.sold + read(r).sold }), { stocked: 0, sold: 0 });
  return { of: 'all', category: null, now: add((r) => r.now), before: add((r) => r.before), money: rates.reduce((sum, r) => sum + r.money, 0) };
}
