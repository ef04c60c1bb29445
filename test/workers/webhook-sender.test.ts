import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SCOPES } from '../../db/api-keys.ts';
import { signatures } from '../../db/webhooks/secrets.ts';
import { retryAfterSeconds } from '../../domain/http-port.ts';
import { decodeId } from '../../domain/ids.ts';
import { afterTry, MOST_BYTES, RETRY_S, slowFor, webhookBody } from '../../domain/webhooks/catalogue.ts';
import { createLogger } from '../../runtime/logger.ts';
import { createSafePost } from '../../runtime/safe-post.ts';
import { decodeSecret, verify } from '../../simulators/shared/signing.ts';
import { sendWebhooks } from '../../workers/webhooks/sender.ts';
import { send as request } from '../api/network/requests.ts';
import { TestApi } from '../support/api.ts';
import { allReadable } from '../support/readable.ts';

type Got = { id: string; body: string; headers: IncomingMessage['headers'] };
let api: TestApi;
let key: string;
let server: Server;
let url: string;
let got: Got[] = [];
let tried: string[] = [];
let answer: (got: Got) => { status: number; headers?: Record<string, string> } = () => ({ status: 204 });

beforeAll(async () => {
  api = await TestApi.open({ stock: 1000 });
  key = await api.key('admin', SCOPES);
  server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (c: Buffer) => parts.push(c)).on('end', () => {
      const one = { id: String(request.headers['webhook-id']), body: Buffer.concat(parts).toString(), headers: request.headers };
      got.push(one);
      const { status, headers = {} } = answer(one);
      response.writeHead(status, headers).end();
    });
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
});
afterAll(async () => { server.close(); await api.close(); });
beforeEach(async () => {
  got = [];
  tried = [];
  answer = () => ({ status: 204 });
  await api.world.store.pool.query('delete from webhook_endpoints');
  await api.world.store.pool.query('delete from webhook_events');
  await api.world.store.pool.query(`delete from readers where name = 'webhooks'`);
});

/** A round that sees all that was committed, whatever other tests hold open. */
async function send(post = createSafePost('any', 2_000)): Promise<number> {
  await allReadable(api.world.store.pool);
  return sendWebhooks({ store: api.world.store, post, logger: createLogger('test', 'silent'), onTried: (outcome) => { tried.push(outcome); } });
}
/** Endpoints are made in the database: the API of this test is a public one, which takes no inner address. What was committed before is past. */
async function endpoint(events: string[] = ['*']): Promise<{ id: string; secret: string }> {
  await allReadable(api.world.store.pool);
  const { body } = await api.call(key, 'POST', '/v1/webhooks', { url: 'https://example.com/hook', events });
  await api.world.store.pool.query('update webhook_endpoints set url = $2 where id = $1', [decodeId('whe', body['id'] as string), url]);
  return body as { id: string; secret: string };
}
const seconds = (n: number): void => { api.world.now = new Date(api.world.now.getTime() + n * 1000); };
const log = async (id: string): Promise<Record<string, unknown>[]> => (await api.call(key, 'GET', `/v1/webhooks/${id}/deliveries?limit=200`)).body['deliveries'] as Record<string, unknown>[];
const types = (): string[] => got.map((g) => (JSON.parse(g.body) as { type: string }).type);

test('PUBLISHED: the vector of Standard Webhooks', () => {
  expect(signatures(['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'], 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1614265330, '{"test": 2432232314}')).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
});

