import type pg from 'pg';
import { LEAST_UNITS, type WeeklySales } from '../../domain/slow-movers/features.ts';

/** Weeks that are looked back, the newest ending on `to`. */
const WEEKS = 52;
export type WeeklyPanel = { skuIds: number[]; series: WeeklySales[]; weeks: number };

/** What every SKU was wanted over all channels and locations, week by week up to the day `to`; SKUs that sold too little in all are left out. Weeks before the first sale of any are not there. */
export async function readWeeklyPanel(db: pg.Pool | pg.ClientBase, to: string): Promise<WeeklyPanel> {
  const { rows } = await db.query<{ skuId: number; category: string | null; ago: number; units: number; reduced: number; sites: number; revenue: number; sold: number }>(
    `select d.sku_id "skuId", k.category, (($1::date - d.day) / 7)::int ago, sum(d.units - d.cancelled + d.lost)::int units, count(distinct d.location_id) filter (where d.location_id <> 0 and d.units > d.cancelled)::int sites,
       coalesce(sum(d.units - d.cancelled + d.lost) filter (where exists (select from promoted_spans p where p.sku_id = d.sku_id and (p.location_id is null or p.location_id = d.location_id)
         and (p.channel_id is null or p.channel_id = d.channel_id) and p.starts_at < (d.day + 1)::timestamp at time zone 'UTC' and p.ends_at > d.day::timestamp at time zone 'UTC')), 0)::int reduced,
       sum(d.revenue)::bigint revenue, sum(d.units)::int sold
     from daily_demand d join skus k on k.id = d.sku_id where d.day > $1::date - ($2::int * 7) and d.day <= $1::date group by 1, 2, 3 order by 1, 3`, [to, WEEKS]);
  const weeks = Math.max(0, ...rows.map((r) => r.ago + 1));
  const zeros = (): Float64Array => new Float64Array(weeks);
  const categories = new Map<string | null, Float64Array>();
  const skus = new Map<number, { total: number } & Record<'units' | 'reduced' | 'sites' | 'price' | 'category', Float64Array>>();
  for (const r of rows) {
    const category = categories.get(r.category) ?? zeros();
    categories.set(r.category, category);
    const sku = skus.get(r.skuId) ?? { total: 0, units: zeros(), reduced: zeros(), sites: zeros(), price: zeros(), category };
    skus.set(r.skuId, sku);
    const week = weeks - 1 - r.ago;
    sku.total += r.units;
    sku.units[week] = r.units;
    sku.reduced[week] = r.reduced;
    sku.sites[week] = r.sites;
    sku.price[week] = r.sold > 0 ? r.revenue / r.sold : 0;
    category[week] = (category[week] ?? 0) + r.units;
  }
  const kept = [...skus].filter(([, s]) => s.total >= LEAST_UNITS);
  return { skuIds: kept.map(([id]) => id), series: kept.map(([, { total: _, ...s }]) => s), weeks };
}
