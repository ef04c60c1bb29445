import type pg from 'pg';
import { encodeId, type IdPrefix } from '../../domain/ids.ts';
import { inTransaction, SNAPSHOT } from '../transaction.ts';
import { CAPTURED_WITHOUT_WORKFLOW, CHECKS, ORDERS_WITH_WORKFLOW } from './checks.ts';

export type Violation = { check: string; detail: string };
export type AuditResult = { movements: number; orders: number; violations: Violation[] };
export type AuditOptions = {
  /** Which of these orders (`ord_…`) have a workflow. Without it the check `workflow` is left out. */
  workflowExists?: (orderIds: string[]) => Promise<Set<string>>;
  /** Temporal cannot be asked: `captured-forgotten` looks for orders that never came to a workflow, as far as the database shows. */
  withoutTemporal?: boolean;
  /** Names of checks to leave out. */
  leaveOut?: readonly string[];
  /** What counts as now for what is due; default: the database's clock. */
  now?: Date;
};

/** Rows of one check that are reported. */
const LIMIT = 50;

/**
 * Checks the laws of the ledger and of the orders (`checks.ts`), at most 50 violations each. All of it reads one snapshot, so it is right while
 * the system runs, and it writes and locks nothing. Workflows are asked for after the snapshot: an outbox row goes only when its workflow is there.
 */
export async function runAudit(pool: pg.Pool, options: AuditOptions = {}): Promise<AuditResult> {
  const { result, waiting } = await inTransaction(pool, async (client) => ({
    result: await readSnapshot(client, options),
    waiting: options.workflowExists ? (await client.query<{ id: string }>(ORDERS_WITH_WORKFLOW)).rows.map((r) => encodeId('ord', r.id)) : [],
  }), SNAPSHOT);
  if (options.workflowExists && waiting.length > 0) {
    const found = await options.workflowExists(waiting);
    const missing = waiting.filter((id) => !found.has(id)).slice(0, LIMIT);
    result.violations.push(...missing.map((id) => ({ check: 'workflow', detail: `${id} is not over and has neither a workflow nor an outbox row` })));
  }
  return result;
}

async function readSnapshot(client: pg.PoolClient, { leaveOut = [], now, withoutTemporal = false }: AuditOptions): Promise<AuditResult> {
  const { rows: [counts] } = await client.query<{ movements: number; orders: number }>(
    'select (select count(*) from stock_movements) movements, (select count(*) from orders) orders');
  if (!counts) throw new Error('unreachable: an aggregate query returns a row');
  const violations: Violation[] = [];
  const checks = withoutTemporal ? [...CHECKS, CAPTURED_WITHOUT_WORKFLOW] : CHECKS;
  for (const check of checks.filter((c) => !leaveOut.includes(c.name))) {
    const { rows } = await client.query<{ detail: string }>(`select detail from (${check.sql}) v limit ${LIMIT}`, check.timed ? [now ?? null] : []);
    violations.push(...rows.map(({ detail }) => ({ check: check.name, detail: readable(detail) })));
  }
  return { ...counts, violations };
}

/** `ord:UUID` as `ord_…`. */
function readable(detail: string): string {
  return detail.replace(/\b(ord|ful|shp|par|rma|ref|rrq|res|cmp):([0-9a-f-]{36})/g, (_, prefix: IdPrefix, uuid: string) => encodeId(prefix, uuid));
}
