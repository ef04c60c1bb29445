import type pg from 'pg';
import { Problem } from '../../domain/problem.ts';
import { RULE_NAMES, ruleParams, type Rule, type RuleKind } from '../../domain/slow-movers/rules.ts';
import { askWorkflow } from '../outbox.ts';
import type { StockWriter } from '../stock-writer.ts';
import { SLOW_MOVERS } from './alert.ts';

/** Seconds; money in minor units. */
export type SlowMoverPolicy = { everyS: number; mediumFrom: number; highFrom: number; seasonDays: number };
export type SlowMoverState = SlowMoverPolicy & { requestedAt: Date | null; evaluatedAt: Date | null; outcome: unknown };
const COLUMNS = 'every_s "everyS", medium_from "mediumFrom", high_from "highFrom", season_days "seasonDays", requested_at "requestedAt", evaluated_at "evaluatedAt", outcome';

export async function readSlowMoverState(db: pg.Pool | pg.ClientBase): Promise<SlowMoverState> {
  const { rows: [row] } = await db.query<SlowMoverState>(`select ${COLUMNS} from slow_mover_policy`);
  if (!row) throw new Error('slow_mover_policy has lost its one row: insert it again (see its migration)');
  return row;
}

export async function setSlowMoverPolicy(writer: StockWriter, p: SlowMoverPolicy): Promise<void> {
  if (p.highFrom < p.mediumFrom) throw new Problem('unprocessable', 'high money at risk begins at or above medium', '/highFrom');
  await writer.change(async (tx) => {
    await tx.query('update slow_mover_policy set every_s = $1, medium_from = $2, high_from = $3, season_days = $4', [p.everyS, p.mediumFrom, p.highFrom, p.seasonDays]);
    await askWorkflow(tx, 'look', SLOW_MOVERS);
  });
}

/** Everything is looked at now; several wishes are one evaluation. */
export async function requestEvaluation(writer: StockWriter): Promise<{ requestedAt: string }> {
  return writer.change(async (tx) => {
    await tx.query('update slow_mover_policy set requested_at = $1', [tx.now]);
    await askWorkflow(tx, 'look', SLOW_MOVERS);
    return { requestedAt: tx.now.toISOString() };
  });
}

export type CategoryRule = Rule & { category: string | null };

/** What was set; kinds without a row stand by their defaults. */
export async function readRules(db: pg.Pool | pg.ClientBase): Promise<CategoryRule[]> {
  return (await db.query<CategoryRule>('select kind, category, enabled, params from slow_mover_rules order by kind, category nulls first')).rows;
}

/** All rules in force for all categories, and those of single ones. */
export async function listRules(db: pg.Pool | pg.ClientBase): Promise<CategoryRule[]> {
  const set = await readRules(db);
  const all = RULE_NAMES.map((kind): CategoryRule => set.find((r) => r.kind === kind && r.category === null) ?? { kind, category: null, enabled: true, params: {} });
  return [...all, ...set.filter((r) => r.category !== null)].map((r) => ({ ...r, params: ruleParams(r.kind, r.params) }));
}

/** From the next evaluation on. Throws Problem with the number at fault. */
export async function putRule(writer: StockWriter, rule: { kind: RuleKind; category: string | null; enabled: boolean; params: Record<string, unknown> }, actor: string): Promise<CategoryRule> {
  const params = ruleParams(rule.kind, rule.params);
  return writer.change(async (tx) => {
    if (rule.category !== null && !await tx.one('select from skus where category = $1 limit 1', [rule.category])) throw new Problem('unprocessable', `no SKU is of category "${rule.category}"`, '/category');
    await tx.query(
      `insert into slow_mover_rules values ($1, $2, $3, $4, $5, $6) on conflict (kind, category) do update set enabled = excluded.enabled, params = excluded.params, updated_at = excluded.updated_at, updated_by = excluded.updated_by`,
      [rule.kind, rule.category, rule.enabled, JSON.stringify(params), tx.now, actor]);
    return { ...rule, params };
  });
}

/** A category's own rule goes: that for all is in force there. Throws Problem not_found. */
export async function dropRule(writer: StockWriter, kind: RuleKind, category: string): Promise<void> {
  await writer.change(async (tx) => {
    if (!await tx.one('delete from slow_mover_rules where kind = $1 and category = $2 returning kind', [kind, category])) throw new Problem('not_found', `category "${category}" has no rule "${kind}" of its own`);
  });
}
