import { afterAll, beforeAll, expect, test } from 'vitest';
import { SCOPES } from '../../../db/api-keys.ts';
import { TestApi } from '../../support/api.ts';
import { refused, send, type Reply } from './requests.ts';

let api: TestApi;
let admin: string;
beforeAll(async () => {
  api = await TestApi.open();
  admin = await api.key('admin', SCOPES);
});
afterAll(async () => { await api.close(); });

const rule = (changes: object = {}): object => ({ name: 'big', kind: 'amount', action: 'hold', priority: 5, params: { min: 1_000_000 }, ...changes });
const call = (method: 'GET' | 'PUT' | 'POST' | 'DELETE', url: string, body?: object): Promise<Reply> => send(api, admin, method, url, body);

/** There from the first migration on. */
const UNKNOWN = { id: 1, name: 'unknown address', kind: 'address', action: 'hold', priority: 10, channel: null, params: { unknown: true }, active: true };

test('a rule is added, changed, listed and removed; every process knows it at once', async () => {
  const made = await call('POST', '/v1/audit-rules', rule());
  const id = made.body['id'] as number;
  expect([made.status, Object.keys(made.body)]).toEqual([201, ['id']]);
  expect(await call('PUT', `/v1/audit-rules/${id}`, rule({ name: 'bigger', channel: 'own', params: { min: 5 } }))).toEqual({ status: 200, body: { id } });
  expect((await call('GET', '/v1/audit-rules')).body).toEqual({ items: [{ id, name: 'bigger', kind: 'amount', action: 'hold', priority: 5, channel: 'own', params: { min: 5 }, active: true }, UNKNOWN] });
  expect(api.world.store.network.auditRules.map((r) => [r.id, r.name, r.channelCode])).toEqual([[id, 'bigger', 'own'], [1, 'unknown address', null]]);
  await call('PUT', `/v1/audit-rules/${id}`, rule({ name: 'bigger', active: false }));
  expect(api.world.store.network.auditRules.map((r) => r.name)).toEqual(['unknown address']);
  expect((await call('DELETE', `/v1/audit-rules/${id}`)).status).toBe(204);
  await refused(api, () => call('DELETE', `/v1/audit-rules/${id}`), 404, 'not_found');
});

test('a name is taken once, also by two at the same moment', async () => {
  const both = await Promise.all([1, 2].map(() => call('POST', '/v1/audit-rules', rule({ name: 'twin' }))));
  expect(both.map((r) => r.status).sort()).toEqual([201, 409]);
  const other = (await call('POST', '/v1/audit-rules', rule({ name: 'other' }))).body['id'] as number;
  const counters = (): Promise<unknown> => api.world.one('select count(*)::int n, max(id) id from audit_rules');
  const before = await counters();
  expect((await call('PUT', `/v1/audit-rules/${other}`, rule({ name: 'twin' }))).body).toMatchObject({ status: 409, code: 'conflict', field: '/name', detail: 'another rule is called "twin"' });
  expect(await counters()).toEqual(before);
  await refused(api, () => call('PUT', '/v1/audit-rules/999999', rule({ name: 'nobody' })), 404, 'not_found');
  await refused(api, () => call('DELETE', '/v1/audit-rules/99999999999'), 400, 'invalid', '/params/id');
});

test.each<[string, object, number, string, string]>([
  ['kind', { kind: 'taste' }, 400, 'invalid', '/kind'], ['action', { action: 'sing' }, 400, 'invalid', '/action'], ['parameter', { params: { most: 5 } }, 400, 'invalid', '/params/most'],
  ['channel', { channel: 'none' }, 422, 'unknown_channel', '/channel'], ['NUL', { kind: 'remark', params: { words: ['a\u0000'] } }, 400, 'invalid', '/params'],
  ['half a pair', { kind: 'remark', params: { words: ['\ud800'] } }, 400, 'invalid', '/params'], ['name', { name: '' }, 400, 'invalid', '/name'],
])('a rule with a wrong %s is refused by field', async (_what, changes, status, code, field) => {
  await refused(api, () => call('POST', '/v1/audit-rules', rule({ name: 'wrong', ...changes })), status, code, field);
});

test('whole pairs and a backslash before "u0000" are words like any other', async () => {
  const words = ['😀', '\\u0000', '退货'];
  const { body } = await call('POST', '/v1/audit-rules', rule({ name: 'words', kind: 'remark', params: { words } }));
  expect(api.world.store.network.auditRules.find((r) => r.id === body['id'])?.params).toEqual({ words });
});

test('a block is on the list once, as a hash, and is lifted by the same words', async () => {
  const address = { kind: 'address', value: 'Shanghai|Shanghai||1 Example Road' };
  const list = (): Promise<unknown> => api.world.one('select count(*)::int n, min(reason) reason, min(kind) kind, min(length(hash)) bytes from blocked_entries');
  for (const reason of ['first', 'second']) expect((await call('POST', '/v1/blocked-entries', { ...address, reason })).status).toBe(204);
  expect(await list()).toEqual({ n: 1, reason: 'second', kind: 'address', bytes: 16 });
  await call('POST', '/v1/audit-rules', rule({ name: 'blocked', kind: 'blocked', action: 'reject', params: {} }));
  const id = await api.order();
  expect(await api.world.status(id)).toBe('rejected');
  await refused(api, () => call('DELETE', '/v1/blocked-entries', { ...address, value: 'elsewhere' }), 404, 'not_found');
  expect((await call('DELETE', '/v1/blocked-entries', address)).status).toBe(204);
  expect(await list()).toMatchObject({ n: 0 });
  expect(await api.world.status(await api.order())).toBe('in_fulfillment');
});
