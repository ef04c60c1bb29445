import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestApi } from '../../support/api.ts';

let api: TestApi;
let key: string;
beforeAll(async () => {
  api = await TestApi.open({ skus: 3, stock: 10 });
  key = await api.key('batch', ['orders:write']);
});
afterAll(async () => { await api.close(); });

type Result = { status: number; order?: { id: string; externalId: string }; problem?: { code: string; field?: string } };
const send = async (orders: unknown[]): Promise<Result[]> => {
  const answer = await api.call(key, 'POST', '/v1/orders/batch', { orders });
  expect(answer.status).toBe(200);
  return answer.body['results'] as Result[];
};
const counted = () => api.world.one<{ n: number }>('select count(*)::int n from orders');

test('each order is captured or refused by itself, in the order of the request', async () => {
  const good = api.world.intake({ lines: [{ sku: 'SKU-1', quantity: 2, unitPrice: 100 }] });
  const other = api.world.intake({ lines: [{ sku: 'SKU-1', quantity: 1, unitPrice: 100 }] });
  const tooMuch = api.world.intake({ lines: [{ sku: 'SKU-2', quantity: 31, unitPrice: 100 }] });
  const results = await send([good, { ...other, lines: [] }, api.world.intake({ channel: 'nobody' }), tooMuch, good, { ...good, freight: 1 }, other, 'an order']);
  expect(results.map((r) => [r.status, r.problem?.code ?? null, r.problem?.field ?? null])).toEqual([
    [201, null, null], [400, 'invalid', '/lines'], [422, 'unknown_channel', '/channel'], [409, 'insufficient_stock', '/lines/0/quantity'],
    [200, null, null], [409, 'duplicate_with_other_body', '/externalId'], [201, null, null], [400, 'invalid', '/'],
  ]);
  expect(results[4]?.order).toEqual(results[0]?.order);
  expect(await counted()).toEqual({ n: 2 });
  expect((await send([good, other])).map((r) => r.status)).toEqual([200, 200]);
  expect(await counted()).toEqual({ n: 2 });
  expect(await api.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
});

test('an empty batch, and one too long, change nothing', async () => {
  for (const orders of [[], Array.from({ length: 1_001 }, () => ({}))]) {
    const answer = await api.call(key, 'POST', '/v1/orders/batch', { orders });
    expect([answer.status, answer.body['code'], answer.body['field']]).toEqual([400, 'invalid', '/orders']);
  }
});

test('a hundred orders of one batch for ten units: ten are sold', async () => {
  await api.world.setStock('SKU-3', { 'L-1': 4, 'L-2': 6, 'L-3': 0 });
  const results = await send(Array.from({ length: 100 }, () => api.world.intake({ lines: [{ sku: 'SKU-3', quantity: 1, unitPrice: 100 }] })));
  expect(results.filter((r) => r.status === 201)).toHaveLength(10);
  expect(results.filter((r) => r.problem?.code === 'insufficient_stock')).toHaveLength(90);
});

test('where too many wait, the next is refused before its body is read', async () => {
  const queue = api.world.store.capture;
  const wait = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(queue), 'waitMs') as PropertyDescriptor;
  Object.defineProperty(queue, 'waitMs', { get: () => 1_000, configurable: true });
  const before = await counted();
  for (const [url, body] of [['/v1/orders', api.world.intake()], ['/v1/orders/batch', { orders: [api.world.intake()] }]] as const) {
    const answer = await api.call(key, 'POST', url, body);
    expect([answer.status, answer.body['code'], answer.headers['retry-after']]).toEqual([503, 'saturated', '1']);
  }
  expect(await counted()).toEqual(before);
  Object.defineProperty(queue, 'waitMs', { ...wait, configurable: true });
  expect((await api.call(key, 'POST', '/v1/orders', api.world.intake({ lines: [{ sku: 'SKU-1', quantity: 1, unitPrice: 100 }] }))).status).toBe(201);
});
