import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { SCOPES } from '../../../db/api-keys.ts';
import { changeEndpoint, createEndpoint } from '../../../db/webhooks/endpoints.ts';
import { webhookDocument } from '../../../api/webhooks/openapi.ts';
import { cleanWebhooks, fanOut, giveUpWebhooks } from '../../../db/webhooks/fan-out.ts';
import { reportLost } from '../../../db/claims/lose-parcel.ts';
import { trackParcels } from '../../../db/fulfillment/track-parcels.ts';
import { decodeId, encodeId } from '../../../domain/ids.ts';
import { GIVE_UP_S } from '../../../domain/webhooks/catalogue.ts';
import type { Problem } from '../../../domain/problem.ts';
import { createLogger } from '../../../runtime/logger.ts';
import { sendWebhooks } from '../../../workers/webhooks/sender.ts';
import { send as request } from '../../api/network/requests.ts';
import { TestApi } from '../../support/api.ts';
import { lockWaits } from '../../support/lock-waits.ts';
import { allReadable } from '../../support/readable.ts';

const URL = 'https://example.com/hook';
let api: TestApi;
let key: string;
let status = 204;
let got: string[] = [];
beforeAll(async () => {
  api = await TestApi.open({ stock: 1000 });
  key = await api.key('admin', SCOPES);
});
afterAll(async () => { await api.close(); });
beforeEach(async () => {
  got = [];
  status = 204;
  await api.world.store.pool.query('delete from webhook_endpoints');
  await api.world.store.pool.query('delete from webhook_events');
  await api.world.store.pool.query(`delete from readers where name = 'webhooks'`);
});

async function send(): Promise<number> {
  await allReadable(api.world.store.pool);
  const post = (_url: string, _headers: object, body: string) => {
    got.push(body);
    return Promise.resolve({ status, retryAfter: null });
  };
  return sendWebhooks({ store: api.world.store, post, logger: createLogger('test', 'silent') });
}
async function endpoint(events: string[] = ['*']): Promise<{ id: string }> {
  await allReadable(api.world.store.pool);
  return (await request(api, key, 'POST', '/v1/webhooks', { url: URL, events })).body as { id: string };
}
const log = async (id: string): Promise<Record<string, unknown>[]> => (await request(api, key, 'GET', `/v1/webhooks/${id}/deliveries?limit=200`)).body['deliveries'] as Record<string, unknown>[];
const told = (): string[] => got.map((body) => (JSON.parse(body) as { type: string }).type);

test('a revoked key\'s webhooks pause with it, say so, and go on when another key takes them over', async () => {
  const made = await request(api, key, 'POST', '/v1/api-keys', { name: 'leaked', scopes: ['network:read', 'network:write', 'orders:read'] });
  const leaked = made.body as { id: number; key: string };
  await allReadable(api.world.store.pool);
  const { body: mine } = await request(api, leaked.key, 'POST', '/v1/webhooks', { url: URL, events: ['order.captured'] });
  const other = await endpoint(['order.captured']);
  expect(mine).toMatchObject({ status: 'active', key: 'leaked', pausedReason: null });
  await api.world.capture();
  const revoke = () => request(api, key, 'DELETE', `/v1/api-keys/${leaked.id}`);
  expect((await revoke()).status).toBe(204);
  await api.world.capture();
  expect(await send()).toBe(2);
  expect((await request(api, key, 'GET', `/v1/webhooks/${String(mine['id'])}`)).body).toMatchObject({ status: 'paused', key: 'leaked', pausedReason: 'its API key was revoked', waiting: 2 });
  expect(await log(other.id)).toMatchObject([{ status: 'delivered' }, { status: 'delivered' }]);
  // Handed to another key, also by a change alone: it is that key's, whatever becomes of the first.
  expect((await request(api, key, 'PUT', `/v1/webhooks/${String(mine['id'])}`, { url: URL, events: ['order.captured'], status: 'active' })).body).toMatchObject({ status: 'active', key: 'admin', pausedReason: null });
  expect((await revoke()).status).toBe(204);
  expect(await send()).toBe(2);
  expect(await log(mine['id'] as string)).toMatchObject([{ status: 'delivered' }, { status: 'delivered' }]);
});

