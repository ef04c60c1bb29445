import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { cancelLines } from '../../../db/orders/cancel-lines.ts';
import { changeAddress } from '../../../db/orders/change-address.ts';
import { splitOrder } from '../../../db/orders/operate/split-order.ts';
import { readRecorded } from '../../../db/simulation/recorded.ts';
import { decodeId } from '../../../domain/ids.ts';
import { advance } from '../../support/advance.ts';
import { World } from '../../support/world.ts';

let world: World;
let skus = 0;
let day = 0;
// L-1 Shanghai, L-2 Beijing, L-3 Guangzhou. Each test has a day of its own.
beforeAll(async () => { world = await World.create({ locations: 3, skus: 30, stock: 0 }); });
beforeEach(() => { world.now = new Date(Date.UTC(2026, 10, 23 + day++, 2)); });
afterEach(async () => { expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 }); });
afterAll(async () => { await world.close(); });

const uuid = (id: string): string => decodeId('ord', id) as string;
const to = (city: string) => ({ name: 'Test Person', phone: '10000000001', country: 'CN', province: city, city, street: '1 Example Road' });
const hour = (n: number): void => { world.now = new Date(world.now.getTime() + n * 3_600_000); };
async function stocked(at: Record<string, number>): Promise<string> {
  const sku = `SKU-${++skus}`;
  await world.setStock(sku, at);
  await world.store.projection.refresh();
  return sku;
}
async function routed(city: string, lines: { sku: string; quantity: number }[]): Promise<string> {
  const { id } = await world.capture({ shipTo: to(city), lines: lines.map((l) => ({ ...l, unitPrice: 1000 })) });
  await advance(world, id, 'ship');
  hour(1);
  return id;
}
/** What a simulation of the day takes as orders, and what it says has happened. */
async function recorded(): Promise<unknown> {
  const from = new Date(Math.floor(world.now.getTime() / 86_400_000) * 86_400_000);
  const { orders, actual: { total } } = await readRecorded(world.store.pool, from, new Date(from.getTime() + 86_400_000));
  return { orders: orders.map((o) => [o.order.destination.city, o.order.lines.map((l) => [l.line, l.quantity])]), total: [total.orders, total.shipments, total.units] };
}

test('an order that went elsewhere after a change of address is one order, with the plan that was carried out', async () => {
  const sku = await stocked({ 'L-1': 5, 'L-2': 5, 'L-3': 5 });
  const id = await routed('Beijing', [{ sku, quantity: 2 }]);
  await changeAddress(world.store.writer, world.store.network, world.store.vault, uuid(id), to('Guangzhou'), 'key:test');
  await advance(world, id, 'ship');
  expect(await recorded()).toEqual({ orders: [['Guangzhou', [[1, 2]]]], total: [1, 1, 2] });
});

test('cancelled units are planned anew without them: counted once, and the split-off part as its own', async () => {
  const sku = await stocked({ 'L-1': 9 });
  const id = await routed('Shanghai', [{ sku, quantity: 4 }]);
  await cancelLines(world.store.writer, uuid(id), { reference: 'r-1', reason: 'test', lines: [{ line: 1, quantity: 1 }] }, 'key:test');
  await advance(world, id, 'ship');
  expect(await recorded()).toEqual({ orders: [['Shanghai', [[1, 3]]]], total: [1, 1, 3] });
  hour(1);
  const other = await routed('Shanghai', [{ sku, quantity: 3 }]);
  await world.store.writer.change((tx) => splitOrder(tx, uuid(other), [{ line: 1, quantity: 1 }], 'test', 'key:test'));
  await advance(world, other, 'ship');
  expect(await recorded()).toEqual({ orders: [['Shanghai', [[1, 3]]], ['Shanghai', [[1, 2]]]], total: [2, 2, 5] });
});

test('of a split order only what was taken back is planned anew: the rest of the first plan stands', async () => {
  const [a, b] = [await stocked({ 'L-1': 5 }), await stocked({ 'L-2': 5, 'L-3': 5 })];
  const id = await routed('Shanghai', [{ sku: a, quantity: 1 }, { sku: b, quantity: 2 }]);
  const first = (await world.fulfillments(id)).find((f) => f.location === 'L-2') ?? (await world.fulfillments(id)).find((f) => f.location === 'L-3');
  await cancelLines(world.store.writer, uuid(id), { reference: 'r-2', reason: 'test', lines: [{ line: 2, quantity: 1 }] }, 'key:test');
  await advance(world, id);
  expect((await world.fulfillments(id)).map((f) => [f.location, f.status]).sort()).toEqual([['L-1', 'released'], [first?.location, 'cancelled'], [first?.location, 'released']].sort());
  expect(await recorded()).toEqual({ orders: [['Shanghai', [[1, 1]]], ['Shanghai', [[2, 1]]]], total: [2, 2, 2] });
});

test('an order that a location gave back counts as it was routed first', async () => {
  const sku = await stocked({ 'L-1': 5, 'L-2': 5 });
  const id = await routed('Shanghai', [{ sku, quantity: 1 }]);
  await advance(world, id);
  await world.tell((await world.fulfillments(id))[0]!, { type: 'rejected', reason: 'refused' });
  await advance(world, id, 'ship');
  expect(await recorded()).toEqual({ orders: [['Shanghai', [[1, 1]]]], total: [1, 1, 1] });
});
