import { afterAll, beforeAll, expect, test } from 'vitest';
import { SCOPES } from '../../../db/api-keys.ts';
import { TestApi } from '../../support/api.ts';
import { refused, send, type Reply } from '../network/requests.ts';

let api: TestApi;
let admin: string;
let shop: string;
beforeAll(async () => {
  api = await TestApi.open({ stock: 10 });
  admin = await api.key('admin', SCOPES);
  shop = await api.key('shop', ['stock:read', 'stock:write'], 'L-2');
  await send(api, admin, 'PUT', '/v1/skus/MILK', { name: 'Milk', weightG: 1000, lotTracked: true });
});
afterAll(async () => { await api.close(); });

const get = (url: string, key = admin): Promise<Reply> => send(api, key, 'GET', url);
const receive = (reference: string, lines: object[], key = admin, location = 'L-1'): Promise<Reply> => send(api, key, 'POST', '/v1/stock/receipts', { reference, location, lines });
const milk = (quantity: number, code: string, expiresOn?: string): object => ({ sku: 'MILK', quantity, lot: { code, ...(expiresOn === undefined ? {} : { expiresOn }) } });

test('levels come in pages, filtered by location and SKU', async () => {
  const all: unknown[] = [];
  for (let after: number | null = 0; after !== null;) {
    const { body } = await get(`/v1/stock/levels?sku=SKU-1&limit=2&after=${after}`);
    all.push(...(body['items'] as { location: string }[]).map((l) => l.location));
    after = body['next'] as number | null;
  }
  expect(all.toSorted()).toEqual(['L-1', 'L-2', 'L-3']);
  expect((await get('/v1/stock/levels?sku=SKU-1&location=L-3')).body).toEqual({
    items: [{ location: 'L-3', sku: 'SKU-1', condition: 'sellable', lot: null, onHand: 10, reserved: 0, buffer: 0 }], next: null,
  });
  await refused(api, () => get('/v1/stock/levels?location=NONE'), 422, 'unknown_location', '/querystring/location');
  await refused(api, () => get('/v1/stock/levels?location=L-1', shop), 404, 'not_found', '/querystring/location');
  await refused(api, () => get('/v1/stock/levels?after=1e30'), 400, 'invalid', '/querystring/after');
});

test('lots and conditions are kept apart, and a lot has one day of expiry', async () => {
  expect((await receive('M-1', [milk(5, 'A', '2027-01-01'), milk(3, 'B'), { ...milk(2, 'A'), condition: 'damaged' }])).body).toEqual({ reference: 'M-1', lines: 3, units: 10 });
  const { body } = await get('/v1/stock/levels?sku=MILK');
  expect((body['items'] as { lot: string; condition: string; onHand: number }[]).map((l) => [l.lot, l.condition, l.onHand])).toEqual(expect.arrayContaining([['A', 'sellable', 5], ['B', 'sellable', 3], ['A', 'damaged', 2]]));
  expect((await receive('M-2', [milk(1, 'B', '2027-02-01')])).status).toBe(200);
  expect(await api.world.one(`select expires_on::text expires from lots where code = 'B'`)).toEqual({ expires: '2027-02-01' });
  await refused(api, () => receive('M-3', [milk(1, 'A', '2028-01-01')]), 409, 'conflict', '/lines/0/lot/expiresOn');
  await refused(api, () => receive('M-3', [milk(1, 'C', '0000-01-01')]), 400, 'invalid', '/lines/0/lot/expiresOn');
  await refused(api, () => receive('M-3', [milk(1, 'C', '2027-02-30')]), 400, 'invalid', '/lines/0/lot/expiresOn');
  await refused(api, () => receive('M-3', [{ sku: 'MILK', quantity: 1 }]), 422, 'unprocessable', '/lines/0/lot');
  await refused(api, () => receive('M-3', [{ sku: 'SKU-1', quantity: 1, lot: { code: 'A' } }]), 422, 'unprocessable', '/lines/0/lot');
});

test('a buffer is kept where it has effect', async () => {
  const buffer = (changes: object, key = admin): Promise<Reply> => send(api, key, 'PUT', '/v1/stock/buffers', { location: 'L-1', sku: 'SKU-3', buffer: 1, ...changes });
  await refused(api, () => buffer({ sku: 'MILK' }), 422, 'unprocessable', '/sku');
  await refused(api, () => buffer({ sku: 'NONE' }), 422, 'unknown_sku', '/sku');
  await refused(api, () => buffer({}, shop), 404, 'not_found', '/location');
  expect(await buffer({ location: 'L-2' }, shop)).toEqual({ status: 200, body: { location: 'L-2', sku: 'SKU-3', buffer: 1 } });
});
