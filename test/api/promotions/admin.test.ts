import { afterAll, beforeAll, expect, test } from 'vitest';
import { SCOPES } from '../../../db/api-keys.ts';
import { endPromotion } from '../../../db/promotions/end.ts';
import { couponCode, issueCoupons } from '../../../db/promotions/issue-coupons.ts';
import { putPromotion } from '../../../db/promotions/put.ts';
import { decodeId } from '../../../domain/ids.ts';
import { Problem } from '../../../domain/problem.ts';
import type { PromotionInput } from '../../../domain/promotion/model.ts';
import { TestApi } from '../../support/api.ts';

let api: TestApi;
let admin: string;
let n = 0;
beforeAll(async () => {
  api = await TestApi.open({ skus: 30, stock: 0 });
  admin = await api.key('admin', SCOPES);
});
afterAll(async () => { await api.close(); });

const FROM = '2026-11-23T00:00:00.000Z';
const UNTIL = '2026-11-30T00:00:00.000Z';
const sku = (): string => `SKU-${++n}`;
async function call(method: 'PUT' | 'POST' | 'GET', url: string, body?: object, key = admin) {
  const r = await api.app.inject({ method, url, headers: { authorization: `Bearer ${key}` }, ...(body === undefined ? {} : { payload: body }) });
  return { status: r.statusCode, body: r.json<Record<string, unknown>>() };
}
const put = (code: string, changes: object) => call('PUT', `/v1/promotions/${code}`, { kind: 'markdown', name: code, currency: 'CNY', from: FROM, until: UNTIL, bearer: 'shop', terms: { percentOff: 20 }, status: 'active', ...changes });
const print = () => api.world.one(`select (select md5(coalesce(string_agg(p::text, '|' order by id), '')) from promotions p) p, (select count(*) from promotion_skus) s, (select count(*) from promotion_events) e, (select count(*) from coupons) c`);
async function refused(code: string, changes: object): Promise<[number, unknown, unknown]> {
  const before = await print();
  const { status, body } = await put(code, changes);
  expect(await print()).toEqual(before);
  return [status, body['code'], body['field']];
}

test('draft, active, the same again, ended; the timeline says it', async () => {
  const code = sku();
  const body = { status: undefined, skus: [{ sku: code, floor: 100 }] };
  expect((await put('LIFE', body)).body).toMatchObject({ state: 'draft', version: 1 });
  expect((await put('LIFE', body)).body).toMatchObject({ state: 'draft', version: 1 });
  expect((await call('POST', '/v1/promotions/LIFE/activate')).body).toMatchObject({ state: 'live', version: 2 });
  expect((await call('POST', '/v1/promotions/LIFE/activate')).body).toMatchObject({ state: 'live', version: 2 });
  expect((await put('LIFE', { ...body, budget: 5000 })).body).toMatchObject({ version: 3, budget: 5000, status: 'active' });
  expect(await refused('LIFE', { ...body, budget: 5000, terms: { percentOff: 30 } })).toEqual([409, 'conflict', '/terms']);
  expect((await call('POST', '/v1/promotions/LIFE/end', { at: '2026-11-22T00:00:00Z' })).body).toMatchObject({ status: 422, field: '/at' });
  expect((await call('POST', '/v1/promotions/LIFE/end', { reason: 'sold out' })).body).toMatchObject({ state: 'over', endedAt: '2026-11-23T02:00:00.000Z' });
  expect((await call('POST', '/v1/promotions/LIFE/end', {})).body).toMatchObject({ version: 4 });
  expect(await refused('LIFE', body)).toEqual([409, 'conflict', '/code']);
  const { body: read } = await call('GET', '/v1/promotions/LIFE');
  expect((read['events'] as { type: string }[]).map((e) => e.type)).toEqual(['promotion.made', 'promotion.activated', 'promotion.changed', 'promotion.ended']);
});