test('a key that is revoked at the same moment makes and takes over nothing', async () => {
  const { id: keyId } = (await request(api, key, 'POST', '/v1/api-keys', { name: 'racing', scopes: ['network:write', 'orders:read'] })).body as { id: number };
  const { id } = await endpoint(['order.captured']);
  const { writer, vault, pool } = api.world.store;
  const holder = await pool.connect();
  await holder.query('begin');
  await holder.query('update api_keys set revoked_at = now() where id = $1', [keyId]);
  const what = { url: URL, description: '', events: ['*'] };
  const tried = [createEndpoint(writer, vault, what, keyId), changeEndpoint(writer, id, { ...what, status: 'active' }, keyId)].map((p) => p.then(() => 'done', (e: unknown) => (e as Problem).code));
  await lockWaits(pool, 2);
  await holder.query('commit');
  holder.release();
  expect(await Promise.all(tried)).toEqual(['forbidden', 'forbidden']);
  expect((await request(api, key, 'GET', '/v1/webhooks')).body['items']).toMatchObject([{ id, key: 'admin', events: ['order.captured'] }]);
});

test('a long way behind, it reads a few facts at a time, in their order', async () => {
  const { id } = await endpoint();
  const order = await api.order();
  await allReadable(api.world.store.pool);
  const sizes: number[] = [];
  const { query } = pg.Client.prototype;
  const spy = vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (this: pg.Client, ...args: unknown[]) {
    const [config] = args as [{ name?: string; values?: unknown[][] }];
    if (config.name === 'webhook_events_write') sizes.push(config.values?.[0]?.length ?? 0);
    return (query as (...all: unknown[]) => never).apply(this, args);
  });
  const made = await fanOut(api.world.store.pool, api.world.now, 3).finally(() => { spy.mockRestore(); });
  expect([Math.max(...sizes), sizes.reduce((a, b) => a + b), made > 3]).toEqual([3, made, true]);
  expect(await fanOut(api.world.store.pool, api.world.now, 3)).toBe(0);
  await send();
  expect((await log(id)).every((d) => d['status'] === 'delivered')).toBe(true);
  expect(told()).toEqual((await api.world.events(order)).filter((t) => told().includes(t)));
});

test('what a paused webhook has not taken in 30 days is gone; what an active one waits with stays', async () => {
  const [paused, active] = [await endpoint(['order.captured']), await endpoint(['order.captured'])];
  const { pool } = api.world.store;
  await pool.query(`update webhook_endpoints set status = 'paused' where id = $1`, [decodeId('whe', paused.id)]);
  status = 500;
  for (let i = 0; i < 3; i++) await api.world.capture();
  await send();
  const soon = new Date(api.world.now.getTime() + 1);
  for (const before of [api.world.now, soon]) await cleanWebhooks(pool, before, 2);
  expect([(await log(paused.id)).length, (await log(active.id)).length]).toEqual([3, 3]);
  await pool.query('delete from webhook_deliveries where endpoint_id = $1', [decodeId('whe', active.id)]);
  await cleanWebhooks(pool, soon, 2);
  expect(await api.world.one('select (select count(*)::int from webhook_events) events, (select count(*)::int from webhook_deliveries) deliveries')).toEqual({ events: 0, deliveries: 0 });
});

test('a parcel\'s news says which parcel, of which carrier, under which number', async () => {
  await endpoint(['parcel.in_transit', 'parcel.lost']);
  const { id } = await api.world.capture();
  await api.advance(id);
  const [f] = await api.world.fulfillments(id);
  if (!f) throw new Error('nothing was routed');
  await api.world.tell(f, { type: 'goods_issue', parcels: [{ parcelNo: 1, carrier: 'sim', waybillNo: 'W-77', lines: f.lines }] });
  await trackParcels(api.world.store.writer, 'sim', [{ waybillNo: 'W-77', eventId: 'e1', status: 'in_transit', occurredAt: api.world.now.toISOString() }]);
  const { rows: [parcel] } = await api.world.store.pool.query<{ id: string }>(`select id from parcels where waybill_no = 'W-77'`);
  await reportLost(api.world.store.writer, parcel?.id as string, 'nobody has it', 'key:test');
  expect(await send()).toBe(2);
  expect(got.map((body) => JSON.parse(body) as { type: string; data: unknown }).map(({ type, data }) => [type, data])).toEqual(['parcel.in_transit', 'parcel.lost'].map((type) => [type, {
    v: 1, order: id, channel: 'own', parcel: encodeId('par', parcel?.id as string), carrier: 'sim', waybillNo: 'W-77',
  }]));
});

