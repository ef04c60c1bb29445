import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApiKey } from '../../../db/api-keys.ts';
import { requestRefund } from '../../../db/orders/refund-request.ts';
import { decodeId } from '../../../domain/ids.ts';
import { TestApi } from '../../support/api.ts';
import type { Fulfillment } from '../../support/world.ts';
import { refused, send, type Reply } from '../network/requests.ts';

let api: TestApi;
let wms: string;
let other: string;
let carrier: string;
let events = 0;
beforeAll(async () => {
  api = await TestApi.open({ stock: 100 });
  const { pool, network } = api.world.store;
  wms = await api.key('wms', ['fulfillment:write'], 'L-1');
  other = await api.key('other wms', ['fulfillment:write'], 'L-2');
  ({ key: carrier } = await createApiKey(pool, { name: 'carrier', scopes: ['tracking:write'], carrierCode: 'sim' }));
  await pool.query(`insert into carriers (code, name) values ('far', 'Far')`);
  await network.reload();
});
afterAll(async () => { await api.close(); });

/** An order of 2 × SKU-1 and 1 × SKU-2 that L-1 has. */
async function released(): Promise<{ id: string; f: Fulfillment }> {
  const id = await api.order({ lines: [{ sku: 'SKU-1', quantity: 2, unitPrice: 1000 }, { sku: 'SKU-2', quantity: 1, unitPrice: 500 }] });
  const [f] = await api.world.fulfillments(id);
  expect(f).toMatchObject({ location: 'L-1', status: 'released' });
  return { id, f: f! };
}
const event = (f: { id: string }, type: string, more: object = {}): object => ({ eventId: `e-${++events}`, fulfillmentOrderId: f.id, type, occurredAt: api.world.now.toISOString(), ...more });
const tell = (body: object, code = 'L-1', key = wms): Promise<Reply> => send(api, key, 'POST', `/v1/partners/locations/${code}/events`, body);
const track = (news: object[], code = 'sim', key = carrier): Promise<Reply> => send(api, key, 'POST', `/v1/partners/carriers/${code}/tracking`, { events: news });
const news = (f: Fulfillment, status: string, occurredAt: string, more: object = {}): object => ({ eventId: `t-${++events}`, waybillNo: f.waybillNo, status, occurredAt, ...more });
const parcel = (f: Fulfillment, lines = f.lines): object => ({ parcels: [{ parcelNo: 1, carrier: 'sim', waybillNo: f.waybillNo, weightG: 900, lines }] });
const milestone = (f: Fulfillment): Promise<{ milestone: string; at: Date }> => api.world.one('select milestone, milestone_at at from parcels where waybill_no = $1', f.waybillNo);

test('from acceptance to the goods issue, the only question among the news', async () => {
  const { id, f } = await released();
  expect(await tell(event(f, 'accepted', { partnerRef: 'P-1' }))).toEqual({ status: 200, body: { ok: true } });
  expect(await tell(event(f, 'packed', { parcels: [{ parcelNo: 1, weightG: 900, lines: f.lines }] }))).toEqual({ status: 200, body: { ok: true } });
  expect(await tell(event(f, 'goods_issue', parcel(f)))).toEqual({ status: 200, body: { ok: true, handOver: 'allowed' } });
  expect([await api.world.status(id), (await api.world.fulfillments(id))[0]?.status]).toEqual(['shipped', 'issued']);
  await refused(api, () => tell(event(f, 'accepted')), 409, 'conflict', '/type');
  await refused(api, () => tell(event(f, 'goods_issue', parcel(f))), 409, 'conflict', '/type');
});

test('an event counts once, however often it is sent at once; its id is not for another', async () => {
  const { id, f } = await released();
  const issue = event(f, 'goods_issue', parcel(f));
  const answers = await Promise.all(Array.from({ length: 6 }, () => tell(issue)));
  expect(answers).toEqual(Array(6).fill({ status: 200, body: { ok: true, handOver: 'allowed' } }));
  expect((await api.world.events(id)).filter((e) => e === 'fulfillment.issued')).toEqual(['fulfillment.issued']);
  await refused(api, async () => tell({ ...issue, type: 'accepted', parcels: undefined }), 409, 'duplicate_with_other_body', '/eventId');
});

