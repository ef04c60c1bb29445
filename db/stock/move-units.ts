import { LedgerError, ensureLevels, lockLevels } from '../ledger.ts';
import type { Tx } from '../tx.ts';

/** A holder without its id; lot 0: not tracked; allotment 0: shared; supply 0: physically there. */
export type HolderKey = { locationId: number; skuId: number; condition?: string; lotId?: number; allotmentId?: number; supplyId?: number };
export type Move = { fromLevelId: number; to: HolderKey; units: number };

/**
 * Moves free units from one holder to another (another allotment, condition, or from a supply to the shelf), all under one command.
 * Only what is not reserved moves; buffers do not keep units back here. Returns the ids of the receiving levels, in order.
 * Throws LedgerError when a holder has not enough free units (nothing has changed then).
 */
export async function moveUnits(tx: Tx, cause: string, moves: readonly Move[], commandId?: string): Promise<number[]> {
  if (moves.length === 0) return [];
  const to = await ensureLevels(tx.client, moves.map((m) => ({
    locationId: m.to.locationId, skuId: m.to.skuId, condition: m.to.condition ?? 'sellable', lotId: m.to.lotId ?? 0, allotmentId: m.to.allotmentId ?? 0, supplyId: m.to.supplyId ?? 0,
  })));
  const locked = await lockLevels(tx.client, [...moves.map((m) => m.fromLevelId), ...to]);
  const wanted = new Map<number, number>();
  for (const m of moves) wanted.set(m.fromLevelId, (wanted.get(m.fromLevelId) ?? 0) + m.units);
  for (const [id, units] of wanted) {
    const level = locked.get(id);
    if (!level || level.onHand - level.reserved < units) throw new LedgerError(id, `level ${id} has ${level ? level.onHand - level.reserved : 0} free units, ${units} were to be moved`);
  }
  await tx.post(cause, null, moves.flatMap((m, i) => [{ levelId: m.fromLevelId, onHand: -m.units, reserved: 0 }, { levelId: to[i] as number, onHand: m.units, reserved: 0 }]), commandId);
  return to;
}

/**
 * Moves reserved units with their reservations: the reservation rows then name the receiving level. Rows are split when `units` is less than theirs.
 * The order of each reservation must be locked by the caller.
 */
export async function moveReserved(tx: Tx, cause: string, moves: readonly { orderId: string; lineNo: number; seq: number; units: number; fromLevelId: number; to: HolderKey }[], commandId?: string): Promise<void> {
  if (moves.length === 0) return;
  const to = await ensureLevels(tx.client, moves.map((m) => ({
    locationId: m.to.locationId, skuId: m.to.skuId, condition: m.to.condition ?? 'sellable', lotId: m.to.lotId ?? 0, allotmentId: m.to.allotmentId ?? 0, supplyId: m.to.supplyId ?? 0,
  })));
  await tx.post(cause, null, moves.flatMap((m, i) => [
    { levelId: m.fromLevelId, onHand: -m.units, reserved: -m.units }, { levelId: to[i] as number, onHand: m.units, reserved: m.units },
  ]), commandId);
  for (const [i, m] of moves.entries()) {
    const whole = await tx.query('update reservations set level_id = $4 where order_id = $1 and line_no = $2 and seq = $3 and quantity = $5 returning 1', [m.orderId, m.lineNo, m.seq, to[i], m.units]);
    if (whole.length > 0) continue;
    await tx.query(
      `with rest as (update reservations set quantity = quantity - $5 where order_id = $1 and line_no = $2 and seq = $3 and quantity > $5 returning *)
       insert into reservations (order_id, line_no, seq, level_id, quantity, status, expires_at, fulfillment_order_id, created_at)
       select order_id, line_no, (select max(seq) + 1 from reservations where order_id = $1), $4, $5, status, expires_at, fulfillment_order_id, created_at from rest`,
      [m.orderId, m.lineNo, m.seq, to[i], m.units]);
  }
}
