import type pg from 'pg';
import { Problem } from '../../domain/problem.ts';
import type { Network } from '../network.ts';
import type { StockWriter } from '../stock-writer.ts';

/** Money in minor units, times in days (`leadVariance` in days²). */
export type LaneView = { from: string; to: string; perUnit: number; days: number };
export type TermsView = { sku: string; location?: string; unitCost: number; pack: number; minimum: number; available?: number };
export type VendorRequest = { name: string; leadDays: number; leadVariance?: number; active?: boolean; terms: TermsView[] };
export type VendorView = { code: string; name: string; leadDays: number; leadVariance: number; active: boolean; terms: TermsView[] };
export type RuleView = { location: string; sku: string; reorderPoint: number; level: number };

function idOf(network: Network, code: string, field: string): number {
  const location = network.locations.get(code);
  if (!location) throw new Problem('unknown_location', `location "${code}" is not known`, field);
  return location.id;
}

function skuId(network: Network, code: string, field: string): number {
  const sku = network.knownSku(code);
  if (!sku) throw new Problem('unknown_sku', `SKU "${code}" is not known`, field);
  return sku.id;
}

/** The lanes in place of those there were. Throws Problem. */
export async function putLanes(writer: StockWriter, network: Network, lanes: readonly LaneView[]): Promise<void> {
  const rows = lanes.map((l, i) => {
    if (l.from === l.to) throw new Problem('unprocessable', 'a lane goes to another location', `/lanes/${i}/to`);
    if (lanes.findIndex((x) => x.from === l.from && x.to === l.to) !== i) throw new Problem('unprocessable', `the lane from ${l.from} to ${l.to} is there twice`, `/lanes/${i}`);
    return { from: idOf(network, l.from, `/lanes/${i}/from`), to: idOf(network, l.to, `/lanes/${i}/to`), ...{ perUnit: l.perUnit, days: l.days } };
  });
  await writer.change(async (tx) => {
    await tx.query('lock table transfer_lanes in share row exclusive mode');
    await tx.query('delete from transfer_lanes');
    await tx.query('insert into transfer_lanes (from_location_id, to_location_id, per_unit, days) select * from unnest($1::int[], $2::int[], $3::bigint[], $4::int[])',
      [rows.map((r) => r.from), rows.map((r) => r.to), rows.map((r) => r.perUnit), rows.map((r) => r.days)]);
  });
}

export async function listLanes(pool: pg.Pool): Promise<LaneView[]> {
  return (await pool.query<LaneView>(
    'select f.code "from", t.code "to", n.per_unit "perUnit", n.days from transfer_lanes n join locations f on f.id = n.from_location_id join locations t on t.id = n.to_location_id order by 2, 1')).rows;
}

/** A vendor with its terms, in place of those it had. Throws Problem. */
export async function putVendor(writer: StockWriter, network: Network, code: string, v: VendorRequest): Promise<void> {
  await network.loadSkus(v.terms.map((t) => t.sku));
  const terms = v.terms.map((t, i) => {
    if (v.terms.findIndex((x) => x.sku === t.sku && x.location === t.location) !== i) throw new Problem('unprocessable', `"${t.sku}" is there twice`, `/terms/${i}/sku`);
    return { ...t, skuId: skuId(network, t.sku, `/terms/${i}/sku`), locationId: t.location === undefined ? null : idOf(network, t.location, `/terms/${i}/location`) };
  });
  await writer.change(async (tx) => {
    await tx.query(
      `insert into vendors (code, name, lead_days, lead_variance, active) values ($1, $2, $3, $4, $5)
       on conflict (code) do update set name = excluded.name, lead_days = excluded.lead_days, lead_variance = excluded.lead_variance, active = excluded.active`,
      [code, v.name, v.leadDays, v.leadVariance ?? 0, v.active ?? true]);
    await tx.query('delete from vendor_terms where vendor = $1', [code]);
    await tx.query('insert into vendor_terms (vendor, sku_id, location_id, unit_cost, pack, minimum, available) select $1, * from unnest($2::int[], $3::int[], $4::bigint[], $5::int[], $6::int[], $7::int[])',
      [code, terms.map((t) => t.skuId), terms.map((t) => t.locationId), terms.map((t) => t.unitCost), terms.map((t) => t.pack), terms.map((t) => t.minimum), terms.map((t) => t.available ?? null)]);
  });
}

