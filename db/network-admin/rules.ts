import type pg from 'pg';
import { errorCode } from '../stock-writer.ts';
import type { Vault } from '../vault.ts';

export type RuleInput = { name: string; kind: string; action: string; priority: number; channel?: string; params: Record<string, unknown>; active?: boolean };
export type RuleRow = { id: number; name: string; kind: string; action: string; priority: number; channel: string | null; params: Record<string, unknown>; active: boolean };

export async function listRules(pool: pg.Pool): Promise<RuleRow[]> {
  return (await pool.query<RuleRow>(
    `select r.id, r.name, r.kind, r.action, r.priority, c.code channel, r.params, r.active from audit_rules r left join channels c on c.id = r.channel_id order by r.priority, r.id`)).rows;
}

const UNIQUE_VIOLATION = '23505';

/** Writes a rule, a new one (id null) or in place of another, and returns its id: `missing` when there is none of the id, `taken` when another has the name. */
export async function putRule(pool: pg.Pool, id: number | null, r: RuleInput): Promise<number | 'missing' | 'taken'> {
  const values = [r.name, r.kind, r.action, r.priority, r.channel ?? null, JSON.stringify(r.params), r.active ?? true];
  const text = id === null
    ? `insert into audit_rules (name, kind, action, priority, channel_id, params, active) values ($1, $2, $3, $4, (select id from channels where code = $5), $6, $7) returning id`
    : `update audit_rules set name = $1, kind = $2, action = $3, priority = $4, channel_id = (select id from channels where code = $5), params = $6, active = $7 where id = $8 returning id`;
  try {
    return (await pool.query<{ id: number }>(text, id === null ? values : [...values, id])).rows[0]?.id ?? 'missing';
  } catch (error) {
    if (errorCode(error) === UNIQUE_VIOLATION) return 'taken';
    throw error;
  }
}

export async function deleteRule(pool: pg.Pool, id: number): Promise<boolean> {
  return ((await pool.query('delete from audit_rules where id = $1', [id])).rowCount ?? 0) > 0;
}

export type BlockedKind = 'buyer' | 'phone' | 'address';
/** Only a keyed hash is kept: the list cannot be read back. */
export async function blockEntry(pool: pg.Pool, vault: Vault, kind: BlockedKind, value: string, reason: string): Promise<void> {
  await pool.query('insert into blocked_entries (kind, hash, reason) values ($1, $2, $3) on conflict (kind, hash) do update set reason = excluded.reason', [kind, vault.hash(kind, value), reason]);
}
export async function unblockEntry(pool: pg.Pool, vault: Vault, kind: BlockedKind, value: string): Promise<boolean> {
  return ((await pool.query('delete from blocked_entries where kind = $1 and hash = $2', [kind, vault.hash(kind, value)])).rowCount ?? 0) > 0;
}
