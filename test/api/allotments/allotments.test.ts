import { afterAll, beforeAll, expect, test } from 'vitest';
import { runAudit } from '../../../db/audit/run-audit.ts';
import { SCOPES } from '../../../db/api-keys.ts';
import { TestApi, type Answer } from '../../support/api.ts';

let api: TestApi;
let admin: string;
beforeAll(async () => {
  api = await TestApi.open({ skus: 20, stock: 10 });
  admin = await api.key('admin', SCOPES);
});
afterAll(async () => {
  expect((await runAudit(api.world.store.pool, { now: api.world.now })).violations).toEqual([]);
  await api.close();
});

async function put(url: string, payload: object, key = admin): Promise<Answer> {
  const response = await api.app.inject({ method: 'PUT', url, headers: { authorization: `Bearer ${key}` }, payload });
  return { status: response.statusCode, body: response.json<Record<string, unknown>>(), headers: response.headers };
}
const get = (url: string, key = admin): Promise<Answer> => api.call(key, 'GET', `/v1/allotments${url}`);
const post = (url: string, body?: object, key = admin): Promise<Answer> => api.call(key, 'POST', `/v1/allotments${url}`, body);
const made = { name: 'spring show', kind: 'campaign', overflow: 'never' };
const fingerprint = async (): Promise<unknown> => api.world.one(
  `select concat_ws(' ', ${['stock_levels', 'stock_movements', 'allotments', 'allotment_targets', 'allotment_schedules', 'partner_events'].map((t) => `(select count(*) || md5(coalesce(string_agg(x::text, '|' order by x::text), '')) from ${t} x)`).join(', ')})`);
async function refused(send: () => Promise<Answer>, ...expected: unknown[]): Promise<void> {
  const before = await fingerprint();
  const { status, body } = await send();
  expect([status, body['code'], body['field'] ?? null].slice(0, expected.length)).toEqual(expected);
  expect(await fingerprint()).toEqual(before);
}

test('made, changed, filled, read and closed', async () => {
  expect((await put('/v1/allotments/online', { name: 'online', kind: 'group', overflow: 'parent' })).status).toBe(201);
  const body = { ...made, parent: 'online', channel: 'own', startsAt: '2026-11-23T00:00:00Z', endsAt: '2026-12-01T00:00:00+08:00', reallocateEveryS: 3600 };
  const first = await put('/v1/allotments/spring', body);
  const view = {
    code: 'spring', name: 'spring show', kind: 'campaign', parent: 'online', channel: 'own', overflow: 'never', borrowLimit: null, startsAt: '2026-11-23T00:00:00.000Z', endsAt: '2026-11-30T16:00:00.000Z',
    reallocateEveryS: 3600, nextReallocateAt: '2026-11-23T03:00:00.000Z', createdAt: '2026-11-23T02:00:00.000Z', closedAt: null,
  };
  expect([first.status, first.body]).toEqual([201, { ...view, targets: [], skus: [], next: null }]);
  expect(await put('/v1/allotments/spring', body)).toMatchObject({ status: 200, body: view });
  expect(await put('/v1/allotments/spring', { ...body, overflow: 'borrow', borrowLimit: 2 })).toMatchObject({ status: 200, body: { ...view, overflow: 'borrow', borrowLimit: 2 } });

  expect(await post('/online/moves', { reference: 'M-1', lines: [{ sku: 'SKU-1', location: 'L-1', units: 8 }, { sku: 'SKU-2', location: 'L-2', units: 4 }] })).toMatchObject({ status: 200, body: { reference: 'M-1', into: 12, back: 0 } });
  expect((await put('/v1/allotments/spring/targets', { targets: [{ sku: 'SKU-1', mode: 'percent', value: 50 }, { mode: 'units', value: 5 }] })).status).toBe(200);
  const moved = { reference: 'R-1', skus: [{ sku: 'SKU-1', wanted: 4, moved: 4, short: 0 }, { sku: 'SKU-2', wanted: 5, moved: 4, short: 1 }] };
  expect([(await post('/spring/reallocate', { reference: 'R-1' })).body, (await post('/spring/reallocate', { reference: 'R-1' })).body]).toEqual([moved, moved]);
  await refused(() => post('/spring/moves', { reference: 'M-2', lines: [{ sku: 'SKU-1', location: 'L-1', units: 4 }, { sku: 'SKU-1', location: 'L-1', units: 1 }] }), 409, 'insufficient_stock', '/lines/1/units');

  await api.world.store.projection.refresh();
  await api.world.capture({ session: 'spring', lines: [{ sku: 'SKU-1', quantity: 5, unitPrice: 100 }] });
  expect((await get('/spring')).body).toMatchObject({
    targets: [{ sku: null, location: null, mode: 'units', value: 5 }, { sku: 'SKU-1', location: null, mode: 'percent', value: 50 }], next: null,
    skus: [{ sku: 'SKU-1', onHand: 4, reserved: 4, free: 0, incoming: 0, borrowed: 1 }, { sku: 'SKU-2', onHand: 4, reserved: 0, free: 4, incoming: 0, borrowed: 0 }],
  });
  expect((await get('/spring?limit=1')).body).toMatchObject({ skus: [{ sku: 'SKU-1' }], next: 'SKU-1' });
  expect((await get('/spring?limit=1&after=SKU-1')).body).toMatchObject({ skus: [{ sku: 'SKU-2' }] });
  expect((await get('?parent=online')).body).toEqual({ items: [{ ...view, overflow: 'borrow', borrowLimit: 2 }], next: null });

  const closed = { code: 'spring', closedAt: '2026-11-23T02:00:00.000Z', reserved: 4 };
  expect([(await post('/spring/close')).body, (await post('/spring/close')).body]).toEqual([{ ...closed, home: 4 }, { ...closed, home: 0 }]);
  expect(((await get('?open=true')).body['items'] as { code: string }[]).map((a) => a.code)).toEqual(['online']);
  expect((await get('/online')).body['skus']).toEqual([{ sku: 'SKU-1', onHand: 4, reserved: 1, free: 3, incoming: 0, borrowed: 0 }, { sku: 'SKU-2', onHand: 4, reserved: 0, free: 4, incoming: 0, borrowed: 0 }]);
  await refused(() => put('/v1/allotments/spring', body), 409, 'conflict');
  await refused(() => post('/spring/moves', { reference: 'M-3', lines: [{ sku: 'SKU-2', location: 'L-2', units: 1 }] }), 409, 'conflict');
});

