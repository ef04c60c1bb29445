import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { handOut } from '../../db/pickup/hand-out.ts';
import { decodeId } from '../../domain/ids.ts';
import { DAY, MINUTE, Scene } from '../support/scene.ts';

let s: Scene;
beforeAll(async () => {
  s = await Scene.open();
  // Open day and night, so that two hours are two hours.
  await s.world.store.pool.query(`update locations set cutoff_minutes = 1439, handling_minutes = 1440 where code = 'L-2'`);
  await s.world.store.network.reload();
});
afterEach(async () => { expect(await s.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 }); });
afterAll(async () => { await s.close(); });
const pickups = async (id: string) => (await s.world.events(id)).filter((e) => e.startsWith('pickup.'));
const order = () => s.order({ pickup: { location: 'L-2', way: 'pickup' } });

test('not ready in time: the workflow notices by itself, once, and the order stays in its shop', async () => {
  const id = await order();
  await s.skip(119 * MINUTE, id);
  expect(await pickups(id)).toEqual([]);
  await s.skip(2 * MINUTE, id);
  await s.skip(10 * 60 * MINUTE, id);
  expect([await pickups(id), (await s.living(id)).location]).toEqual([['pickup.late'], 'L-2']);
});

test('ready, reminded, not fetched: given back and refunded, and the shop is told', async () => {
  const id = await order();
  await s.tell(id, await s.living(id), { type: 'packed', parcels: [] });
  const ful = (await s.living(id)).id;
  await s.skip(2 * DAY + MINUTE, id);
  expect(await pickups(id)).toEqual(['pickup.ready', 'pickup.reminded']);
  await s.skip(DAY, id);
  expect([await pickups(id), await s.world.status(id), (await s.world.refunds(id)).length, s.world.partners.to(`/fulfillment-orders/${ful}/cancel`).length]).toEqual([['pickup.ready', 'pickup.reminded', 'pickup.no_show'], 'cancelled', 1, 1]);
});

test('handed out, it goes its way to the end of its return window', async () => {
  const id = await order();
  await s.tell(id, await s.living(id), { type: 'packed', parcels: [] });
  await s.run(id, async () => handOut(s.world.store.writer, s.world.store.vault, decodeId('ful', (await s.living(id)).id) as string, { override: 'known' }, null, 'key:test'));
  expect(await s.world.status(id)).toBe('delivered');
  await s.closes(id);
  expect(await s.world.status(id)).toBe('closed');
});
