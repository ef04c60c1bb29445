import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BurnDown } from '../../../db/declarations/burn-down.ts';
import { advanceDeclaration } from '../../../db/declarations/advance.ts';
import { TestApi } from '../../support/api.ts';

let api: TestApi;
let office: string;
let reader: string;
let shop: string;
let port: number;
beforeAll(async () => {
  api = await TestApi.open({ skus: 20 });
  office = await api.key('office', ['stock:read', 'stock:write', 'orders:write']);
  reader = await api.key('reader', ['stock:read']);
  shop = await api.key('shop', ['stock:read', 'stock:write'], 'L-1');
  await api.app.listen({ port: 0, host: '127.0.0.1' });
  port = (api.app.server.address() as AddressInfo).port;
});
afterAll(async () => { await api.close(); });

const HOUR = 3_600_000;
const at = (hours: number): string => new Date(api.world.now.getTime() + hours * HOUR).toISOString();
const body = (code: string, sku: string, units = 5, changes: object = {}): object => ({
  code, kind: 'group_buy', partner: 'P-1', channel: 'own', startsAt: at(-1), endsAt: at(4), lines: [{ sku, sources: [{ location: 'L-1', units }] }], ...changes,
});

test('declared, read, listed, topped up, given back, ended', async () => {
  const made = await api.call(office, 'POST', '/v1/declarations', body('API-1', 'SKU-1'));
  expect([made.status, made.body]).toMatchObject([201, { code: 'API-1', firm: 5, soft: 0, lines: [{ sku: 'SKU-1', confidence: 0.9 }] }]);
  expect((await api.call(office, 'POST', '/v1/declarations', body('API-1', 'SKU-1'))).body).toEqual(made.body);
  const units = (reference: string, n: number): object => ({ reference, lines: [{ sku: 'SKU-1', sources: [{ location: 'L-1', units: n }] }] });
  expect((await api.call(office, 'POST', '/v1/declarations/API-1/top-ups', units('T', 2))).body).toMatchObject({ reference: 'T', units: 2 });
  expect((await api.call(office, 'POST', '/v1/declarations/API-1/give-backs', units('B', 3))).body).toEqual({ reference: 'B', units: 3 });
  expect((await api.call(reader, 'GET', '/v1/declarations/API-1')).body).toMatchObject({
    code: 'API-1', status: 'declared', channel: 'own', contract: made.body, report: null, at: at(0), lines: [{ sku: 'SKU-1', declared: 5, toppedUp: 2, givenBack: 3, sold: 0, free: 4, firm: 4, soft: 0 }],
  });
  await api.call(office, 'POST', '/v1/declarations', body('API-2', 'SKU-2', 1, { startsAt: at(1) }));
  const first = await api.call(reader, 'GET', '/v1/declarations?limit=1');
  expect(first.body).toMatchObject({ items: [{ code: 'API-2', status: 'declared', kind: 'group_buy', partner: 'P-1', channel: 'own', startsAt: at(1), endsAt: at(4) }] });
  expect((await api.call(reader, 'GET', `/v1/declarations?limit=5&after=${String(first.body['next'])}`)).body).toMatchObject({ items: [{ code: 'API-1' }], next: null });
  expect((await api.call(office, 'POST', '/v1/declarations/API-2/cancel', { reason: 'no host' })).body).toMatchObject({ status: 'cancelled', endReason: 'no host', lines: [{ released: 1 }] });
  expect((await api.call(office, 'POST', '/v1/declarations/API-1/end', { reason: 'sold enough' })).body).toMatchObject({ status: 'settling', lines: [{ released: 4, free: 0 }] });
  expect((await api.call(reader, 'GET', '/v1/declarations?status=cancelled')).body).toMatchObject({ items: [{ code: 'API-2' }], next: null });
});

test.each([
  ['an unknown field', { more: 1 }, 400, 'invalid'], ['a fraction', { lines: [{ sku: 'SKU-3', sources: [{ location: 'L-1', units: 1.5 }] }] }, 400, 'invalid'],
  ['no units', { lines: [{ sku: 'SKU-3', sources: [{ location: 'L-1', units: 0 }] }] }, 400, 'invalid'], ['an unknown kind', { kind: 'party' }, 400, 'invalid'],
  ['a date without an offset', { endsAt: '2026-11-24T00:00:00' }, 400, 'invalid'], ['both a location and a supply', { lines: [{ sku: 'SKU-3', sources: [{ location: 'L-1', supply: 'S', units: 1 }] }] }, 422, 'unprocessable'],
  ['more than there is', { lines: [{ sku: 'SKU-3', sources: [{ location: 'L-1', units: 11 }] }] }, 409, 'insufficient_stock'], ['an unknown SKU', { lines: [{ sku: 'NONE', sources: [{ location: 'L-1', units: 1 }] }] }, 422, 'unknown_sku'],
])('%s: refused, and nothing has changed', async (_, changes, status, code) => {
  const before = await api.fingerprint();
  const answer = await api.call(office, 'POST', '/v1/declarations', body('BAD', 'SKU-3', 1, changes));
  expect([answer.status, answer.body['code']]).toEqual([status, code]);
  expect(await api.fingerprint()).toBe(before);
});

