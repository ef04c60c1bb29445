import type pg from 'pg';
import { Problem } from '../../domain/problem.ts';
import type { StockWriter } from '../stock-writer.ts';

/** What may be offered in place of a SKU, best first. Throws Problem not_found. */
export async function readSubstitutes(pool: pg.Pool, code: string): Promise<string[]> {
  const { rows: [row] } = await pool.query<{ codes: string[] }>(
    `select array(select k.code from sku_substitutes t join skus k on k.id = t.substitute_id where t.sku_id = s.id order by t.position) codes from skus s where s.code = $1`, [code]);
  if (!row) throw new Problem('not_found', `SKU "${code}" does not exist`);
  return row.codes;
}

/** In place of what was said before. Throws Problem: not_found, `unknown_sku`, `unprocessable`. */
export async function putSubstitutes(writer: StockWriter, code: string, substitutes: readonly string[]): Promise<void> {
  await writer.change(async (tx) => {
    const known = new Map((await tx.query<{ id: number; code: string }>('select id, code from skus where code = any($1::text[]) order by id for share', [[code, ...substitutes]])).map((r) => [r.code, r.id]));
    const own = known.get(code);
    if (own === undefined) throw new Problem('not_found', `SKU "${code}" does not exist`);
    for (const [i, other] of substitutes.entries()) {
      if (!known.has(other)) throw new Problem('unknown_sku', `SKU "${other}" is not known`, `/substitutes/${i}`);
      if (other === code) throw new Problem('unprocessable', 'a SKU is no substitute of itself', `/substitutes/${i}`);
      if (substitutes.indexOf(other) !== i) throw new Problem('unprocessable', `SKU "${other}" is named twice`, `/substitutes/${i}`);
    }
    await tx.query('delete from sku_substitutes where sku_id = $1', [own]);
    await tx.query('insert into sku_substitutes (sku_id, substitute_id, position) select $1, s, i from unnest($2::int[]) with ordinality as t(s, i)', [own, substitutes.map((s) => known.get(s))]);
  });
}
