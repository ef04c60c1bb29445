import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApiKey, SCOPES } from '../../../db/api-keys.ts';
import { Network } from '../../../db/network.ts';
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

test('a policy whose rules name nobody who is there, or leave a channel without a location, is not put in effect', async () => {
  for (const [version, eligibility, field, words] of [
    [31, [{ mode: 'never', locations: ['L-99'] }], '/policy/eligibility/0/locations/0', /no location "L-99"/], [32, [{ mode: 'never', kinds: ['store'], channels: ['nobody'] }], '/policy/eligibility/0/channels/0', /no channel "nobody"/],
    [33, [{ mode: 'only', kinds: ['vendor'], channels: ['own'] }], '/policy/eligibility', /channel "own"/],
  ] as const) {
    expect((await draft({ version, eligibility } as unknown as Partial<InstancePolicy>)).status).toBe(200);
    const denied = await move(version, 'activate');
    expect([denied.status, denied.body['field']]).toEqual([422, field]);
    expect(denied.body['detail']).toMatch(words);
    expect((await api.call(admin, 'GET', `/v1/routing/policies/peak/${version}`)).body['status']).toBe('draft');
  }
});

test("a location's key changes no policy", async () => {
  expect((await draft({ version: 8 }, {}, await api.key('shop', ['network:write'], 'L-2'))).status).toBe(403);
});

const table = () => api.world.one<{ print: string }>(`select md5(string_agg(p::text, '|' order by id)) print from routing_policies p`);
const at = (path: string, key = admin) => api.call(key, 'POST', `/v1/routing/policies/${path}`);

/** Both really at once: the rows are held until two requests wait for them. */
async function together<T>(...requests: (() => Promise<T>)[]): Promise<T[]> {
  const holder = await api.world.store.pool.connect();
  try {
    await holder.query('begin');
    await holder.query('select from routing_policies for update');
    const answers = Promise.all(requests.map((request) => request()));
    await expect.poll(async () => (await api.world.one<{ n: number }>(`select count(*)::int n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`)).n,
      { timeout: 20_000, interval: 10 }).toBe(requests.length);
    await holder.query('rollback');
    return await answers;
  } finally {
    holder.release(true); // whatever went wrong, it holds nothing any longer
  }
}

test("a carrier's key and a location's key change no policy, whatever their scopes; without the scope nobody does", async () => {
  expect((await draft({ code: 'kept' })).status).toBe(200);
  const { key: carrier } = await createApiKey(api.world.store.pool, { name: 'carrier', scopes: SCOPES, carrierCode: 'sim' });
  const keys = [carrier, await api.key('all of L-2', SCOPES, 'L-2'), await api.key('reader', ['network:read'])];
  const before = await table();
  for (const key of keys) {
    for (const denied of [await draft({ code: 'theirs' }, {}, key), await at('kept/1/activate', key), await at('default/1/retire', key)]) expect([denied.status, denied.body['code']]).toEqual([403, 'forbidden']);
    expect((await api.call(key, 'GET', '/v1/routing/policies/kept/1')).body).toMatchObject({ status: 'draft' });
  }
  expect(await table()).toEqual(before);
});

test.each([
  ['a weight beyond any use: no order could be routed', { weights: { ...POLICY.weights, handling: 9_007_199_254_740_991 } }, {}, 422, '/policy/weights/handling'],
  ['more shipments than are ever sent', { maxShipments: 13 }, {}, 422, '/policy/maxShipments'], ['a version that the table cannot hold', { version: 3_000_000_000 }, {}, 422, '/policy/version'],
  ['a second that no clock of ours has', {}, { effectiveAt: '2026-12-31T23:59:60Z' }, 400, '/effectiveAt'], ['a field that does not exist', { distance: 1 }, {}, 400, '/policy/distance'],
])('denied, nothing changed: %s', async (_what, changes, more, status, field) => {
  const before = await table();
  const denied = await draft({ code: 'denied', ...changes } as Partial<InstancePolicy>, more);
  expect([denied.status, denied.body['field']]).toEqual([status, field]);
  expect(await table()).toEqual(before);
});

