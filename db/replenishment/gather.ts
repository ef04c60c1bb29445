import type pg from 'pg';
import type { ScopeInput, ScopeLane, ScopeSite, ScopeTerms } from '../../domain/replenishment/scope-model.ts';
import { addDays } from '../../domain/replenishment/weeks.ts';
import type { Scope } from './scopes.ts';

/** A state that a plan is made from: it counts only while the scope has committed no other plan. SKUs, locations by inside id. */
export type Gathered = { input: ScopeInput; plans: number; version: number; dirty: { skuId: number; locationId: number; stamp: number }[] };

/** SQL: units by SKU and location that are on their way to, or promised away from, locations of the scope, as `id`, `at`, `units`; `$1` locations, `$2` SKUs or null. */
const UNDER_WAY = `
  select v.sku_id id, v.location_id as at, v.on_hand - v.reserved units from stock_levels v join supplies p on p.id = v.supply_id
    where v.supply_id <> 0 and p.status = 'open' and v.condition = 'sellable' and v.location_id = any($1::int[]) and ($2::int[] is null or v.sku_id = any($2))
  union all select n.sku_id, t.to_location_id, n.quantity from transfers t join transfer_lines n on n.transfer_id = t.id
    where t.status in ('proposed', 'approved', 'picking') and t.to_location_id = any($1::int[]) and ($2::int[] is null or n.sku_id = any($2))
  union all select n.sku_id, p.location_id, n.quantity from purchase_orders p join purchase_order_lines n on n.purchase_id = p.id
    where p.status in ('proposed', 'approved') and p.location_id = any($1::int[]) and ($2::int[] is null or n.sku_id = any($2))
  union all select n.sku_id, o.to_location_id, n.units from replenishment_orders o join replenishment_order_lines n on n.order_id = o.id
    where o.status = 'planned' and o.to_location_id = any($1::int[]) and ($2::int[] is null or n.sku_id = any($2))`;
const GOING = `
  select n.sku_id id, t.from_location_id as at, n.quantity units from transfers t join transfer_lines n on n.transfer_id = t.id
    where t.status = 'proposed' and t.from_location_id = any($1::int[]) and ($2::int[] is null or n.sku_id = any($2))
  union all select n.sku_id, o.from_location_id, n.units from replenishment_orders o join replenishment_order_lines n on n.order_id = o.id
    where o.status = 'planned' and o.from_location_id = any($1::int[]) and ($2::int[] is null or n.sku_id = any($2))`;

/**
 * Everything that a plan of a scope sees, as of one moment (a repeatable-read transaction of the caller's). `all`: every SKU; else those that fell to their reorder point, with all
 * locations of the scope, which may give. What is already on its way, proposed or planned counts as position; missing units of orders are taken off where the order was taken, else
 * at the first location.
 */
