import { afterAll, beforeAll, expect, test } from 'vitest';
import { SCOPES } from '../../db/api-keys.ts';
import { TestApi } from '../support/api.ts';

let api: TestApi;
let admin: string;
beforeAll(async () => {
  api = await TestApi.open();
  admin = await api.key('admin', SCOPES);
});
afterAll(async () => { await api.close(); });
async function put(url: string, payload: object): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await api.app.inject({ method: 'PUT', url, headers: { authorization: `Bearer ${admin}` }, payload });
  return { status: response.statusCode, body: response.json<Record<string, unknown>>() };
}
const location = (changes: object = {}) => ({
  name: 'Shop', kind: 'store', country: 'CN', province: 'Sichuan', city: 'Chengdu', lat: 30.57, lon: 104.07, timeZone: 'Asia/Shanghai', cutoffMinutes: 960, handlingMinutes: 60, workDays: [1, 2, 3],
  handlingCost: 100, acceptTimeoutS: 600, ...changes,
});

test('a location is made, changed and read; its secret never comes back', async () => {
  const secret = 'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
  const made = await put('/v1/locations/NEW-1', location({ partner: { url: 'http://shop.test', secret } }));
  expect([made.status, made.body['code'], made.body['partner']]).toEqual([200, 'NEW-1', { url: 'http://shop.test', signed: true }]);
  expect(JSON.stringify((await api.call(admin, 'GET', '/v1/locations/NEW-1')).body)).not.toContain(secret);
  expect((await put('/v1/locations/NEW-1', location({ name: 'Other' }))).body['name']).toBe('Other');
  expect((await api.call(admin, 'GET', '/v1/locations/NONE')).status).toBe(404);
});

test.each([
  [{ timeZone: 'Mars/Base' }, '/timeZone'], [{ lat: 91 }, '/lat'], [{ lat: 1, lon: undefined }, '/lon'], [{ workDays: [] }, '/workDays'], [{ kind: 'castle' }, '/kind'], [{ handlingCost: -1 }, '/handlingCost'], [{ extra: 1 }, '/extra'],
])('a location with %o is refused naming %s', async (changes, field) => {
  const answer = await put('/v1/locations/BAD', location(changes));
  expect([answer.status, answer.body['field']]).toEqual([400, field]);
  expect((await api.call(admin, 'GET', '/v1/locations/BAD')).status).toBe(404);
});

test('SKUs in bulk: the bad ones are reported, the good ones written', async () => {
  const answer = await api.call(admin, 'POST', '/v1/skus/bulk', { skus: [{ code: 'N-1', name: 'One', weightG: 10 }, { code: 'N 2', name: 'Two', weightG: 10 }, { code: 'N-3', name: 'Three', weightG: -1 }] });
  expect(answer.body['written']).toBe(1);
  expect((answer.body['errors'] as { index: number; field: string }[]).map((e) => [e.index, e.field])).toEqual([[1, '/skus/1/code'], [2, '/skus/2/weightG']]);
  expect((await api.call(admin, 'GET', '/v1/skus/N-1')).body).toEqual({ code: 'N-1', name: 'One', category: null, unit: 'piece', weightG: 10, cost: null, lotTracked: false, active: true, volumeMm3: null, hazardous: false, oversized: false, attributes: {}, listPrice: null, seasonStart: null, seasonEnd: null, packSize: 1 });
  expect((await api.call(admin, 'GET', '/v1/skus/N-3')).status).toBe(404);
});

test('channels, carriers and rules', async () => {
  const channel = { name: 'New', platform: 'own', intakeMode: 'accept', currency: 'CNY', paymentWindowS: 60, backorderWindowS: 60, mergeWindowS: 0, returnWindowS: 60 };
  expect((await put('/v1/channels/new', channel)).body).toMatchObject({ code: 'new', intakeMode: 'accept' });
  const rate = { zone: 'national', firstWeightG: 1000, firstCost: 500, stepG: 500, stepCost: 100, transitDays: 2 };
  expect((await put('/v1/carriers/fast', { name: 'Fast', rates: [rate] })).status).toBe(200);
  expect((await put('/v1/carriers/fast', { name: 'Fast', rates: [rate, rate] })).body['field']).toBe('/rates/1/zone');
  expect(api.world.store.network.rates.filter((r) => r.carrier === 'fast')).toHaveLength(1);
  const rule = { name: 'big', kind: 'amount', action: 'hold', priority: 5, params: { min: 100 } };
  const made = await api.call(admin, 'POST', '/v1/audit-rules', rule);
  expect(made.status).toBe(201);
  expect((await api.call(admin, 'POST', '/v1/audit-rules', rule)).status).toBe(409);
  expect((await api.call(admin, 'POST', '/v1/audit-rules', { ...rule, name: 'worse', params: { most: 1 } })).body['field']).toBe('/params/most');
  const { id } = await api.world.capture();
  await api.advance(id);
  expect(await api.world.status(id)).toBe('on_hold');
  expect((await api.app.inject({ method: 'DELETE', url: `/v1/audit-rules/${String(made.body['id'])}`, headers: { authorization: `Bearer ${admin}` } })).statusCode).toBe(204);
});

test('a blocked phone rejects the next order; only a hash is stored', async () => {
  await api.call(admin, 'POST', '/v1/audit-rules', { name: 'blocked', kind: 'blocked', action: 'reject', priority: 1, params: {} });
  const response = await api.app.inject({ method: 'POST', url: '/v1/blocked-entries', headers: { authorization: `Bearer ${admin}` }, payload: { kind: 'phone', value: '10000000001', reason: 'fraud' } });
  expect(response.statusCode).toBe(204);
  const { id } = await api.world.capture();
  await api.advance(id);
  expect(await api.world.status(id)).toBe('rejected');
  const { rows } = await api.world.store.pool.query<{ row: string }>('select blocked_entries::text "row" from blocked_entries');
  expect(rows.map((r) => r.row).join()).not.toContain('10000000001');
  const lifted = await api.app.inject({ method: 'DELETE', url: '/v1/blocked-entries', headers: { authorization: `Bearer ${admin}` }, payload: { kind: 'phone', value: '10000000001' } });
  expect(lifted.statusCode).toBe(204);
});