test('a rejection and a short pick send the order elsewhere', async () => {
  const first = await released();
  expect((await tell(event(first.f, 'short_picked', { lines: [{ lineNo: 1, quantity: 1 }] }))).status).toBe(200);
  await api.advance(first.id);
  expect((await api.world.fulfillments(first.id)).map((x) => [x.location, x.status, x.lines])).toEqual([
    ['L-1', 'released', [{ lineNo: 1, quantity: 1 }, { lineNo: 2, quantity: 1 }]], ['L-2', 'released', [{ lineNo: 1, quantity: 1 }]],
  ]);
  const second = await released();
  expect((await tell(event(second.f, 'rejected', { reason: 'no_capacity' }))).status).toBe(200);
  await api.advance(second.id);
  expect((await api.world.fulfillments(second.id)).map((x) => [x.location, x.status, x.reason])).toEqual([['L-1', 'rejected', 'no_capacity'], ['L-2', 'released', null]]);
  await api.world.store.pool.query('delete from location_pauses');
});

test('goods whose money was asked back must stay', async () => {
  const { id, f } = await released();
  await requestRefund(api.world.store.writer, decodeId('ord', id) as string, 'changed their mind', 'key:test');
  const { body } = await refused(api, () => tell(event(f, 'goods_issue', parcel(f))), 409, 'handover_blocked');
  expect(body).toMatchObject({ type: '/problems/handover_blocked', fulfillmentOrderId: f.id });
});

test('a bound key speaks for its own location and carrier, about their own', async () => {
  const { f } = await released();
  await refused(api, () => tell(event(f, 'accepted'), 'L-1', other), 404, 'not_found');
  await refused(api, () => tell(event(f, 'accepted'), 'L-2', other), 404, 'not_found', '/fulfillmentOrderId');
  await refused(api, () => tell(event({ id: 'ful_nonsense' }, 'accepted')), 404, 'not_found', '/fulfillmentOrderId');
  await refused(api, () => track([news(f, 'in_transit', '2026-11-23T03:00:00Z')], 'far'), 404, 'not_found');
  await refused(api, () => tell(event(f, 'accepted'), 'L-1', carrier), 403, 'forbidden');
});

test.each<[string, string, object, string]>([
  ['a type that is none', 'lost', {}, '/type'], ['a field of another type', 'accepted', { reason: 'closed' }, '/reason'], ['a reason that is none', 'rejected', { reason: 'lazy' }, '/reason'],
  ['no lines', 'short_picked', { lines: [] }, '/lines'], ['no parcels', 'goods_issue', {}, '/parcels'], ['no quantity', 'short_picked', { lines: [{ lineNo: 1, quantity: 0 }] }, '/lines/0/quantity'],
])('%s is refused by field', async (_what, type, more, field) => {
  await refused(api, () => tell(event({ id: 'ful_00000000000000000000000000' }, type, more)), 400, 'invalid', field);
});

const NO_MOMENTS = ['2026-11-23T10:00:00+08', '2026-12-31T23:59:60Z', '0000-01-01T00:00:00Z'];
test.each(NO_MOMENTS)('%s is no moment that can be stored', async (occurredAt) => {
  const { f } = await released();
  await refused(api, () => tell(event(f, 'accepted', { occurredAt })), 422, 'unprocessable', '/occurredAt');
  await refused(api, () => track([news(f, 'in_transit', '2026-11-23T03:00:00Z'), news(f, 'in_transit', occurredAt)]), 422, 'unprocessable', '/events/1/occurredAt');
});

test('tracking in any order, with duplicates and strangers, by the moment it happened and not by how it is written', async () => {
  const { id, f } = await released();
  await tell(event(f, 'goods_issue', parcel(f)));
  const [late, early] = [news(f, 'delivered', '2026-11-23T04:00:00Z'), news(f, 'out_for_delivery', '2026-11-23T11:30:00+08:00')];
  expect(await track([late, early, late, { ...early, eventId: `t-${++events}`, waybillNo: 'STRANGER' }])).toEqual({ status: 200, body: { accepted: 2, duplicates: 1, unknown: 1 } });
  expect(await milestone(f)).toEqual({ milestone: 'delivered', at: new Date('2026-11-23T04:00:00Z') });
  expect((await api.world.events(id)).filter((e) => e.startsWith('parcel.'))).toEqual(['parcel.out_for_delivery', 'parcel.delivered']);
  expect(await track([late, early])).toEqual({ status: 200, body: { accepted: 0, duplicates: 2, unknown: 0 } });
  expect(await api.world.status(id)).toBe('delivered');
  await refused(api, () => track([]), 400, 'invalid', '/events');
  await refused(api, () => track([news(f, 'issued', '2026-11-23T03:00:00Z')]), 400, 'invalid', '/events/0/status');
});
