import { inCanary } from '../../../domain/routing/canary.ts';
import type { InstancePolicy } from '../../../domain/routing/model.ts';
import type { ActivePolicy } from '../../network.ts';
import type { Tx } from '../../tx.ts';

type Row = { canaryId: string; share: number; id: number; hash: Buffer; effectiveAt: Date; code: string; version: number; body: Omit<InstancePolicy, 'code' | 'version'> };

/** The policy that routes an order (UUID). */
export type Ruling = (orderId: string) => ActivePolicy;

/**
 * The policy that routes an order: that of the running canary, where the order is in its share, else the one in effect. Read in the order's own transaction: after a roll-back has been
 * committed no order takes the canary any more.
 */
export async function rulingPolicy(tx: Tx, orderId: string, inEffect: ActivePolicy): Promise<ActivePolicy> { return (await rulings(tx, inEffect))(orderId); }

/** `rulingPolicy` for many orders of one transaction. */
export async function rulings(tx: Tx, inEffect: ActivePolicy): Promise<Ruling> {
  const row = await tx.one<Row>(
    `select c.id "canaryId", c.share, p.id, p.hash, p.effective_at "effectiveAt", p.code, p.version, p.body from policy_canaries c join routing_policies p on p.id = c.policy_id
     where c.status = 'running' and c.starts_at <= $1 and c.ends_at > $1 and c.control_policy_id = $2`, [tx.now, inEffect.id]);
  if (!row) return () => inEffect;
  const { canaryId, share, id, hash, effectiveAt, code, version, body } = row;
  const canary: ActivePolicy = { id, hash, effectiveAt, policy: { code, version, ...body } };
  return (orderId) => (inCanary(canaryId, orderId, share) ? canary : inEffect);
}

/** Orders by whether the running canary has them in its share: those that are planned together must be ruled by one policy, or its trial would measure the other's plans. One group where no canary runs. */
export async function byArm(tx: Tx, orderIds: readonly string[]): Promise<string[][]> {
  const canary = await tx.one<{ id: string; share: number }>(`select id, share from policy_canaries where status = 'running' and starts_at <= $1 and ends_at > $1`, [tx.now]);
  const tried = (id: string): boolean => canary !== null && inCanary(canary.id, id, canary.share);
  return [orderIds.filter((id) => !tried(id)), orderIds.filter(tried)];
}
