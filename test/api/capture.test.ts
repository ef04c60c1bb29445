import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildApp } from '../../api/app.ts';
import { createApiKey } from '../../db/api-keys.ts';
import { CaptureQueue } from '../../db/capture/capture-queue.ts';
import { createKnex } from '../../db/pool.ts';
import type { OrderIntake } from '../../domain/order/intake.ts';
import { createLogger } from '../../runtime/logger.ts';
import { World } from '../support/world.ts';

let world: World;
let app: FastifyInstance;
let key: string;
let otherKey: string;
let close: () => Promise<void>;
let skus = 0;
const logged: string[] = [];
beforeAll(async () => {
  world = await World.create({ skus: 20, stock: 0 });
  const knex = createKnex(world.database.url);
  const scopes = ['orders:write'] as const;
  ({ key } = await createApiKey(world.store.pool, { name: 'site', scopes }));
  ({ key: otherKey } = await createApiKey(world.store.pool, { name: 'other', scopes }));
  await world.store.network.reload();
  app = await buildApp({ store: world.store, knex, logger: createLogger('test', 'trace', { write: (text) => { logged.push(text); } }) });
  close = async () => { await app.close(); await knex.destroy(); await world.close(); };
});
afterAll(async () => { await close(); });

async function sku(quantity: number): Promise<string> {
  const code = `SKU-${++skus}`;
  await world.setStock(code, { 'L-1': quantity });
  return code;
}
const body = (code: string, changes: Partial<OrderIntake> = {}) => world.intake({ externalId: randomUUID(), lines: [{ sku: code, quantity: 1, unitPrice: 1000 }], ...changes });
const post = (payload: object, headers: Record<string, string> = {}, as = key) => app.inject({ method: 'POST', url: '/v1/orders', headers: { authorization: `Bearer ${as}`, ...headers }, payload });
const keyed = (value: string) => ({ 'idempotency-key': value });
const ofSku = async (code: string) => (await world.one<{ n: number }>('select count(distinct order_id)::int n from order_lines where sku_code = $1', code)).n;

test('201 with the order, where it is, and the same bytes with 200 ever after', async () => {
  const code = await sku(5);
  const order = body(code);
  const first = await post(order);
  expect(first.statusCode).toBe(201);
  expect(first.headers['content-type']).toBe('application/json; charset=utf-8');
  const answer = first.json<{ id: string }>();
  expect(answer).toEqual({
    id: expect.stringMatching(/^ord_[0-9a-hjkmnp-tv-z]{26}$/) as string, channel: 'own', externalId: order.externalId, status: 'captured', currency: 'CNY', total: 1800, payBy: null,
    promise: { shipBy: '2026-11-23T09:00:00.000Z', deliverBy: '2026-11-24T10:00:00.000Z' }, reserved: [{ line: 1, location: 'L-1', quantity: 1 }], missing: [], capturedAt: '2026-11-23T02:00:00.000Z',
  });
  expect(first.headers['location']).toBe(`/v1/orders/${answer.id}`);
  const again = await post(Object.fromEntries(Object.entries(order).toReversed()));
  expect([again.statusCode, again.body, again.headers['location']]).toEqual([200, first.body, first.headers['location']]);
});

test('100 identical requests at once, every other one with a key: one order, one 201, the same bytes for all', async () => {
  const code = await sku(100);
  const order = body(code);
  const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => post(order, i % 2 ? keyed(`crowd-${i % 10}`) : {})));
  expect(new Set(answers.map((a) => a.body)).size).toBe(1);
  expect(answers.map((a) => a.statusCode).toSorted()).toEqual([...Array.from({ length: 99 }, () => 200), 201]);
  expect(await ofSku(code)).toBe(1);
  expect(await world.stock(code)).toMatchObject({ 'L-1': [100, 1] });
});

test('200 buyers at once, 100 in stock', async () => {
  const code = await sku(100);
  const answers = await Promise.all(Array.from({ length: 200 }, () => post(body(code))));
  expect(answers.map((a) => a.statusCode).toSorted()).toEqual([...Array.from({ length: 100 }, () => 201), ...Array.from({ length: 100 }, () => 409)]);
  for (const answer of answers) {
    if (answer.statusCode === 409) expect(answer.json()).toMatchObject({ code: 'insufficient_stock', field: '/lines/0/quantity', missing: [{ line: 1, sku: code, quantity: 1 }] });
  }
  expect([await ofSku(code), await world.stock(code)]).toEqual([100, { 'L-1': [100, 100], 'L-2': [0, 0], 'L-3': [0, 0] }]);
  expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
});

test('the same external id with another body: 409; the same key with another body: 422', async () => {
  const code = await sku(10);
  const order = body(code);
  await post(order, keyed('first'));
  const other = await post({ ...order, freight: 801 });
  expect([other.statusCode, other.json<{ code: string; field: string }>()]).toMatchObject([409, { code: 'duplicate_with_other_body', field: '/externalId' }]);
  const mismatch = await post(body(code), keyed('first'));
  expect([mismatch.statusCode, mismatch.json<{ code: string; field: string }>()]).toMatchObject([422, { code: 'idempotency_mismatch', field: '/headers/Idempotency-Key' }]);
  expect(await ofSku(code)).toBe(1);
});