test('a window that ends before it begins, a floor above the price, unknown SKUs and channels: the field, nothing changed', async () => {
  const code = sku();
  expect((await call('PUT', '/v1/prices', { prices: [{ sku: code, currency: 'CNY', price: 1000, floor: 300 }] })).body).toEqual({ written: 1 });
  expect(await refused('BAD', { until: FROM })).toEqual([422, 'unprocessable', '/until']);
  expect(await refused('BAD', { skus: [{ sku: code, floor: 801 }] })).toEqual([422, 'unprocessable', '/skus/0/floor']);
  expect(await refused('BAD', { terms: {}, skus: [{ sku: code, price: 500, floor: 501 }] })).toEqual([422, 'unprocessable', '/skus/0/floor']);
  expect(await refused('BAD', { terms: {}, skus: [{ sku: code, price: 1001 }] })).toEqual([422, 'unprocessable', '/skus/0/price']);
  expect(await refused('BAD', { kind: 'coupon', skus: [{ sku: code, floor: 1001 }] })).toEqual([422, 'unprocessable', '/skus/0/floor']);
  expect(await refused('BAD', { skus: [{ sku: 'NOPE' }] })).toEqual([422, 'unknown_sku', '/skus/0/sku']);
  expect(await refused('BAD', { kind: 'gift', terms: { gifts: [{ sku: 'NOPE', quantity: 1 }], outOfStock: 'drop' } })).toEqual([422, 'unknown_sku', '/terms/gifts/0/sku']);
  expect(await refused('BAD', { channels: ['nope'] })).toEqual([422, 'unknown_channel', '/channels/0']);
  expect(await refused('BAD', { terms: { percentOff: 101 } })).toEqual([400, 'invalid', '/terms/percentOff']);
  expect(await refused('BAD', { kind: 'gift', terms: { gifts: [{ sku: code, quantity: 1 }] } })).toEqual([422, 'unprocessable', '/terms/outOfStock']);
  expect(await refused('BAD', { terms: { percentOff: 10, minSpend: 5 } })).toEqual([422, 'unprocessable', '/terms/minSpend']);
  expect(await refused('BAD', { terms: { percentOff: 10, amountOff: 5 } })).toEqual([422, 'unprocessable', '/terms']);
  expect((await put('GOOD', { skus: [{ sku: code, floor: 800 }] })).status).toBe(200);
});

test('two that exclude each other on a SKU: 409 with the other one; one that follows at the same second is welcome', async () => {
  const code = sku();
  const first = (await put('STEP-1', { skus: [{ sku: code }], until: '2026-11-25T00:00:00Z' })).body;
  const before = await print();
  const clash = await put('STEP-2', { skus: [{ sku: code }], from: '2026-11-24T23:59:59Z' });
  expect([clash.status, clash.body['other']]).toEqual([409, first['id']]);
  expect(await print()).toEqual(before);
  expect((await put('STEP-2', { skus: [{ sku: code }], from: '2026-11-25T00:00:00Z' })).status).toBe(200);
  expect((await put('STEP-3', { status: 'draft', skus: [{ sku: code }] })).status).toBe(200);
  expect((await call('POST', '/v1/promotions/STEP-3/activate')).status).toBe(409);
  // Other channels, other kinds and those that stack do not stand in the way.
  expect((await put('TH', { kind: 'threshold', terms: { tiers: [{ minSpend: 100, amountOff: 10 }] }, skus: [{ sku: code }] })).status).toBe(200);
  const category = sku();
  await api.world.store.pool.query(`update skus set category = 'shoes-${category}' where code = $1`, [category]);
  expect((await put('CAT', { categories: [`shoes-${category}`] })).status).toBe(200);
  expect((await put('CAT-2', { skus: [{ sku: category }] })).body).toMatchObject({ status: 409 });
});

test('two activations at once of promotions that exclude each other: one wins', async () => {
  const code = sku();
  const answers = await Promise.all(['A', 'B', 'C', 'D'].map((x) => put(`RACE-${x}`, { skus: [{ sku: code }] })));
  expect(answers.map((a) => a.status).sort()).toEqual([200, 409, 409, 409]);
});

