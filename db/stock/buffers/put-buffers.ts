import type pg from 'pg';
import type { StockWriter } from '../../stock-writer.ts';
import { applyBuffers } from './apply-buffers.ts';
import { countSales } from './sales-rates.ts';

export type BufferMode = 'units' | 'percent' | 'days_of_sale';
/** `skuId` null: every SKU. `value`: units, percent (0–100) of what is on hand, or days. */
export type BufferRow = { skuId: number | null; mode: BufferMode; value: number };
export type BufferView = { sku: string | null; mode: BufferMode; value: number };

/** Writes the buffer rules of a location in place of those it had, then the buffers of its levels. */
export async function putBuffers(writer: StockWriter, locationId: number, rules: readonly BufferRow[]): Promise<void> {
  await writer.change(async (tx) => {
    await tx.query('select 1 from locations where id = $1 for no key update', [locationId]);
    await tx.query('delete from buffer_rules where location_id = $1', [locationId]);
    await tx.query(`insert into buffer_rules (location_id, sku_id, mode, value) select $1, * from unnest($2::int[], $3::text[], $4::int[])`,
      [locationId, rules.map((r) => r.skuId), rules.map((r) => r.mode), rules.map((r) => r.value)]);
  });
  if (rules.some((r) => r.mode === 'days_of_sale')) await countSales(writer, locationId);
  await applyBuffers(writer, locationId, true);
}

/** Keeps so many units of a SKU at a location: its rule in units. Makes the level where there is none. */
export async function setBuffer(writer: StockWriter, locationId: number, skuId: number, units: number): Promise<void> {
  await writer.change(async (tx) => {
    await tx.query(
      `insert into buffer_rules (location_id, sku_id, mode, value) values ($1, $2, 'units', $3) on conflict (location_id, sku_id) do update set mode = excluded.mode, value = excluded.value`,
      [locationId, skuId, units]);
    await tx.query('insert into stock_levels (sku_id, location_id) values ($1, $2) on conflict do nothing', [skuId, locationId]);
  });
  await applyBuffers(writer, locationId, true, [skuId]);
}

/** The buffer rules of a location: its own first, then by SKU. */
export async function listBuffers(pool: pg.Pool, locationId: number): Promise<BufferView[]> {
  return (await pool.query<BufferView>(
    `select s.code sku, r.mode, r.value from buffer_rules r left join skus s on s.id = r.sku_id where r.location_id = $1 order by s.code nulls first`, [locationId])).rows;
}