test('an Idempotency-Key is its API key\'s own: another client may have the same', async () => {
  const code = await sku(10);
  expect((await post(body(code), keyed('shared'))).statusCode).toBe(201);
  expect((await post(body(code), keyed('shared'), otherKey)).statusCode).toBe(201);
  expect(await ofSku(code)).toBe(2);
});

test('a refusal is remembered for its key; with another key the order is taken as soon as there is stock', async () => {
  const code = await sku(0);
  const order = body(code);
  const refused = await post(order, keyed('sorry'));
  expect(refused.statusCode).toBe(409);
  await world.setStock(code, { 'L-1': 1 });
  const still = await post(order, keyed('sorry'));
  const without = ({ instance: _instance, ...rest }: Record<string, unknown>) => rest;
  expect([still.statusCode, without(still.json())]).toEqual([409, without(refused.json())]);
  const now = await post(order, keyed('again'));
  expect(now.statusCode).toBe(201);
  expect((await post(order, keyed('sorry'))).statusCode).toBe(409);
  expect((await post(order)).body).toBe(now.body);
});

test.each(['', 'ümlaut', 'x'.repeat(201), 'a\tb'])('%j is no Idempotency-Key', async (value) => {
  const code = await sku(1);
  const response = await post(body(code), keyed(value));
  expect([response.statusCode, response.json<{ field: string }>().field]).toEqual([400, '/headers/idempotency-key']);
  expect(await ofSku(code)).toBe(0);
});

test('an accepting channel: unknown SKU on hold, missing stock as a shortage, both 201', async () => {
  const code = await sku(1);
  const held = await post(body('NOBODY-KNOWS', { channel: 'douyin' }));
  expect([held.statusCode, held.json()]).toMatchObject([201, { status: 'on_hold', promise: null, reserved: [], missing: [{ line: 1, sku: 'NOBODY-KNOWS', quantity: 1, cause: 'unknown_sku' }] }]);
  const short = await post(body(code, { channel: 'douyin', lines: [{ sku: code, quantity: 3, unitPrice: 1 }] }));
  expect([short.statusCode, short.json()]).toMatchObject([201, { status: 'captured', promise: null, reserved: [{ line: 1, location: 'L-1', quantity: 1 }], missing: [{ line: 1, sku: code, quantity: 2, cause: 'no_stock' }] }]);
});

test('an unpaid order says until when it waits', async () => {
  const code = await sku(1);
  expect((await post(body(code, { payment: { status: 'unpaid' } }))).json()).toMatchObject({ status: 'awaiting_payment', payBy: '2026-11-23T02:30:00.000Z' });
});

test.each<[string, Partial<OrderIntake>, number, string, string]>([
  ['a strict channel and a SKU nobody knows', { lines: [{ sku: 'NOBODY-KNOWS', quantity: 1, unitPrice: 1 }] }, 422, 'unknown_sku', '/lines/0/sku'],
  ['a channel nobody knows', { channel: 'nowhere' }, 422, 'unknown_channel', '/channel'],
  ['a leap second', { orderedAt: '2016-12-31T23:59:60Z' }, 422, 'unprocessable', '/orderedAt'],
  ['a discount above the price', { discounts: [{ bearer: 'shop', code: 'X', amount: 9_999_999 }] }, 422, 'unprocessable', '/discounts/0/amount'],
  ['a price beyond what is exact', { lines: [{ sku: 'SKU-1', quantity: 1_000_000, unitPrice: 9_000_000_000_000 }] }, 422, 'unprocessable', '/lines/0/unitPrice'],
])('%s', async (_what, changes, status, code, field) => {
  const response = await post(body('SKU-1', changes));
  expect([response.statusCode, response.json()]).toMatchObject([status, { code, field }]);
});

test('one bad request among many: the others are captured', async () => {
  const code = await sku(50);
  const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => post(body(code, i === 17 ? { orderedAt: '2016-12-31T23:59:60Z' } : i === 23 ? { externalId: 'x\ud800' } : {}))));
  expect(answers.flatMap((a, i) => (a.statusCode === 201 ? [] : [[i, a.statusCode]]))).toEqual([[17, 422], [23, 400]]);
  expect(await ofSku(code)).toBe(38);
});

test('too many at once: 429, come again after a second', async () => {
  const { capture, writer, network, projection, vault } = world.store;
  Object.assign(world.store, { capture: new CaptureQueue(writer, { network, projection, vault }, 200, 0) });
  const response = await post(body('SKU-1'));
  Object.assign(world.store, { capture });
  expect([response.statusCode, response.headers['retry-after'], response.json()]).toMatchObject([429, '1', { type: '/problems/overloaded', code: 'overloaded', status: 429 }]);
});

test('the log of all this names no person', () => {
  expect(logged.length).toBeGreaterThan(100);
  const text = logged.join('');
  for (const canary of ['Test Person', '10000000001', '1 Example Road', key, otherKey]) expect(text).not.toContain(canary);
});