export async function gather(client: pg.ClientBase, scope: Scope, all: boolean, now: Date): Promise<Gathered> {
  const dirty = (await client.query<{ skuId: number; locationId: number; stamp: number }>(
    `select d.sku_id "skuId", d.location_id "locationId", d.stamp from replenishment_dirty d where d.location_id = any($1::int[]) and replenishment_scope(d.sku_id, d.location_id) = $2`, [scope.locationIds, scope.code])).rows;
  const skus = all ? null : [...new Set(dirty.map((d) => d.skuId))];
  const { rows } = await client.query<{ sku: number; location: number; free: number; position: number; mean: number | null; variance: number | null; reorder_point: number | null; level: number | null; value: number; pack: number; last_level: number | null; last_point: number | null }>(
    `with k as (select id, pack_size, greatest(1, coalesce(list_price, cost * 2, 100) - coalesce(cost, 0)) value from skus where active and ($2::int[] is null or id = any($2)) and ($3::text[] is null or category = any($3))),
       shelf as (select v.sku_id id, v.location_id as at, sum(case when v.allotment_id = 0 then greatest(0, v.on_hand - v.reserved - v.buffer) else 0 end) free, sum(v.on_hand - v.reserved) units
         from stock_levels v join allotments a on a.id = v.allotment_id join lots t on t.id = v.lot_id
         where v.location_id = any($1::int[]) and ($2::int[] is null or v.sku_id = any($2)) and v.supply_id = 0 and v.condition = 'sellable' and a.kind in ('shared', 'group', 'channel') and t.recalled_at is null group by 1, 2),
       coming as (select id, at, sum(units) units from (${UNDER_WAY}) x group by 1, 2),
       going as (select id, at, sum(units) units from (${GOING}) x group by 1, 2),
       missing as (select s.sku_id id, coalesce((select l from unnest(array[o.forced_location_id, o.location_id]) l where l = any($1::int[]) limit 1), ($1::int[])[1]) as at, sum(s.quantity) units
         from shortages s join orders o on o.id = s.order_id where s.status = 'open' and s.sku_id is not null and ($2::int[] is null or s.sku_id = any($2)) group by 1, 2),
       places as (select id, at from shelf union select sku_id, location_id from forecasts where location_id = any($1::int[]) and ($2::int[] is null or sku_id = any($2))
         union select sku_id, location_id from reorder_rules where location_id = any($1::int[]) and ($2::int[] is null or sku_id = any($2)) union select id, at from missing)
     select p.id sku, p.at "location", greatest(0, coalesce(s.free, 0) - coalesce(g.units, 0))::int free,
       (coalesce(s.units, 0) + coalesce(c.units, 0) - coalesce(g.units, 0) - coalesce(m.units, 0))::int "position", f.mean, f.variance, r.reorder_point, r.level, k.value, k.pack_size pack, w.last_level, w.last_point
     from places p join k on k.id = p.id left join shelf s on (s.id, s.at) = (p.id, p.at) left join coming c on (c.id, c.at) = (p.id, p.at) left join going g on (g.id, g.at) = (p.id, p.at)
       left join missing m on (m.id, m.at) = (p.id, p.at) left join forecasts f on (f.sku_id, f.location_id) = (p.id, p.at) and f.method <> 'none' left join reorder_rules r on (r.sku_id, r.location_id) = (p.id, p.at)
       left join lateral (select (w.facts ->> 'level')::int last_level, (w.facts ->> 'reorderPoint')::int last_point from replenishment_sites w where $4 and (w.sku_id, w.location_id) = (p.id, p.at) and w.facts ->> 'basis' = 'panel') w on true
     order by 1, 2`, [scope.locationIds, skus, scope.categories, scope.policy.service.together === true && !all]);
  const looked = new Set(dirty.map((d) => `${d.skuId}|${d.locationId}`));
  const sites = rows.map((r): ScopeSite => ({
    sku: String(r.sku), location: String(r.location), free: r.free, position: r.position, weekly: r.mean === null ? null : { mean: r.mean, variance: r.variance ?? 0 },
    rule: r.level === null ? null : { reorderPoint: r.reorder_point ?? 0, level: r.level }, value: r.value, pack: r.pack,
    last: r.last_level === null ? null : { level: r.last_level, reorderPoint: r.last_point ?? 0 }, looked: all || looked.has(`${r.sku}|${r.location}`),
  }));
  const lanes = (await client.query<ScopeLane>(
    `select from_location_id::text "from", to_location_id::text "to", per_unit "perUnit", days from transfer_lanes n join locations f on f.id = n.from_location_id and f.active join locations t on t.id = n.to_location_id and t.active
     where from_location_id = any($1::int[]) and to_location_id = any($1::int[])`, [scope.locationIds])).rows;
  const vendors = (await client.query<ScopeTerms & { location: string | null; available: number | null }>(
    `select t.vendor, t.sku_id::text sku, t.location_id::text "location", t.unit_cost "unitCost", t.pack, t.minimum, t.available, v.lead_days "leadDays", v.lead_variance "leadVariance"
     from vendor_terms t join vendors v on v.code = t.vendor and v.active where ($2::int[] is null or t.sku_id = any($2)) and (t.location_id is null or t.location_id = any($1::int[]))`, [scope.locationIds, skus])).rows
    .map(({ location, available, ...t }): ScopeTerms => ({ ...t, ...(location === null ? {} : { location }), ...(available === null ? {} : { available }) }));
  return { input: { sites, lanes, vendors, policy: scope.policy, budgetLeft: await budgetLeft(client, scope, now), ...(all && scope.policy.service.together === true ? { daily: await dailyOf(client, scope, now) } : {}) }, plans: scope.plans, version: scope.version, dirty };
}

/** Days that the panel learns from. */
const DAYS = 200;

/** Units wanted on each of the last days, of what was ever wanted in them. */
async function dailyOf(client: pg.ClientBase, scope: Scope, now: Date): Promise<NonNullable<ScopeInput['daily']>> {
  const today = now.toISOString().slice(0, 10);
  const from = addDays(today, -DAYS);
  const { rows } = await client.query<{ key: string; day: number; units: number }>(
    `select d.sku_id || '|' || d.location_id "key", d.day - $2::date as day, greatest(0, sum(d.units - d.cancelled - d.returned + d.lost))::int units from daily_demand d
     where d.location_id = any($1::int[]) and d.day >= $2::date and d.day < $3::date and ($4::text[] is null or exists (select from skus k where k.id = d.sku_id and k.category = any($4))) group by d.sku_id, d.location_id, d.day`,
    [scope.locationIds, from, today, scope.categories]);
  const units: Record<string, number[]> = {};
  // A network that is younger than that has its own first day.
  const first = rows.reduce((least, r) => Math.min(least, r.day), DAYS);
  for (const r of rows) {
    const series = (units[r.key] ??= Array.from({ length: DAYS - first }, () => 0));
    series[r.day - first] = r.units;
  }
  return { weekday: (new Date(`${addDays(from, first)}T00:00:00Z`).getUTCDay() + 6) % 7, units };
}

/** What purchase orders of the scope may still cost: the budget less what was proposed or ordered in its days. */
async function budgetLeft(client: pg.ClientBase, { code, policy }: Scope, now: Date): Promise<number | null> {
  if (policy.budget === null) return null;
  const { rows: [row] } = await client.query<{ spent: number }>(
    `select coalesce(sum(coalesce(p.cost, o.cost)), 0)::bigint spent from replenishment_orders o left join purchase_orders p on p.id = o.purchase_id
     where o.scope = $1 and o.kind = 'purchase' and o.status <> 'failed' and o.created_at > $2 and coalesce(p.status, '') <> 'cancelled'`, [code, new Date(now.getTime() - policy.budget.days * 86_400_000)]);
  return Math.max(0, policy.budget.amount - (row?.spent ?? 0));
}
