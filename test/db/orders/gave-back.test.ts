import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { beginRelease, postponeRelease, RETRY_S } from '../../../db/fulfillment/release.ts';
import { cancelLines } from '../../../db/orders/cancel-lines.ts';
import { releaseOrder } from '../../../db/orders/hold-order.ts';
import { forceLocation } from '../../../db/orders/operate/attributes.ts';
import { reserveOrder } from '../../../db/orders/reserve-order.ts';
import type { OrderIntake } from '../../../domain/order/intake.ts';
import { decodeId } from '../../../domain/ids.ts';
import { advance } from '../../support/advance.ts';
import { World } from '../../support/world.ts';

const HOUR = 3_600_000;
let world: World;
let skus = 0;
beforeAll(async () => { world = await World.create({ locations: 3, skus: 40, stock: 0 }); });
afterEach(async () => {
  expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
  await world.store.pool.query('delete from location_pauses');
  await world.store.network.reload();
});
afterAll(async () => { await world.close(); });

const uuid = (id: string): string => decodeId('ord', id) as string;
const at = async (id: string): Promise<string[]> => (await world.fulfillments(id)).map((f) => `${f.location} ${f.status}${f.reason ? ` ${f.reason}` : ''}`);
const holds = async (id: string) => (await world.store.pool.query<{ reason: string; detail: string; released_by: string | null }>('select reason, detail, released_by from order_holds where order_id = $1 order by id', [uuid(id)])).rows;
async function stocked(at: Record<string, number>): Promise<string> {
  const sku = `SKU-${++skus}`;
  await world.setStock(sku, at);
  await world.store.projection.refresh();
  return sku;
}
async function order(sku: string, quantity = 2, more: Partial<OrderIntake> = {}): Promise<string> {
  const { id } = await world.capture({ lines: [{ sku, quantity, unitPrice: 1000 }], ...more });
  await advance(world, id);
  return id;
}
async function tell(id: string, event: Parameters<World['tell']>[1]): Promise<void> {
  await world.tell((await world.fulfillments(id)).at(-1)!, event);
  await advance(world, id);
}
/** Where there is any. */
const stock = async (sku: string) => Object.fromEntries(Object.entries(await world.stock(sku)).filter(([, units]) => units.some((n) => n > 0)));
const later = async (id: string, ms: number): Promise<void> => {
  world.now = new Date(world.now.getTime() + ms);
  await world.store.network.reload();
  await advance(world, id);
};

test('the only place pauses and has the order again when its pause ends; after the third time a person decides', async () => {
  const sku = await stocked({ 'L-1': 5 });
  const id = await order(sku);
  await tell(id, { type: 'rejected', reason: 'no_capacity' });
  expect([await at(id), await world.status(id), await holds(id)]).toEqual([['L-1 rejected no_capacity'], 'backordered', []]);
  await later(id, HOUR - 1);
  expect(await at(id)).toEqual(['L-1 rejected no_capacity']);
  await later(id, 1);
  expect([await at(id), await stock(sku)]).toEqual([['L-1 rejected no_capacity', 'L-1 released'], { 'L-1': [5, 2] }]);
  await tell(id, { type: 'rejected', reason: 'closed' });
  await later(id, 4 * HOUR);
  expect((await at(id)).at(-1)).toBe('L-1 released');
  await tell(id, { type: 'rejected', reason: 'closed' });
  expect([await world.status(id), await holds(id)]).toEqual(['on_hold', [{ reason: 'given_back', detail: `L-1 has 5 of ${sku} and gave the order back: no_capacity, closed`, released_by: null }]]);
  // Held, it does not end by its deadline; looked at again, it is held once.
  await later(id, 10 * 24 * HOUR);
  await Promise.all([1, 2, 3].map(() => reserveOrder(world.store.writer, world.store.network, uuid(id))));
  expect([await world.status(id), (await holds(id)).length, await stock(sku)]).toEqual(['on_hold', 1, { 'L-1': [5, 0] }]);
  await releaseOrder(world.store.writer, uuid(id), null, 'key:test');
  await advance(world, id);
  expect([(await at(id)).at(-1), await world.status(id), await stock(sku)]).toEqual(['L-1 released', 'in_fulfillment', { 'L-1': [5, 2] }]);
});

test('while another place will be asked again, or has units, nobody is troubled', async () => {
  const sku = await stocked({ 'L-1': 5, 'L-2': 5 });
  const id = await order(sku);
  await tell(id, { type: 'rejected', reason: 'damaged' });
  await tell(id, { type: 'rejected', reason: 'closed' });
  expect([await at(id), await world.status(id)]).toEqual([['L-1 rejected damaged', 'L-2 rejected closed'], 'backordered']);
  await later(id, 4 * HOUR);
  expect([await at(id), await holds(id)]).toEqual([['L-1 rejected damaged', 'L-2 rejected closed', 'L-2 released'], []]);
});

test('what was not found there is asked for again only where an operator forces the place', async () => {
  const sku = await stocked({ 'L-1': 5 });
  const id = await order(sku);
  await tell(id, { type: 'rejected', reason: 'not_found' });
  expect([await world.status(id), (await holds(id))[0]?.detail]).toEqual(['on_hold', `L-1 has 3 of ${sku} and gave the order back: not_found`]);
  await world.store.writer.change((tx) => forceLocation(tx, world.store.network, uuid(id), 'L-1', 'they looked again', 'key:test'));
  await advance(world, id);
  expect([await at(id), (await holds(id))[0]?.released_by, await stock(sku)]).toEqual([['L-1 rejected not_found', 'L-1 released'], 'key:test', { 'L-1': [3, 2] }]);
});

