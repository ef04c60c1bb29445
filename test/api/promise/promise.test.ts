import { afterAll, beforeAll, expect, test } from 'vitest';
import { SCOPES } from '../../../db/api-keys.ts';
import { TestApi } from '../../support/api.ts';

let api: TestApi;
let admin: string;
let skus = 0;
beforeAll(async () => {
  // Monday 2026-11-23, 10:00 in Shanghai; cut-off 16:00, an hour's handling. L-1 to L-3 are warehouses, L-4 a store in Shenzhen.
  api = await TestApi.open({ locations: 4, stock: 0, skus: 20 });
  admin = await api.key('admin', SCOPES);
});
afterAll(async () => { await api.close(); });

async function stocked(at: Record<string, number>): Promise<string> {
  const sku = `SKU-${++skus}`;
  await api.world.setStock(sku, at);
  await api.world.store.projection.refresh();
  return sku;
}
type Quote = { way: string; location: string | null; by: string | null; handOver: string | null; cost: number | null; missing: object[]; plan: { shipments: { location: string }[] } | null };
const SHANGHAI = { country: 'CN', province: 'Shanghai', city: 'Shanghai' };
const ask = (body: object, key = admin) => api.call(key, 'POST', '/v1/promise', { channel: 'own', ...body });
const quote = async (body: object): Promise<Quote[]> => (await ask(body)).body['options'] as Quote[];
const line = (sku: string, quantity = 1) => ({ sku, quantity, unitPrice: 1000 });
const everything = () => api.world.one('select (select count(*) from orders) o, (select count(*) from stock_movements) m, (select count(*) from routing_decisions) d');

test('shipping: the cheapest plan, its cost, and the dates by cut-off and transit; nothing is reserved', async () => {
  const sku = await stocked({ 'L-1': 2, 'L-4': 9 });
  const before = await everything();
  const [near] = await quote({ destination: SHANGHAI, lines: [line(sku)] });
  expect(near).toMatchObject({ way: 'ship', handOver: '2026-11-23T09:00:00.000Z', by: '2026-11-24T10:00:00.000Z', missing: [], plan: { optimal: true, shipments: [{ location: 'L-1' }] } });
  const [far] = await quote({ destination: SHANGHAI, lines: [line(sku, 5)] });
  expect(far).toMatchObject({ by: '2026-11-25T10:00:00.000Z', plan: { shipments: [{ location: 'L-4' }] } });
  expect((far?.cost ?? 0) > (near?.cost ?? 0)).toBe(true);
  expect(await everything()).toEqual(before);
  const { id, promise } = await api.world.capture({ channel: 'own', lines: [line(sku)] });
  expect([id.slice(0, 4), promise]).toEqual(['ord_', { shipBy: near?.handOver, deliverBy: near?.by }]);
});

test('a province that nobody knows is no destination; the names of one place are one', async () => {
  const sku = await stocked({ 'L-1': 2 });
  const before = await everything();
  const denied = await ask({ destination: { country: 'CN', province: '火星省', city: '火星市' }, lines: [line(sku)] });
  expect([denied.status, denied.body['field']]).toEqual([422, '/destination/province']);
  expect(await everything()).toEqual(before);
  const named = await Promise.all(['Shanghai', '上海市', '上海'].map(async (province) => (await quote({ destination: { ...SHANGHAI, province }, lines: [line(sku)] }))[0]?.by));
  expect(named).toEqual(Array.from({ length: 3 }, () => '2026-11-24T10:00:00.000Z'));
});

test('what is not there has no date, and says what is missing', async () => {
  const sku = await stocked({ 'L-1': 1 });
  expect(await quote({ destination: SHANGHAI, lines: [line(sku, 3)] })).toMatchObject([{ way: 'ship', by: null, cost: null, missing: [{ sku, quantity: 2 }] }]);
});

test('pickup is ready in two hours when the shop has it; ship-to-store brings what it lacks', async () => {
  const [here, there] = [await stocked({ 'L-4': 2 }), await stocked({ 'L-1': 2 })];
  expect(await quote({ pickup: 'L-4', lines: [line(here)] })).toMatchObject([
    { way: 'pickup', location: 'L-4', by: '2026-11-23T04:00:00.000Z', missing: [], plan: null }, { way: 'ship_to_store', by: '2026-11-23T04:00:00.000Z', plan: null },
  ]);
  expect(await quote({ pickup: 'L-4', lines: [line(here), line(there)] })).toMatchObject([
    { way: 'pickup', by: null, missing: [{ sku: there, quantity: 1 }] },
    // It leaves L-1 at 17:00 and comes two days later, after the shop's cut-off.
    { way: 'ship_to_store', handOver: '2026-11-23T09:00:00.000Z', by: '2026-11-26T09:00:00.000Z', missing: [], plan: null },
  ]);
  const before = api.world.now;
  api.world.now = new Date('2026-11-23T09:00:00Z'); // after the shop's cut-off
  expect((await quote({ pickup: 'L-4', lines: [line(here)] }))[0]?.by).toBe('2026-11-24T09:00:00.000Z');
  api.world.now = before;
});

