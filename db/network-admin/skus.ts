import type pg from 'pg';

export type SkuInput = { code: string; name: string; category?: string; unit?: string; weightG: number; cost?: number; lotTracked?: boolean; active?: boolean; volumeMm3?: number; hazardous?: boolean; oversized?: boolean };
export type SkuRow = { code: string; name: string; category: string | null; unit: string; weightG: number; cost: number | null; lotTracked: boolean; active: boolean; volumeMm3: number | null; hazardous: boolean; oversized: boolean };
const COLUMNS = `code, name, category, unit, weight_g "weightG", cost, lot_tracked "lotTracked", active, volume_mm3 "volumeMm3", hazardous, oversized`;

/** Makes or changes SKUs by code; the last of two with one code counts. */
export async function putSkus(pool: pg.Pool, skus: readonly SkuInput[]): Promise<void> {
  const s = [...new Map(skus.map((x) => [x.code, x])).values()];
  await pool.query(
    `insert into skus (code, name, category, unit, weight_g, cost, lot_tracked, active, volume_mm3, hazardous, oversized)
     select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::bigint[], $7::bool[], $8::bool[], $9::bigint[], $10::bool[], $11::bool[])
     on conflict (code) do update set name = excluded.name, category = excluded.category, unit = excluded.unit, weight_g = excluded.weight_g, cost = excluded.cost,
       lot_tracked = excluded.lot_tracked, active = excluded.active, volume_mm3 = excluded.volume_mm3, hazardous = excluded.hazardous, oversized = excluded.oversized`,
    [s.map((x) => x.code), s.map((x) => x.name), s.map((x) => x.category ?? null), s.map((x) => x.unit ?? 'piece'), s.map((x) => x.weightG), s.map((x) => x.cost ?? null),
      s.map((x) => x.lotTracked ?? false), s.map((x) => x.active ?? true), s.map((x) => x.volumeMm3 ?? null), s.map((x) => x.hazardous ?? false), s.map((x) => x.oversized ?? false)]);
}

export async function listSkus(pool: pg.Pool, after: string, limit: number): Promise<SkuRow[]> {
  return (await pool.query<SkuRow>(`select ${COLUMNS} from skus where code > $1 order by code limit $2`, [after, limit])).rows;
}

export async function readSku(pool: pg.Pool, code: string): Promise<SkuRow | null> {
  return (await pool.query<SkuRow>(`select ${COLUMNS} from skus where code = $1`, [code])).rows[0] ?? null;
}
