import type pg from 'pg';
import { zone } from '../../domain/geo.ts';
import type { MoveLane, MoveSite } from '../../domain/redistribution/model.ts';
import { cleanHistory } from '../../domain/replenishment/clean.ts';
import { demandOver } from '../../domain/replenishment/cover.ts';
import { readDemandDays } from '../demand/read.ts';
import type { Location, Network } from '../network.ts';
import type { RedistributionPolicy } from './policy.ts';

const DAY_MS = 86_400_000;
const WEEKS = 26;
/** A week in which a location could not sell for half of the time is censored. */
const HALF_WEEK_MINUTES = 5040;

type Stock = { skuId: number; sku: string; locationId: number; free: number; position: number; cost: number | null; listPrice: number | null; seasonEnd: string | null };

/** Categories in which a SKU has free stock at a location of ours. */
export async function readMovable(db: pg.Pool | pg.ClientBase): Promise<(string | null)[]> {
  return (await db.query<{ category: string | null }>(
    `select distinct k.category from stock_levels v join skus k on k.id = v.sku_id join locations l on l.id = v.location_id
     where k.active and l.active and l.kind in ('warehouse', 'store') and v.condition = 'sellable' and v.supply_id = 0 and v.allotment_id = 0 and v.on_hand > v.reserved order by 1 nulls first`)).rows.map((r) => r.category);
}

/**
 * The SKUs of a category at our own warehouses and shops. Free: shared stock, not reserved, above buffer and what is kept; position: what is not reserved there, under way to it, or promised to it by a
 * transfer that has not left. Demand: of the last 26 weeks, with weeks without stock as censored, until the season's end or the horizon. Value: the usual price (paid, else the list's) less what an unsold unit is
 * still worth. SKUs that nobody can price, or that earn nothing, do not move.
 */
export async function readSites(db: pg.Pool | pg.ClientBase, category: string | null, policy: RedistributionPolicy, now: Date): Promise<MoveSite[]> {
  const { rows } = await db.query<Stock>(
    `with k as (select * from skus where active and category is not distinct from $1),
       l as (select id from locations where active and kind in ('warehouse', 'store')),
       s as (select v.sku_id, v.location_id, greatest(0, coalesce(sum(v.on_hand - v.reserved - v.buffer) filter (where v.supply_id = 0 and v.allotment_id = 0), 0) - $2::int)::int free, coalesce(sum(v.on_hand - v.reserved), 0) position
         from stock_levels v join k on k.id = v.sku_id join l on l.id = v.location_id where v.condition = 'sellable' and v.allotment_id = 0 group by 1, 2),
       coming as (select n.sku_id, t.to_location_id location_id, sum(n.quantity) units from transfers t join transfer_lines n on n.transfer_id = t.id where t.status in ('proposed', 'approved', 'picking') and t.ended_at is null group by 1, 2)
     select k.id "skuId", k.code sku, s.location_id "locationId", s.free, (s.position + coalesce(c.units, 0))::int position, k.cost, k.list_price "listPrice", k.season_end::text "seasonEnd"
     from s join k on k.id = s.sku_id left join coming c on c.sku_id = s.sku_id and c.location_id = s.location_id
     where not exists (select from bundle_components b where b.bundle_sku_id = k.id) order by k.code, s.location_id`, [category, policy.keepUnits]);
  const history = await readWeeks(db, [...new Set(rows.map((r) => r.skuId))], now);
  const codes = new Map((await db.query<{ id: number; code: string }>('select id, code from locations')).rows.map((l) => [l.id, l.code]));
  return rows.flatMap((r): MoveSite[] => {
    const price = history.prices.get(r.skuId) ?? r.listPrice;
    const value = price === null ? 0 : price - (r.cost === null ? price / 2 : (r.cost * policy.salvagePercent) / 100);
    const left = r.seasonEnd === null ? policy.horizonDays : Math.min(policy.horizonDays, Math.floor((Date.parse(r.seasonEnd) - now.getTime()) / DAY_MS) + 1);
    if (value <= 0 || left <= 0) return [];
    const weeks = history.weeks.get(`${r.skuId} ${r.locationId}`);
    return [{ sku: r.sku, location: codes.get(r.locationId) ?? '', free: r.free, position: r.position, law: weeks ? demandOver(cleanHistory(weeks), left / 7) : { mean: 0, dispersion: 0 }, value }];
  });
}

async function readWeeks(db: pg.Pool | pg.ClientBase, skus: number[], now: Date): Promise<{ weeks: Map<string, { units: number; stockedOut: boolean; promoted: boolean }[]>; prices: Map<number, number> }> {
  const day = (ago: number): string => new Date(now.getTime() - ago * DAY_MS).toISOString().slice(0, 10);
  const [from, to] = [day(7 * WEEKS), day(1)];
  const sums = new Map<string, { units: number; out: number; promoted: number }[]>();
  const money = new Map<number, { revenue: number; units: number }>();
  for (const d of skus.length === 0 ? [] : await readDemandDays(db, { from, to, skus }, now)) {
    const week = Math.floor((Date.parse(d.day) - Date.parse(from)) / (7 * DAY_MS));
    const key = `${d.skuId} ${d.locationId}`;
    const series = sums.get(key) ?? Array.from({ length: WEEKS }, () => ({ units: 0, out: 0, promoted: 0 }));
    sums.set(key, series);
    const at = series[week];
    if (!at) continue;
    at.units += Math.max(0, d.units - d.cancelled + d.lost);
    at.out += d.outMinutes;
    at.promoted += d.promoted ? 1 : 0;
    const paid = money.get(d.skuId) ?? { revenue: 0, units: 0 };
    money.set(d.skuId, { revenue: paid.revenue + d.revenue, units: paid.units + d.units });
  }
  return {
    weeks: new Map([...sums].map(([key, series]) => [key, series.map((w) => ({ units: w.units, stockedOut: w.out >= HALF_WEEK_MINUTES, promoted: w.promoted >= 4 }))])),
    prices: new Map([...money].flatMap(([id, { revenue, units }]) => (units > 0 && revenue > 0 ? [[id, revenue / units] as const] : []))),
  };
}

/** Every way between the locations of the sites, in one country; its trip costs by zone. */
export function lanesOf(network: Network, sites: readonly MoveSite[], policy: RedistributionPolicy): MoveLane[] {
  const places = [...new Set(sites.map((s) => s.location))].flatMap((code): Location[] => { const l = network.locations.get(code); return l ? [l] : []; });
  const cost = { same_city: policy.sameCity, same_province: policy.sameProvince, national: policy.national };
  return places.flatMap((from) => places.flatMap((to): MoveLane[] => {
    const far = from.code === to.code ? null : zone(from.place, to.place);
    return far === null || far === 'international' ? [] : [{ from: from.code, to: to.code, perTrip: cost[far], perUnit: policy.perUnit }];
  }));
}
