import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { mapListing } from '../../../db/channels/listings.ts';
import { nextListings } from '../../../db/channels/publish.ts';
import { putPublishRule, switchListing } from '../../../db/channels/rules.ts';
import type { Channel } from '../../../db/network.ts';
import { World } from '../../support/world.ts';

let world: World;
let channel: Channel;
const RULE = { mode: 'on' as const, sharePercent: 100, buffer: 0, cap: null, urgentBelow: 10 };
beforeAll(async () => {
  world = await World.create();
  await world.store.network.reload();
  channel = world.store.network.channels.get('own') as Channel;
  for (const [listing, skus] of [['P-1', ['SKU-1']], ['P-2', ['SKU-2']], ['SET', ['SKU-2', 'SKU-3']]] as const) {
    await mapListing(world.store.pool, world.store.network, channel.id, listing, skus.map((sku) => ({ sku, quantity: 1 })), 'test', world.now);
  }
});
afterAll(async () => { await world.close(); });
beforeEach(async () => { await world.store.pool.query('delete from listing_changes'); });

async function marked(): Promise<[string, boolean][]> {
  const { rows } = await world.store.pool.query<{ sku: string; urgent: boolean }>('select l.platform_sku sku, c.urgent from listing_changes c join listings l on l.id = c.listing_id order by 1');
  return rows.map((r) => [r.sku, r.urgent]);
}

test('the switch of one listing has it told, before everything that waits, and no other', async () => {
  const { pool, network } = world.store;
  await putPublishRule(pool, network, channel, null, RULE, world.now);
  expect(await marked()).toEqual([['P-1', false], ['P-2', false], ['SET', false]]);
  await switchListing(pool, channel, 'SET', 'zero', world.now);
  expect([await marked(), (await nextListings(pool, channel.id, 10, true, 'unknown')).map((l) => l.platformSku)[0]]).toEqual([[['P-1', false], ['P-2', false], ['SET', true]], 'SET']);
  await pool.query('delete from listing_changes');
  await switchListing(pool, channel, 'SET', 'on', world.now);
  expect(await marked()).toEqual([['SET', false]]);
  await pool.query('delete from listing_changes');
  await expect(switchListing(pool, channel, 'NONE', 'zero', world.now)).rejects.toMatchObject({ code: 'not_found' });
  expect(await marked()).toEqual([]);
});

test('a rule of one SKU has the listings told that sell it, at once where it is to be sold no more', async () => {
  const { pool, network } = world.store;
  await putPublishRule(pool, network, channel, 'SKU-2', { ...RULE, mode: 'zero' }, world.now);
  expect(await marked()).toEqual([['P-2', true], ['SET', true]]);
  await pool.query('delete from listing_changes');
  await putPublishRule(pool, network, channel, 'SKU-3', { ...RULE, cap: 3 }, world.now);
  expect(await marked()).toEqual([['SET', false]]);
  await putPublishRule(pool, network, channel, 'SKU-4', { ...RULE, mode: 'zero' }, world.now);
  expect(await marked()).toEqual([['SET', false]]);
});