test('bad input changes nothing', async () => {
  const refusals: [string, object, number, string, string | null][] = [
    ['bad', { ...made, kind: 'declaration' }, 400, 'invalid', '/kind'], ['bad', { ...made, kind: 'shared' }, 400, 'invalid', '/kind'], ['bad', { ...made, borrowLimit: 1 }, 422, 'unprocessable', '/borrowLimit'],
    ['bad', { ...made, overflow: 'borrow', borrowLimit: -1 }, 400, 'invalid', '/borrowLimit'], ['bad', { ...made, channel: 'none' }, 422, 'unknown_channel', '/channel'],
    ['bad', { ...made, parent: 'none' }, 422, 'unprocessable', '/parent'], ['bad', { ...made, parent: 'bad' }, 409, 'conflict', '/parent'], ['bad', { ...made, reallocateEveryS: 1 }, 400, 'invalid', '/reallocateEveryS'],
    ['bad', { ...made, extra: 1 }, 400, 'invalid', '/extra'], ['bad', { ...made, startsAt: '2026-12-02T00:00:00Z', endsAt: '2026-12-01T00:00:00Z' }, 422, 'unprocessable', '/endsAt'],
    ['online/targets', { targets: [{ mode: 'percent', value: 101 }] }, 422, 'unprocessable', '/targets/0/value'], ['online/targets', { targets: [{ mode: 'units', value: 1.5 }] }, 400, 'invalid', '/targets/0/value'],
    ['online/targets', { targets: [{ sku: 'NONE', mode: 'units', value: 1 }] }, 422, 'unknown_sku', '/targets/0/sku'],
    ['online/targets', { targets: [{ location: 'NONE', mode: 'units', value: 1 }] }, 422, 'unknown_location', '/targets/0/location'], ['none/targets', { targets: [] }, 404, 'not_found', null],
  ];
  for (const [path, body, ...expected] of refusals) await refused(() => put(`/v1/allotments/${path}`, body), ...expected);
  await refused(() => post('/online/moves', { reference: 'B-1', lines: [{ sku: 'SKU-1', location: 'L-1', units: 0 }] }), 400, 'invalid', '/lines/0/units');
  await refused(() => post('/online/moves', { reference: 'B-1', lines: [] }), 400, 'invalid', '/lines');
  for (const path of ['', '/close', '/reallocate', '/moves']) {
    const body = { reference: 'B-2', ...(path === '/moves' ? { lines: [{ sku: 'SKU-1', location: 'L-1', units: 1 }] } : {}) };
    await refused(() => (path === '' ? get('/none') : post(`/none${path}`, path === '/close' ? undefined : body)), 404, 'not_found');
  }
});

test('a key bound to a location sees its own figures and allots nothing', async () => {
  const bound = await api.key('shop', ['stock:read', 'stock:write'], 'L-2');
  const reader = await api.key('reader', ['stock:read']);
  expect((await get('/online', bound)).body['skus']).toEqual([{ sku: 'SKU-2', onHand: 4, reserved: 0, free: 4, incoming: 0, borrowed: null }]);
  for (const key of [bound, reader]) {
    await refused(() => put('/v1/allotments/mine', made, key), 403, 'forbidden');
    await refused(() => put('/v1/allotments/online/targets', { targets: [] }, key), 403, 'forbidden');
    await refused(() => post('/online/moves', { reference: 'X', lines: [{ sku: 'SKU-2', location: 'L-2', units: -1 }] }, key), 403, 'forbidden');
    await refused(() => post('/online/reallocate', { reference: 'X' }, key), 403, 'forbidden');
    await refused(() => post('/online/close', undefined, key), 403, 'forbidden');
  }
});