test('parcels that leave are told with carrier and number, as their later news is, and the document says so', async () => {
  await endpoint(['fulfillment.issued']);
  const { id } = await api.world.capture();
  await api.advance(id);
  const [f] = await api.world.fulfillments(id);
  if (!f) throw new Error('nothing was routed');
  await api.world.tell(f, { type: 'goods_issue', parcels: f.lines.map((line, i) => ({ parcelNo: i + 1, carrier: 'sim', waybillNo: `W-8${i}`, lines: [line] })) });
  expect(await send()).toBe(1);
  const { data } = JSON.parse(got[0] ?? '') as { data: Record<string, unknown> };
  expect(data).toEqual({ v: 1, order: id, channel: 'own', fulfillmentOrder: f.id, shipment: expect.stringMatching(/^shp_/) as string, parcels: [{ carrier: 'sim', waybillNo: 'W-80' }, { carrier: 'sim', waybillNo: 'W-81' }] });
  const { properties, required } = webhookDocument['fulfillment.issued']?.post.requestBody.content['application/json'].schema.properties.data ?? { properties: {}, required: [] };
  expect([Object.keys(properties).sort(), required]).toEqual([Object.keys(data).sort(), ['v', 'order', 'channel', 'parcels']]);
});

test('what an endpoint that hangs leaves waiting for longer than all tries take is given up; of a paused one once it has been active for as long', async () => {
  const [active, paused] = [await endpoint(['order.captured']), await endpoint(['order.captured'])];
  const { pool } = api.world.store;
  const put = (to: 'active' | 'paused') => request(api, key, 'PUT', `/v1/webhooks/${paused.id}`, { url: URL, events: ['order.captured'], status: to });
  const pass = (ms: number): void => { api.world.now = new Date(api.world.now.getTime() + ms); };
  const states = async (): Promise<unknown[][]> => Promise.all([active, paused].map(async ({ id }) => (await log(id)).map((d) => d['status'])));
  await put('paused');
  status = 500;
  for (let i = 0; i < 3; i++) await api.world.capture();
  await send();
  pass(GIVE_UP_S * 1000);
  await api.world.capture();
  await allReadable(pool);
  await fanOut(pool, api.world.now);
  await giveUpWebhooks(pool, api.world.now, 2);
  expect(await states()).toEqual([Array(4).fill('waiting'), Array(4).fill('waiting')]);
  pass(1);
  await giveUpWebhooks(pool, api.world.now, 2);
  expect([await states(), (await log(active.id))[1]]).toMatchObject([[['waiting', 'failed', 'failed', 'failed'], Array(4).fill('waiting')], { error: 'given up: it has waited for too long', settledAt: api.world.now.toISOString() }]);
  // Replayed, it has as long again.
  expect((await request(api, key, 'POST', `/v1/webhooks/${active.id}/replay`, { from: '2026-01-01T00:00:00Z', to: '2027-12-31T00:00:00Z', status: 'failed' })).body).toEqual({ queued: 3 });
  await put('active');
  pass(GIVE_UP_S * 1000);
  await giveUpWebhooks(pool, api.world.now, 2);
  expect(await states()).toEqual([['failed', 'waiting', 'waiting', 'waiting'], Array(4).fill('waiting')]);
  pass(1);
  await giveUpWebhooks(pool, api.world.now, 2);
  expect(await states()).toEqual([Array(4).fill('failed'), Array(4).fill('failed')]);
});
