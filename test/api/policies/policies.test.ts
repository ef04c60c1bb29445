import { afterAll, beforeAll, expect, test } from 'vitest';
import { SCOPES } from '../../../db/api-keys.ts';
import type { InstancePolicy } from '../../../domain/routing/model.ts';
import { TestApi } from '../../support/api.ts';

let api: TestApi;
let admin: string;
beforeAll(async () => {
  api = await TestApi.open();
  admin = await api.key('admin', SCOPES);
});
afterAll(async () => { await api.close(); });

const POLICY: InstancePolicy = {
  code: 'peak', version: 1, kinds: ['warehouse', 'store'], maxShipments: 2, lineMaySplit: false, minShipmentValue: 0, dealers: 'after_own',
  weights: { shipping: 1000, handling: 1000, splitPenalty: 300, latenessPerDay: 100, loadBalance: 50, opportunity: 500, slowCredit: 1000, settlement: 1000 },
};
const draft = (changes: Partial<InstancePolicy> = {}, more: object = {}, key = admin) => api.call(key, 'POST', '/v1/routing/policies', { policy: { ...POLICY, ...changes }, ...more });
const move = (version: number, word: 'activate' | 'retire') => api.call(admin, 'POST', `/v1/routing/policies/peak/${version}/${word}`);
const inEffect = async () => ((await api.call(admin, 'GET', '/v1/routing/policies')).body['inEffect'] as { code: string; version: number });
const rows = () => api.world.one<{ n: number }>('select count(*)::int n from routing_policies');

test('a draft rules nothing; active it does, from its time on; then it is fixed', async () => {
  const first = await draft({}, { comment: 'for the peak' });
  expect(first.body).toMatchObject({ policy: POLICY, status: 'draft', author: 'key:admin', comment: 'for the peak', activatedAt: null });
  expect((await draft()).body['hash']).toBe(first.body['hash']);
  const other = await draft({ maxShipments: 3 });
  expect([other.status, other.body['field']]).toEqual([409, '/policy/version']);
  expect(await inEffect()).toEqual({ code: 'default', version: 1 });
  const active = await Promise.all([move(1, 'activate'), move(1, 'activate')]);
  expect(active.map((a) => a.body['status'])).toEqual(['active', 'active']);
  expect(await inEffect()).toEqual({ code: 'peak', version: 1 });
  await expect(api.world.store.pool.query(`update routing_policies set body = '{}' where code = 'peak'`)).rejects.toThrow('make a new version');
  await expect(api.world.store.pool.query(`delete from routing_policies where code = 'peak'`)).rejects.toThrow('never deleted');
  expect((await api.call(admin, 'GET', '/v1/routing/policies/peak/1')).body).toMatchObject({ policy: POLICY, status: 'active' });
});

test('one for later waits for its time; a retired one rules no more, and the last one stays', async () => {
  const later = new Date(api.world.now.getTime() + 3_600_000);
  await draft({ version: 2 }, { effectiveAt: later.toISOString() });
  await move(2, 'activate');
  expect(await inEffect()).toEqual({ code: 'peak', version: 1 });
  const before = api.world.now;
  api.world.now = new Date(later.getTime() + 1);
  expect(await inEffect()).toEqual({ code: 'peak', version: 2 });
  api.world.now = before;
  expect((await move(1, 'retire')).body['status']).toBe('retired');
  expect(await inEffect()).toEqual({ code: 'default', version: 1 });
  const last = await api.call(admin, 'POST', '/v1/routing/policies/default/1/retire');
  expect([last.status, last.body['code']]).toEqual([409, 'conflict']);
  expect((await move(1, 'activate')).status).toBe(409);
  expect((await move(9, 'activate')).status).toBe(404);
});

test.each([
  ['a negative weight', { weights: { ...POLICY.weights, shipping: -1 } }, 422, '/policy/weights/shipping'], ['no kind', { kinds: [] }, 422, '/policy/kinds'],
  ['no shipment', { maxShipments: 0 }, 400, '/policy/maxShipments'], ['an unknown kind', { kinds: ['ship'] as never }, 400, '/policy/kinds/0'],
])('denied, nothing changed: %s', async (_what, changes, status, field) => {
  const before = await rows();
  const denied = await draft({ version: 7, ...changes } as Partial<InstancePolicy>);
  expect([denied.status, denied.body['field']]).toEqual([status, field]);
  expect(await rows()).toEqual(before);
});

test("a location's key changes no policy", async () => {
  expect((await draft({ version: 8 }, {}, await api.key('shop', ['network:write'], 'L-2'))).status).toBe(403);
});
