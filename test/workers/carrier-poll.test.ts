import { afterAll, beforeAll, expect, test } from 'vitest';
import { beginRelease, finishRelease } from '../../db/fulfillment/release.ts';
import { reserveOrder } from '../../db/orders/reserve-order.ts';
import { routeOrder } from '../../db/orders/route-order.ts';
import { validateOrder } from '../../db/orders/validate-order.ts';
import { decodeId } from '../../domain/ids.ts';
import { createLogger } from '../../runtime/logger.ts';
import { createCarrierTending } from '../../activities/carriers/tend.ts';
import { trackParcels } from '../../db/fulfillment/track-parcels.ts';
import { World } from '../support/world.ts';

let world: World;
beforeAll(async () => { world = await World.create({ stock: 100 }); });
afterAll(async () => { await world.close(); });

const later = (hours: number): void => { world.now = new Date(world.now.getTime() + hours * 3_600_000); };

/** It has left, with a number of the location's own. */
async function issued(): Promise<{ id: string; waybillNo: string }> {
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
  return { id, waybillNo: f.waybillNo ?? `own-${f.id}` };
}
const tending = () => createCarrierTending({ ...world.store, http: world.partners.http, raw: world.raw }, createLogger('test', 'silent'));

test('a parcel whose pushes were lost is asked for, once in a while, and arrives', async () => {
  const { id, waybillNo } = await issued();
  world.partners.answer = () => ({ status: 200, body: { events: [
    { eventId: 'e1', waybillNo, status: 'picked_up', occurredAt: world.now.toISOString() }, { eventId: 'e2', waybillNo, status: 'delivered', occurredAt: world.now.toISOString() }, { eventId: 'e3', status: 'nonsense' },
  ] } });
  const { poll } = tending();
  expect(await poll()).toBe(0); // heard of just now
  expect(world.partners.to('/events')).toHaveLength(0);
  later(3);
  expect(await poll()).toBe(2);
  expect(await world.status(id)).toBe('delivered');
  later(3);
  expect(await poll()).toBe(0); // arrived: nobody asks any more
  expect(world.partners.to('/events')).toHaveLength(1);
});

test('one that is heard of by pushes is not asked for, until they stay away', async () => {
  const { waybillNo } = await issued();
  const before = world.partners.to('/events').length;
  world.partners.answer = () => ({ status: 200, body: { events: [] } });
  const { poll } = tending();
  const asked = async (): Promise<number> => {
    await poll();
    return world.partners.to('/events').length - before;
  };
  for (const status of ['picked_up', 'in_transit', 'note'] as const) {
    later(1.9);
    await trackParcels(world.store.writer, 'sim', [{ eventId: status, waybillNo, status, occurredAt: world.now.toISOString() }]);
    expect(await asked()).toBe(0);
  }
  later(1.9);
  expect(await asked()).toBe(0);
  later(0.2);
  expect([await asked(), await asked()]).toEqual([1, 1]);
});
