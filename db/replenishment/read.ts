import type pg from 'pg';
import { encodeId } from '../../domain/ids.ts';
import type { Network } from '../network.ts';

export type PlanView = { id: string; scope: string; cause: string; at: string; sites: number; transfers: number; purchases: number; unmet: number; spent: number; seconds: number };
/** What a plan wants, and what became of it. `why`: what giver and taker looked like, in units; docs/replenishment.md says what the words mean. */
export type ProposalView = {
  id: string; plan: string; scope: string; kind: 'transfer' | 'purchase'; from: string | null; vendor: string | null; to: string; status: 'planned' | 'done' | 'failed'; approvedByRule: boolean; cost: number;
  transfer: string | null; purchase: string | null; problem: string | null; createdAt: string; lines: { sku: string; units: number; cost: number; why: unknown }[];
};
export type SiteView = { sku: string; location: string; plan: string; facts: Record<string, unknown>; unmet: number; unmetReason: string | null };

/** The newest first. */
export async function listPlans(pool: pg.Pool, f: { scope: string | null; before: string | null; limit: number }): Promise<PlanView[]> {
  const { rows } = await pool.query<Omit<PlanView, 'at'> & { at: Date }>(
    `select id, scope, cause, at, sites, transfers, purchases, unmet, spent, seconds from replenishment_plans where ($1::text is null or scope = $1) and ($2::uuid is null or id < $2) order by id desc limit $3`, [f.scope, f.before, f.limit]);
  return rows.map((r) => ({ ...r, id: encodeId('rpl', r.id), at: r.at.toISOString() }));
}

export type ProposalFilter = { scope: string | null; status: string | null; kind: string | null; sku: number | null; location: number | null; before: string | null; limit: number };

/** The newest first. `location`: that gives or takes. */
export async function listProposals(pool: pg.Pool, network: Network, f: ProposalFilter, id: string | null = null): Promise<ProposalView[]> {
  const { rows } = await pool.query<{
    id: string; plan_id: string; scope: string; kind: 'transfer' | 'purchase'; from_location_id: number | null; vendor: string | null; to_location_id: number; status: ProposalView['status']; approve: boolean; cost: number;
    transfer_id: string | null; purchase_id: string | null; problem: string | null; created_at: Date; lines: { sku: string; units: number; cost: number; why: { to: Facts; from: Facts } }[];
  }>(
    `select o.*, (select jsonb_agg(jsonb_build_object('sku', k.code, 'units', n.units, 'cost', n.cost, 'why', n.why) order by k.code) from replenishment_order_lines n join skus k on k.id = n.sku_id where n.order_id = o.id) lines
     from replenishment_orders o where ($1::text is null or o.scope = $1) and ($2::text is null or o.status = $2) and ($3::text is null or o.kind = $3)
       and ($4::int is null or exists (select from replenishment_order_lines n where n.order_id = o.id and n.sku_id = $4)) and ($5::int is null or $5 in (o.from_location_id, o.to_location_id))
       and ($6::uuid is null or o.id < $6) and ($8::uuid is null or o.id = $8) order by o.id desc limit $7`, [f.scope, f.status, f.kind, f.sku, f.location, f.before, f.limit, id]);
  const code = (at: number | null): string | null => (at === null ? null : network.locationById.get(at)?.code ?? null);
  return rows.map((r) => ({
    id: encodeId('rpl', r.id), plan: encodeId('rpl', r.plan_id), scope: r.scope, kind: r.kind, from: code(r.from_location_id), vendor: r.vendor, to: code(r.to_location_id) ?? '', status: r.status, approvedByRule: r.approve, cost: r.cost,
    transfer: r.transfer_id === null ? null : encodeId('trf', r.transfer_id), purchase: r.purchase_id === null ? null : encodeId('pur', r.purchase_id), problem: r.problem, createdAt: r.created_at.toISOString(),
    lines: r.lines.map((l) => ({ ...l, why: { to: told(l.why.to, code), from: told(l.why.from, code) } })),
  }));
}

type Facts = Record<string, unknown> | null;
const told = (facts: Facts, code: (at: number | null) => string | null): Facts => facts && { ...facts, feeder: code(facts['feeder'] as number | null) };

/** By SKU and location. `unmet`: only those that stay below their level. */
export async function listSites(pool: pg.Pool, network: Network, f: { sku: number | null; location: number | null; unmet: boolean; after: { skuId: number; locationId: number } | null; limit: number }): Promise<{ items: SiteView[]; last: { skuId: number; locationId: number } | null }> {
  const { rows } = await pool.query<{ sku_id: number; location_id: number; sku: string; plan_id: string; facts: Record<string, unknown>; unmet: number; unmet_reason: string | null }>(
    `select r.sku_id, r.location_id, k.code sku, r.plan_id, r.facts, r.unmet, r.unmet_reason from replenishment_sites r join skus k on k.id = r.sku_id
     where ($1::int is null or r.sku_id = $1) and ($2::int is null or r.location_id = $2) and (not $3 or r.unmet > 0) and ($4::int is null or (r.sku_id, r.location_id) > ($4, $5::int)) order by r.sku_id, r.location_id limit $6`,
    [f.sku, f.location, f.unmet, f.after?.skuId ?? null, f.after?.locationId ?? null, f.limit]);
  const last = rows.at(-1);
  const code = (at: number | null): string | null => (at === null ? null : network.locationById.get(at)?.code ?? null);
  return {
    items: rows.map((r) => ({ sku: r.sku, location: code(r.location_id) ?? '', plan: encodeId('rpl', r.plan_id), facts: told(r.facts, code) ?? {}, unmet: r.unmet, unmetReason: r.unmet_reason })),
    last: last && rows.length === f.limit ? { skuId: last.sku_id, locationId: last.location_id } : null,
  };
}
