import { afterAll, beforeAll, expect, test } from 'vitest';
import { beginRelease, finishRelease } from '../../db/fulfillment/release.ts';
import { reserveOrder } from '../../db/orders/reserve-order.ts';
import { routeOrder } from '../../db/orders/route-order.ts';
import { validateOrder } from '../../db/orders/validate-order.ts';
import { decodeId } from '../../domain/ids.ts';
import { createLogger } from '../../runtime/logger.ts';
import { createCarrierTending } from '../../activities/carriers/tend.ts';
import { World } from '../support/world.ts';

let world: World;
beforeAll(async () => { world = await World.create({ stock: 100 }); });
afterAll(async () => { await world.close(); });

test('a parcel whose pushes were lost is asked for, once in a while, and arrives', async () => {
  const { store } = world;
  const { id } = await world.capture();
  const uuid = decodeId('ord', id) as string;
  await validateOrder(store.writer, store.network, store.vault, uuid);
  await reserveOrder(store.writer, store.network, uuid);
  await routeOrder(store.writer, store.network, uuid);
  const [f] = await world.fulfillments(id);
  if (!f) throw new Error('not routed');
  const ful = decodeId('ful', f.id) as string;
  await beginRelease(store.writer, store.network, store.vault, uuid, ful);
  await finishRelease(store.writer, uuid, ful, null);
  await world.issue(f);
  const waybillNo = f.waybillNo ?? `own-${f.id}`;
  world.partners.answer = () => ({ status: 200, body: { events: [
    { eventId: 'e1', waybillNo, status: 'picked_up', occurredAt: world.now.toISOString() }, { eventId: 'e2', waybillNo, status: 'delivered', occurredAt: world.now.toISOString() }, { eventId: 'e3', status: 'nonsense' },
  ] } });
  const { poll } = createCarrierTending({ ...store, http: world.partners.http, raw: world.raw }, createLogger('test', 'silent'));
  expect(await poll()).toBe(0); // heard of just now
  expect(world.partners.to('/events')).toHaveLength(0);
  world.now = new Date(world.now.getTime() + 3 * 3_600_000);
  expect(await poll()).toBe(2);
  expect(await world.status(id)).toBe('delivered');
  world.now = new Date(world.now.getTime() + 3 * 3_600_000);
  expect(await poll()).toBe(0); // arrived: nobody asks any more
  expect(world.partners.to('/events')).toHaveLength(1);
});
