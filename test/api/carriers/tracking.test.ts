import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCarrierTending } from '../../../activities/carriers/tend.ts';
import { SCOPES } from '../../../db/api-keys.ts';
import { decodeId } from '../../../domain/ids.ts';
import { createLogger } from '../../../runtime/logger.ts';
import { DAY, TestApi } from '../../support/api.ts';
import { refused, send } from '../network/requests.ts';

const HOUR = 3_600_000;
let api: TestApi;
let admin: string;
beforeAll(async () => {
  api = await TestApi.open({ locations: 2, skus: 40, stock: 50 });
  admin = await api.key('admin', SCOPES);
});
afterAll(async () => { await api.close(); });

const tend = () => createCarrierTending({ ...api.world.store, http: api.world.partners.http, raw: api.world.raw }, createLogger('test', 'silent'));
const exceptions = async (order: string) => ((await send(api, admin, 'GET', '/v1/parcel-exceptions?open=false')).body['exceptions'] as { id: string; order: string; kind: string; closedAt: string | null; closedBy: string | null; outcome: string | null }[]).filter((e) => e.order === order);
const later = (ms: number): void => { api.world.now = new Date(api.world.now.getTime() + ms); };
async function shipped(changes: Parameters<TestApi['order']>[0] = {}): Promise<{ id: string; waybill: string }> {
  const id = await api.order(changes);
  const [f] = await api.world.fulfillments(id);
  if (!f) throw new Error('not routed');
  await api.world.issue(f);
  return { id, waybill: f.waybillNo ?? '' };
}

test('a parcel that nobody picks up, then one that is stuck: an exception each, once, over when it is heard of again', async () => {
  api.world.partners.answer = (request) => (request.url.endsWith('/events') ? { status: 200, body: { events: [] } } : { status: 201, body: { waybillNo: `W-${String((request.body as { requestId?: string }).requestId)}`, partnerRef: 'p' } });
  const { id, waybill } = await shipped();
  later(23 * HOUR);
  await tend().all();
  expect(await exceptions(id)).toEqual([]);
  later(HOUR);
  await Promise.all([tend().all(), tend().all()]);
  await tend().all();
  expect(await exceptions(id)).toMatchObject([{ kind: 'not_picked_up', closedAt: null }]);
  await api.world.carrier(waybill, 'picked_up');
  expect(await exceptions(id)).toMatchObject([{ kind: 'not_picked_up', closedBy: 'carrier:sim', outcome: 'heard of again: picked_up' }]);
  later(48 * HOUR);
  await tend().all();
  const [, stuck] = await exceptions(id);
  expect(stuck).toMatchObject({ kind: 'stuck', closedAt: null });
  const close = () => send(api, admin, 'POST', `/v1/parcel-exceptions/${stuck?.id ?? ''}/close`, { outcome: 'called the carrier' });
  expect((await close()).body).toMatchObject({ closedBy: 'key:admin', outcome: 'called the carrier' });
  expect((await close()).body).toMatchObject({ closedBy: 'key:admin', outcome: 'called the carrier' });
  expect((await api.world.events(id)).filter((e) => e.includes('exception'))).toEqual(['parcel.exception_raised', 'parcel.exception_closed', 'parcel.exception_raised', 'parcel.exception_closed']);
});

test('what somebody has closed is not raised again for the same silence, but for the next one; old news ends no silence', async () => {
  const { id, waybill } = await shipped();
  const close = async () => send(api, admin, 'POST', `/v1/parcel-exceptions/${(await exceptions(id)).at(-1)?.id ?? ''}/close`, { outcome: 'called the carrier' });
  const kinds = async () => (await exceptions(id)).map((e) => [e.kind, e.outcome]);
  const pickedUp = api.world.now;
  later(24 * HOUR);
  await tend().all();
  await close();
  later(HOUR);
  await Promise.all([tend().all(), tend().all()]);
  expect(await kinds()).toEqual([['not_picked_up', 'called the carrier']]);
  // Told late: it was picked up before anybody missed it.
  await api.world.carrier(waybill, 'picked_up', new Date(pickedUp.getTime() + HOUR));
  later(24 * HOUR);
  await tend().all();
  await tend().all();
  expect(await kinds()).toEqual([['not_picked_up', 'called the carrier'], ['stuck', null]]);
  await api.world.carrier(waybill, 'picked_up', pickedUp);
  expect((await kinds()).at(-1)).toEqual(['stuck', null]);
  await close();
  await tend().all();
  expect(await kinds()).toHaveLength(2);
  await api.world.carrier(waybill, 'in_transit');
  later(48 * HOUR);
  await tend().all();
  expect(await kinds()).toEqual([['not_picked_up', 'called the carrier'], ['stuck', 'called the carrier'], ['stuck', null]]);
  await api.world.carrier(waybill, 'delivered');
});

test('by its carrier\'s rule a parcel that is never heard of again counts as lost, with its claim; found, its exception is over', async () => {
  const rule = { pickupHours: null, stuckHours: null, lostHours: 72, returned: true };
  expect((await send(api, admin, 'PUT', '/v1/tracking-rules/sim', rule)).body).toMatchObject({ carrier: 'sim', ...rule, changedBy: 'key:admin' });
  await refused(api, () => send(api, admin, 'PUT', '/v1/tracking-rules/nobody', rule), 422, 'unknown_carrier', '/carrier');
  const { id, waybill } = await shipped();
  later(3 * DAY);
  await tend().all();
  expect([(await exceptions(id)).map((e) => e.kind), await api.world.one('select count(*)::int n from claims where order_id = $1', decodeId('ord', id))]).toEqual([['lost'], { n: 1 }]);
  await tend().all();
  expect(await exceptions(id)).toHaveLength(1);
  later(HOUR);
  await api.world.carrier(waybill, 'delivered');
  expect(await exceptions(id)).toMatchObject([{ kind: 'lost', outcome: 'found: delivered' }]);
  await send(api, admin, 'PUT', '/v1/tracking-rules/sim', { pickupHours: 24, stuckHours: 48 });
});

