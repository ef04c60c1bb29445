import { afterAll, beforeAll, expect, test } from 'vitest';
import { SCOPES } from '../../../db/api-keys.ts';
import { tendBuffers } from '../../../db/stock/buffers/sales-rates.ts';
import { TestApi } from '../../support/api.ts';
import { refused, send, type Reply } from '../network/requests.ts';

let api: TestApi;
let admin: string;
let shop: string;
beforeAll(async () => {
  api = await TestApi.open({ stock: 10, skus: 12 });
  admin = await api.key('admin', SCOPES);
  shop = await api.key('shop', ['network:read', 'network:write', 'stock:read', 'stock:write'], 'L-2');
});
afterAll(async () => {
  expect(await api.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
  await api.close();
});

const put = (what: 'sharing' | 'buffers', rules: object[], location = 'L-1', key = admin): Promise<Reply> => send(api, key, 'PUT', `/v1/locations/${location}/${what}`, { rules });
const get = (what: 'sharing' | 'buffers', location = 'L-1', key = admin): Promise<Reply> => send(api, key, 'GET', `/v1/locations/${location}/${what}`);
const buffers = async (sku: string): Promise<Record<string, number>> => Object.fromEntries((await api.world.store.pool.query<{ code: string; buffer: number }>(
  `select l.code, v.buffer from stock_levels v join locations l on l.id = v.location_id join skus s on s.id = v.sku_id where s.code = $1 and v.condition = 'sellable' order by 1`, [sku])).rows.map((r) => [r.code, r.buffer]));
const now = async (sku: string): Promise<number> => ((await send(api, admin, 'GET', `/v1/availability?channel=own&sku=${sku}`)).body['skus'] as { now: number }[])[0]!.now;

test('sharing rules are read back as they were said, replaced whole, and removed', async () => {
  const rules = [
    { mode: 'percent', value: 50, channel: 'own', skus: ['SKU-2', 'SKU-1'], hours: { from: '09:30', to: '24:00' }, weekdays: [1, 2], priority: 5 },
    { mode: 'cap', value: 3, category: 'fresh' }, { mode: 'none', channel: 'douyin' }, { mode: 'all' },
  ];
  const none = { value: null, channel: null, skus: null, category: null, hours: null, weekdays: null, priority: 100 };
  const said = { location: 'L-1', rules: rules.map((r) => ({ ...none, ...r })) };
  expect(await put('sharing', rules)).toEqual({ status: 200, body: said });
  expect(await get('sharing')).toEqual({ status: 200, body: said });
  expect((await put('sharing', [{ mode: 'none' }])).body['rules']).toEqual([{ ...none, mode: 'none' }]);
  expect((await send(api, admin, 'DELETE', '/v1/locations/L-1/sharing')).status).toBe(204);
  expect((await get('sharing')).body).toEqual({ location: 'L-1', rules: [] });
});

test('what makes no sense is refused and changes nothing', async () => {
  await put('sharing', [{ mode: 'cap', value: 1 }]);
  const bad = (rule: object, status: number, code: string, field: string) => refused(api, () => put('sharing', [{ mode: 'all' }, rule]), status, code, field);
  await bad({ mode: 'percent', value: 101 }, 400, 'invalid', '/rules/1/value');
  await bad({ mode: 'cap', value: -1 }, 400, 'invalid', '/rules/1/value');
  await bad({ mode: 'cap' }, 400, 'invalid', '/rules/1/value');
  await bad({ mode: 'all', value: 1 }, 400, 'invalid', '/rules/1/value');
  await bad({ mode: 'all', channel: 'none' }, 422, 'unknown_channel', '/rules/1/channel');
  await bad({ mode: 'all', skus: ['SKU-1', 'NONE'] }, 422, 'unknown_sku', '/rules/1/skus/1');
  await bad({ mode: 'all', skus: ['SKU-1'], category: 'fresh' }, 400, 'invalid', '/rules/1/category');
  await bad({ mode: 'all', hours: { from: '10:00', to: '10:00' } }, 400, 'invalid', '/rules/1/hours/to');
  await bad({ mode: 'all', hours: { from: '10:00', to: '25:00' } }, 400, 'invalid', '/rules/1/hours/to');
  await bad({ mode: 'all', weekdays: [0] }, 400, 'invalid', '/rules/1/weekdays/0');
  await refused(api, () => put('sharing', [], 'NONE'), 404, 'not_found');
  await put('sharing', []);
});

test("a location's key reads its own rules and changes none", async () => {
  expect((await get('sharing', 'L-2', shop)).status).toBe(200);
  expect((await get('buffers', 'L-2', shop)).status).toBe(200);
  await refused(api, () => get('sharing', 'L-1', shop), 404, 'not_found');
  await refused(api, () => get('buffers', 'L-1', shop), 404, 'not_found');
  await refused(api, () => put('sharing', [], 'L-2', shop), 403, 'forbidden');
  await refused(api, () => put('buffers', [], 'L-2', shop), 403, 'forbidden');
});

test('two at once: one of the two sets of rules stays, whole', async () => {
  const sets = [[{ mode: 'cap', value: 1 }, { mode: 'none', channel: 'own' }], [{ mode: 'percent', value: 2 }]];
  const replies = await Promise.all(sets.flatMap((rules) => [put('sharing', rules, 'L-3'), put('sharing', rules, 'L-3')]));
  expect(replies.map((r) => r.status)).toEqual([200, 200, 200, 200]);
  expect([JSON.stringify([1, null]), JSON.stringify([2])]).toContain(JSON.stringify(((await get('sharing', 'L-3')).body['rules'] as { value: number }[]).map((r) => r.value)));
  await put('sharing', [], 'L-3');
});

/** What can be sold of SKU-1 and SKU-2, once this process has heard of the change. */
const followed = (wanted: number[]) => expect.poll(async () => [await now('SKU-1'), await now('SKU-2')], { timeout: 10_000 }).toEqual(wanted);

test('buffers in units and percent: the rule of the SKU before that of the location, following what is on hand', async () => {
  expect(await put('buffers', [{ mode: 'percent', value: 25 }, { sku: 'SKU-1', mode: 'units', value: 4 }])).toEqual({
    status: 200, body: { location: 'L-1', rules: [{ sku: null, mode: 'percent', value: 25 }, { sku: 'SKU-1', mode: 'units', value: 4 }] },
  });
  expect([await buffers('SKU-1'), await buffers('SKU-2')]).toEqual([{ 'L-1': 4, 'L-2': 0, 'L-3': 0 }, { 'L-1': 3, 'L-2': 0, 'L-3': 0 }]);
  await followed([26, 27]);
  // 10 → 4 on hand: a quarter is 1.
  await api.world.setStock('SKU-2', { 'L-1': 4 });
  expect(await buffers('SKU-2')).toMatchObject({ 'L-1': 1 });
  await followed([26, 23]);
  // An order cannot have what is kept.
  await expect(api.world.capture({ lines: [{ sku: 'SKU-2', quantity: 24, unitPrice: 100 }] })).rejects.toMatchObject({ code: 'insufficient_stock' });
  expect((await send(api, admin, 'DELETE', '/v1/locations/L-1/buffers')).status).toBe(204);
  expect([await buffers('SKU-1'), await buffers('SKU-2')]).toEqual([{ 'L-1': 0, 'L-2': 0, 'L-3': 0 }, { 'L-1': 0, 'L-2': 0, 'L-3': 0 }]);
  await followed([30, 24]);
});

test('a level that is made later has its buffer from the start, and one number is a rule of units', async () => {
  await send(api, admin, 'PUT', '/v1/skus/LATER', { name: 'Later', weightG: 10 });
  await put('buffers', [{ mode: 'units', value: 2 }], 'L-2');
  await send(api, admin, 'POST', '/v1/stock/receipts', { reference: 'later', location: 'L-2', lines: [{ sku: 'LATER', quantity: 5 }] });
  expect(await buffers('LATER')).toEqual({ 'L-2': 2 });
  expect((await send(api, shop, 'PUT', '/v1/stock/buffers', { location: 'L-2', sku: 'LATER', buffer: 0 })).status).toBe(200);
  expect((await get('buffers', 'L-2')).body['rules']).toEqual([{ sku: null, mode: 'units', value: 2 }, { sku: 'LATER', mode: 'units', value: 0 }]);
  expect(await now('LATER')).toBe(5);
  await put('buffers', [], 'L-2');
});

test('days of sale: the units issued in the last 28 days', async () => {
  const id = await api.order({ lines: [{ sku: 'SKU-5', quantity: 8, unitPrice: 100 }] }, 'ship');
  await api.advance(id);
  await api.deliver(id);
  const [place] = await api.world.fulfillments(id);
  const location = place!.location;
  // 8 in 28 days: a week is 2 units.
  await put('buffers', [{ sku: 'SKU-5', mode: 'days_of_sale', value: 7 }], location);
  expect(await buffers('SKU-5')).toMatchObject({ [location]: 2 });
  await api.world.store.pool.query('delete from sales_rates');
  await api.world.store.pool.query('update stock_levels set buffer = 0');
  expect(await tendBuffers(api.world.store.writer)).toBe(1);
  expect(await tendBuffers(api.world.store.writer)).toBe(0);
  expect(await buffers('SKU-5')).toMatchObject({ [location]: 2 });
  api.world.now = new Date(Date.now() + 29 * 86_400_000);
  expect(await tendBuffers(api.world.store.writer)).toBe(1);
  expect(await buffers('SKU-5')).toMatchObject({ [location]: 0 });
  api.world.now = new Date('2026-11-23T02:00:00Z');
  await put('buffers', [], location);
});

test('of lots a percentage is kept of each, units and days are refused', async () => {
  await send(api, admin, 'PUT', '/v1/skus/MILK', { name: 'Milk', weightG: 1000, lotTracked: true });
  const lots = [['A', 9], ['B', 4]].map(([code, quantity]) => ({ sku: 'MILK', quantity, lot: { code } }));
  await send(api, admin, 'POST', '/v1/stock/receipts', { reference: 'milk', location: 'L-1', lines: lots });
  await refused(api, () => put('buffers', [{ sku: 'MILK', mode: 'units', value: 1 }]), 422, 'unprocessable', '/rules/0/sku');
  await refused(api, () => put('buffers', [{ sku: 'MILK', mode: 'days_of_sale', value: 1 }]), 422, 'unprocessable', '/rules/0/sku');
  await put('buffers', [{ mode: 'units', value: 3 }]);
  expect(await now('MILK')).toBe(13);
  await put('buffers', [{ mode: 'units', value: 3 }, { sku: 'MILK', mode: 'percent', value: 50 }]);
  expect(await now('MILK')).toBe(6);
  await put('buffers', []);
});

test('buffer rules that make no sense are refused', async () => {
  const bad = (rules: object[], ...expected: [number, string, string]) => refused(api, () => put('buffers', rules), ...expected);
  await bad([{ mode: 'percent', value: 101 }], 400, 'invalid', '/rules/0/value');
  await bad([{ mode: 'units', value: -1 }], 400, 'invalid', '/rules/0/value');
  await bad([{ mode: 'days_of_sale', value: 366 }], 400, 'invalid', '/rules/0/value');
  await bad([{ mode: 'units', value: 1, sku: 'NONE' }], 422, 'unknown_sku', '/rules/0/sku');
  await bad([{ mode: 'units', value: 1 }, { mode: 'percent', value: 1 }], 400, 'invalid', '/rules/1/sku');
});

test('what a smaller buffer frees goes to the order that waits', async () => {
  await put('buffers', [{ sku: 'SKU-9', mode: 'units', value: 10 }]);
  const waiting = await api.order({ channel: 'douyin', lines: [{ sku: 'SKU-9', quantity: 25, unitPrice: 100 }] });
  expect(await api.world.status(waiting)).toBe('backordered');
  await put('buffers', [{ sku: 'SKU-9', mode: 'units', value: 4 }]);
  expect(await api.world.status(waiting)).not.toBe('backordered');
  expect(await api.world.stock('SKU-9')).toEqual({ 'L-1': [10, 5], 'L-2': [10, 10], 'L-3': [10, 10] });
});
