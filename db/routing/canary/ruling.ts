import { inCanary } from '../../../domain/routing/canary.ts';
import type { InstancePolicy } from '../../../domain/routing/model.ts';
import type { ActivePolicy } from '../../network.ts';
import type { Tx } from '../../tx.ts';

type Row = { canaryId: string; share: number; id: number; hash: Buffer; effectiveAt: Date; code: string; version: number; body: Omit<InstancePolicy, 'code' | 'version'> };

/**
 * The policy that routes an order: that of the running canary, where the order is in its share, else the one in effect. Read in the order's own transaction: after a roll-back has been
 * committed no order takes the canary any more.
 */
export async function rulingPolicy(tx: Tx, orderId: string, inEffect: ActivePolicy): Promise<ActivePolicy> {
  const row = await tx.one<Row>(
    `select c.id "canaryId", c.share, p.id, p.hash, p.effective_at "effectiveAt", p.code, p.version, p.body from policy_canaries c join routing_policies p on p.id = c.policy_id
     where c.status = 'running' and c.starts_at <= $1 and c.ends_at > $1 and c.control_policy_id = $2`, [tx.now, inEffect.id]);
  if (!row || !inCanary(row.canaryId, orderId, row.share)) return inEffect;
  const { id, hash, effectiveAt, code, version, body } = row;
  return { id, hash, effectiveAt, policy: { code, version, ...body } };
}
