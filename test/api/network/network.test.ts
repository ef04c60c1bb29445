import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApiKey, SCOPES } from '../../../db/api-keys.ts';
import { TestApi } from '../../support/api.ts';
import { refused, send, type Reply } from './requests.ts';

let api: TestApi;
let admin: string;
beforeAll(async () => {
  api = await TestApi.open();
  admin = await api.key('admin', SCOPES);
});
afterAll(async () => { await api.close(); });

const get = (url: string): Promise<Reply> => send(api, admin, 'GET', url);
const put = (url: string, body: object, key = admin): Promise<Reply> => send(api, key, 'PUT', url, body);
const SECRET = 'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
const location = (changes: object = {}): object => ({
  name: 'Shop', kind: 'store', country: 'CN', province: 'Sichuan', city: 'Chengdu', lat: 30.57, lon: 104.07, timeZone: 'Asia/Shanghai', cutoffMinutes: 960, handlingMinutes: 60,
  workDays: [1, 2, 3], handlingCost: 100, acceptTimeoutS: 600, ...changes,
});
const channel = { name: 'Shop', platform: 'own', intakeMode: 'strict', currency: 'CNY', paymentWindowS: 60, backorderWindowS: 60, mergeWindowS: 0, returnWindowS: 60 };
const rate = { zone: 'national', firstWeightG: 1000, firstCost: 500, stepG: 500, stepCost: 100, transitDays: 2 };
const sku = { name: 'Article', weightG: 10 };
const openSecret = (sealed: Buffer | null): string | null => (sealed === null ? null : api.world.store.vault.openSecret(sealed));

test.each(['channels', 'locations', 'skus', 'carriers'])('%s: one that does not exist is 404', async (what) => {
  await refused(api, () => get(`/v1/${what}/NONE`), 404, 'not_found');
});

test('a SKU is made and changed by its code', async () => {
  const made = { code: 'P-1', name: 'Article', category: null, unit: 'piece', weightG: 10, cost: null, lotTracked: false, active: true, volumeMm3: null, hazardous: false, oversized: false,
    attributes: {}, listPrice: null, seasonStart: null, seasonEnd: null, packSize: 1 };
  expect(await put('/v1/skus/P-1', sku)).toEqual({ status: 200, body: made });
  expect(await put('/v1/skus/P-1', { ...sku, cost: 5, active: false })).toEqual({ status: 200, body: { ...made, cost: 5, active: false } });
  await refused(api, () => put('/v1/skus/P-1', { ...sku, code: 'P-2' }), 400, 'invalid', '/code');
  await refused(api, () => put('/v1/skus/P 1', sku), 400, 'invalid', '/params/code');
});

test('SKUs in bulk are not bent into shape', async () => {
  const { body } = await send(api, admin, 'POST', '/v1/skus/bulk', { skus: [{ code: 'B-1', name: 'One', weightG: '10' }, { code: 'B-2', name: 'Two', weightG: 10, surprise: 1 }] });
  expect(body).toEqual({ written: 0, errors: [
    { index: 0, field: '/skus/0/weightG', reason: '/weightG must be integer' }, { index: 1, field: '/skus/1/surprise', reason: '/surprise is not known here; leave it out' },
  ] });
  await refused(api, () => send(api, admin, 'POST', '/v1/skus/bulk', { skus: Array.from({ length: 1001 }, (_, i) => ({ code: `M-${i}`, ...sku })) }), 400, 'invalid', '/skus');
});

test('SKUs come in pages by code', async () => {
  const all: string[] = [];
  for (let after: string | null = ''; after !== null;) {
    const { body } = await get(`/v1/skus?limit=2&after=${after}`);
    all.push(...(body['items'] as { code: string }[]).map((s) => s.code));
    after = body['next'] as string | null;
  }
  const { codes } = await api.world.one<{ codes: string[] }>('select array_agg(code order by code) codes from skus');
  expect(all).toEqual(codes);
  await refused(api, () => get('/v1/skus?after=%00'), 400, 'invalid', '/querystring/after');
});

