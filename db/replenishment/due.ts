import { addDays, mondayOf } from '../../domain/replenishment/weeks.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { PlanCause } from './commit.ts';
import { readScope } from './scopes.ts';

/** What a scope's workflow does next. `wakeAt`: ISO 8601. */
export type ScopeStep = { do: 'end' } | { do: 'carry_out' } | { do: 'forecast'; week: string } | { do: 'plan'; cause: PlanCause } | { do: 'wait'; wakeAt: string };

/** What PostgreSQL says is due: what was planned is made first, then the forecasts of a new week, then what fell to its reorder point, then everything by its cadence. */
export async function scopeStep(writer: StockWriter, code: string): Promise<ScopeStep> {
  const now = writer.clock();
  const scope = await readScope(writer.pool, code);
  if (!scope?.active) return { do: 'end' };
  const { rows: [row] } = await writer.pool.query<{ planned: boolean; dirty: boolean; began: boolean }>(
    `select exists (select from replenishment_orders where scope = $1 and status = 'planned') planned, exists (select from replenishment_plans where scope = $1) began,
       exists (select from replenishment_dirty d where d.location_id = any($2::int[]) and replenishment_scope(d.sku_id, d.location_id) = $1) dirty`, [code, scope.locationIds]);
  if (row?.planned === true) return { do: 'carry_out' };
  const week = mondayOf(now.toISOString().slice(0, 10));
  if (scope.forecastWeek === null || scope.forecastWeek < week) return { do: 'forecast', week };
  if (scope.nextAt === null || scope.nextAt <= now) return { do: 'plan', cause: scope.nextAt === null && row?.began === true ? 'manual' : 'cadence' };
  if (row?.dirty === true) return { do: 'plan', cause: 'wake' };
  const nextWeek = new Date(`${addDays(week, 7)}T00:00:00Z`);
  return { do: 'wait', wakeAt: (nextWeek < scope.nextAt ? nextWeek : scope.nextAt).toISOString() };
}
