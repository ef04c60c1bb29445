import type pg from 'pg';
import { sellThrough, turnoverDays } from '../../domain/slow-movers/figures.ts';
import { TILL_CHANNEL } from '../demand/note-receipts.ts';
import { daysOf, hasStock, type IndicatorFilter, type IndicatorGroup } from './filter.ts';
import { readStockFigures } from './stock.ts';

/**
 * Indicators of a group in a period. From `daily_demand`: `served` = units − cancelled; `lost`: wanted and not served; `fillRate` = served ÷ (served + lost), null where nothing was wanted (what a customer gave up
 * himself was not wanted); `lostSales` = lost × mean price of the group (revenue ÷ units), the SKU's list price where none sold; minor units. From the ledger (`stock.ts`): `opening`, `closing`, `meanOnHand`, `received`. Of both:
 * `turnoverDays` = mean on hand × days ÷ served; `sellThrough` = served ÷ (opening + received). Stock figures are null by channel and by region of the destination: stock has neither.
 */
export type Indicators = {
  key: string; served: number; revenue: number; returned: number; lost: number; lostSales: number; fillRate: number | null;
  opening: number | null; closing: number | null; meanOnHand: number | null; received: number | null; turnoverDays: number | null; sellThrough: number | null;
};
type Demand = { key: string; served: number; revenue: number; returned: number; lost: number; lostSales: number };
const KEYS: Record<IndicatorGroup, string> = {
  sku: 'k.code', category: `coalesce(k.category, '')`, location: `coalesce((select code from locations l where l.id = d.location_id), '')`, region: 'd.region', channel: `coalesce((select code from channels c where c.id = d.channel_id), '${TILL_CHANNEL.code}')`,
};

const round = (n: number | null, digits: number): number | null => (n === null ? null : Math.round(n * 10 ** digits) / 10 ** digits);

/** By SKU, category, location, region or channel, or (`by` null) of all. Groups without demand and stock are not there. */
export async function readIndicators(pool: pg.Pool, f: IndicatorFilter, by: IndicatorGroup | null): Promise<Indicators[]> {
  const demand = new Map((await readDemand(pool, f, by)).map((d) => [d.key, d]));
  const stock = hasStock(by, f) ? new Map((await readStockFigures(pool, f, by)).map((s) => [s.key, s])) : null;
  const days = daysOf(f);
  const keys = [...new Set([...demand.keys(), ...(stock?.keys() ?? [])])].sort();
  return keys.flatMap((key): Indicators[] => {
    const d = demand.get(key) ?? { key, served: 0, revenue: 0, returned: 0, lost: 0, lostSales: 0 };
    const s = stock?.get(key) ?? (stock ? { key, opening: 0, closing: 0, mean: 0, received: 0 } : null);
    if (!demand.has(key) && s && s.opening === 0 && s.closing === 0 && s.received === 0) return [];
    return [{
      ...d, fillRate: d.served + d.lost > 0 ? round(d.served / (d.served + d.lost), 4) : null, opening: s?.opening ?? null, closing: s?.closing ?? null, meanOnHand: round(s?.mean ?? null, 2), received: s?.received ?? null,
      turnoverDays: s ? round(turnoverDays(s.mean, d.served, days), 1) : null, sellThrough: s ? round(sellThrough(d.served, s.opening, s.received), 4) : null,
    }];
  });
}

async function readDemand(pool: pg.Pool, f: IndicatorFilter, by: IndicatorGroup | null): Promise<Demand[]> {
  return (await pool.query<Demand>(
    `with g as (select ${by === null ? `''` : KEYS[by]} "key", d.sku_id, k.list_price, sum(d.units) units, sum(d.units - d.cancelled) served, sum(d.revenue) revenue, sum(d.returned) returned, sum(d.lost) lost
       from daily_demand d join skus k on k.id = d.sku_id
       where d.day between $1::date and $2::date and ($3::int is null or d.sku_id = $3) and ($4::text is null or k.category = $4) and ($5::int is null or d.location_id = $5) and ($6::int is null or d.channel_id = $6)
         and ($7::text is null or d.region = $7) group by 1, 2, 3)
     select "key", sum(served)::int served, sum(revenue)::bigint revenue, sum(returned)::int returned, sum(lost)::int lost, round(sum(lost * case when units > 0 then revenue / units else coalesce(list_price, 0) end))::bigint "lostSales"
     from g group by 1 order by 1`, [f.from, f.to, f.sku ?? null, f.category ?? null, f.location ?? null, f.channel ?? null, f.region ?? null])).rows;
}
