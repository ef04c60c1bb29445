import type pg from 'pg';
import type { StockWriter } from '../stock-writer.ts';
import { uuidv7 } from '../../runtime/ids.ts';

export type LevelView = { location: string; sku: string; condition: string; lot: string | null; onHand: number; reserved: number; buffer: number };

/** Stock levels by location and SKU, `after` is the id of the last one seen. */
export async function listLevels(pool: pg.Pool, filter: { locationId: number | null; sku: string | null; after: number; limit: number }): Promise<(LevelView & { id: number })[]> {
  return (await pool.query<LevelView & { id: number }>(
    `select v.id, l.code location, s.code sku, v.condition, nullif(o.code, '') lot, v.on_hand "onHand", v.reserved, v.buffer from stock_levels v
     join locations l on l.id = v.location_id join skus s on s.id = v.sku_id join lots o on o.id = v.lot_id
     where v.id > $3 and v.supply_id = 0 and ($1::int is null or v.location_id = $1) and ($2::text is null or s.code = $2) order by v.id limit $4`,
    [filter.locationId, filter.sku, filter.after, filter.limit])).rows;
}

/** Units of the shared stock that are kept from sale. A movement of nothing tells the other processes. Makes the level where there is none. */
export async function setBuffer(writer: StockWriter, locationId: number, skuId: number, buffer: number): Promise<void> {
  await writer.change(async (tx) => {
    const row = await tx.one<{ id: number; on_hand: number; reserved: number }>(
      `insert into stock_levels (sku_id, location_id, buffer) values ($1, $2, $3)
       on conflict (sku_id, location_id, condition, lot_id, allotment_id, supply_id) do update set buffer = excluded.buffer returning id, on_hand, reserved`, [skuId, locationId, buffer]);
    if (!row) throw new Error('an upsert returns its row');
    await tx.query(`insert into stock_movements (command_id, leg, level_id, d_on_hand, d_reserved, cause) values ($1, 0, $2, 0, 0, 'buffer')`, [uuidv7(), row.id]);
    tx.freed.add(skuId); // a smaller buffer frees units
    tx.changed.set(row.id, { id: row.id, skuId, locationId, allotmentId: 0, supplyId: 0, onHand: row.on_hand, reserved: row.reserved, buffer, sellable: true });
  });
}
