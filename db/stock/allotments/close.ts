import { Problem } from '../../../domain/problem.ts';
import { lockLevels } from '../../ledger.ts';
import type { StockWriter } from '../../stock-writer.ts';
import type { Tx } from '../../tx.ts';
import { moveUnits } from '../move-units.ts';
import { lockAllotment, nearestOpen, refuseDeclaration } from './allotment.ts';

/** `home`: units that went to the parent now; `reserved`: units that orders still have, which stay until they are issued or released. */
export type ClosingAnswer = { code: string; closedAt: string; home: number; reserved: number };

/** Levels a transaction. */
const LEVELS = 1000;

/**
 * Closes an allotment: nothing is sold from it or put into it any more. Free units (of any condition, and what is coming) go to the nearest open parent at once;
 * reserved ones stay where they are until issued or released, and then go home at the next close of the same or by housekeeping. Safe to repeat.
 */
export async function closeAllotment(writer: StockWriter, code: string): Promise<ClosingAnswer> {
  const { id, closedAt } = await writer.change(async (tx) => {
    const row = await lockAllotment(tx, code);
    refuseDeclaration(row);
    if (row.closedAt) return { id: row.id, closedAt: row.closedAt };
    await tx.query('update allotments set closed_at = $2 where id = $1', [row.id, tx.now]);
    await tx.query('delete from allotment_schedules where allotment_id = $1', [row.id]);
    await tx.query('insert into allotment_closings (allotment_id, closed_at) values ($1, $2)', [row.id, tx.now]);
    return { id: row.id, closedAt: tx.now };
  });
  const { home, reserved } = await emptyAllotment(writer, id);
  return { code, closedAt: closedAt.toISOString(), home, reserved };
}

/** Sends home what is free in a closed allotment; forgets the closing once nothing is left in it. */
export async function emptyAllotment(writer: StockWriter, id: number): Promise<{ home: number; reserved: number }> {
  let home = 0;
  for (;;) {
    const sent = await writer.change((tx) => sendHome(tx, id));
    home += sent.units;
    if (!sent.more) return { home, reserved: sent.reserved };
  }
}

async function sendHome(tx: Tx, id: number): Promise<{ units: number; reserved: number; more: boolean }> {
  const row = await tx.one<{ closedAt: Date | null; parentId: number | null }>('select closed_at "closedAt", parent_id "parentId" from allotments where id = $1 for no key update', [id]);
  if (!row?.closedAt) throw new Problem('conflict', 'the allotment is open');
  const parentId = await nearestOpen(tx, row.parentId ?? 0);
  const levels = await tx.query<{ id: number; skuId: number; locationId: number; condition: string; lotId: number; supplyId: number }>(
    `select id, sku_id "skuId", location_id "locationId", condition, lot_id "lotId", supply_id "supplyId" from stock_levels
     where allotment_id = $1 and allotment_id <> 0 and on_hand > reserved order by id limit $2`, [id, LEVELS]);
  const locked = await lockLevels(tx.client, levels.map((l) => l.id));
  const moves = levels.flatMap(({ id: levelId, ...key }) => {
    const level = locked.get(levelId);
    const units = level ? level.onHand - level.reserved : 0;
    return units > 0 ? [{ fromLevelId: levelId, to: { ...key, allotmentId: parentId }, units }] : [];
  });
  await moveUnits(tx, 'allot_home', moves);
  const left = await tx.one<{ on_hand: number; reserved: number }>('select coalesce(sum(on_hand), 0)::int on_hand, coalesce(sum(reserved), 0)::int reserved from stock_levels where allotment_id = $1 and allotment_id <> 0', [id]);
  if (left?.on_hand === 0) await tx.query('delete from allotment_closings where allotment_id = $1', [id]);
  return { units: moves.reduce((sum, m) => sum + m.units, 0), reserved: left?.reserved ?? 0, more: levels.length === LEVELS };
}
