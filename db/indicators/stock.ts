import type pg from 'pg';
import { boundsOf, type IndicatorFilter, type IndicatorGroup } from './filter.ts';

/** Sellable units. `key`: code of the SKU or location, or the category; '' for all. `opening` at the first day's beginning; `mean` through the period; `received` from outside the pool that is looked at. */
export type StockFigures = { key: string; opening: number; closing: number; mean: number; received: number };
const KEYS: Record<'sku' | 'category' | 'location' | 'all', string> = {
  sku: '(select code from skus where id = p.sku_id)', category: `coalesce((select category from skus where id = p.sku_id), '')`, location: `coalesce((select code from locations where id = p.place), '')`, all: `''`,
};
/**
 * SQL: sellable levels `lv` as `$1` SKU, `$2` category, `$3` location have them. By location (`$4`) each is a pool of its own and what comes by transfer is received there; else all locations are one
 * pool with what is under way between them.
 */
const LEVELS = `lv as (select v.id, v.sku_id, case when $4::bool then v.location_id end place, v.on_hand from stock_levels v join supplies s on s.id = v.supply_id join skus k on k.id = v.sku_id
  where v.condition = 'sellable' and (s.kind = 'none' or s.kind = 'transfer' and not $4::bool) and ($1::int is null or v.sku_id = $1) and ($2::text is null or k.category = $2) and ($3::int is null or v.location_id = $3))`;
const values = (f: Pick<IndicatorFilter, 'sku' | 'category' | 'location'>, by: IndicatorGroup | null): unknown[] => [f.sku ?? null, f.category ?? null, f.location ?? null, by === 'location' || f.location !== undefined];
const group = (by: IndicatorGroup | null): string => KEYS[by === 'sku' || by === 'category' || by === 'location' ? by : 'all'];

/**
 * Stock through a period, from the ledger: a level at a moment is today's less the movements since; the mean is the closing level less Σ movement × the share of the period that had passed when it came.
 * Received: Σ of what came in by commands that added units to a pool (receipts, supplies, returns, counts that found more).
 */
export async function readStockFigures(db: pg.Pool, f: IndicatorFilter, by: IndicatorGroup | null): Promise<StockFigures[]> {
  const [from, to] = boundsOf(f);
  return (await db.query<StockFigures>(
    `with ${LEVELS}, mv as (select l.sku_id, l.place, m.command_id, m.at, sum(m.d_on_hand) d from stock_movements m join lv l on l.id = m.level_id where m.at >= $5 and m.d_on_hand <> 0 group by 1, 2, 3, 4 having sum(m.d_on_hand) <> 0),
       cur as (select sku_id, place, sum(on_hand) here from lv group by 1, 2),
       moved as (select sku_id, place, coalesce(sum(d) filter (where at >= $6), 0) later, coalesce(sum(d) filter (where at < $6), 0) during, coalesce(sum(d) filter (where at < $6 and d > 0), 0) received,
           coalesce(sum(d * extract(epoch from at - $5::timestamptz)) filter (where at < $6), 0) / extract(epoch from $6::timestamptz - $5::timestamptz) passed from mv group by 1, 2),
       p as (select c.sku_id, c.place, c.here - coalesce(m.later, 0) closing, coalesce(m.during, 0) during, coalesce(m.received, 0) received, coalesce(m.passed, 0) passed
         from cur c left join moved m on m.sku_id = c.sku_id and m.place is not distinct from c.place)
     select ${group(by)} "key", sum(closing - during)::int opening, sum(closing)::int closing, sum(closing - passed)::float8 mean, sum(received)::int received from p group by 1 order by 1`, [...values(f, by), from, to])).rows;
}

/** Days from which on an age class begins. */
export const AGES = [0, 31, 61, 91, 181] as const;
export type StockAge = { key: string; fromDays: number; units: number; /** at cost, minor units; units without a cost count 0 */ cost: number };

/**
 * Stock on hand by age, first in, first out: what is there is what came last, layer by layer, from the ledger's movements. By location a unit's age begins when it came there; over all locations moves
 * between them do not make it younger.
 */
export async function readStockAges(db: pg.Pool, f: Pick<IndicatorFilter, 'sku' | 'category' | 'location'>, by: IndicatorGroup | null, now: Date): Promise<StockAge[]> {
  return (await db.query<StockAge>(
    `with ${LEVELS}, cur as (select sku_id, place, sum(on_hand) here from lv group by 1, 2),
       came as (select l.sku_id, l.place, m.command_id, min(m.at) at, sum(m.d_on_hand) n from stock_movements m join lv l on l.id = m.level_id where m.d_on_hand <> 0 group by 1, 2, 3 having sum(m.d_on_hand) > 0),
       layer as (select *, sum(n) over (partition by sku_id, place order by at desc, command_id desc) upto from came),
       p as (select y.sku_id, y.place, greatest(0, extract(epoch from $5::timestamptz - y.at) / 86400) days, least(y.n, c.here - (y.upto - y.n)) units
         from layer y join cur c on c.sku_id = y.sku_id and c.place is not distinct from y.place where y.upto - y.n < c.here)
     select ${group(by)} "key", (select max(a) from unnest($6::int[]) a where a <= floor(p.days)) "fromDays", sum(units)::int units, sum(units * coalesce((select cost from skus where id = p.sku_id), 0))::bigint cost
     from p group by 1, 2 order by 1, 2`, [...values(f, by), now, [...AGES]])).rows;
}
