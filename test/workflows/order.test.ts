import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { timeSkippingEnv } from '../support/temporal.ts';
import { World } from '../support/world.ts';

let environment: TestWorkflowEnvironment;
let world: World;
beforeAll(async () => {
  environment = await timeSkippingEnv();
  world = await World.create({ stock: 1000 });
});
afterAll(async () => {
  await world.close();
  await environment.teardown();
});

/** Waits in skipped time until the order has a status. */
async function until(orderId: string, status: string): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if ((await world.status(orderId)) === status) return;
    await environment.sleep(100);
  }
  expect(await world.status(orderId)).toBe(status);
}

test('an order goes from capture to closed', async () => {
  const queue = 'happy';
  const worker = await world.worker(environment, queue);
  await worker.runUntil(async () => {
    const { id } = await world.capture();
    const handle = await world.start(environment, queue, id);
    await until(id, 'in_fulfillment');
    const [f] = await world.fulfillments(id);
    if (!f) throw new Error('no fulfillment order');
    expect(f.waybillNo).toBe(`W-${f.id}`);
    await world.tell(f, { type: 'accepted' });
    await world.tell(f, { type: 'packed', parcels: [] });
    expect(await world.issue(f)).toEqual({ ok: true, handOver: 'allowed' });
    await world.look(environment, id);
    await world.carrier(f.waybillNo ?? '', 'delivered');
    await world.look(environment, id);
    await handle.result();
    expect(await world.status(id)).toBe('closed');
    expect(await world.events(id)).toEqual([
      'order.captured', 'order.validated', 'order.confirmed', 'order.reserved', 'order.routed_to', 'order.routed', 'order.in_fulfillment', 'fulfillment.released',
      'fulfillment.accepted', 'fulfillment.packed', 'fulfillment.issued', 'order.shipped', 'parcel.delivered', 'order.delivered', 'order.closed',
    ]);
    const history = await handle.fetchHistory();
    expect(history.events?.length).toBeLessThanOrEqual(60);
  });
  expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
});
