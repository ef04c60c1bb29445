import type pg from 'pg';

/** Money in minor units, sizes of one unit; `attributes` are texts by name; the season is two days (ISO), the last inclusive; `packSize` units are moved and bought together. */
export type SkuInput = {
  code: string; name: string; category?: string; unit?: string; weightG: number; cost?: number; lotTracked?: boolean; active?: boolean; volumeMm3?: number; hazardous?: boolean; oversized?: boolean;
  attributes?: Record<string, string>; listPrice?: number; seasonStart?: string; seasonEnd?: string; packSize?: number;
};
export type SkuRow = {
  code: string; name: string; category: string | null; unit: string; weightG: number; cost: number | null; lotTracked: boolean; active: boolean; volumeMm3: number | null; hazardous: boolean; oversized: boolean;
  attributes: Record<string, string>; listPrice: number | null; seasonStart: string | null; seasonEnd: string | null; packSize: number;
};
const COLUMNS = `code, name, category, unit, weight_g "weightG", cost, lot_tracked "lotTracked", active, volume_mm3 "volumeMm3", hazardous, oversized,
  attributes, list_price "listPrice", season_start::text "seasonStart", season_end::text "seasonEnd", pack_size "packSize"`;

/** Makes or changes SKUs by code; the last of two with one code counts. */
export async function putSkus(pool: pg.Pool, skus: readonly SkuInput[]): Promise<void> {
  const s = [...new Map(skus.map((x) => [x.code, x])).values()];
  await pool.query(
    `insert into skus (code, name, category, unit, weight_g, cost, lot_tracked, active, volume_mm3, hazardous, oversized, attributes, list_price, season_start, season_end, pack_size)
     select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::bigint[], $7::bool[], $8::bool[], $9::bigint[], $10::bool[], $11::bool[],
       $12::jsonb[], $13::bigint[], $14::date[], $15::date[], $16::int[])
     on conflict (code) do update set name = excluded.name, category = excluded.category, unit = excluded.unit, weight_g = excluded.weight_g, cost = excluded.cost,
       lot_tracked = excluded.lot_tracked, active = excluded.active, volume_mm3 = excluded.volume_mm3, hazardous = excluded.hazardous, oversized = excluded.oversized,
       attributes = excluded.attributes, list_price = excluded.list_price, season_start = excluded.season_start, season_end = excluded.season_end, pack_size = excluded.pack_size`,
    [s.map((x) => x.code), s.map((x) => x.name), s.map((x) => x.category ?? null), s.map((x) => x.unit ?? 'piece'), s.map((x) => x.weightG), s.map((x) => x.cost ?? null),
      s.map((x) => x.lotTracked ?? false), s.map((x) => x.active ?? true), s.map((x) => x.volumeMm3 ?? null), s.map((x) => x.hazardous ?? false), s.map((x) => x.oversized ?? false),
      s.map((x) => JSON.stringify(x.attributes ?? {})), s.map((x) => x.listPrice ?? null), s.map((x) => x.seasonStart ?? null), s.map((x) => x.seasonEnd ?? null), s.map((x) => x.packSize ?? 1)]);
}

export async function listSkus(pool: pg.Pool, after: string, limit: number): Promise<SkuRow[]> {
  return (await pool.query<SkuRow>(`select ${COLUMNS} from skus where code > $1 order by code limit $2`, [after, limit])).rows;
}

export async function readSku(pool: pg.Pool, code: string): Promise<SkuRow | null> {
  return (await pool.query<SkuRow>(`select ${COLUMNS} from skus where code = $1`, [code])).rows[0] ?? null;
}