export async function listVendors(pool: pg.Pool, code: string | null = null): Promise<VendorView[]> {
  return (await pool.query<VendorView>(
    `select v.code, v.name, v.lead_days "leadDays", v.lead_variance "leadVariance", v.active,
       coalesce((select jsonb_agg(jsonb_strip_nulls(jsonb_build_object('sku', k.code, 'location', l.code, 'unitCost', t.unit_cost, 'pack', t.pack, 'minimum', t.minimum, 'available', t.available)) order by k.code, l.code)
         from vendor_terms t join skus k on k.id = t.sku_id left join locations l on l.id = t.location_id where t.vendor = v.code), '[]') terms
     from vendors v where $1::text is null or v.code = $1 order by v.code`, [code])).rows;
}

/**
 * Levels by hand at a location, in place of those there were; the stock is compared with them at once. Throws Problem.
 */
export async function putReorderRules(writer: StockWriter, network: Network, locationId: number, rules: readonly Omit<RuleView, 'location'>[]): Promise<void> {
  await network.loadSkus(rules.map((r) => r.sku));
  const rows = rules.map((r, i) => {
    if (r.level <= r.reorderPoint) throw new Problem('unprocessable', `the level ${r.level} is not above the reorder point ${r.reorderPoint}`, `/rules/${i}/level`);
    if (rules.findIndex((x) => x.sku === r.sku) !== i) throw new Problem('unprocessable', `"${r.sku}" is there twice`, `/rules/${i}/sku`);
    return { ...r, skuId: skuId(network, r.sku, `/rules/${i}/sku`) };
  });
  await writer.change(async (tx) => {
    await tx.query('select 1 from locations where id = $1 for no key update', [locationId]);
    const gone = await tx.query<{ sku_id: number }>('delete from reorder_rules where location_id = $1 returning sku_id', [locationId]);
    await tx.query('insert into reorder_rules (location_id, sku_id, reorder_point, level) select $1, * from unnest($2::int[], $3::int[], $4::int[])',
      [locationId, rows.map((r) => r.skuId), rows.map((r) => r.reorderPoint), rows.map((r) => r.level)]);
    const touched = [...new Set([...gone.map((g) => g.sku_id), ...rows.map((r) => r.skuId)])];
    await tx.query(`insert into stock_levels (sku_id, location_id) select s, $1 from unnest($2::int[]) s order by s on conflict do nothing`, [locationId, rows.map((r) => r.skuId)]);
    await tx.query(
      `with mine as materialized (select id from stock_levels where location_id = $1 and sku_id = any($2::int[]) and allotment_id = 0 and supply_id = 0 and lot_id = 0 and condition = 'sellable' order by id for no key update)
       update stock_levels v set reorder_point = (select r.reorder_point from reorder_rules r where r.location_id = v.location_id and r.sku_id = v.sku_id) from mine where v.id = mine.id`, [locationId, touched]);
    // What they concern is looked at by the next plan, which comes at once.
    await tx.query(
      `insert into replenishment_dirty as d (sku_id, location_id, at) select s, $1, now() from unnest($2::int[]) s where replenishment_scope(s, $1) is not null order by s
       on conflict (sku_id, location_id) do update set stamp = default, at = excluded.at`, [locationId, touched]);
    await tx.query(
      `insert into outbox (topic, workflow_type, workflow_id, input, priority)
       select distinct 'look_workflow', 'replenishment', 'replenishment/' || c, jsonb_build_object('v', 1, 'scope', c), $3::timestamptz from unnest($2::int[]) s, lateral (select replenishment_scope(s, $1) c) x where c is not null`, [locationId, touched, tx.now]);
    tx.woken = true;
  });
}

export async function listReorderRules(pool: pg.Pool, locationId: number): Promise<RuleView[]> {
  return (await pool.query<RuleView>(
    'select l.code "location", k.code sku, r.reorder_point "reorderPoint", r.level from reorder_rules r join locations l on l.id = r.location_id join skus k on k.id = r.sku_id where r.location_id = $1 order by k.code', [locationId])).rows;
}