test('a draft again for another time is told, not passed over', async () => {
  const effectiveAt = '2027-01-01T00:00:00.000Z';
  const first = await draft({ code: 'dated' }, { effectiveAt });
  expect((await draft({ code: 'dated' }, { effectiveAt })).body).toEqual(first.body);
  expect((await draft({ code: 'dated' }, { effectiveAt: '2027-01-01T08:00:00+08:00' })).body).toEqual(first.body);
  expect((await draft({ code: 'dated' })).body).toEqual(first.body);
  const before = await table();
  const other = await draft({ code: 'dated' }, { effectiveAt: '2027-01-02T00:00:00Z' });
  expect([other.status, other.body['code'], other.body['field']]).toEqual([409, 'conflict', '/effectiveAt']);
  expect(await table()).toEqual(before);
});

test('two drafts of one version at once: one is kept, the other is told', async () => {
  const both = await Promise.all([draft({ code: 'race', maxShipments: 1 }), draft({ code: 'race', maxShipments: 2 })]);
  expect(both.map((a) => a.status).toSorted()).toEqual([200, 409]);
  const kept = both.find((a) => a.status === 200);
  expect((await api.call(admin, 'GET', '/v1/routing/policies/race/1')).body).toEqual(kept?.body);
});

test('two activations at once are one, and every process knows', async () => {
  const { pool } = api.world.store;
  await pool.query(`create table moves (code text, was text, is_now text);
    create function note_move() returns trigger language plpgsql as $$ begin insert into moves values (new.code, old.status, new.status); return null; end $$;
    create trigger note_move after update on routing_policies for each row execute function note_move()`);
  const other = await Network.open(api.world.database.url);
  try {
    await draft({ code: 'twice' });
    const both = await together(() => at('twice/1/activate'), () => at('twice/1/activate'));
    expect(both.map((a) => [a.status, a.body['status']])).toEqual([[200, 'active'], [200, 'active']]);
    expect(both[0]?.body).toEqual(both[1]?.body);
    expect((await pool.query('select * from moves')).rows).toEqual([{ code: 'twice', was: 'draft', is_now: 'active' }]);
    await expect.poll(() => other.policyAt(api.world.now).policy.code, { timeout: 20_000, interval: 10 }).toBe('twice');
  } finally {
    await other.close();
    await pool.query('drop trigger note_move on routing_policies; drop function note_move; drop table moves');
  }
});

test('the last two retired at once: one of them stays', async () => {
  const both = await together(() => at('twice/1/retire'), () => at('default/1/retire'));
  expect(both.map((a) => a.status).toSorted()).toEqual([200, 409]);
  const { rows: active } = await api.world.store.pool.query<{ code: string }>(`select code from routing_policies where status = 'active' and effective_at <= $1`, [api.world.now]);
  expect(active).toEqual([{ code: both[0]?.status === 200 ? 'default' : 'twice' }]);
  expect((await inEffect()).code).toBe(active[0]?.code);
});

