import { afterAll, beforeAll, expect, test } from 'vitest';
import { mapListing } from '../../../db/channels/listings.ts';
import { World } from '../../support/world.ts';

let world: World;
beforeAll(async () => { world = await World.create(); });
afterAll(async () => { await world.close(); });

test('a mapping wakes its shop: the stock of a listing that came after the last look is told all the same', async () => {
  const { pool, network } = world.store;
  await network.reload();
  const channel = network.channels.get('own');
  if (!channel) throw new Error('the world has no channel "own"');
  await mapListing(pool, network, channel.id, 'P-1', [{ sku: 'SKU-1', quantity: 1 }], 'test', world.now);
  await mapListing(pool, network, channel.id, 'P-2', [{ sku: 'SKU-2', quantity: 1 }], 'test', world.now);
  const { rows } = await pool.query('select workflow_id, topic from outbox');
  expect(rows).toEqual([{ workflow_id: 'channel-sync/own', topic: 'look_workflow' }]);
  expect((await pool.query('select urgent from listing_changes')).rows).toEqual([{ urgent: true }, { urgent: true }]);
});
