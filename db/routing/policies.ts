import { hash } from 'node:crypto';
import type pg from 'pg';
import { Problem } from '../../domain/problem.ts';
import { canonicalJson } from '../../domain/routing/canonical.ts';
import type { InstancePolicy } from '../../domain/routing/model.ts';
import { validatePolicy } from '../../domain/routing/policy.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';

export type PolicyStatus = 'draft' | 'active' | 'retired';
export type PolicyInput = { policy: InstancePolicy; comment?: string; effectiveAt?: string };
/** Times ISO 8601; `hash` sha256 (hex) of the canonical JSON of the policy. */
export type PolicyView = {
  policy: InstancePolicy; hash: string; status: PolicyStatus; author: string; comment: string | null; effectiveAt: string; createdAt: string; activatedAt: string | null; retiredAt: string | null;
};
type Row = {
  id: number; code: string; version: number; body: Omit<InstancePolicy, 'code' | 'version'>; hash: Buffer; status: PolicyStatus; author: string; comment: string | null;
  effective_at: Date; created_at: Date; activated_at: Date | null; retired_at: Date | null;
};

export function policyHash(policy: InstancePolicy): Buffer { return Buffer.from(hash('sha256', canonicalJson(policy)), 'hex'); }

function view(r: Row): PolicyView {
  return {
    policy: { code: r.code, version: r.version, ...r.body }, hash: r.hash.toString('hex'), status: r.status, author: r.author, comment: r.comment, effectiveAt: r.effective_at.toISOString(),
    createdAt: r.created_at.toISOString(), activatedAt: r.activated_at?.toISOString() ?? null, retiredAt: r.retired_at?.toISOString() ?? null,
  };
}

const noSuch = (code: string, version: number): Problem => new Problem('not_found', `routing policy "${code}" has no version ${version}`);

/** A draft; again with the same policy it stays as it is. Throws Problem: `conflict` where the version is there with another policy, or for another time than is asked for now. */
export async function draftPolicy(writer: StockWriter, { policy, comment, effectiveAt }: PolicyInput, author: string): Promise<PolicyView> {
  validatePolicy(policy, '/policy');
  const from = effectiveAt === undefined ? null : new Date(effectiveAt);
  // A leap second is a date-time to the schema and no Date.
  if (from && Number.isNaN(from.getTime())) throw new Problem('invalid', `"${effectiveAt ?? ''}" is no time`, '/effectiveAt');
  const { code, version, ...body } = policy;
  return writer.change(async (tx) => {
    await tx.query(
      `insert into routing_policies (code, version, body, hash, author, comment, effective_at, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (code, version) do nothing`,
      [code, version, JSON.stringify(body), policyHash(policy), author, comment ?? null, from ?? tx.now, tx.now]);
    const row = await tx.one<Row>('select * from routing_policies where code = $1 and version = $2', [code, version]);
    if (!row?.hash.equals(policyHash(policy))) throw new Problem('conflict', `version ${version} of policy "${code}" is there with another content: make a new version`, '/policy/version');
    if (from && from.getTime() !== row.effective_at.getTime()) throw new Problem('conflict', `version ${version} of policy "${code}" is there, effective at ${row.effective_at.toISOString()}: make a new version`, '/effectiveAt');
    return view(row);
  });
}

/** Draft to active, or active to retired; in that state already it stays. The last active one is not retired: orders would have no policy. Throws Problem. */
export async function movePolicy(writer: StockWriter, code: string, version: number, to: 'active' | 'retired'): Promise<PolicyView> {
  return writer.change(async (tx) => {
    const row = await movePolicyIn(tx, code, version, 'lock');
    const tried = await tx.one(`select from policy_canaries c join routing_policies p on p.id = c.policy_id where p.code = $1 and p.version = $2 and c.status = 'running'`, [code, version]);
    if (tried && row.status !== to) throw new Problem('conflict', `version ${version} of policy "${code}" is tried as a canary: promote it or roll it back`);
    return movePolicyIn(tx, code, version, to);
  });
}

/** The same within a transaction; `lock` moves nothing. */
export async function movePolicyIn(tx: Tx, code: string, version: number, to: 'active' | 'retired' | 'lock'): Promise<PolicyView> {
  // All active ones in one order: two retirements at once must not leave none.
  const active = await tx.query<Row>(`select * from routing_policies where status = 'active' or (code = $1 and version = $2) order by id for no key update`, [code, version]);
  const row = active.find((r) => r.code === code && r.version === version);
  if (!row) throw noSuch(code, version);
  if (to === 'lock' || row.status === to) return view(row);
  if (to === 'active' && row.status !== 'draft') throw new Problem('conflict', `version ${version} of policy "${code}" is ${row.status}: make a new version`);
  if (to === 'retired') {
    if (row.status !== 'active') throw new Problem('conflict', `version ${version} of policy "${code}" was never active`);
    if (!active.some((r) => r.id !== row.id && r.status === 'active' && r.effective_at <= tx.now)) throw new Problem('conflict', 'it is the only policy in effect: activate another one first');
  }
  const moved = await tx.one<Row>(`update routing_policies set status = $2, activated_at = case when $2 = 'active' then $3 else activated_at end, retired_at = case when $2 = 'retired' then $3::timestamptz end where id = $1 returning *`, [row.id, to, tx.now]);
  if (!moved) throw new Error('a locked row is there');
  return view(moved);
}

export async function listPolicies(pool: pg.Pool): Promise<PolicyView[]> {
  return (await pool.query<Row>('select * from routing_policies order by code, version')).rows.map(view);
}

/** Throws Problem not_found. */
export async function readPolicy(pool: pg.Pool, code: string, version: number): Promise<PolicyView> {
  const { rows: [row] } = await pool.query<Row>('select * from routing_policies where code = $1 and version = $2', [code, version]);
  if (!row) throw noSuch(code, version);
  return view(row);
}
