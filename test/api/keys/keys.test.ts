import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApiKey, SCOPES, type Scope } from '../../../db/api-keys.ts';
import { TestApi } from '../../support/api.ts';
import { refused, send, type Reply } from '../network/requests.ts';

let api: TestApi;
let admin: string;
let shop: string;
let carrier: string;
beforeAll(async () => {
  api = await TestApi.open();
  const { pool, network } = api.world.store;
  await pool.query(`insert into carriers (code, name) values ('other', 'Other')`);
  admin = await api.key('admin', SCOPES);
  shop = await api.key('shop', ['keys:write', 'stock:read'], 'L-2');
  ({ key: carrier } = await createApiKey(pool, { name: 'carrier', scopes: ['keys:write', 'tracking:write'], carrierCode: 'sim' }));
  await network.reload();
});
afterAll(async () => { await api.close(); });

const make = (body: { name?: string; scopes: Scope[]; location?: string; carrier?: string }, key = admin): Promise<Reply> => send(api, key, 'POST', '/v1/api-keys', { name: 'made', ...body });
const revoke = (id: unknown, key = admin): Promise<Reply> => send(api, key, 'DELETE', `/v1/api-keys/${String(id)}`);
const names = async (key: string): Promise<unknown[]> => ((await send(api, key, 'GET', '/v1/api-keys')).body['items'] as { name: string }[]).map((k) => k.name);

test('a key is shown once, works at once, and not once it is revoked', async () => {
  const made = await make({ name: 'till', scopes: ['stock:read'], location: 'L-1' });
  const { id, key } = made.body as { id: number; key: string };
  expect([made.status, key]).toEqual([201, expect.stringMatching(/^tk_[\w-]{32}$/)]);
  expect((await send(api, key, 'GET', '/v1/stock/levels')).status).toBe(200);
  const list = await send(api, admin, 'GET', '/v1/api-keys');
  expect((list.body['items'] as { id: number }[]).find((k) => k.id === id)).toEqual({
    id, name: 'till', scopes: ['stock:read'], location: 'L-1', carrier: null, createdAt: expect.any(String) as string, revokedAt: null,
  });
  const { stored } = await api.world.one<{ stored: string }>('select string_agg(k::text, chr(10)) stored from api_keys k');
  for (const text of [JSON.stringify(list.body), stored]) expect(text).not.toContain(key.slice(3));
  expect((await revoke(id)).status).toBe(204);
  expect((await send(api, key, 'GET', '/v1/stock/levels')).body['code']).toBe('unauthenticated');
  const { at } = await api.world.one<{ at: Date }>('select revoked_at at from api_keys where id = $1', id);
  expect((await revoke(id)).status).toBe(204);
  expect(await api.world.one('select revoked_at at from api_keys where id = $1', id)).toEqual({ at });
});

test('a key hands out only what it has', async () => {
  const clerk = await api.key('clerk', ['keys:write', 'orders:read']);
  await refused(api, () => make({ scopes: ['orders:read', 'orders:write'] }, clerk), 403, 'forbidden', '/scopes/1');
  expect((await make({ name: 'reader', scopes: ['orders:read'] }, clerk)).status).toBe(201);
  await refused(api, () => make({ scopes: ['orders:read'] }, shop), 403, 'forbidden', '/scopes/0');
});

test('a bound key makes no wider one', async () => {
  for (const binding of [{}, { location: 'L-1' }, { carrier: 'sim' }]) await refused(api, () => make({ scopes: ['stock:read'], ...binding }, shop), 403, 'forbidden', '/location');
  for (const binding of [{}, { carrier: 'other' }, { location: 'L-1' }]) await refused(api, () => make({ scopes: ['tracking:write'], ...binding }, carrier), 403, 'forbidden', '/carrier');
  expect((await make({ name: 'of the shop', scopes: ['stock:read'], location: 'L-2' }, shop)).status).toBe(201);
  expect((await make({ name: 'of the carrier', scopes: ['tracking:write'], carrier: 'sim' }, carrier)).status).toBe(201);
});

test('a bound key sees and revokes the keys of its own location or carrier alone', async () => {
  const own = async (name: string): Promise<number> => (await api.world.one<{ id: number }>('select id from api_keys where name = $1', name)).id;
  expect(await names(shop)).toEqual(['shop', 'of the shop']);
  expect(await names(carrier)).toEqual(['carrier', 'of the carrier']);
  for (const name of ['admin', 'carrier']) await refused(api, async () => revoke(await own(name), shop), 404, 'not_found');
  for (const name of ['admin', 'shop']) await refused(api, async () => revoke(await own(name), carrier), 404, 'not_found');
  expect((await revoke(await own('of the shop'), shop)).status).toBe(204);
  expect((await revoke(await own('of the carrier'), carrier)).status).toBe(204);
});

test('what makes no sense is refused by field', async () => {
  await refused(api, () => make({ scopes: ['stock:read'], location: 'NONE' }), 422, 'unknown_location', '/location');
  await refused(api, () => make({ scopes: ['stock:read'], carrier: 'none' }), 422, 'unknown_carrier', '/carrier');
  await refused(api, () => make({ scopes: ['all' as Scope] }), 400, 'invalid', '/scopes/0');
  await refused(api, () => make({ scopes: [] }), 400, 'invalid', '/scopes');
  await refused(api, () => revoke(999_999), 404, 'not_found');
  await refused(api, () => revoke(99_999_999_999), 400, 'invalid', '/params/id');
});