test('the schedule of Standard Webhooks, 410, slowing down and retry-after', () => {
  expect(RETRY_S.reduce<number>((a, b) => a + b, 0)).toBeGreaterThanOrEqual(3 * 86_400);
  expect(RETRY_S.slice(1).map((_, i) => afterTry(i + 1, 500, null))).toEqual(RETRY_S.slice(1).map((inS) => ({ status: 'waiting', inS, slow: false })));
  expect([afterTry(10, null, null), afterTry(1, 204, null), afterTry(1, 301, null), afterTry(1, 410, null), afterTry(1, 429, 77)]).toEqual([
    { status: 'failed' }, { status: 'delivered' }, { status: 'waiting', inS: 5, slow: false }, { status: 'gone' }, { status: 'waiting', inS: 77, slow: true }]);
  expect([slowFor(1, null), slowFor(3, null), slowFor(9, null), slowFor(1, 60)]).toEqual([5, 20, 300, 60]);
  expect([retryAfterSeconds('120', 0), retryAfterSeconds('Thu, 01 Jan 1970 00:00:30 GMT', 10_000), retryAfterSeconds('soon', 0), retryAfterSeconds(null, 0)]).toEqual([120, 20, null, null]);
});

test('what somebody wrote does not go out', () => {
  expect(webhookBody('order.paid', 'T', { id: 'ord_1', channel: 'c' }, { deposit: 5, reference: 'Li Lei', balance: 'Li Lei 138' })).toBe('{"type":"order.paid","timestamp":"T","data":{"v":1,"order":"ord_1","channel":"c","deposit":5}}');
  expect(webhookBody('order.remark_changed', 'T', null, {})).toBeNull();
});

test('of each parcel that leaves its carrier and number go out, as many as fit', () => {
  const body = (parcels: unknown): { data: { parcels: unknown[] } } => JSON.parse(webhookBody('fulfillment.issued', 'T', { id: 'ord_1', channel: 'c' }, { shipment: 's', parcels }) ?? '') as { data: { parcels: unknown[] } };
  expect(body([{ carrier: 'sf', waybillNo: 'SF1', note: 'x' }, { carrier: 'Li Lei', waybillNo: 'SF2' }, null])).toEqual({ type: 'fulfillment.issued', timestamp: 'T', data: { v: 1, order: 'ord_1', channel: 'c', shipment: 's', parcels: [{ carrier: 'sf', waybillNo: 'SF1' }, { waybillNo: 'SF2' }, {}] } });
  expect([body(undefined).data.parcels, body('SF1').data.parcels]).toEqual([[], []]);
  const many = body(Array.from({ length: 200 }, (_, i) => ({ carrier: 'c'.repeat(64), waybillNo: `${i}`.padStart(100, '0') })));
  expect([many.data.parcels.length, JSON.stringify(many).length < MOST_BYTES]).toEqual([77, true]);
});

test('what happens to an order is told, signed, in order, from the making of the endpoint on', async () => {
  await api.order();
  const { id, secret } = await endpoint();
  const order = await api.order();
  await send();
  const all = await api.world.events(order);
  expect(types()).toEqual(all.filter((t) => types().includes(t)));
  expect(types()).toEqual(expect.arrayContaining(['order.captured', 'order.routed', 'fulfillment.released']));
  for (const { headers, body } of got) {
    expect(verify(decodeSecret(secret), { id: headers['webhook-id'] as string, timestamp: headers['webhook-timestamp'] as string, signature: headers['webhook-signature'] as string }, Buffer.from(body), Math.floor(api.world.now.getTime() / 1000))).toEqual({ ok: true });
    expect(body).not.toMatch(/Test Person|10000000001|Example Road/);
    expect((JSON.parse(body) as { data: object }).data).toMatchObject({ v: 1, order, channel: 'own' });
  }
  expect(new Set((await log(id)).map((d) => d['status']))).toEqual(new Set(['delivered']));
  expect(await send()).toBe(0);
});

test('later facts of an order wait for the earlier one; other orders do not', async () => {
  await endpoint(['order.captured', 'order.routed']);
  const [one, two] = [await api.order(), await api.order()];
  answer = ({ body }) => ({ status: body.includes(one) ? 500 : 204 });
  await send();
  expect(got.filter((g) => g.body.includes(one)).map((g) => (JSON.parse(g.body) as { type: string }).type)).toEqual(['order.captured']);
  expect(got.filter((g) => g.body.includes(two))).toHaveLength(2);
  answer = () => ({ status: 204 });
  seconds(6);
  await send();
  expect(got.filter((g) => g.body.includes(one)).map((g) => (JSON.parse(g.body) as { type: string }).type)).toEqual(['order.captured', 'order.captured', 'order.routed']);
});