test('each milestone is told in one message, however often it is reached; an order of a platform\'s shop is told by the platform', async () => {
  await refused(api, () => send(api, admin, 'PUT', '/v1/milestone-messages/default', { milestones: ['picked_up'], ways: ['sms'] }), 400, 'invalid', '/milestones/0');
  expect((await send(api, admin, 'PUT', '/v1/milestone-messages/default', { milestones: ['issued', 'out_for_delivery', 'delivered'], ways: ['wecom', 'sms'] })).body).toMatchObject({ channel: 'default', ways: ['wecom', 'sms'] });
  const { id, waybill } = await shipped();
  for (const status of ['out_for_delivery', 'attempt_failed', 'out_for_delivery', 'delivered', 'delivered'] as const) {
    later(HOUR);
    await api.world.carrier(waybill, status);
  }
  const messages = async (order: string) => (await api.world.store.pool.query<{ template: string; params: object; ways: string[] }>('select template, params, ways from messages where order_id = $1 order by id', [decodeId('ord', order)])).rows;
  expect(await messages(id)).toEqual(['issued', 'out_for_delivery', 'delivered'].map((m) => ({ template: `parcel.${m}`, params: { carrier: 'simulated carrier', waybill }, ways: ['wecom', 'sms'] })));
  // The words are there, and nothing personal is in them.
  expect((await send(api, admin, 'GET', '/v1/message-templates')).body).toMatchObject({ items: [{ key: 'parcel.delivered' }, { key: 'parcel.issued' }, { key: 'parcel.out_for_delivery' }] });
  await api.world.store.pool.query(`insert into channel_shops (channel_id, settings, hook_key, polled_until, created_at, updated_at) select id, '{}', 'k', now(), now(), now() from channels where code = 'douyin'`);
  const sold = await shipped({ channel: 'douyin' });
  await api.world.carrier(sold.waybill, 'delivered');
  expect(await messages(sold.id)).toEqual([]);
});

test('a key bound to a location sees the exceptions and the labels of its own orders only; a label needs personal:read', async () => {
  const order = await api.order();
  const [f] = await api.world.fulfillments(order);
  const [mine, other] = [await api.key('mine', ['fulfillment:write', 'personal:read'], f?.location), await api.key('other', ['fulfillment:write', 'personal:read'], f?.location === 'L-1' ? 'L-2' : 'L-1')];
  const blind = await api.key('blind', ['fulfillment:write']);
  const get = (key: string) => api.app.inject({ method: 'GET', url: `/v1/fulfillment-orders/${f?.id ?? ''}/label`, headers: { authorization: `Bearer ${key}` } });
  const [good, again, foreign, hidden] = [await get(mine), await get(mine), await get(other), await get(blind)];
  expect([good.statusCode, good.headers['content-type'], good.rawPayload.subarray(0, 8).toString(), good.rawPayload.equals(again.rawPayload), foreign.statusCode, hidden.statusCode]).toEqual([200, 'application/pdf', '%PDF-1.4', true, 404, 403]);
});

test('accounts: settings are checked, secrets are never shown, what is not known is named', async () => {
  const put = (code: string, body: object) => send(api, admin, 'PUT', `/v1/carrier-accounts/${code}`, body);
  const tracker = { key: 'k', customer: 'c', salt: 'a-salt-of-ours', carriers: { sim: 'shunfeng' } };
  await refused(api, () => put('t', { kind: 'nobody', settings: {} }), 422, 'unprocessable', '/kind');
  await refused(api, () => put('t', { kind: 'kuaidi100', settings: { ...tracker, salt: 'short' } }), 400, 'invalid', '/settings/salt');
  await refused(api, () => put('t', { kind: 'kuaidi100', settings: { ...tracker, carriers: { nobody: 'x' } } }), 422, 'unknown_carrier', '/settings/carriers');
  await refused(api, () => put('sim', { kind: 'kuaidi100', settings: tracker }), 422, 'unprocessable', '/code');
  await refused(api, () => put('nobody', { kind: 'sf', settings: { partnerId: 'p', checkword: 'c', monthlyCard: '1', sender: { name: 'n', phone: '1' } } }), 422, 'unknown_carrier', '/code');
  const { body } = await put('t', { kind: 'kuaidi100', settings: tracker });
  expect(body).toMatchObject({ code: 't', kind: 'kuaidi100', secretsSet: ['key', 'salt'], carriers: ['sim'], settings: { customer: 'c', carriers: { sim: 'shunfeng' } } });
  expect(JSON.stringify(body)).not.toContain('a-salt-of-ours');
  // Secrets that are left out stay; a new address is another one.
  expect((await put('t', { kind: 'kuaidi100', settings: { customer: 'c2', carriers: { sim: 'shunfeng' } } })).body).toMatchObject({ secretsSet: ['key', 'salt'], pushPath: body['pushPath'] });
  expect((await put('t', { kind: 'kuaidi100', settings: { customer: 'c2', carriers: { sim: 'shunfeng' } }, newAddress: true })).body['pushPath']).not.toBe(body['pushPath']);
  expect((await send(api, admin, 'DELETE', '/v1/carrier-accounts/t')).status).toBe(204);
  expect((await send(api, admin, 'GET', '/v1/carrier-accounts/t')).status).toBe(404);
});
