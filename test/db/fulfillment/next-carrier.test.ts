import { afterAll, beforeAll, expect, test } from 'vitest';
import { nextCarrier } from '../../../db/fulfillment/next-carrier.ts';
import { decodeId } from '../../../domain/ids.ts';
import { advance } from '../../support/advance.ts';
import { World } from '../../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await World.create({ locations: 1 });
  await world.store.pool.query(`insert into carriers (code, name) values ('dear', 'a day'), ('slow', 'two days')`);
  await world.store.pool.query(`insert into carrier_rates values ('dear', 'same_city', 1000, 2000, 500, 100, 1), ('slow', 'same_city', 1000, 700, 500, 100, 2)`);
  await world.store.network.reload();
});
afterAll(async () => { await world.close(); });

/** The carrier that takes over from sim when it refuses, of an order routed at `at` and promised for `deliverBy`. */
async function next(at: string, deliverBy: string): Promise<string | undefined> {
  world.now = new Date(at);
  const { id } = await world.capture({ lines: [{ sku: 'SKU-1', quantity: 1, unitPrice: 1000 }] });
  await advance(world, id, 'ship');
  const order = decodeId('ord', id) as string;
  await world.store.pool.query(`update fulfillment_orders set status = 'releasing', carrier = 'sim' where order_id = $1`, [order]);
  await world.store.pool.query('update orders set deliver_by = $2 where id = $1', [order, deliverBy]);
  const { id: fulfillmentOrderId } = await world.one<{ id: string }>('select id from fulfillment_orders where order_id = $1', order);
  return (await nextCarrier(world.store.writer, world.store.network, { orderId: order, fulfillmentOrderId }, { weightG: 300, volumeMm3: 0, hazardous: false, postcode: undefined }, { reason: 'refused', asked: true }))?.carrier.code;
}

test('a carrier\'s days count from the hand-over: what leaves tomorrow comes a day later', async () => {
  // 17:00 in Shanghai, after the cut-off: handed over on the 24th, so two days end on the 26th.
  const end = '2026-11-25T16:00:00Z';
  expect(await next('2026-11-23T09:00:00Z', end)).toBe('dear');
  // Before the cut-off it leaves today: the cheaper one is in time.
  expect(await next('2026-11-23T02:00:00Z', end)).toBe('slow');
});