test('a carrier shows its rates, active or not, and never its secret', async () => {
  const shown = { code: 'fast', name: 'Fast', url: 'http://fast.test', signed: true, active: true, dailyCapacity: null, rates: [rate], refusals: [] };
  const body = { name: 'Fast', url: 'http://fast.test', rates: [rate] };
  expect(await put('/v1/carriers/fast', { ...body, secret: SECRET })).toEqual({ status: 200, body: shown });
  expect(await put('/v1/carriers/fast', { ...body, active: false })).toEqual({ status: 200, body: { ...shown, active: false } });
  expect((await get('/v1/carriers/fast')).body).toEqual({ ...shown, active: false });
  expect(api.world.store.network.rates.some((r) => r.carrier === 'fast')).toBe(false);
  const { body: list } = await get('/v1/carriers');
  expect((list['items'] as { code: string }[]).map((c) => c.code)).toEqual(['fast', 'sim']);
  for (const [changes, field] of [[{ firstWeightG: 99_999_999_999 }, '/rates/0/firstWeightG'], [{ stepG: 0 }, '/rates/0/stepG'], [{ zone: 'moon' }, '/rates/0/zone']] as const) {
    await refused(api, () => put('/v1/carriers/fast', { ...body, rates: [{ ...rate, ...changes }] }), 400, 'invalid', field);
  }
});

test('a secret stays with its partner until another takes its place or the partner goes', async () => {
  const { network } = api.world.store;
  const locationSecret = (): string | null => openSecret(network.locations.get('KEEP')?.partnerSecret ?? null);
  await put('/v1/locations/KEEP', location({ partner: { url: 'http://a.test', secret: SECRET } }));
  await put('/v1/locations/KEEP', location({ name: 'Renamed', partner: { url: 'http://b.test' } }));
  expect([locationSecret(), network.locations.get('KEEP')?.partnerUrl]).toEqual([SECRET, 'http://b.test']);
  await put('/v1/locations/KEEP', location({ partner: { url: 'http://b.test', secret: 'whsec_BBBB' } }));
  expect(locationSecret()).toBe('whsec_BBBB');
  expect((await put('/v1/locations/KEEP', location())).body['partner']).toBeNull();
  expect((await put('/v1/locations/KEEP', location({ partner: { url: 'http://b.test' } }))).body['partner']).toEqual({ url: 'http://b.test', signed: false });

  const carrierSecret = (): string | null => openSecret(network.carriers.get('keep')?.secret ?? null);
  await put('/v1/carriers/keep', { name: 'Keep', url: 'http://a.test', secret: SECRET, rates: [] });
  await put('/v1/carriers/keep', { name: 'Renamed', url: 'http://a.test', rates: [rate] });
  expect(carrierSecret()).toBe(SECRET);
  await put('/v1/carriers/keep', { name: 'Renamed', rates: [rate] });
  expect(carrierSecret()).toBeNull();
  const { sealed } = await api.world.one<{ sealed: string }>(`select string_agg(coalesce(encode(partner_secret, 'escape'), ''), '') sealed from locations`);
  expect(sealed).not.toContain('whsec_');
});

test('places give destinations coordinates', async () => {
  expect(await put('/v1/places', { places: [{ country: 'CN', province: 'Yunnan', city: 'Dali', lat: 25.6, lon: 100.2 }, { country: 'CN', province: 'Yunnan', city: 'Dali', lat: 25.7, lon: 100.2 }] }))
    .toEqual({ status: 200, body: { written: 2 } });
  expect(api.world.store.network.place('CN', 'Yunnan', 'Dali')).toMatchObject({ lat: 25.7, lon: 100.2 });
  await refused(api, () => put('/v1/places', { places: [{ country: 'CN', province: 'Yunnan', city: 'Dali', lat: 91, lon: 0 }] }), 400, 'invalid', '/places/0/lat');
});

test('a key bound to a location or carrier reads the network and cannot change it', async () => {
  const shop = await api.key('shop', SCOPES, 'L-2');
  const { key: carrier } = await createApiKey(api.world.store.pool, { name: 'carrier', scopes: SCOPES, carrierCode: 'sim' });
  await api.world.store.network.reload();
  for (const key of [shop, carrier]) {
    expect((await send(api, key, 'GET', '/v1/locations/L-1')).status).toBe(200);
    for (const [method, url, body] of [
      ['PUT', '/v1/locations/L-1', location({ partner: { url: 'http://mine.test' } })], ['PUT', '/v1/locations/L-2', location()], ['PUT', '/v1/channels/own', channel],
      ['PUT', '/v1/carriers/sim', { name: 'Mine', rates: [] }], ['PUT', '/v1/places', { places: [{ country: 'CN', province: 'P', city: 'C', lat: 1, lon: 1 }] }],
      ['PUT', '/v1/skus/SKU-1', sku], ['POST', '/v1/skus/bulk', { skus: [{ code: 'SKU-1', ...sku }] }],
      ['POST', '/v1/audit-rules', { name: 'mine', kind: 'blocked', action: 'reject', priority: 1, params: {} }], ['POST', '/v1/blocked-entries', { kind: 'phone', value: '1', reason: 'r' }],
    ] as const) await refused(api, () => send(api, key, method, url, body), 403, 'forbidden');
  }
});