test('a key without the scope may not write; a shop\'s key finds no declarations at all', async () => {
  expect((await api.call(reader, 'POST', '/v1/declarations', body('NO', 'SKU-4'))).status).toBe(403);
  await api.call(office, 'POST', '/v1/declarations', body('HQ', 'SKU-4', 1));
  for (const [method, path] of [['GET', ''], ['GET', '/HQ'], ['GET', '/HQ/events'], ['POST', '/HQ/end']] as const) {
    expect((await api.call(shop, method, `/v1/declarations${path}`, method === 'POST' ? { reason: 'x' } : undefined)).status).toBe(404);
  }
  expect((await api.call(office, 'GET', '/v1/declarations/NONE/events')).status).toBe(404);
  const head = await api.app.inject({ method: 'HEAD', url: '/v1/declarations/HQ/events', headers: { authorization: `Bearer ${office}` } });
  expect([404, 405]).toContain(head.statusCode);
});

test('the policy is used from then on', async () => {
  const put = await api.app.inject({ method: 'PUT', url: '/v1/declaration-policy', headers: { authorization: `Bearer ${office}` }, payload: { uncountedConfidence: 0.5, supplyConfidence: 0.25, settleAfterS: 60 } });
  expect(put.json()).toEqual({ uncountedConfidence: 0.5, supplyConfidence: 0.25, settleAfterS: 60 });
  expect((await api.call(office, 'POST', '/v1/declarations', body('POL', 'SKU-5'))).body).toMatchObject({ lines: [{ confidence: 0.5 }] });
});

/** The burn-downs that one listener has got so far. */
async function follow(code: string): Promise<{ events: BurnDown[]; type: string; response: IncomingMessage }> {
  const request = httpRequest({ port, path: `/v1/declarations/${code}/events`, headers: { authorization: `Bearer ${reader}` } });
  request.end();
  const [response] = await once(request, 'response') as [IncomingMessage];
  const events: BurnDown[] = [];
  let text = '';
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const data = /^data: (.*)$/m.exec(text.slice(0, end))?.[1];
      if (data !== undefined) events.push(JSON.parse(data) as BurnDown);
      text = text.slice(end + 2);
    }
  });
  return { events, type: response.headers['content-type'] ?? '', response };
}
const soon = { timeout: 10_000, interval: 20 };

test('listeners are told at once and after each change, with one reading for all; the server ends them when it stops', async () => {
  await api.call(office, 'POST', '/v1/declarations', body('SHOW', 'SKU-6', 5));
  const one = await follow('SHOW');
  expect(one.type).toBe('text/event-stream; charset=utf-8');
  await expect.poll(() => one.events, soon).toMatchObject([{ code: 'SHOW', status: 'declared', at: at(0), lines: [{ sku: 'SKU-6', free: 5, sold: 0 }] }]);
  await api.world.capture({ session: 'SHOW', lines: [{ sku: 'SKU-6', quantity: 2, unitPrice: 1 }] });
  await expect.poll(() => one.events.at(-1), soon).toMatchObject({ lines: [{ free: 3, sold: 2 }] });
  const two = await follow('SHOW');
  await expect.poll(() => two.events, soon).toMatchObject([{ lines: [{ free: 3, sold: 2 }] }]);
  const { id } = await api.world.one<{ id: string }>(`select id from declarations where code = 'SHOW'`);
  await advanceDeclaration(api.world.store.writer, id);
  for (const listener of [one, two]) await expect.poll(() => listener.events.at(-1)?.status, soon).toBe('live');
  expect(one.events.slice(-1)).toEqual(two.events.slice(-1));
  two.response.destroy();
  await api.call(office, 'POST', '/v1/declarations/SHOW/end', { reason: 'over' });
  await expect.poll(() => one.events.at(-1), soon).toMatchObject({ status: 'settling', lines: [{ free: 0, sold: 2, released: 3 }] });
  const ended = once(one.response, 'end');
  await api.app.close();
  await ended;
});