test('what has been active is fixed for SQL too: no way back to a draft, none around activation', async () => {
  const { pool } = api.world.store;
  await draft({ code: 'fixed' });
  await draft({ code: 'never' });
  await at('fixed/1/activate');
  const before = await table();
  for (const status of ['active', 'retired']) {
    for (const change of [`body = '{}'`, `hash = '\\x00'`, `effective_at = effective_at + interval '1 day'`, `code = 'other'`, 'version = 2', `author = 'nobody'`, 'activated_at = null', `created_at = '2020-01-01'`, `status = 'draft'`]) {
      await expect(pool.query(`update routing_policies set ${change} where code = 'fixed'`), `${status}: ${change}`).rejects.toThrow('routing policy fixed version 1');
    }
    await expect(pool.query(`delete from routing_policies where code = 'fixed'`)).rejects.toThrow('never deleted');
    if (status === 'active') {
      expect(await table()).toEqual(before);
      expect((await at('fixed/1/retire')).status).toBe(200);
    }
  }
  await expect(pool.query(`update routing_policies set status = 'active' where code = 'fixed'`)).rejects.toThrow('routing policy fixed version 1');
  await expect(pool.query(`update routing_policies set status = 'retired' where code = 'never'`)).rejects.toThrow('routing policy never version 1');
  const never = await at('never/1/retire');
  expect([never.status, never.body['code']]).toEqual([409, 'conflict']);
  expect((await api.call(admin, 'GET', '/v1/routing/policies/never/1')).body).toMatchObject({ status: 'draft', activatedAt: null, retiredAt: null });
});

test('a policy that nobody could ship by is not put in effect, and nothing is changed', async () => {
  const { pool, network } = api.world.store;
  await draft({ code: 'nobody', version: 1, kinds: ['dealer'] });
  await draft({ code: 'hole', version: 1 });
  const before = await inEffect();
  const activate = (code: string) => api.call(admin, 'POST', `/v1/routing/policies/${code}/1/activate`);
  expect(await activate('nobody')).toMatchObject({ status: 422, body: { field: '/policy/kinds', detail: 'no active location is a dealer: there are warehouse; add the kind or the location' } });
  expect((await api.call(admin, 'POST', '/v1/routing/policies/nobody/1/canary', { share: 10, endsAt: new Date(api.world.now.getTime() + 86_400_000).toISOString() })).status).toBe(422);
  await pool.query(`delete from carrier_rates where zone = 'same_province'`);
  const hole = await activate('hole');
  expect([hole.status, hole.body['detail']]).toEqual([422, 'no active carrier has a rate for zone same_province, but one for national: orders between would be held as unroutable; add the rate']);
  expect([await inEffect(), (await pool.query(`select status from routing_policies where code in ('nobody', 'hole')`)).rows]).toEqual([before, [{ status: 'draft' }, { status: 'draft' }]]);
  await pool.query(`insert into carrier_rates (carrier, zone, first_weight_g, first_cost, step_g, step_cost, transit_days) values ('sim', 'same_province', 1000, 800, 500, 150, 1)`);
  await network.reload();
  expect((await activate('hole')).status).toBe(200);
});

test('a canary over the API: started, read, rolled back; a wrong one changes nothing', async () => {
  const endsAt = new Date(api.world.now.getTime() + 86_400_000).toISOString();
  await draft({ code: 'tried', version: 1 });
  const canary = (word: string, body?: object, key = admin) => api.call(key, 'POST', `/v1/routing/policies/tried/1/canary${word}`, body);
  const reader = await api.key('reader', ['network:read']);
  const answers = [await canary('', { share: 600, endsAt }), await canary('', { share: 10, endsAt: '2020-01-01T00:00:00Z' }), await canary('', { share: 10, endsAt }, reader), await canary('/rollback', { reason: 'none runs' })];
  expect(answers.map((a) => [a.status, a.body['field']])).toEqual([[400, '/share'], [422, '/endsAt'], [403, undefined], [404, undefined]]);
  expect(await api.world.one('select count(*)::int n from policy_canaries')).toEqual({ n: 0 });
  const started = await canary('', { share: 100, endsAt });
  expect([started.status, started.body]).toMatchObject([200, { status: 'running', share: 100, guard: { minOrders: 200, confidence: 950 }, arms: { canary: { orders: 0 }, control: { orders: 0 } } }]);
  expect((await canary('', { share: 100, endsAt })).body['id']).toBe(started.body['id']);
  expect((await canary('/rollback', { reason: 'not today' })).body).toMatchObject({ status: 'rolled_back', reason: 'not today' });
  expect((await canary('/promote')).status).toBe(409);
});
