import { afterAll, beforeAll, expect, test } from 'vitest';
import { readChanges } from '../../../db/channels/read-changes.ts';
import { allReadable } from '../../support/readable.ts';
import { World } from '../../support/world.ts';

let world: World;
let channel: number;
beforeAll(async () => {
  world = await World.create();
  await world.store.network.reload();
  channel = world.store.network.channels.get('own')!.id;
  await readChanges(world.store.pool, world.store.network, world.now); // a reader that is new begins now
});
afterAll(async () => { await world.close(); });

async function listing(sku: string, granted: number): Promise<void> {
  await world.store.pool.query(
    `with l as (insert into listings (channel_id, platform_sku, granted) values ($1, 'P-' || $2, $3) returning id)
     insert into listing_components (listing_id, sku_id, quantity, position) select l.id, k.id, 1, 1 from l join skus k on k.code = $2`, [channel, sku, granted]);
}
async function changes(): Promise<[string, boolean][]> {
  await allReadable(world.store.pool);
  await readChanges(world.store.pool, world.store.network, world.now);
  const { rows } = await world.store.pool.query<{ sku: string; urgent: boolean }>(
    `with gone as (delete from listing_changes returning listing_id, urgent) select l.platform_sku sku, g.urgent from gone g join listings l on l.id = g.listing_id order by 1`);
  return rows.map((r) => [r.sku, r.urgent]);
}

test('a change is urgent when little is shown, and when little is left whatever is shown', async () => {
  await listing('SKU-1', 100);
  await listing('SKU-2', 100);
  await listing('SKU-3', 4);
  for (const sku of ['SKU-1', 'SKU-2', 'SKU-3']) await world.setStock(sku, { 'L-1': 100, 'L-2': 0, 'L-3': 0 });
  await changes();
  await world.setStock('SKU-1', { 'L-1': 2, 'L-2': 1, 'L-3': 0 });
  await world.setStock('SKU-2', { 'L-1': 90, 'L-2': 0, 'L-3': 0 });
  await world.setStock('SKU-3', { 'L-1': 90, 'L-2': 0, 'L-3': 0 });
  expect(await changes()).toEqual([['P-SKU-1', true], ['P-SKU-2', false], ['P-SKU-3', true]]);
  expect(await changes()).toEqual([]);
});
