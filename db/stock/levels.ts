import type pg from 'pg';

export type LevelView = { location: string; sku: string; condition: string; lot: string | null; onHand: number; reserved: number; buffer: number };

/** Stock levels by location and SKU, `after` is the id of the last one seen. */
export async function listLevels(pool: pg.Pool, filter: { locationId: number | null; sku: string | null; after: number; limit: number }): Promise<(LevelView & { id: number })[]> {
  return (await pool.query<LevelView & { id: number }>(
    `select v.id, l.code location, s.code sku, v.condition, nullif(o.code, '') lot, v.on_hand "onHand", v.reserved, v.buffer from stock_levels v
     join locations l on l.id = v.location_id join skus s on s.id = v.sku_id join lots o on o.id = v.lot_id
     where v.id > $3 and v.supply_id = 0 and ($1::int is null or v.location_id = $1) and ($2::text is null or s.code = $2) order by v.id limit $4`,
    [filter.locationId, filter.sku, filter.after, filter.limit])).rows;
}
