import { ensureLevels, lockLevels } from '../ledger.ts';
import { moveUnits, type HolderKey } from '../stock/move-units.ts';
import type { Tx } from '../tx.ts';
import type { Declaration } from './declaration.ts';

/**
 * Everything free of an ended declaration goes home: to the shared level of the same place, lot and supply. Units of a supply that was received meanwhile stand
 * on a shelf by then, so they go to the shared shelf. Returns the units that went.
 */
export async function moveHome(tx: Tx, declaration: Declaration): Promise<number> {
  const levels = await tx.query<Required<HolderKey> & { id: number }>(
    `select id, location_id "locationId", sku_id "skuId", condition, lot_id "lotId", 0 "allotmentId", supply_id "supplyId" from stock_levels
     where allotment_id = $1 and on_hand > reserved order by id`, [declaration.allotmentId]);
  if (levels.length === 0) return 0;
  const homes = await ensureLevels(tx.client, levels);
  const locked = await lockLevels(tx.client, [...levels.map((l) => l.id), ...homes]);
  const moves = levels.flatMap(({ id, ...to }, i) => {
    const level = locked.get(id);
    const units = level ? level.onHand - level.reserved : 0;
    return units > 0 ? [{ fromLevelId: id, to, units, home: homes[i] as number }] : [];
  });
  await moveUnits(tx, 'declaration_released', moves);
  for (const m of moves) {
    await tx.query(
      `insert into declaration_releases (declaration_id, level_id, home_level_id, units, released_at) values ($1, $2, $3, $4, $5)
       on conflict (declaration_id, level_id, home_level_id, released_at) do update set units = declaration_releases.units + excluded.units`,
      [declaration.id, m.fromLevelId, m.home, m.units, tx.now]);
  }
  return moves.reduce((sum, m) => sum + m.units, 0);
}

/** Sales are over: free units go home, and the allotment closes. Orders already taken may then be served from the shared stock if one of its locations fails them. */
export async function closeAllotment(tx: Tx, declaration: Declaration): Promise<void> {
  await tx.query(`update allotments set closed_at = $2, overflow = 'parent', borrow_limit = null where id = $1 and closed_at is null`, [declaration.allotmentId, tx.now]);
  await moveHome(tx, declaration);
}
