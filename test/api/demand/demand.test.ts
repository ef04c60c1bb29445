import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestApi } from '../../support/api.ts';
import { followDemand } from '../../support/demand.ts';
import { refused, send } from '../network/requests.ts';

let api: TestApi;
let key: string;
let bound: string;
beforeAll(async () => {
  api = await TestApi.open();
  key = await api.key('planner', ['stock:read', 'network:write', 'network:read']);
  bound = await api.key('shop', ['stock:read', 'network:write'], 'L-2');
  await send(api, key, 'PUT', '/v1/skus/SKU-1', { name: 'Shirt', weightG: 200, category: 'shirts', attributes: { colour: 'red' }, cost: 400, listPrice: 1200, seasonStart: '2026-09-01', seasonEnd: '2027-01-31', packSize: 6 });
  for (const [day, quantity, province] of [['20', 1, 'Shanghai'], ['21', 2, 'Beijing'], ['21', 3, 'Shanghai']] as const) {
    await api.world.capture({ orderedAt: `2026-11-${day}T03:00:00Z`, lines: [{ sku: 'SKU-1', quantity, unitPrice: 1000 }], shipTo: { name: 'A', phone: '10000000001', country: 'CN', province, city: province, street: '1 Road' } });
  }
  await followDemand(api.world.store.pool, api.world.now);
});
afterAll(async () => { await api.close(); });
const get = (url: string, by = key) => send(api, by, 'GET', url);
const days = 'from=2026-11-01&to=2026-11-30';

test('merchandising facts of a SKU are kept; a season that ends before it begins is refused', async () => {
  const { body } = await get('/v1/skus/SKU-1');
  expect(body).toMatchObject({ category: 'shirts', attributes: { colour: 'red' }, listPrice: 1200, seasonStart: '2026-09-01', seasonEnd: '2027-01-31', packSize: 6 });
  const bad = { name: 'Shirt', weightG: 200, seasonStart: '2027-02-01', seasonEnd: '2027-01-31' };
  await refused(api, () => send(api, key, 'PUT', '/v1/skus/SKU-1', bad), 400, 'invalid', '/seasonEnd');
  await refused(api, () => send(api, key, 'PUT', '/v1/skus/SKU-1', { name: 'Shirt', weightG: 200, packSize: 0 }), 400, 'invalid', '/packSize');
  const bulk = await refused(api, () => send(api, key, 'POST', '/v1/skus/bulk', { skus: [{ code: 'SKU-9', ...bad }] }), 200, undefined as never);
  expect(bulk.body['errors']).toEqual([{ index: 0, field: '/skus/0/seasonEnd', reason: 'the season ends before it begins' }]);
});

test('demand comes in pages and by filter', async () => {
  const all: unknown[] = [];
  for (let after = ''; ;) {
    const { body } = await get(`/v1/demand?${days}&limit=1${after === '' ? '' : `&after=${after}`}`);
    all.push(...(body['items'] as Record<string, unknown>[]).map((r) => [r['day'], r['sku'], r['region'], r['units'], r['stockedOut']]));
    if (body['next'] === null) break;
    after = body['next'] as string;
  }
  expect(all.toSorted()).toEqual([['2026-11-20', 'SKU-1', 'Shanghai', 1, false], ['2026-11-21', 'SKU-1', 'Beijing', 2, false], ['2026-11-21', 'SKU-1', 'Shanghai', 3, false]]);
  expect(((await get(`/v1/demand?${days}&region=Beijing&category=shirts&channel=own`)).body['items'] as unknown[]).length).toBe(1);
  expect((await get(`/v1/demand?${days}&category=none`)).body['items']).toEqual([]);
  expect((await get(`/v1/demand/sums?${days}&by=region`)).body['items']).toEqual([
    { country: 'CN', region: 'Beijing', units: 2, revenue: 2000, cancelled: 0, returned: 0, lost: 0 }, { country: 'CN', region: 'Shanghai', units: 4, revenue: 4000, cancelled: 0, returned: 0, lost: 0 }]);
});

test('a key that is bound to a location sees its own demand only', async () => {
  const { body } = await get(`/v1/demand?${days}`, bound);
  expect((body['items'] as { location: string; units: number }[]).map((r) => [r.location, r.units])).toEqual([['L-2', 2]]);
  expect((await get(`/v1/demand?${days}&location=L-1`, bound)).status).toBe(404);
  await refused(api, () => send(api, bound, 'PUT', '/v1/demand/promoted/P', { spans: [] }), 403, 'forbidden');
  await refused(api, () => send(api, bound, 'POST', '/v1/demand/days/2026-11-21/rebuild'), 403, 'forbidden');
});

test.each([
  ['from=2026-11-02&to=2026-11-01', 400, '/querystring/to'], ['to=2026-11-01', 400, '/querystring/from'], [`${days}&sku=NONE`, 422, '/querystring/sku'], [`${days}&location=NONE`, 422, '/querystring/location'],
  [`${days}&after=zzz`, 400, '/querystring/after'], [`${days}&limit=0`, 400, '/querystring/limit'],
])('%s is refused', async (query, status, field) => {
  const { body, ...reply } = await get(`/v1/demand?${query}`);
  expect([reply.status, body['field']]).toEqual([status, field]);
});

test('promotions by hand mark their days; bad spans change nothing', async () => {
  const span = { sku: 'SKU-1', from: '2026-11-20T00:00:00Z', to: '2026-11-20T12:00:00Z' };
  await refused(api, () => send(api, key, 'PUT', '/v1/demand/promoted/W47', { spans: [span, { ...span, to: span.from }] }), 400, 'invalid', '/spans/1/to');
  await refused(api, () => send(api, key, 'PUT', '/v1/demand/promoted/W47', { spans: [{ ...span, sku: 'NONE' }] }), 422, 'unprocessable', '/spans/0/sku');
  expect((await send(api, key, 'PUT', '/v1/demand/promoted/W47', { spans: [span] })).body).toEqual({ written: 1 });
  const marked = async () => ((await get(`/v1/demand?${days}`)).body['items'] as { day: string; promoted: boolean }[]).filter((r) => r.promoted).map((r) => r.day);
  expect(await marked()).toEqual(['2026-11-20']);
  await send(api, key, 'PUT', '/v1/demand/promoted/W47', { spans: [] });
  expect(await marked()).toEqual([]);
  expect((await send(api, key, 'POST', '/v1/demand/days/2026-11-21/rebuild')).body).toEqual({ day: '2026-11-21' });
});

test('what regions prefer of an attribute', async () => {
  const { body } = await get(`/v1/preferences?${days}&by=region&of=attribute:colour`);
  expect([body['units'], (body['items'] as { value: string; group: string; share: number }[]).map((i) => [i.value, i.group, i.share])]).toEqual([6, [['red', 'CN/Beijing', 1], ['red', 'CN/Shanghai', 1]]]);
  expect((await get(`/v1/preferences?${days}&by=channel&of=size`)).status).toBe(400);
  expect((await get(`/v1/preferences?${days}&by=region&of=category`, bound)).status).toBe(403);
});
