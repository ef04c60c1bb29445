import type pg from 'pg';
import { Problem } from '../../domain/problem.ts';
import { inTransaction } from '../transaction.ts';

export type ComponentInput = { sku: string; quantity: number; priceShare?: number };
export type ComponentRow = { sku: string; quantity: number; priceShare: number | null };

/** What a bundle consists of, in the order given; empty for any other SKU. Throws Problem not_found where there is no such SKU. */
export async function readComponents(client: pg.ClientBase | pg.Pool, code: string): Promise<ComponentRow[]> {
  const { rows: [row] } = await client.query<{ components: ComponentRow[] | null }>(
    `select (select json_agg(json_build_object('sku', k.code, 'quantity', b.quantity, 'priceShare', b.price_share) order by b.position)
       from bundle_components b join skus k on k.id = b.component_sku_id where b.bundle_sku_id = s.id) components from skus s where s.code = $1`, [code]);
  if (!row) throw new Problem('not_found', `SKU "${code}" does not exist`);
  return row.components ?? [];
}

/** Says what a SKU consists of, in place of what was said before; nothing: it is no bundle any more. Orders captured before keep their lines. Throws Problem. */
export async function putComponents(pool: pg.Pool, code: string, components: readonly ComponentInput[]): Promise<void> {
  await inTransaction(pool, async (client) => {
    // One at a time: two bundles that name each other would both look right.
    await client.query(`select pg_advisory_xact_lock(hashtext('tributary:bundles'))`);
    await write(client, code, components);
  });
}

async function write(client: pg.ClientBase, code: string, components: readonly ComponentInput[]): Promise<void> {
  const { rows } = await client.query<{ id: number; code: string; bundle: boolean }>(
    `select id, code, exists (select from bundle_components where bundle_sku_id = skus.id) bundle from skus where code = any($1::text[])`, [[code, ...components.map((c) => c.sku)]]);
  const skus = new Map(rows.map((r) => [r.code, r]));
  const bundle = skus.get(code);
  if (!bundle) throw new Problem('not_found', `SKU "${code}" does not exist`);
  for (const [i, { sku }] of components.entries()) {
    const found = skus.get(sku);
    if (!found) throw new Problem('unknown_sku', `SKU "${sku}" is not known`, `/components/${i}/sku`);
    if (found.id === bundle.id) throw new Problem('unprocessable', 'a bundle cannot be a component of itself', `/components/${i}/sku`);
    if (found.bundle) throw new Problem('unprocessable', `SKU "${sku}" is a bundle: name its components instead`, `/components/${i}/sku`);
    if (components.findIndex((c) => c.sku === sku) !== i) throw new Problem('unprocessable', `SKU "${sku}" is named twice: add the quantities`, `/components/${i}/sku`);
  }
  const shares = components.filter((c) => c.priceShare !== undefined);
  if (shares.length > 0 && shares.length < components.length) throw new Problem('unprocessable', 'give priceShare for all components or for none', '/components');
  if (shares.length > 0 && shares.every((c) => c.priceShare === 0)) throw new Problem('unprocessable', 'a price is divided by priceShare: one must be more than 0', '/components');
  const used = await client.query<{ code: string }>('select k.code from bundle_components b join skus k on k.id = b.bundle_sku_id where b.component_sku_id = $1 order by 1 limit 1', [bundle.id]);
  if (components.length > 0 && used.rows[0]) throw new Problem('conflict', `SKU "${code}" is a component of "${used.rows[0].code}": it cannot be a bundle itself`);
  await client.query('delete from bundle_components where bundle_sku_id = $1', [bundle.id]);
  await client.query(
    `insert into bundle_components (bundle_sku_id, component_sku_id, position, quantity, price_share) select $1, s, i, q, p from unnest($2::int[], $3::int[], $4::int[]) with ordinality as t(s, q, p, i)`,
    [bundle.id, components.map((c) => skus.get(c.sku)?.id), components.map((c) => c.quantity), components.map((c) => c.priceShare ?? null)]);
}
