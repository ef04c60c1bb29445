import { encodeId } from '../../../domain/ids.ts';
import type { CanaryGuard } from '../../../domain/routing/canary.ts';
import type { WorkflowRef } from '../../outbox.ts';
import type { Tx } from '../../tx.ts';
import type { Arms } from './arms.ts';

export type CanaryStatus = 'running' | 'rolled_back' | 'promoted' | 'ended';
export type Canary = {
  id: string; policyId: number; controlPolicyId: number; share: number; startsAt: Date; endsAt: Date; guard: CanaryGuard; status: CanaryStatus; startedBy: string; endedAt: Date | null;
  endedBy: string | null; reason: string | null; looks: number; nextLookAt: Date | null; figures: Arms | null;
};
export const CANARY = `id, policy_id "policyId", control_policy_id "controlPolicyId", share, starts_at "startsAt", ends_at "endsAt", guard, status, started_by "startedBy", ended_at "endedAt", ended_by "endedBy", reason,
  looks, next_look_at "nextLookAt", figures`;

export const canaryRef = (id: string): WorkflowRef => ({ type: 'canary', id: `canary/${encodeId('can', id)}`, input: { v: 1, canary: encodeId('can', id) } });

/** Ends a locked, running canary: its orders take the policy in effect from this commit on. */
export async function endCanary(tx: Tx, canary: Canary, status: Exclude<CanaryStatus, 'running'>, by: string, reason: string | null, figures: Arms): Promise<void> {
  await tx.query('update policy_canaries set status = $2, ended_at = $3, ended_by = $4, reason = $5, figures = $6, next_look_at = null where id = $1', [canary.id, status, tx.now, by, reason, JSON.stringify(figures)]);
  await policyEvent(tx, canary.policyId, `policy.canary_${status}`, by, { canary: encodeId('can', canary.id), reason, figures });
}

export async function policyEvent(tx: Tx, policyId: number, type: string, actor: string, data: object): Promise<void> {
  await tx.query('insert into policy_events (policy_id, type, at, actor, data) values ($1, $2, $3, $4, $5)', [policyId, type, tx.now, actor, JSON.stringify(data)]);
}
