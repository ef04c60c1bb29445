import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeId } from '../../domain/ids.ts';
import { ORDER_STATUSES } from '../../domain/order/status.ts';
import { TestApi } from '../support/api.ts';

let api: TestApi;
let reader: string;
let people: string;
let atL2: string;
beforeAll(async () => {
  api = await TestApi.open({ skus: 20, stock: 0 });
  reader = await api.key('reader', ['orders:read']);
  people = await api.key('people', ['orders:read', 'personal:read', 'fulfillment:write']);
  atL2 = await api.key('shop two', ['orders:read', 'personal:read', 'fulfillment:write'], 'L-2');
  for (let i = 1; i <= 20; i++) await api.world.setStock(`SKU-${i}`, { 'L-1': 10 });
});
afterAll(async () => { await api.close(); });

const read = (id: string, key = reader) => api.call(key, 'GET', `/v1/orders/${id}`);
const list = async (query: string, key = reader): Promise<{ ids: string[]; next: string | null }> => {
  const { status, body } = await api.call(key, 'GET', `/v1/orders?${query}`);
  expect(status).toBe(200);
  return { ids: (body['orders'] as { id: string }[]).map((o) => o.id), next: body['next'] as string | null };
};
const line = (sku: string, quantity = 1) => ({ sku, quantity, unitPrice: 1000 });

test('the summary counts every status, and a bound key only its own orders', async () => {
  const zero = Object.fromEntries(ORDER_STATUSES.map((s) => [s, 0]));
  expect(await api.call(reader, 'GET', '/v1/orders/summary')).toMatchObject({ status: 200, body: { counts: zero } });
  await api.order({ lines: [line('SKU-1')] });
  await api.world.capture({ lines: [line('SKU-1')], payment: { status: 'unpaid' }, location: 'L-2' });
  expect((await api.call(reader, 'GET', '/v1/orders/summary')).body).toEqual({ counts: { ...zero, in_fulfillment: 1, awaiting_payment: 1 } });
  expect((await api.call(atL2, 'GET', '/v1/orders/summary')).body).toEqual({ counts: { ...zero, awaiting_payment: 1 } });
  expect((await api.app.inject({ method: 'GET', url: '/v1/orders/summary' })).statusCode).toBe(401);
});

test('an order with everything that belongs to it', async () => {
  await api.world.setStock('SKU-3', { 'L-1': 1 });
  const { id, externalId } = await api.world.capture({
    channel: 'douyin', freight: 200, buyerRemark: 'ring twice',
    lines: [{ sku: 'SKU-2', quantity: 2, unitPrice: 500, discounts: [{ bearer: 'shop', code: 'TEN', amount: 100 }] }, line('SKU-3')],
  });
  await api.advance(id);
  const [f] = await api.world.fulfillments(id);
  const at = api.world.now.toISOString();
  const before = (await read(id)).body;
  expect(before).toMatchObject({
    id, channel: 'douyin', externalId, type: 'retail', status: 'in_fulfillment', holdReason: null, paymentStatus: 'paid', payBy: null,
    money: { currency: 'CNY', list: 2000, discount: 100, freight: 200, total: 2100, deposit: 0 }, location: null, parent: null,
    destination: { country: 'CN', province: 'Shanghai', city: 'Shanghai', district: null }, scheduled: null, capturedAt: at, validatedAt: at, closedAt: null,
    lines: [
      { line: 1, sku: 'SKU-2', quantity: 2, cancelled: 0, issued: 0, returned: 0, refunded: 0, gift: false, unitPrice: 500, list: 1000, discount: 100, discounts: [{ bearer: 'shop', code: 'TEN', amount: 100 }] },
      { line: 2, sku: 'SKU-3', quantity: 1, gift: false, unitPrice: 1000, list: 1000, discount: 0, discounts: [] },
    ],
    reservations: [{ line: 1, location: 'L-1', units: 2, status: 'confirmed', fulfillmentOrder: f?.id }, { line: 2, location: 'L-1', units: 1, status: 'confirmed', fulfillmentOrder: f?.id }],
    shortages: [], holds: [], returns: [], refunds: [], refundRequests: [],
    fulfillmentOrders: [{
      id: f?.id, location: 'L-1', status: 'released', attempt: 1, carrier: 'sim', waybillNo: f?.waybillNo, partnerRef: `P-${f?.id ?? ''}`, releasedAt: at, issuedAt: null, parcels: [],
      lines: [{ line: 1, quantity: 2, short: 0, issued: 0 }, { line: 2, quantity: 1, short: 0, issued: 0 }],
    }],
  });
  const lines = before['lines'] as { freight: number; net: number }[];
  expect([lines.reduce((sum, l) => sum + l.freight, 0), lines.reduce((sum, l) => sum + l.net, 0)]).toEqual([200, 2100]);
  const timeline = before['timeline'] as { at: string; type: string; actor: string; data: Record<string, unknown> | null }[];
  expect(timeline.map((e) => e.type)).toEqual(await api.world.events(id));
  expect(timeline[0]).toMatchObject({ at, type: 'order.captured', actor: 'key:test', data: { id, total: 2100 } });
  // Nothing of a person without the scope, anywhere.
  expect(Object.keys(before)).not.toContain('contact');
  expect(JSON.stringify(before)).not.toMatch(/Test Person|10000000001|Example Road|ring twice/);

  await api.deliver(id);
  const after = (await read(id)).body;
  expect(after).toMatchObject({
    status: 'delivered', deliveredAt: at, lines: [{ line: 1, issued: 2 }, { line: 2, issued: 1 }], reservations: [{ status: 'issued' }, { status: 'issued' }],
    fulfillmentOrders: [{
      status: 'delivered', issuedAt: at, lines: [{ line: 1, issued: 2 }, { line: 2, issued: 1 }],
      parcels: [{ parcelNo: 1, carrier: 'sim', waybillNo: f?.waybillNo, weightG: null, milestone: 'delivered', milestoneAt: at, interceptOutcome: null,
        lines: [{ line: 1, quantity: 2, lot: null, serials: null }, { line: 2, quantity: 1, lot: null, serials: null }] }],
    }],
  });
});

