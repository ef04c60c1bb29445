import { afterAll, beforeAll, expect, test } from 'vitest';
import { cancelOrder } from '../../../db/orders/cancel-order.ts';
import { mergeOrders } from '../../../db/orders/operate/merge-orders.ts';
import { splitOrder } from '../../../db/orders/operate/split-order.ts';
import { encodeId } from '../../../domain/ids.ts';
import { advance } from '../../support/advance.ts';
import { PlatformOrder, uuid } from '../../support/platform-order.ts';
import { World } from '../../support/world.ts';

let world: World;
beforeAll(async () => { world = await World.create({ stock: 1000 }); });
afterAll(async () => {
  expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
  await world.close();
});
const open = { state: 'open', reason: null };
const split = async (order: PlatformOrder, line: number, quantity: number): Promise<string> =>
  encodeId('ord', await world.store.writer.change((tx) => splitOrder(tx, uuid(order.id), [{ line, quantity }], 'test', 'key:test')));
/** The orders of one buyer, as one: the goods are in the first. */
async function merged(...units: number[][]): Promise<PlatformOrder[]> {
  const street = `${units.flat().join('-')} ${Math.round(performance.now() * 1000)} Road`;
  const orders: PlatformOrder[] = [];
  for (const u of units) orders.push(await PlatformOrder.place(world, u, { street }));
  await world.store.writer.change((tx) => mergeOrders(tx, world.store.network, orders.map((o) => uuid(o.id)), 'test', 'key:test'));
  return orders;
}

test('cancelled on the platform: what was split off is cancelled, too', async () => {
  const order = await PlatformOrder.place(world, [3, 1]);
  const part = await split(order, 1, 2);
  expect(await order.apply((seen) => { seen.status = 'cancelled'; })).toEqual(open);
  expect([await world.status(order.id), await world.status(part)]).toEqual(['cancelled', 'cancelled']);
});

test('units of a line that was split are cancelled as whole units, of all its parts', async () => {
  const order = await PlatformOrder.place(world, [3]);
  const part = await split(order, 1, 2);
  expect(await order.apply((seen) => { seen.lines[0]!.cancelled = 1; })).toEqual(open);
  expect([await order.units(), await order.units(part)]).toEqual([['1-1'], ['2-0']]);
  expect(await order.apply((seen) => { seen.lines[0]!.cancelled = 2; })).toEqual(open);
  expect([await order.units(), await order.units(part)]).toEqual([['1-1'], ['2-1']]);
});

test('a part that its operator has cancelled counts', async () => {
  const order = await PlatformOrder.place(world, [3]);
  const part = await split(order, 1, 2);
  await cancelOrder(world.store.writer, uuid(part), 'test', 'key:test');
  expect(await order.apply((seen) => { seen.lines[0]!.cancelled = 2; })).toEqual(open);
  expect(await order.units()).toEqual(['1-0']);
});

test('a refund holds all parts until it is decided, and then ends all', async () => {
  const order = await PlatformOrder.place(world, [3, 1]);
  const part = await split(order, 1, 2);
  await order.afterSale('1', 'requested', { A: 3, B: 1 });
  expect([await world.status(order.id), await world.status(part)]).toEqual(['on_hold', 'on_hold']);
  await order.afterSale('1', 'refused');
  expect([await order.holds(), await order.holds(part)]).toEqual([[], []]);
  await order.afterSale('2', 'agreed', { A: 3, B: 1 });
  expect([await world.status(order.id), await world.status(part)]).toEqual(['cancelled', 'cancelled']);
});

test('kept back by the platform: all parts wait, and go on', async () => {
  const order = await PlatformOrder.place(world, [3]);
  const part = await split(order, 1, 2);
  await order.apply((seen) => { seen.keptBack = 'under review'; });
  expect([await world.status(order.id), await world.status(part)]).toEqual(['on_hold', 'on_hold']);
  await order.apply((seen) => { seen.keptBack = null; });
  expect([await order.holds(), await order.holds(part)]).toEqual([[], []]);
});

