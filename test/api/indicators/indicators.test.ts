import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTransfer } from '../../../db/transfers/create.ts';
import { receiveTransfer } from '../../../db/transfers/receive.ts';
import { shipTransfer } from '../../../db/transfers/ship.ts';
import { decodeId } from '../../../domain/ids.ts';
import { demandDays, movedAt } from '../../support/demand-days.ts';
import { TestApi } from '../../support/api.ts';

let api: TestApi;
let [head, shop] = ['', ''];
const WHO = { actor: 'key:test', onlyLocation: null };
beforeAll(async () => {
  api = await TestApi.open({ skus: 3, stock: 0 });
  api.world.now = new Date();
  head = await api.key('head', ['stock:read']);
  shop = await api.key('shop', ['stock:read'], 'L-2');
  await api.world.store.pool.query(`update skus set category = 'coats', list_price = 1500 where code in ('SKU-1', 'SKU-2')`);
});
afterAll(async () => { await api.close(); });

const day = (ago: number): string => new Date(api.world.now.getTime() - ago * 86_400_000).toISOString().slice(0, 10);
const get = async (url: string, key = head) => (await api.call(key, 'GET', url));
const rows = async (url: string) => (await get(url)).body['items'] as Record<string, unknown>[];

test('turnover, sell-through, fill rate and lost sales by SKU, category, location, channel, region', async () => {
  // 40 and 20 units since 100 days; over the last ten days L-1 served one a day and lost 5 in all.
  await api.world.setStock('SKU-1', { 'L-1': 40, 'L-2': 20 });
  await movedAt(api.world, new Date(api.world.now.getTime() - 100 * 86_400_000).toISOString());
  await demandDays(api.world, 'SKU-1', 'L-1', 'Beijing', [[day(10), day(1), 1]]);
  await api.world.store.pool.query('update daily_demand set lost = 5 where day = $1', [day(3)]);
  const period = `from=${day(10)}&to=${day(1)}`;
  const demand = { served: 10, revenue: 10_000, returned: 0, lost: 5, lostSales: 5000, fillRate: 0.6667 };
  const none = { served: 0, revenue: 0, returned: 0, lost: 0, lostSales: 0, fillRate: null };
  const stock = { opening: 60, closing: 60, meanOnHand: 60, received: 0, turnoverDays: 60, sellThrough: 0.1667 };
  const nothing = { opening: null, closing: null, meanOnHand: null, received: null, turnoverDays: null, sellThrough: null };
  expect(await rows(`/v1/indicators?${period}&by=sku`)).toEqual([{ key: 'SKU-1', ...demand, ...stock }]);
  expect(await rows(`/v1/indicators?${period}&by=category`)).toEqual([{ key: 'coats', ...demand, ...stock }]);
  expect(await rows(`/v1/indicators?${period}`)).toEqual([{ key: '', ...demand, ...stock }]);
  expect(await rows(`/v1/indicators?${period}&by=location`)).toEqual([
    { key: 'L-1', ...demand, opening: 40, closing: 40, meanOnHand: 40, received: 0, turnoverDays: 40, sellThrough: 0.25 },
    { key: 'L-2', ...none, opening: 20, closing: 20, meanOnHand: 20, received: 0, turnoverDays: null, sellThrough: 0 },
  ]);
  expect(await rows(`/v1/indicators?${period}&by=channel`)).toEqual([{ key: 'own', ...demand, ...nothing }]);
  expect(await rows(`/v1/indicators?${period}&by=region`)).toEqual([{ key: 'Beijing', ...demand, ...nothing }]);
  expect(await rows(`/v1/indicators?${period}&region=Shanghai`)).toEqual([]);
});

test('stock by age, and what a transfer brought beyond the receiver\'s own units', async () => {
  const { writer, network } = api.world.store;
  await api.world.setStock('SKU-2', { 'L-1': 30, 'L-2': 4 });
  await api.world.store.pool.query(`update stock_movements m set at = $1 from stock_levels v where v.id = m.level_id and v.sku_id = 2`, [new Date(api.world.now.getTime() - 70 * 86_400_000)]);
  const { id } = await createTransfer(writer, network, { reference: 'T', reason: 'redistribution', from: 'L-1', to: 'L-2', lines: [{ sku: 'SKU-2', quantity: 10 }], approve: true }, WHO);
  const uuid = decodeId('trf', id) as string;
  await shipTransfer(writer, uuid, {}, WHO);
  await receiveTransfer(writer, network, uuid, { reference: 'R', lines: [{ sku: 'SKU-2', quantity: 10 }] }, WHO);
  const ages = (url: string) => rows(url).then((r) => r.map((x) => [x['key'], x['fromDays'], x['units'], x['cost']]));
  expect(await ages('/v1/indicators/stock-age?sku=SKU-2')).toEqual([['', 61, 34, 34_000]]); // moved between our own: as old as it was
  expect(await ages('/v1/indicators/stock-age?sku=SKU-2&by=location')).toEqual([['L-1', 61, 20, 20_000], ['L-2', 0, 10, 10_000], ['L-2', 61, 4, 4000]]);
  const local = new Date(api.world.now.getTime() + 8 * 3_600_000).toISOString().slice(0, 10); // the business day of the location
  await demandDays(api.world, 'SKU-2', 'L-2', 'Beijing', [[local, local, 9]]);
  const effect = await get(`/v1/indicators/transfers?from=${day(1)}&to=${day(-1)}`);
  expect(effect.body).toMatchObject({ received: 10, soldOfMoved: 5, share: 0.5, cost: 0, items: [{ transfer: id, from: 'L-1', to: 'L-2', sku: 'SKU-2', received: 10, before: 4, sold: 9, soldOfMoved: 5 }] });
});

test('bad input and strangers', async () => {
  expect((await get(`/v1/indicators?from=${day(1)}&to=${day(3)}`)).body).toMatchObject({ status: 400, field: '/querystring/to' });
  expect((await get(`/v1/indicators?from=2020-01-01&to=${day(1)}`)).status).toBe(400);
  expect((await get(`/v1/indicators?from=${day(3)}&to=${day(1)}&by=colour`)).status).toBe(400);
  expect((await get(`/v1/indicators?from=${day(3)}&to=${day(1)}&location=X`)).body).toMatchObject({ field: '/querystring/location' });
  expect((await get(`/v1/indicators?from=${day(3)}&to=${day(1)}&location=L-1`, shop)).status).toBe(403);
  expect(((await get(`/v1/indicators?from=${day(3)}&to=${day(1)}&by=location`, shop)).body['items'] as { key: string }[]).map((r) => r.key)).toEqual(['L-2']);
  const stranger = await api.key('stranger', ['orders:read']);
  for (const url of ['/v1/indicators?from=2026-01-01&to=2026-01-02', '/v1/indicators/stock-age', '/v1/indicators/transfers?from=2026-01-01&to=2026-01-02']) expect((await get(url, stranger)).status).toBe(403);
});