test('shortages and holds are told', async () => {
  const { id } = await api.world.capture({ channel: 'douyin', lines: [line('SKU-4', 12), line('NO-SUCH')] });
  expect((await read(id)).body).toMatchObject({
    status: 'on_hold', holdReason: 'unknown_sku', fulfillmentOrders: [],
    shortages: [
      { line: 1, units: 2, cause: 'no_stock', deadline: '2026-11-25T02:00:00.000Z', status: 'open' },
      { line: 2, units: 1, cause: 'unknown_sku', deadline: '2026-11-25T02:00:00.000Z', status: 'open' },
    ],
    holds: [{ reason: 'unknown_sku', detail: 'NO-SUCH', placedAt: '2026-11-23T02:00:00.000Z', placedBy: 'system', releasedAt: null, releasedBy: null, note: null }],
  });
});

test('the contact is for keys with personal:read, and gone when the person is erased', async () => {
  const shipTo = { name: 'Somebody', phone: '10000000077', country: 'CN', province: 'Shanghai', city: 'Shanghai', district: 'Xuhui', street: '7 Example Road' };
  const id = await api.order({ shipTo, buyer: { id: 'B-1', phone: '10000000077' }, buyerRemark: 'ring twice', lines: [line('SKU-5')] });
  expect((await read(id, people)).body['contact']).toEqual({ buyer: { id: 'B-1', phone: '10000000077' }, shipTo, buyerRemark: 'ring twice', sellerRemark: null, invoice: null });
  await api.world.store.pool.query('update persons set wrapped_key = null, erased_at = now() where id = (select person_id from orders where id = $1)', [decodeId('ord', id)]);
  expect((await read(id, people)).body['contact']).toBeNull();
});

test('filters, and pages from the newest to the oldest', async () => {
  const ids: string[] = [];
  for (let i = 0; i < 5; i++) {
    api.world.now = new Date(Date.parse('2026-11-24T02:00:00Z') + i * 60_000);
    ids.unshift((await api.world.capture({ channel: 'merging', externalId: `PAGE-${i}`, lines: [line('SKU-6')], payment: { status: i === 4 ? 'unpaid' : 'paid' }, ...(i === 1 ? { location: 'L-3' } : {}) })).id);
  }
  expect(await list('channel=merging')).toEqual({ ids, next: null });
  const first = await list('channel=merging&limit=2');
  expect(first).toEqual({ ids: ids.slice(0, 2), next: ids[1] });
  const second = await list(`channel=merging&limit=2&after=${first.next ?? ''}`);
  expect(second).toEqual({ ids: ids.slice(2, 4), next: ids[3] });
  expect(await list(`channel=merging&limit=2&after=${second.next ?? ''}`)).toEqual({ ids: ids.slice(4), next: null });
  expect((await list('channel=merging&status=awaiting_payment')).ids).toEqual([ids[0]]);
  expect((await list('channel=merging&externalId=PAGE-3')).ids).toEqual([ids[1]]);
  expect((await list('location=L-3')).ids).toEqual([ids[3]]);
  expect((await list('channel=merging&capturedFrom=2026-11-24T02:01:00Z&capturedTo=2026-11-24T02:03:00Z')).ids).toEqual([ids[2], ids[3]]);
  const [head] = (await api.call(reader, 'GET', '/v1/orders?externalId=PAGE-1')).body['orders'] as unknown[];
  expect(head).toMatchObject({
    id: ids[3], channel: 'merging', externalId: 'PAGE-1', type: 'retail', status: 'captured', holdReason: null, paymentStatus: 'paid', currency: 'CNY', total: 1800, location: 'L-3',
    destination: { country: 'CN', province: 'Shanghai', city: 'Shanghai' }, priority: 0, capturedAt: '2026-11-24T02:01:00.000Z',
  });
});