test('a pickup that its shop gives back is asked of it again; one that it does not find is for a person', async () => {
  const pickup = { pickup: { location: 'L-2', way: 'pickup' as const } };
  const sku = await stocked({ 'L-1': 5, 'L-2': 5 });
  const id = await order(sku, 2, pickup);
  await tell(id, { type: 'rejected', reason: 'closed' });
  expect(await world.status(id)).toBe('backordered');
  await later(id, 4 * HOUR);
  expect(await at(id)).toEqual(['L-2 rejected closed', 'L-2 released']);
  await tell(id, { type: 'short_picked', lines: [{ lineNo: 1, quantity: 1 }] });
  expect([await world.status(id), (await holds(id))[0]?.detail]).toEqual(['on_hold', `L-2 has 3 of ${sku} and gave the order back: closed, short_pick`]);
  expect(await stock(sku)).toEqual({ 'L-1': [5, 0], 'L-2': [4, 1] });
});

test('held units that come elsewhere are the order\'s, and it goes on by itself; cancelled ones hold nothing', async () => {
  const sku = await stocked({ 'L-1': 5 });
  const [id, other] = [await order(sku), await order(sku, 1)];
  for (const o of [id, other]) await tell(o, { type: 'rejected', reason: 'mismatch' });
  expect([await world.status(id), await world.status(other)]).toEqual(['on_hold', 'on_hold']);
  await world.setStock(sku, { 'L-3': 1 });
  expect([await world.status(id), (await holds(id))[0]?.released_by]).toEqual(['on_hold', null]);
  await world.setStock(sku, { 'L-3': 2 });
  await advance(world, id);
  expect([await at(id), (await holds(id))[0]?.released_by]).toEqual([['L-1 rejected mismatch', 'L-3 released'], 'system']);
  await cancelLines(world.store.writer, uuid(other), { reference: 'c-1', lines: [{ line: 1, quantity: 1 }], reason: 'no longer wanted' }, 'key:test');
  await advance(world, other);
  expect([await world.status(other), await stock(sku)]).toEqual(['cancelled', { 'L-1': [2, 0], 'L-3': [2, 2] }]);
});

test('part of the order has left: what comes goes at once, what lies only where it was not found is for a person', async () => {
  const sku = await stocked({ 'L-1': 9 });
  const id = await order(sku, 3);
  const [first] = await world.fulfillments(id);
  await tell(id, { type: 'goods_issue', parcels: [{ parcelNo: 1, carrier: 'sim', waybillNo: first!.waybillNo, lines: [{ lineNo: 1, quantity: 1 }] }] });
  expect([await world.status(id), (await holds(id)).map((h) => [h.detail, h.released_by])]).toEqual(['partially_shipped', [[`L-1 has 6 of ${sku} and gave the order back: short_pick`, null]]]);
  await world.setStock(sku, { 'L-2': 1 });
  await advance(world, id);
  expect([await at(id), (await holds(id)).map((h) => h.released_by)]).toEqual([['L-1 issued', 'L-2 released'], ['system']]);
  await tell(id, { type: 'accepted' });
  expect([await at(id), (await holds(id)).map((h) => h.released_by)]).toEqual([['L-1 issued', 'L-2 accepted'], ['system', null]]);
  await later(id, 8 * 24 * HOUR);
  expect([await world.refunds(id), await stock(sku)]).toEqual([[], { 'L-1': [6, 0], 'L-2': [1, 1] }]);
});

test('what another place has not answered goes on: only then what lies where it was not found is for a person', async () => {
  const { writer, network, vault } = world.store;
  const [a, b] = [await stocked({ 'L-1': 5 }), await stocked({ 'L-2': 5 })];
  const { id } = await world.capture({ lines: [{ sku: a, quantity: 1, unitPrice: 1000 }, { sku: b, quantity: 2, unitPrice: 1000 }] });
  await advance(world, id, 'ship');
  const [silent, other] = (await world.fulfillments(id)).sort((x, y) => (x.location < y.location ? -1 : 1));
  const ful = decodeId('ful', silent!.id) as string;
  await beginRelease(writer, network, vault, uuid(id), ful);
  await postponeRelease(writer, uuid(id), ful, 'no answer');
  await advance(world, id);
  await world.tell(other!, { type: 'rejected', reason: 'not_found' });
  await advance(world, id);
  const now = async (): Promise<unknown[]> => [(await at(id)).sort(), (await holds(id)).map((h) => h.detail), await world.status(id)];
  expect(await now()).toEqual([['L-1 releasing', 'L-2 rejected not_found'], [], 'in_fulfillment']);
  await later(id, RETRY_S * 1000);
  expect(await now()).toEqual([['L-1 released', 'L-2 rejected not_found'], [], 'in_fulfillment']);
  await world.tell(silent!, { type: 'accepted' });
  await advance(world, id);
  expect(await now()).toEqual([['L-1 accepted', 'L-2 rejected not_found'], [`L-2 has 3 of ${b} and gave the order back: not_found`], 'on_hold']);
  expect([await stock(a), await stock(b)]).toEqual([{ 'L-1': [5, 1] }, { 'L-2': [3, 0] }]);
});