test('another address is that of all parts; of a merged order it is refused', async () => {
  const order = await PlatformOrder.place(world, [3]);
  const part = await split(order, 1, 2);
  expect(await order.apply((seen) => { seen.address = { ...seen.address!, city: 'Beijing', province: 'Beijing' }; })).toEqual(open);
  const cities = async (...ids: string[]): Promise<unknown[]> => (await world.store.pool.query<{ c: string }>('select dest_province c from orders where id = any($1::uuid[])', [ids.map(uuid)])).rows.map((r) => r.c);
  expect(await cities(order.id, part)).toEqual(['Beijing', 'Beijing']);
  const [a, b] = await merged([1], [2]) as [PlatformOrder, PlatformOrder];
  for (const o of [a, b]) expect((await o.apply((seen) => { seen.address = { ...seen.address!, city: 'Beijing', province: 'Beijing' }; })).state).toBe('held');
  expect(await cities(a.id)).toEqual(['Shanghai']);
});

test('of a merged order units that the platform takes off are taken off its own lines', async () => {
  const [a, b] = await merged([1], [2, 1]) as [PlatformOrder, PlatformOrder];
  expect(await a.units()).toEqual(['1-0', '2-0', '1-0']);
  expect(await b.apply((seen) => { seen.lines[0]!.cancelled = 1; })).toEqual(open);
  expect(await a.units()).toEqual(['1-0', '2-1', '1-0']);
});

test('of a merged order each refund ends its own goods, also that of the one that stayed', async () => {
  const [a, b, c] = await merged([1], [2], [0, 3].slice(1)) as [PlatformOrder, PlatformOrder, PlatformOrder];
  expect(await b.afterSale('1', 'requested', { A: 2 })).toEqual(open);
  expect(await a.holds()).toEqual(['after-sale 1']);
  await b.afterSale('1', 'agreed');
  expect([await a.units(), await a.holds()]).toEqual([['1-0', '2-2', '3-0'], []]);
  await a.afterSale('2', 'done', { A: 1 });
  expect([await a.units(), await world.status(a.id)]).toEqual([['1-1', '2-2', '3-0'], 'captured']);
  await c.apply((seen) => { seen.status = 'cancelled'; });
  expect([await a.units(), await world.status(a.id)]).toEqual([['1-1', '2-2', '3-3'], 'cancelled']);
});

test('of a merged order that has left only parcels with nothing else are turned round', async () => {
  const [a, b] = await merged([1], [2]) as [PlatformOrder, PlatformOrder];
  await advance(world, a.id);
  const [mixed, own] = await b.ship([[[1, 1], [2, 1]], [[2, 1]]], a.id);
  await b.afterSale('1', 'agreed', { A: 2 });
  const { rows } = await world.store.pool.query<{ waybill_no: string }>('select waybill_no from parcels where order_id = $1 and intercept_requested_at is not null', [uuid(a.id)]);
  expect([rows.map((r) => r.waybill_no), mixed === own]).toEqual([[own], false]);
});

test('a return of a merged order opens with the order that its goods left in', async () => {
  const [a, b] = await merged([1], [2]) as [PlatformOrder, PlatformOrder];
  await advance(world, a.id);
  const [parcel] = await b.ship([[[1, 1], [2, 2]]], a.id);
  await world.carrier(parcel!, 'delivered');
  await b.afterSale('1', 'requested', { A: 1 }, { kind: 'return' });
  await b.afterSale('1', 'agreed');
  const { rows } = await world.store.pool.query('select r.order_id, l.line_no, l.quantity from returns r join return_lines l on l.return_id = r.id where r.order_id = any($1::uuid[])', [[uuid(a.id), uuid(b.id)]]);
  expect(rows).toEqual([{ order_id: uuid(a.id), line_no: 2, quantity: 1 }]);
});

test('a part that was split off and merged with another order is still found, and so is a merged one that was split', async () => {
  const street = 'Last Road';
  const x = await PlatformOrder.place(world, [1, 3], { street });
  const part = await split(x, 2, 2);
  const y = await PlatformOrder.place(world, [1], { street });
  await world.store.writer.change((tx) => mergeOrders(tx, world.store.network, [uuid(part), uuid(y.id)], 'test', 'key:test'));
  // Y's line is the part's third now; one unit more of X is taken out of it again.
  const again = encodeId('ord', await world.store.writer.change((tx) => splitOrder(tx, uuid(part), [{ line: 2, quantity: 1 }], 'test', 'key:test')));
  await x.apply((seen) => { seen.lines[1]!.cancelled = 3; });
  expect([await x.units(), await x.units(part), await x.units(again)]).toEqual([['1-0', '1-1'], ['1-1', '1-0'], ['1-1']]);
  await y.apply((seen) => { seen.status = 'cancelled'; });
  expect([await x.units(part), await world.status(part), await world.status(x.id)]).toEqual([['1-1', '1-1'], 'cancelled', 'captured']);
});