test('a wrong filter is named', async () => {
  const fields = async (query: string) => { const { status, body } = await api.call(reader, 'GET', `/v1/orders?${query}`); return [status, body['code'], body['field']]; };
  expect(await fields('limit=201')).toEqual([400, 'invalid', '/querystring/limit']);
  expect(await fields('status=lost')).toEqual([400, 'invalid', '/querystring/status']);
  expect(await fields('after=rma_00000000000000000000000000')).toEqual([400, 'invalid', '/querystring/after']);
  expect(await fields('capturedFrom=yesterday')).toEqual([400, 'invalid', '/querystring/capturedFrom']);
  expect(await fields('channel=nowhere')).toEqual([422, 'unknown_channel', '/querystring/channel']);
  expect(await fields('location=NOWHERE')).toEqual([422, 'unknown_location', '/querystring/location']);
  expect(await fields('colour=red')).toEqual([400, 'invalid', '/querystring/colour']);
});

test('a bound key sees orders it took and those it has a part of; any other does not exist', async () => {
  await api.world.setStock('SKU-7', { 'L-1': 5, 'L-2': 0 });
  await api.world.setStock('SKU-8', { 'L-1': 0, 'L-2': 5 });
  const elsewhere = await api.order({ lines: [line('SKU-7')] });
  const taken = await api.order({ lines: [line('SKU-7')], location: 'L-2' });
  const working = await api.order({ lines: [line('SKU-8')] });
  expect((await api.world.fulfillments(working)).map((f) => f.location)).toEqual(['L-2']);
  const missing = 'ord_00000000000000000000000000';
  const [hidden, absent] = [await read(elsewhere, atL2), await read(missing, atL2)];
  expect([hidden.status, hidden.body['code'], hidden.body['detail']]).toEqual([404, 'not_found', `order "${elsewhere}" does not exist`]);
  expect([absent.status, absent.body['code'], absent.body['detail']]).toEqual([404, 'not_found', `order "${missing}" does not exist`]);
  expect((await read(missing)).status).toBe(404);
  expect((await read('ord_0')).body['code']).toBe('invalid');
  expect([(await read(taken, atL2)).status, (await read(working, atL2)).status, (await read(elsewhere)).status]).toEqual([200, 200, 200]);
  const { ids } = await list('limit=200', atL2);
  expect([ids.includes(taken), ids.includes(working), ids.includes(elsewhere)]).toEqual([true, true, false]);
  expect((await list('limit=200&location=L-1', atL2)).ids).toEqual([taken]);
  // Who has given an order back may still see what became of it, but no longer whom it goes to.
  expect(Object.keys((await read(working, atL2)).body)).toContain('contact');
  const [f] = await api.world.fulfillments(working);
  await api.world.tell(f as { id: string; locationId: number }, { type: 'rejected', reason: 'damaged' });
  const given = await read(working, atL2);
  expect(given.status).toBe(200);
  expect(Object.keys(given.body)).not.toContain('contact');
});

test('fulfillment orders: those of one location, the receiver for who may see people and while the goods are there', async () => {
  await api.world.setStock('SKU-9', { 'L-1': 0, 'L-2': 5 });
  const id = await api.order({ lines: [line('SKU-9', 2)], priority: 3 });
  const [f] = await api.world.fulfillments(id);
  const work = async (key: string, query = '') => {
    const { status, body } = await api.call(key, 'GET', `/v1/fulfillment-orders?limit=200${query}`);
    return status === 200 ? body['fulfillmentOrders'] as Record<string, unknown>[] : [status, body['code']];
  };
  const plain = await api.key('plain', ['fulfillment:write']);
  const mine = (rows: unknown) => (rows as Record<string, unknown>[]).filter((r) => r['order'] === id);
  expect(mine(await work(plain))).toEqual([{
    id: f?.id, order: id, location: 'L-2', status: 'released', carrier: 'sim', service: 'standard', waybillNo: f?.waybillNo, priority: 3, shipBy: expect.any(String) as string, routedAt: api.world.now.toISOString(),
    acceptBy: new Date(api.world.now.getTime() + 600_000).toISOString(), remindedAt: null, rerouteAt: null, cancelRequested: false, lines: [{ line: 1, sku: 'SKU-9', quantity: 2, short: 0, issued: 0 }],
  }]);
  expect(mine(await work(people))[0]).toMatchObject({ shipTo: { name: 'Test Person', street: '1 Example Road' } });
  const bound = await work(atL2) as Record<string, unknown>[];
  expect(new Set(bound.map((r) => r['location']))).toEqual(new Set(['L-2']));
  expect(mine(bound)).toHaveLength(1);
  expect(await work(atL2, '&location=L-2')).toEqual(bound);
  expect(await work(atL2, '&location=L-1')).toEqual([404, 'not_found']);
  expect(await work(reader)).toEqual([403, 'forbidden']);
  await api.world.tell(f as { id: string; locationId: number }, { type: 'rejected', reason: 'damaged' });
  expect(mine(await work(atL2, '&status=released'))).toEqual([]);
  expect(mine(await work(atL2, '&status=rejected'))[0]).toMatchObject({ id: f?.id, shipTo: null });
});
