import type { ScopePlan, SiteFacts } from '../../domain/replenishment/scope-model.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import type { Gathered } from './gather.ts';
import { lockScope } from './scopes.ts';

export type PlanCause = 'cadence' | 'wake' | 'manual';

/**
 * Writes a plan with what it wants and why, in one transaction: from its commit on these units count as under way. Null where the scope has committed another plan meanwhile, or its
 * policy changed: the state it was made from is gone, nothing is written. Reorder points follow; what was looked at is no longer dirty.
 */
export async function commitPlan(writer: StockWriter, code: string, { plans, version, dirty, input }: Gathered, plan: ScopePlan, cause: PlanCause, seconds: number): Promise<string | null> {
  return writer.change(async (tx) => {
    const scope = await lockScope(tx, code);
    if (!scope?.active || scope.plans !== plans || scope.version !== version) return null;
    const id = uuidv7();
    const whole = cause !== 'wake';
    await tx.query('update replenishment_scopes set plans = plans + 1, next_at = case when $2 then $3 else next_at end where code = $1', [code, whole, new Date(tx.now.getTime() + scope.policy.reviewDays * 86_400_000)]);
    await tx.query('insert into replenishment_plans (id, scope, cause, at, sites, transfers, purchases, unmet, spent, seconds) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)',
      [id, code, cause, tx.now, plan.sites.length, plan.transfers.length, plan.purchases.length, plan.sites.filter((s) => s.unmet > 0).length, plan.spent, seconds]);
    await tx.query('delete from replenishment_dirty d using unnest($1::int[], $2::int[], $3::bigint[]) x(s, l, t) where d.sku_id = x.s and d.location_id = x.l and d.stamp = x.t',
      [dirty.map((d) => d.skuId), dirty.map((d) => d.locationId), dirty.map((d) => d.stamp)]);
    const looked = new Set(input.sites.filter((s) => s.looked).map((s) => `${s.sku}|${s.location}`));
    await writeSites(tx, id, plan.sites.filter((s) => looked.has(`${s.sku}|${s.location}`)));
    await writeOrders(tx, id, code, scope.policy.approve, plan);
    return id;
  });
}

const CHUNK = 20_000;

async function writeSites(tx: Tx, planId: string, all: readonly SiteFacts[]): Promise<void> {
  for (let i = 0; i < all.length; i += CHUNK) {
    const sites = all.slice(i, i + CHUNK);
    const keys = [sites.map((s) => Number(s.sku)), sites.map((s) => Number(s.location))];
    await tx.query(
      `insert into replenishment_sites (sku_id, location_id, plan_id, facts, unmet, unmet_reason) select s, l, $1, f, u, r from unnest($2::int[], $3::int[], $4::jsonb[], $5::int[], $6::text[]) x(s, l, f, u, r) order by s, l
       on conflict (sku_id, location_id) do update set plan_id = excluded.plan_id, facts = excluded.facts, unmet = excluded.unmet, unmet_reason = excluded.unmet_reason`,
      [planId, ...keys, sites.map((s) => JSON.stringify(factsOf(s))), sites.map((s) => s.unmet), sites.map((s) => s.unmetReason)]);
    await tx.query(
      `with due as materialized (select v.id, x.r from unnest($1::int[], $2::int[], $3::int[]) x(s, l, r) join stock_levels v on v.sku_id = x.s and v.location_id = x.l
           and v.allotment_id = 0 and v.supply_id = 0 and v.lot_id = 0 and v.condition = 'sellable' where v.reorder_point is distinct from nullif(x.r, 0) order by v.id for no key update of v)
       update stock_levels v set reorder_point = nullif(due.r, 0) from due where v.id = due.id`, [...keys, sites.map((s) => s.reorderPoint)]);
  }
}

function factsOf({ sku: _sku, location: _location, unmet: _unmet, unmetReason: _reason, ...facts }: SiteFacts): object {
  return { ...facts, feeder: facts.feeder === null ? null : Number(facts.feeder) };
}

async function writeOrders(tx: Tx, planId: string, scope: string, rule: { transferUnits: number; purchaseCost: number }, plan: ScopePlan): Promise<void> {
  const facts = new Map(plan.sites.map((s) => [`${s.sku}|${s.location}`, s]));
  type Order = { kind: 'transfer' | 'purchase'; from: string | null; vendor: string | null; to: string; days: number; lines: { sku: string; units: number; cost: number }[] };
  const orders: Order[] = [
    ...plan.transfers.map((t): Order => ({ kind: 'transfer', from: t.from, vendor: null, to: t.to, days: t.days, lines: t.lines })),
    ...plan.purchases.map((p): Order => ({ kind: 'purchase', from: null, vendor: p.vendor, to: p.to, days: p.days, lines: p.lines })),
  ];
  for (const o of orders) {
    const id = uuidv7();
    const cost = o.lines.reduce((sum, l) => sum + Math.round(l.cost), 0);
    const approve = o.kind === 'transfer' ? o.lines.reduce((sum, l) => sum + l.units, 0) <= rule.transferUnits : cost <= rule.purchaseCost;
    await tx.query('insert into replenishment_orders (id, plan_id, scope, kind, from_location_id, vendor, to_location_id, days, approve, cost, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)',
      [id, planId, scope, o.kind, o.from === null ? null : Number(o.from), o.vendor, Number(o.to), o.days, approve, cost, tx.now]);
    const why = (sku: string): string => {
      const [to, from] = [facts.get(`${sku}|${o.to}`), o.from === null ? undefined : facts.get(`${sku}|${o.from}`)];
      return JSON.stringify({ to: to === undefined ? null : factsOf(to), from: from === undefined ? null : factsOf(from) });
    };
    await tx.query('insert into replenishment_order_lines (order_id, sku_id, units, cost, why) select $1, * from unnest($2::int[], $3::int[], $4::bigint[], $5::jsonb[])',
      [id, o.lines.map((l) => Number(l.sku)), o.lines.map((l) => l.units), o.lines.map((l) => Math.round(l.cost)), o.lines.map((l) => why(l.sku))]);
  }
}