test('coupons: a batch is issued once, its codes can be had again and are nowhere in the database', async () => {
  await put('CPN', { kind: 'coupon', terms: { amountOff: 500 } });
  const first = await call('POST', '/v1/promotions/CPN/coupons', { batch: 'B1', count: 3 });
  expect((await call('POST', '/v1/promotions/CPN/coupons', { batch: 'B1', count: 3 })).body).toEqual(first.body);
  expect((await call('POST', '/v1/promotions/CPN/coupons', { batch: 'B1', count: 4 })).status).toBe(409);
  const codes = (first.body['coupons'] as { code: string }[]).map((c) => c.code);
  expect(new Set(codes).size).toBe(3);
  expect(codes.every((c) => /^[0-9A-HJKMNP-TV-Z]{16}$/.test(c))).toBe(true);
  expect((await api.world.one<{ found: boolean }>(`select exists (select 1 from coupons c where ${codes.map((c) => `c::text ilike '%${c}%'`).join(' or ')}) found`)).found).toBe(false);
  expect((await call('POST', '/v1/promotions/CPN/coupons', { batch: 'B2', buyers: [{ phone: '10000000001' }, { email: 'a@b.test' }] })).body['coupons']).toHaveLength(2);
  expect((await call('POST', '/v1/promotions/CPN/coupons/revoke', { batch: 'B1' })).body).toEqual({ revoked: 3 });
  expect((await call('GET', '/v1/promotions/CPN')).body['coupons']).toEqual({ issued: 2, used: 0, lapsed: 0, revoked: 3 });
  expect((await call('POST', '/v1/promotions/STEP-1/coupons', { batch: 'B1', count: 1 })).status).toBe(422);
});

test("inside a campaign's own transaction: put, issued and ended together or not at all", async () => {
  const { writer, network, vault } = api.world.store;
  const input: PromotionInput = { code: 'CAMP', name: 'stage 2', kind: 'coupon', currency: 'CNY', from: FROM, until: UNTIL, bearer: 'shop', terms: { percentOff: 10 }, status: 'active', campaignId: '01234567-89ab-7def-8123-456789abcdef', stage: 'coupon' };
  const stage = (fail: boolean) => writer.change(async (tx) => {
    const made = await putPromotion(tx, network, input, 'system');
    const coupons = await issueCoupons(tx, vault, made.id, { batch: 'segment', count: 2 });
    if (fail) throw new Problem('conflict', 'later');
    return { ...made, coupons };
  });
  const before = await print();
  await expect(stage(true)).rejects.toThrow('later');
  expect(await print()).toEqual(before);
  const [one, two] = await Promise.all([stage(false), stage(false)]);
  expect(two).toEqual(one);
  expect(one.coupons.map((c) => couponCode(vault, c.id))).toEqual(one.coupons.map((c) => c.code));
  const at = new Date('2026-11-24T00:00:00Z');
  const end = (when: Date) => writer.change((tx) => endPromotion(tx, one.id, when, 'system', 'target reached'));
  expect([await end(at), await end(new Date('2026-11-25T00:00:00Z')), await end(at)]).toEqual([true, false, false]);
  const { body } = await call('GET', '/v1/promotions/CAMP');
  expect([decodeId('prm', body['id'] as string), body['state'], body['endedAt']]).toEqual([one.id, 'live', '2026-11-24T00:00:00.000Z']);
});

test('a key of a location reads promotions and writes none', async () => {
  const bound = await api.key('shop', ['network:read', 'network:write'], 'L-1');
  const before = await print();
  expect((await call('PUT', '/v1/promotions/X', { kind: 'markdown', name: 'x', currency: 'CNY', from: FROM, until: UNTIL, bearer: 'shop', terms: { percentOff: 1 } }, bound)).status).toBe(403);
  expect((await call('PUT', '/v1/staff', { members: [{ id: '1', group: 'hq' }] }, bound)).status).toBe(403);
  expect((await call('GET', '/v1/promotions', undefined, bound)).status).toBe(200);
  expect(await print()).toEqual(before);
});

test('the conflict matrix and the staff list are replaced as said', async () => {
  const { body } = await call('GET', '/v1/promotion-conflicts');
  const pairs = body['pairs'] as [string, string][];
  expect(pairs).toContainEqual(['coupon', 'staff_price']);
  expect((await call('PUT', '/v1/promotion-conflicts', { pairs: [['staff_price', 'coupon']] })).body).toEqual({ pairs: [['coupon', 'staff_price']] });
  expect((await call('PUT', '/v1/promotion-conflicts', { pairs })).body).toEqual({ pairs });
  expect((await call('PUT', '/v1/staff', { members: [{ id: 'E-1', group: 'hq' }, { id: 'E-2', group: 'hq' }] })).body).toEqual({ written: 2 });
  expect((await api.world.one<{ found: boolean }>(`select exists (select 1 from staff_members s where s::text like '%E-1%') found`)).found).toBe(false);
});
