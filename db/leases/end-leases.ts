import { lockLevels, type Leg } from '../ledger.ts';
import type { Tx } from '../tx.ts';

/**
 * Gives back all that some leases hold and ends them; each posts its stock under a command of its own. The leases are locked by the caller and active.
 */
export async function endLeases(tx: Tx, ids: readonly string[], as: 'released' | 'expired'): Promise<void> {
  if (ids.length === 0) return;
  const rows = await tx.query<{ lease: string; levelId: number; quantity: number }>(
    `update reservations set status = 'released' where order_id = any($1::uuid[]) and status in ('held', 'confirmed') returning order_id lease, level_id "levelId", quantity`, [ids]);
  // All levels at once, in their order: leases may share them.
  await lockLevels(tx.client, rows.map((r) => r.levelId));
  await tx.query('update leases set status = $2, ended_at = $3 where id = any($1::uuid[])', [ids, as, tx.now]);
  const legs = new Map<string, Leg[]>();
  for (const { lease, levelId, quantity } of rows) legs.set(lease, [...legs.get(lease) ?? [], { levelId, onHand: 0, reserved: -quantity }]);
  for (const [lease, own] of legs) await tx.post(`lease_${as}`, lease, own);
}
