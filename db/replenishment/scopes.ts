import type pg from 'pg';
import { Problem } from '../../domain/problem.ts';
import type { ScopePolicy } from '../../domain/replenishment/scope-model.ts';
import type { Network } from '../network.ts';
import { askWorkflow, type WorkflowRef } from '../outbox.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';

export type Scope = { code: string; locationIds: number[]; categories: string[] | null; policy: ScopePolicy; active: boolean; version: number; plans: number; nextAt: Date | null; forecastWeek: string | null };
/** `categories` left out: all SKUs. */
export type ScopeRequest = { locations: string[]; categories?: string[]; policy: ScopePolicy; active?: boolean };
export type ScopeView = { code: string; locations: string[]; categories: string[] | null; policy: ScopePolicy; active: boolean; version: number; plans: number; nextAt: string | null; forecastWeek: string | null };

const SCOPE = `code, location_ids "locationIds", categories, policy, active, version, plans, next_at "nextAt", forecast_week::text "forecastWeek"`;

/** Its workflow: `replenishment/<scope>`; the name and the input stand in workflows/contract. */
export function replenishmentWorkflow(scope: string): WorkflowRef { return { type: 'replenishment', id: `replenishment/${scope}`, input: { v: 1, scope } }; }

export async function readScope(db: pg.Pool | pg.ClientBase, code: string): Promise<Scope | null> {
  return (await db.query<Scope>(`select ${SCOPE} from replenishment_scopes where code = $1`, [code])).rows[0] ?? null;
}

export async function lockScope(tx: Tx, code: string): Promise<Scope | null> { return tx.one<Scope>(`select ${SCOPE} from replenishment_scopes where code = $1 for no key update`, [code]); }

/**
 * Makes or changes a scope; its workflow looks at once. No SKU × location may be in two active scopes, or it would be ordered twice. Throws Problem with the field at fault;
 * nothing has changed then.
 */
export async function putScope(writer: StockWriter, network: Network, code: string, request: ScopeRequest): Promise<void> {
  if (request.policy.service.together === true && request.policy.service.kind !== 'fill') throw new Problem('unprocessable', 'levels of all series together are for a fill rate', '/policy/service/together');
  const ids = request.locations.map((l, i) => {
    const location = network.locations.get(l);
    if (!location) throw new Problem('unknown_location', `location "${l}" is not known`, `/locations/${i}`);
    return location.id;
  });
  await writer.change(async (tx) => {
    // One change of scopes at a time: two that overlap cannot both see that they do not.
    await tx.query(`select pg_advisory_xact_lock(hashtext('tributary:replenishment-scopes'))`);
    const categories = request.categories ?? null;
    const other = request.active === false ? null : await tx.one<{ code: string; at: string }>(
      `select s.code, l.code "at" from replenishment_scopes s join locations l on l.id = any(s.location_ids) and l.id = any($2::int[])
       where s.code <> $1 and s.active and (s.categories is null or $3::text[] is null or s.categories && $3::text[]) order by 1, 2 limit 1`, [code, ids, categories]);
    if (other) throw new Problem('conflict', `location "${other.at}" is planned by scope "${other.code}" already: divide them by location or category`, '/locations');
    await tx.query(
      `insert into replenishment_scopes (code, location_ids, categories, policy, active, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $6)
       on conflict (code) do update set location_ids = excluded.location_ids, categories = excluded.categories, policy = excluded.policy, active = excluded.active, updated_at = excluded.updated_at,
         version = replenishment_scopes.version + 1, next_at = null, forecast_week = null`,
      [code, ids, categories, JSON.stringify(request.policy), request.active ?? true, tx.now]);
    await askWorkflow(tx, 'look', replenishmentWorkflow(code));
  });
}

/** Has everything of a scope planned now. Throws Problem not_found, or conflict where it is not active. */
export async function planNow(writer: StockWriter, code: string): Promise<void> {
  await writer.change(async (tx) => {
    const scope = await lockScope(tx, code);
    if (!scope) throw new Problem('not_found', `scope "${code}" does not exist`);
    if (!scope.active) throw new Problem('conflict', `scope "${code}" is not active`);
    await tx.query('update replenishment_scopes set next_at = null where code = $1', [code]);
    await askWorkflow(tx, 'look', replenishmentWorkflow(code));
  });
}

/**
 * Looks for what fell to its reorder point and whose wake was taken before its transaction was over (or whose workflow never ran): asks again, at most one wake each.
 * Returns how many scopes were asked.
 */
export async function tendReplenishment(writer: StockWriter): Promise<number> {
  const { rows: [some] } = await writer.pool.query<{ some: boolean }>('select exists (select from replenishment_dirty) some');
  if (some?.some !== true) return 0;
  return writer.change(async (tx) => {
    const scopes = await tx.query<{ scope: string }>(
      `select s.scope from (select distinct replenishment_scope(sku_id, location_id) scope from replenishment_dirty where at < now() - interval '2 seconds') s
       where s.scope is not null and not exists (select from outbox o where o.workflow_id = 'replenishment/' || s.scope)`);
    for (const { scope } of scopes) await askWorkflow(tx, 'look', replenishmentWorkflow(scope));
    return scopes.length;
  });
}

/** Sees to it that workflows of scopes run: one is asked for when its plan by cadence is late by ten minutes, at most every ten minutes by each process. Returns how many were. */
export async function tendScopes(writer: StockWriter): Promise<number> {
  return writer.change(async (tx) => {
    const late = await tx.query<{ code: string }>(
      `select code from replenishment_scopes where active and coalesce(next_at, updated_at) < $1 and not exists (select from outbox o where o.workflow_id = 'replenishment/' || code) order by code`, [new Date(tx.now.getTime() - 600_000)]);
    for (const { code } of late) await askWorkflow(tx, 'look', replenishmentWorkflow(code));
    return late.length;
  });
}

export async function listScopes(pool: pg.Pool, network: Network, code: string | null = null): Promise<ScopeView[]> {
  const { rows } = await pool.query<Scope>(`select ${SCOPE} from replenishment_scopes where $1::text is null or code = $1 order by code`, [code]);
  return rows.map(({ locationIds, nextAt, ...s }) => ({ ...s, locations: locationIds.map((id) => network.locationById.get(id)?.code ?? ''), nextAt: nextAt?.toISOString() ?? null }));
}
