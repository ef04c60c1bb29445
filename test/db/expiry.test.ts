import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { expireDue } from '../../db/orders/expiry.ts';
import { openStore, type Store } from '../../db/store.ts';
import { decodeId } from '../../domain/ids.ts';
import { VAULT_KEY, World } from '../support/world.ts';

let world: World;
let other: Store;
let skus = 0;
const start = new Date('2026-11-23T02:00:00Z');
beforeAll(async () => {
  world = await World.create({ skus: 20, stock: 100 });
  other = await openStore({ url: world.database.url, vaultKey: VAULT_KEY, clock: () => world.now });
});
beforeEach(() => { world.now = start; });
afterAll(async () => {
  await other.close();
  await world.close();
});

const later = (minutes: number): void => { world.now = new Date(start.getTime() + minutes * 60_000); };
const sku = (): string => `SKU-${++skus}`;
const unpaid = (code: string, quantity = 1) => world.capture({ payment: { status: 'unpaid' }, lines: [{ sku: code, quantity, unitPrice: 100 }] });
const count = async (code: string, type: string): Promise<number> => (await world.one<{ n: number }>(
  `select count(*)::int n from order_events where type = $2 and order_id in (select order_id from order_lines where sku_code = $1)`, code, type)).n;

test('an unpaid order expires when its time has come, not before: stock free, lines cancelled, nothing owed, the workflow told', async () => {
  const code = sku();
  const order = await unpaid(code, 3);
  later(29.99);
  expect(await expireDue(world.store.writer)).toBe(0);
  expect(await world.stock(code)).toMatchObject({ 'L-1': [100, 3] });
  later(30);
  expect(await expireDue(world.store.writer)).toBe(1);
  expect(await world.status(order.id)).toBe('expired');
  expect(await world.stock(code)).toMatchObject({ 'L-1': [100, 0] });
  expect(await world.events(order.id)).toEqual(['order.captured', 'order.units_cancelled', 'order.expired']);
  const id = decodeId('ord', order.id);
  expect(await world.one('select status, closed_at, payment_status from orders where id = $1', id)).toEqual({ status: 'expired', closed_at: world.now, payment_status: 'unpaid' });
  expect(await world.one('select quantity, cancelled_quantity from order_lines where order_id = $1', id)).toEqual({ quantity: 3, cancelled_quantity: 3 });
  expect(await world.one('select status from reservations where order_id = $1', id)).toEqual({ status: 'released' });
  expect(await world.one(`select array_agg(topic order by id) topics from outbox where order_id = $1`, id)).toEqual({ topics: ['start', 'look'] });
  expect(await world.refunds(order.id)).toEqual([]);
  expect(await expireDue(world.store.writer)).toBe(0);
  expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
});

test('two workers at once, twice over: each order expires once', async () => {
  const code = sku();
  await Promise.all(Array.from({ length: 40 }, () => unpaid(code)));
  expect(await world.stock(code)).toMatchObject({ 'L-1': [100, 40] });
  later(31);
  const expired = await Promise.all([world.store, other, world.store, other].map((store) => expireDue(store.writer)));
  expect(expired.reduce((sum, n) => sum + n, 0)).toBe(40);
  expect([await count(code, 'order.expired'), await count(code, 'order.units_cancelled')]).toEqual([40, 40]);
  expect(await world.stock(code)).toMatchObject({ 'L-1': [100, 0] });
  expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
});

test('paid, cash on delivery, not yet due, or over already: left alone', async () => {
  const code = sku();
  const [paid, cash, over, due] = await Promise.all([unpaid(code), world.capture({ payment: { status: 'cash_on_delivery' }, lines: [{ sku: code, quantity: 1, unitPrice: 100 }] }), unpaid(code), unpaid(code)]);
  await world.store.pool.query(`update orders set payment_status = 'paid' where id = $1`, [decodeId('ord', paid.id)]);
  await world.store.pool.query(`update orders set status = 'cancelled', closed_at = $2 where id = $1`, [decodeId('ord', over.id), world.now]);
  later(60);
  expect(await expireDue(other.writer)).toBe(1);
  expect(await Promise.all([paid, cash, over, due].map((o) => world.status(o.id)))).toEqual(['awaiting_payment', 'captured', 'cancelled', 'expired']);
});

test('a payment that locks the order first wins', async () => {
  const code = sku();
  const order = await unpaid(code);
  later(31);
  const client = await world.store.pool.connect();
  await client.query('begin');
  await client.query(`update orders set payment_status = 'paid' where id = $1`, [decodeId('ord', order.id)]);
  const expiring = expireDue(other.writer);
  const waits = () => world.one<{ n: number }>(`select count(*)::int n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`);
  await expect.poll(async () => (await waits()).n, { timeout: 10_000, interval: 10 }).toBe(1);
  await client.query('commit');
  client.release();
  expect(await expiring).toBe(0);
  expect(await world.status(order.id)).toBe('awaiting_payment');
  expect(await world.stock(code)).toMatchObject({ 'L-1': [100, 1] });
});

test('many are worked off by the oldest first, a limited number at a time', async () => {
  const code = sku();
  const orders = [];
  for (let i = 0; i < 4; i++) {
    later(i);
    orders.push(await unpaid(code));
  }
  later(60);
  expect(await expireDue(world.store.writer, 2)).toBe(2);
  expect(await Promise.all(orders.map((o) => world.status(o.id)))).toEqual(['expired', 'expired', 'awaiting_payment', 'awaiting_payment']);
  expect(await expireDue(world.store.writer, 10)).toBe(2);
});

test('the last unit that expires goes to the next buyer', async () => {
  const code = sku();
  await world.setStock(code, { 'L-1': 1, 'L-2': 0, 'L-3': 0 });
  await unpaid(code);
  await expect(unpaid(code)).rejects.toMatchObject({ code: 'insufficient_stock' });
  later(31);
  await expireDue(other.writer);
  expect((await unpaid(code)).reserved).toEqual([{ line: 1, location: 'L-1', quantity: 1 }]);
  expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
});
