import { afterAll, beforeAll, expect, test } from 'vitest';
import { wakeChannels } from '../../db/channels/wake.ts';
import { encodeId } from '../../domain/ids.ts';
import { channelSyncWorkflowId } from '../../workflows/contract/ids.ts';
import type { RunningPlatform } from '../../simulators/platform/start-platform.ts';
import { MINUTE, Scene } from '../support/scene.ts';
import { connectShop } from '../support/shop-account.ts';

let s: Scene;
let platform: RunningPlatform;
const shop = channelSyncWorkflowId('generic-shop');
beforeAll(async () => {
  s = await Scene.open();
  platform = await connectShop(s, 'generic-shop');
  await s.settleWorkflow(shop);
});
afterAll(async () => {
  await platform.close();
  await s.close();
});
const captured = async (externalId: string): Promise<string | null> => {
  const { rows: [row] } = await s.world.store.pool.query<{ id: string | null }>('select order_id id from channel_orders where external_id = $1', [externalId]);
  return row?.id ? encodeId('ord', row.id) : null;
};

test('a shop that nobody speaks of is asked by its own clock, and its order goes its way', async () => {
  const { id } = platform.shop.place({ lines: [{ sku: 'P-1', quantity: 1 }] }) as { id: string };
  expect(await captured(id)).toBeNull();
  await s.skip(6 * MINUTE);
  await s.settleWorkflow(shop);
  // Of listings that nobody mapped the order is held; it is the channel's, once.
  expect(await s.world.one('select state, hold_reason from channel_orders where external_id = $1', id)).toEqual({ state: 'open', hold_reason: null });
  const order = await captured(id) as string;
  await s.settle(order);
  expect((await s.living(order)).status).toBe('released');
});

test('a wake is a look at once; many wakes are one', async () => {
  const before = (await s.environment.client.workflow.getHandle(shop).fetchHistory()).events?.filter((e) => Number(e.eventType) === 10).length ?? 0;
  for (let i = 0; i < 5; i++) await wakeChannels(s.world.store.pool, ['generic-shop'], s.world.now);
  await s.settleWorkflow(shop);
  const after = (await s.environment.client.workflow.getHandle(shop).fetchHistory()).events?.filter((e) => Number(e.eventType) === 10).length ?? 0;
  expect(after - before).toBe(1);
});

test('the platform is down: the workflow goes on and tries again, nothing is lost', async () => {
  Object.assign(platform.faults, { down: true });
  const { id } = platform.shop.place({ lines: [{ sku: 'P-1', quantity: 2 }] }) as { id: string };
  await s.skip(6 * MINUTE);
  await s.settleWorkflow(shop);
  expect(await captured(id)).toBeNull();
  Object.assign(platform.faults, { down: false });
  await s.skip(6 * MINUTE);
  await s.settleWorkflow(shop);
  expect(await captured(id)).toMatch(/^ord_/);
});