test.each([
  ['an unknown SKU', { destination: SHANGHAI, lines: [line('NONE')] }, 422, '/lines/0/sku'], ['an unknown shop', { pickup: 'NONE', lines: [line('SKU-1')] }, 422, '/pickup'],
  ['nowhere', { lines: [line('SKU-1')] }, 422, '/destination'], ['an unknown channel', { channel: 'none', destination: SHANGHAI, lines: [line('SKU-1')] }, 422, '/channel'],
  ['no units', { destination: SHANGHAI, lines: [line('SKU-1', 0)] }, 400, '/lines/0/quantity'],
])('denied: %s', async (_what, body, status, field) => {
  const answer = await ask(body);
  expect([answer.status, answer.body['field']]).toEqual([status, field]);
});

/** Changes rows that the network is made of, for one test. */
async function under(change: string, back: string, run: () => Promise<void>): Promise<void> {
  const { pool, network } = api.world.store;
  await pool.query(change);
  await network.reload();
  try { await run(); } finally {
    await pool.query(back);
    await network.reload();
  }
}

test('a shop that is paused has it ready after its pause; at capture the date is the same', async () => {
  const here = await stocked({ 'L-4': 3 });
  api.world.now = new Date('2026-11-23T02:00:00Z');
  await under(`insert into location_pauses select id, 'closed', '2026-11-23T02:00:00Z', '2026-11-23T04:00:00Z' from locations where code = 'L-4'`, 'delete from location_pauses', async () => {
    expect(await quote({ pickup: 'L-4', lines: [line(here)] })).toMatchObject([{ way: 'pickup', by: '2026-11-23T06:00:00.000Z', missing: [] }, { way: 'ship_to_store', by: '2026-11-23T06:00:00.000Z', missing: [] }]);
    const { promise } = await api.world.capture({ lines: [line(here)], pickup: { location: 'L-4', way: 'pickup' } });
    expect(promise).toEqual({ shipBy: '2026-11-23T06:00:00.000Z', deliverBy: '2026-11-23T06:00:00.000Z' });
  });
});

test('a shop that the policy bars from pickups quotes none, and an order that is captured all the same has no date', async () => {
  const here = await stocked({ 'L-4': 3 });
  await barring([{ mode: 'never', ways: ['pickup', 'ship_to_store'], locations: ['L-4'] }], async () => {
    expect(await quote({ pickup: 'L-4', lines: [line(here, 2)] })).toMatchObject([{ way: 'pickup', by: null, cost: null, missing: [{ sku: here, quantity: 2 }] }, { way: 'ship_to_store', by: null, missing: [{ sku: here, quantity: 2 }] }]);
    expect((await api.world.capture({ lines: [line(here)], pickup: { location: 'L-4', way: 'pickup' } })).promise).toBeNull();
  });
});

/** Another policy with these rules is in effect for a while. */
async function barring(eligibility: object[], run: () => Promise<void>, more: object = {}): Promise<void> {
  const { policy: { code: _code, version: _version, ...body } } = api.world.store.network.policyAt(api.world.now);
  const json = JSON.stringify({ ...body, eligibility, ...more });
  await under(`insert into routing_policies (code, version, body, hash, status, author, effective_at, activated_at) values ('barring', (select count(*) + 1 from routing_policies), '${json}', decode(md5(random()::text), 'hex'), 'active', 'test', '2026-11-01', now())`,
    `update routing_policies set status = 'retired', retired_at = now() where code = 'barring' and status = 'active'`, run);
}

test('a day whose capacity is taken: the next one is quoted', async () => {
  const sku = await stocked({ 'L-1': 9 });
  const id = await api.order({ lines: [line(sku, 2)] }, 'ship');
  expect((await api.world.fulfillments(id)).map((f) => f.location)).toEqual(['L-1']);
  await under(`update locations set daily_capacity = 2 where code = 'L-1'`, 'update locations set daily_capacity = null', async () => {
    expect((await quote({ destination: SHANGHAI, lines: [line(sku)] }))[0]).toMatchObject({ handOver: '2026-11-24T09:00:00.000Z', by: '2026-11-25T10:00:00.000Z', missing: [] });
    expect((await quote({ destination: SHANGHAI, lines: [line(sku, 3)] }))[0]).toMatchObject({ by: null, missing: [{ sku }] });
  });
  await under(`update carriers set daily_capacity = 1`, 'update carriers set daily_capacity = null', async () => {
    expect((await quote({ destination: SHANGHAI, lines: [line(sku)] }))[0]).toMatchObject({ handOver: '2026-11-24T09:00:00.000Z', by: '2026-11-25T10:00:00.000Z', missing: [] });
  });
});

test("a shop's key quotes pickups in its own shop", async () => {
  const sku = await stocked({ 'L-4': 1 });
  const key = await api.key('shop', ['stock:read'], 'L-4');
  expect((await ask({ pickup: 'L-4', lines: [line(sku)] }, key)).status).toBe(200);
  expect((await ask({ pickup: 'L-1', lines: [line(sku)] }, key)).status).toBe(403);
});
