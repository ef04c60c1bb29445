import { lockLevels } from '../ledger.ts';
import type { Tx } from '../tx.ts';

/** Units of a transfer that are set aside: `there` may be fewer than `units` where a count or a loss took some meanwhile. */
export type AsidePart = { line: number; skuId: number; homeLevelId: number; levelId: number; lotId: number; units: number; there: number };

/** The parts of a locked transfer, with their levels and those given locked. Parts on one level share what is there in their order. */
export async function lockAside(tx: Tx, transferId: string, others: readonly number[] = []): Promise<AsidePart[]> {
  const parts = await tx.query<Omit<AsidePart, 'there'>>(
    `select p.line_no line, n.sku_id "skuId", p.home_level_id "homeLevelId", p.level_id "levelId", p.lot_id "lotId", p.units from transfer_parts p join transfer_lines n using (transfer_id, line_no)
     where p.transfer_id = $1 order by p.line_no, p.home_level_id`, [transferId]);
  const locked = await lockLevels(tx.client, [...parts.flatMap((p) => [p.levelId, p.homeLevelId]), ...others]);
  const left = new Map([...locked.values()].map((l) => [l.id, l.onHand - l.reserved]));
  return parts.map((p) => {
    const there = Math.min(p.units, left.get(p.levelId) ?? 0);
    left.set(p.levelId, (left.get(p.levelId) ?? 0) - there);
    return { ...p, there };
  });
}

/** Everything that is still set aside for a locked transfer is the sender's shared stock again. Returns how many units. */
export async function sendHome(tx: Tx, transferId: string, orderId: string | null, cause: string): Promise<number> {
  const parts = (await lockAside(tx, transferId)).filter((p) => p.there > 0);
  await tx.post(cause, orderId, parts.flatMap((p) => [{ levelId: p.levelId, onHand: -p.there, reserved: 0 }, { levelId: p.homeLevelId, onHand: p.there, reserved: 0 }]));
  return parts.reduce((sum, p) => sum + p.there, 0);
}
