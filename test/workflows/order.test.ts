import { afterAll, beforeAll, expect, test } from 'vitest';
import { Scene } from '../support/scene.ts';

let s: Scene;
beforeAll(async () => { s = await Scene.open(); });
afterAll(async () => { await s.close(); });

test('an order goes from capture to closed', async () => {
  const lines = s.lines();
  const id = await s.order({ lines });
  expect(await s.world.status(id)).toBe('in_fulfillment');
  const f = await s.living(id);
  expect(f).toMatchObject({ location: 'L-1', status: 'released', waybillNo: `W-${f.id}`, lines: [{ lineNo: 1, quantity: 1 }, { lineNo: 2, quantity: 2 }] });
  expect(await s.world.stock(lines[1]!.sku)).toEqual({ 'L-1': [10, 2], 'L-2': [10, 0], 'L-3': [10, 0] });
  await s.tell(id, f, { type: 'accepted' });
  await s.tell(id, f, { type: 'packed', parcels: [] });
  expect(await s.issue(id)).toEqual({ ok: true, handOver: 'allowed' });
  expect(await s.world.status(id)).toBe('shipped');
  expect(await s.world.stock(lines[1]!.sku)).toEqual({ 'L-1': [8, 0], 'L-2': [10, 0], 'L-3': [10, 0] });
  await s.carrier(id, 'delivered');
  expect(await s.world.status(id)).toBe('delivered');
  await s.closes(id);
  expect(await s.world.status(id)).toBe('closed');
  expect(await s.world.events(id)).toEqual([
    'order.captured', 'order.validated', 'order.confirmed', 'order.reserved', 'order.routed_to', 'order.routed', 'order.in_fulfillment', 'fulfillment.released',
    'fulfillment.accepted', 'fulfillment.packed', 'fulfillment.issued', 'order.shipped', 'parcel.delivered', 'order.delivered', 'order.closed',
  ]);
  expect(await s.historyLength(id)).toBeLessThanOrEqual(60);
  expect(await s.world.refunds(id)).toEqual([]);
  expect(await s.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
});
