import { uuidv7 } from '../../../runtime/ids.ts';
import type { LockedLevel } from '../../ledger.ts';
import type { StockWriter } from '../../stock-writer.ts';

/** Levels a transaction: locks are short, and the legs of a command are numbered by a small integer. */
const BATCH = 2_000;

/**
 * Sets the buffers of a location's levels to what the rules say and returns how many have changed. `clear`: a level without a rule keeps nothing (else it is left
 * alone). A movement of nothing tells the other processes; units that become free go to the orders that wait. Safe to repeat and at once.
 */
export async function applyBuffers(writer: StockWriter, locationId: number, clear: boolean, skuIds: readonly number[] | null = null): Promise<number> {
  let changed = 0;
  for (let after = 0; ;) {
    const batch = await writer.change(async (tx) => {
      const rows = await tx.query<LockedLevel & { was: number }>(
        `with due as materialized (
           select id, buffer was from stock_levels where location_id = $1 and id > $2 and allotment_id = 0 and supply_id = 0 and condition = 'sellable' and ($4::int[] is null or sku_id = any($4::int[]))
             and buffer <> coalesce(buffer_units(location_id, sku_id, lot_id, on_hand), case when $3 then 0 else buffer end)
           order by id limit ${BATCH} for no key update)
         update stock_levels v set buffer = coalesce(buffer_units(v.location_id, v.sku_id, v.lot_id, v.on_hand), case when $3 then 0 else v.buffer end)
         from due where v.id = due.id
         returning v.id, v.sku_id "skuId", v.location_id "locationId", v.allotment_id "allotmentId", v.supply_id "supplyId", v.on_hand "onHand", v.reserved, v.buffer, due.was,
           (v.lot_id = 0 or not exists (select from lots where lots.id = v.lot_id and recalled_at is not null)) sellable`, [locationId, after, clear, skuIds]);
      if (rows.length > 0) {
        await tx.query(
          `insert into stock_movements (command_id, leg, level_id, d_on_hand, d_reserved, cause) select $1, i - 1, id, 0, 0, 'buffer' from unnest($2::bigint[]) with ordinality as t(id, i)`,
          [uuidv7(), rows.map((r) => r.id)]);
      }
      for (const { was, ...level } of rows) {
        tx.changed.set(level.id, level);
        if (level.buffer < was) tx.freed.add(level.skuId);
      }
      return { count: rows.length, last: rows.reduce((most, r) => Math.max(most, r.id), 0) };
    });
    changed += batch.count;
    if (batch.count < BATCH) return changed;
    after = batch.last;
  }
}