test('an event that is never taken delays its successors by minutes, not by its three days', async () => {
  const { id } = await endpoint(['order.captured', 'order.routed']);
  const order = await api.order();
  const of = (): string[] => got.filter((g) => g.body.includes(order)).map((g) => (JSON.parse(g.body) as { type: string }).type);
  answer = ({ body }) => ({ status: body.includes('"order.captured"') ? 500 : 204 });
  await send();
  seconds(6);
  await send();
  expect(of()).toEqual(['order.captured', 'order.captured']);
  seconds(301);
  await send();
  expect(of()).toEqual(['order.captured', 'order.captured', 'order.captured', 'order.routed']);
  // Both fail: each has three days of its own, from its first try on.
  const two = await api.order();
  answer = () => ({ status: 500 });
  const began = api.world.now.getTime();
  for (let s = 0; s < 4 * 86_400; s += 1_800) {
    await send();
    seconds(s < 1_800 ? 301 : 1_800);
  }
  const settled = (await log(id)).filter((d) => d['order'] === two);
  expect(settled.map((d) => [d['status'], d['tries']])).toEqual([['failed', 10], ['failed', 10]]);
  for (const d of settled) expect(Date.parse(d['settledAt'] as string) - began).toBeLessThan(3.5 * 86_400_000);
});

test('after ten tries over three days a delivery has failed, and is replayed with the same id and bytes', async () => {
  const { id } = await endpoint(['order.captured']);
  await api.world.capture();
  answer = () => ({ status: 500 });
  for (const wait of [...RETRY_S, 1_000_000]) {
    seconds(wait);
    await send();
  }
  expect(got).toHaveLength(10);
  expect(tried).toEqual([...Array.from({ length: 9 }, () => 'waiting'), 'failed']);
  expect(new Set(got.map((g) => g.id + g.body)).size).toBe(1);
  const [delivery] = await log(id);
  expect(delivery).toMatchObject({ status: 'failed', tries: 10, answer: 500, error: 'answered 500' });
  expect(delivery?.['attempts']).toHaveLength(10);
  answer = () => ({ status: 204 });
  expect((await api.call(key, 'POST', `/v1/webhooks/${id}/replay`, { event: delivery?.['event'] })).body).toEqual({ queued: 1 });
  await send();
  expect(got).toHaveLength(11);
  expect(new Set(got.map((g) => g.id + g.body)).size).toBe(1);
  const range = { from: new Date(0).toISOString(), to: new Date(api.world.now.getTime() + 1).toISOString() };
  expect((await api.call(key, 'POST', `/v1/webhooks/${id}/replay`, { ...range, status: 'failed' })).body).toEqual({ queued: 0 });
  expect((await api.call(key, 'POST', `/v1/webhooks/${id}/replay`, range)).body).toEqual({ queued: 1 });
  expect((await api.call(key, 'POST', `/v1/webhooks/${id}/replay`, { event: 'evt_0000000000000000000000000a' })).status).toBe(404);
});

test('secrets overlap while they are changed over', async () => {
  const { id, secret } = await endpoint(['webhook.test']);
  const { body: { secret: next } } = await api.call(key, 'POST', `/v1/webhooks/${id}/secrets`, { overlapSeconds: 60 });
  const good = (which: string): boolean => {
    const { headers, body } = got.at(-1) as Got;
    return verify(decodeSecret(which), { id: headers['webhook-id'] as string, timestamp: headers['webhook-timestamp'] as string, signature: headers['webhook-signature'] as string }, Buffer.from(body), Math.floor(api.world.now.getTime() / 1000)).ok;
  };
  await api.call(key, 'POST', `/v1/webhooks/${id}/test`, {});
  await send();
  expect([good(secret), good(next as string), String(got[0]?.headers['webhook-signature']).split(' ').length]).toEqual([true, true, 2]);
  seconds(61);
  await api.call(key, 'POST', `/v1/webhooks/${id}/test`, {});
  await send();
  expect([good(secret), good(next as string)]).toEqual([false, true]);
});

