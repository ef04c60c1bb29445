import type pg from 'pg';
import { Problem } from '../../../domain/problem.ts';
import type { Network } from '../../network.ts';
import type { StockWriter } from '../../stock-writer.ts';
import { lockAllotment, lockHierarchy, refuseDeclaration, skuIds } from './allotment.ts';

/** Without `sku`: every SKU; without `location`: all locations together. `value`: units a SKU, or whole percent. */
export type TargetInput = { sku?: string; location?: string; mode: 'units' | 'percent'; value: number };
export type TargetView = { sku: string | null; location: string | null; mode: 'units' | 'percent'; value: number };

/** Sets all targets of an allotment in place of the earlier ones; units move at the next reallocation. Shares of one parent's stock may not exceed 100 %. */
export async function putTargets(writer: StockWriter, network: Network, code: string, targets: readonly TargetInput[]): Promise<void> {
  const skus = await skuIds(writer.pool, targets.flatMap((t) => t.sku ?? []));
  const seen = new Set<string>();
  const rows = targets.map((t, i) => {
    const skuId = t.sku === undefined ? null : skus.get(t.sku);
    if (skuId === undefined) throw new Problem('unknown_sku', `SKU "${t.sku ?? ''}" is not known`, `/targets/${i}/sku`);
    const location = t.location === undefined ? null : network.locations.get(t.location);
    if (location === undefined) throw new Problem('unknown_location', `location "${t.location ?? ''}" is not known`, `/targets/${i}/location`);
    if (t.mode === 'percent' && t.value > 100) throw new Problem('unprocessable', `${t.value} % is more than there is`, `/targets/${i}/value`);
    const key = `${skuId ?? '*'}|${location?.id ?? '*'}`;
    if (seen.has(key)) throw new Problem('unprocessable', 'there is another target for the same SKU and location', `/targets/${i}`);
    seen.add(key);
    return { skuId, locationId: location?.id ?? null, mode: t.mode, value: t.value };
  });
  await writer.change(async (tx) => {
    await lockHierarchy(tx); // shares of one parent are summed up
    const own = await lockAllotment(tx, code);
    refuseDeclaration(own);
    if (own.closedAt) throw new Problem('conflict', `allotment "${code}" was closed at ${own.closedAt.toISOString()}`);
    await tx.query('delete from allotment_targets where allotment_id = $1', [own.id]);
    await tx.query(`insert into allotment_targets (allotment_id, sku_id, location_id, mode, value) select $1, * from unnest($2::int[], $3::int[], $4::text[], $5::int[])`,
      [own.id, rows.map((r) => r.skuId), rows.map((r) => r.locationId), rows.map((r) => r.mode), rows.map((r) => r.value)]);
    const over = await tx.one<{ skuId: number | null; locationId: number | null; total: number }>(
      `select t.sku_id "skuId", t.location_id "locationId", sum(s.value)::int total from allotment_targets t
       join allotment_targets s on s.mode = 'percent' and s.sku_id is not distinct from t.sku_id and s.location_id is not distinct from t.location_id
       join allotments a on a.id = s.allotment_id and a.parent_id = $2 and a.closed_at is null
       where t.allotment_id = $1 and t.mode = 'percent' group by 1, 2 having sum(s.value) > 100 limit 1`, [own.id, own.parentId]);
    if (over) {
      const at = rows.findIndex((r) => r.skuId === over.skuId && r.locationId === over.locationId);
      throw new Problem('conflict', `with the parent's other allotments ${over.total} % would be allotted, more than there is`, `/targets/${at}/value`);
    }
  });
}

export async function readTargets(pool: pg.Pool, allotmentId: number): Promise<TargetView[]> {
  return (await pool.query<TargetView>(
    `select s.code sku, l.code "location", t.mode, t.value from allotment_targets t left join skus s on s.id = t.sku_id left join locations l on l.id = t.location_id
     where t.allotment_id = $1 order by s.code nulls first, l.code nulls first`, [allotmentId])).rows;
}
