import type pg from 'pg';
import { Problem } from '../../domain/problem.ts';

export type Lot = { id: number; skuId: number; code: string; sku: string; expiresOn: string | null; recalledAt: Date | null; reason: string | null };

/** A lot by the codes of its SKU and its own. Throws Problem not_found. */
export async function findLot(client: pg.ClientBase | pg.Pool, sku: string, lot: string): Promise<Lot> {
  const { rows: [row] } = await client.query<Lot>(
    `select o.id, o.sku_id "skuId", o.code, s.code sku, o.expires_on::text "expiresOn", o.recalled_at "recalledAt", o.recall_reason reason
     from lots o join skus s on s.id = o.sku_id where s.code = $1 and o.code = $2`, [sku, lot]);
  if (!row) throw new Problem('not_found', `lot "${lot}" of SKU "${sku}" is not known`);
  return row;
}
