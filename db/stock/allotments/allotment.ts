import type pg from 'pg';
import { Problem } from '../../../domain/problem.ts';
import type { Allotment } from '../../../domain/stock/overflow.ts';
import type { Tx } from '../../tx.ts';

export type AllotmentRow = Allotment & { name: string };

const COLUMNS = `id, code, name, kind, parent_id "parentId", channel_id "channelId", overflow, borrow_limit "borrowLimit", starts_at "startsAt", ends_at "endsAt", closed_at "closedAt"`;

/** One change of the hierarchy at a time: a circle is made by two that do not see each other. */
export async function lockHierarchy(tx: Tx): Promise<void> {
  await tx.query(`select pg_advisory_xact_lock(hashtext('tributary:allotments'))`);
}

/** An allotment, locked for a change of it or of its units. After idempotency keys, before levels. Throws not_found. */
export async function lockAllotment(tx: Tx, code: string): Promise<AllotmentRow> {
  const row = await tx.one<AllotmentRow>(`select ${COLUMNS} from allotments where code = $1 and id <> 0 for no key update`, [code]);
  if (!row) throw new Problem('not_found', `allotment "${code}" does not exist`);
  return row;
}

/**
 * For moving units: one at a time, because a level that another has just made for it would not be among those that were read and locked.
 * Throws `conflict` where nobody may move them: it is closed, or a declaration's.
 */
export async function lockOpen(tx: Tx, code: string): Promise<AllotmentRow & { parentId: number }> {
  const row = await lockAllotment(tx, code);
  refuseDeclaration(row);
  if (row.closedAt) throw new Problem('conflict', `allotment "${code}" was closed at ${row.closedAt.toISOString()}`);
  return { ...row, parentId: row.parentId ?? 0 };
}

export function refuseDeclaration(row: AllotmentRow): void {
  if (row.kind === 'transfer') throw new Problem('conflict', `"${row.code}" holds what is set aside for transfers: change those`);
  if (row.kind === 'declaration') throw new Problem('conflict', `"${row.code}" belongs to a declaration: its units are changed and ended there`);
}

/** The allotment itself while it is open, else its nearest open ancestor; it cannot be closed before this transaction ends. The shared stock is always open. */
export async function nearestOpen(tx: Tx, id: number): Promise<number> {
  for (let at = id; at !== 0;) {
    const row = await tx.one<{ parentId: number | null; closedAt: Date | null }>('select parent_id "parentId", closed_at "closedAt" from allotments where id = $1 for share', [at]);
    if (!row) return 0;
    if (row.closedAt === null) return at;
    at = row.parentId ?? 0;
  }
  return 0;
}

/** Ids of the SKUs that exist, by code. Not from the network's cache: allotments are part of the network, and a change of one empties that cache meanwhile. */
export async function skuIds(pool: pg.Pool, codes: readonly string[]): Promise<Map<string, number>> {
  if (codes.length === 0) return new Map();
  const { rows } = await pool.query<{ id: number; code: string }>('select id, code from skus where code = any($1::text[])', [[...new Set(codes)]]);
  return new Map(rows.map((r) => [r.code, r.id]));
}