describe('faults', () => {
  test('one that was gone for weeks and is made active again is told what happens from then on', async () => {
    const { id } = await endpoint(['order.captured']);
    await api.world.capture();
    answer = () => ({ status: 410 });
    await send();
    for (let i = 0; i < 3; i++) await api.world.capture();
    await allReadable(api.world.store.pool);
    expect((await request(api, key, 'PUT', `/v1/webhooks/${id}`, { url: 'https://example.com/hook', events: ['order.captured'], status: 'active' })).body).toMatchObject({ status: 'active', waiting: 0 });
    await api.world.store.pool.query('update webhook_endpoints set url = $1', [url]);
    answer = () => ({ status: 204 });
    got = [];
    const { id: next } = await api.world.capture();
    await send();
    expect(got.map((g) => (JSON.parse(g.body) as { data: { order: string } }).data.order)).toEqual([next]);
  });

  test('410 ends it: nothing more is sent, what waited is cancelled, and it can be made active again', async () => {
    const { id } = await endpoint(['order.captured']);
    await api.world.capture();
    answer = () => ({ status: 410 });
    await send();
    await api.world.capture();
    expect(await send()).toBe(0);
    expect((await api.call(key, 'GET', `/v1/webhooks/${id}`)).body).toMatchObject({ status: 'gone', waiting: 0 });
    expect((await log(id)).map((d) => d['status'])).toEqual(['cancelled']);
    expect((await api.call(key, 'POST', `/v1/webhooks/${id}/replay`, { from: new Date(0).toISOString(), to: new Date(4e12).toISOString() })).status).toBe(409);
  });

  test('429 slows the whole endpoint down for as long as it asks', async () => {
    await endpoint(['order.captured']);
    for (let i = 0; i < 3; i++) await api.world.capture();
    answer = () => ({ status: 429, headers: { 'retry-after': '90' } });
    await send();
    const first = got.length;
    seconds(89);
    expect(await send()).toBe(0);
    answer = () => ({ status: 204 });
    seconds(2);
    await send();
    expect(got.length).toBe(first + 3);
  });

  test('killed between the answer and its record: sent again under the same id; two workers do not send twice', async () => {
    await endpoint(['order.captured']);
    for (let i = 0; i < 20; i++) await api.world.capture();
    await Promise.all([send(), send(), send()]);
    await send();
    expect(got).toHaveLength(20);
    await api.world.capture();
    const post = createSafePost('any', 2_000);
    void send(async (...args) => { await post(...args); return new Promise(() => undefined); });
    await expect.poll(() => got.length).toBe(21);
    expect(await send()).toBe(0); // the lease holds
    seconds(61);
    expect(await send()).toBe(1);
    expect(got.at(-1)?.id).toBe(got.at(-2)?.id);
  });

  test('an address that is not public is never called, and the log says why', async () => {
    const { id } = await endpoint(['order.captured']);
    await api.world.capture();
    await send(createSafePost('public', 2_000));
    expect(got).toHaveLength(0);
    expect((await log(id))[0]).toMatchObject({ status: 'waiting', answer: null, error: 'the URL must begin with https://' });
    expect((await api.call(key, 'POST', '/v1/webhooks', { url: 'https://169.254.169.254/', events: ['*'] })).body).toMatchObject({ code: 'invalid', field: '/url' });
    const poor = await api.key('poor', ['network:write']);
    expect((await api.call(poor, 'POST', '/v1/webhooks', { url: 'https://example.com/', events: ['*'] })).status).toBe(403);
  });
});

test('the catalogue stands in the OpenAPI document', async () => {
  const document = (await api.app.inject('/docs/json')).json<{ webhooks: Record<string, { post: { operationId: string } }> }>();
  expect(document.webhooks['order.captured']?.post.operationId).toBe('webhook order.captured');
});
