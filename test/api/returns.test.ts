import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { cancelOrder } from '../../db/orders/cancel-order.ts';
import { decodeId } from '../../domain/ids.ts';
import { DAY, TestApi, type Answer } from '../support/api.ts';

let api: TestApi;
let clerk: string;
let operator: string;
let reader: string;
let atL1: string;
let atL2: string;
let skus = 0;
beforeAll(async () => {
  api = await TestApi.open({ skus: 100, stock: 0 });
  clerk = await api.key('clerk', ['returns:write', 'orders:read']);
  operator = await api.key('operator', ['returns:write', 'orders:read', 'orders:operate']);
  reader = await api.key('reader', ['orders:read']);
  atL1 = await api.key('shop one', ['returns:write', 'orders:read', 'orders:operate'], 'L-1');
  atL2 = await api.key('shop two', ['returns:write', 'orders:read', 'orders:operate'], 'L-2');
});
afterAll(async () => { await api.close(); });
afterEach(async () => { expect(await api.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 }); });

/** An order of 3 × 1000 that left L-1 and has been delivered; freight 801 makes shares that do not come out even. */
async function delivered(changes: object = {}): Promise<{ id: string; sku: string }> {
  const sku = `SKU-${++skus}`;
  await api.world.setStock(sku, { 'L-1': 10 });
  const id = await api.order({ lines: [{ sku, quantity: 3, unitPrice: 1000 }], freight: 801, ...changes });
  await api.deliver(id);
  return { id, sku };
}
const request = (id: string, body: object = {}, key = clerk): Promise<Answer> =>
  api.call(key, 'POST', `/v1/orders/${id}/returns`, { kind: 'refund', reason: 'too small', method: 'label', lines: [{ line: 1, quantity: 2 }], ...body });
const step = (rma: string, verb: string, body: object, key = clerk): Promise<Answer> => api.call(key, 'POST', `/v1/returns/${rma}/${verb}`, body);
const get = (url: string, key = clerk): Promise<Answer> => api.call(key, 'GET', url);
const rmaOf = async (answer: Promise<Answer>): Promise<string> => {
  const { status, body } = await answer;
  expect(status).toBe(201);
  return body['rma'] as string;
};
async function refused(send: () => Promise<Answer>, ...expected: unknown[]): Promise<void> {
  const before = await api.fingerprint();
  const { status, body } = await send();
  expect([status, body['code'], body['field'] ?? null, body['detail']].slice(0, expected.length)).toEqual(expected);
  expect(await api.fingerprint()).toBe(before);
}
const received = { lines: [{ line: 1, quantity: 2 }] };
const inspected = { lines: [{ line: 1, disposition: 'restock', accepted: 2 }] };

test('from the request to the settled refund', async () => {
  const { id, sku } = await delivered();
  const asked = await request(id);
  const rma = asked.body['rma'] as string;
  expect([asked.status, asked.headers['location'], asked.body]).toEqual([201, `/v1/returns/${rma}`, { rma }]);
  const at = api.world.now.toISOString();
  const base = { rma, order: id, kind: 'refund', reason: 'too small', method: 'label', late: false, exchangeOrder: null, requestedAt: at };
  expect(await get(`/v1/returns/${rma}`)).toMatchObject({ status: 200, body: {
    ...base, status: 'requested', location: null, carrier: null, waybillNo: null, authorisedAt: null, lines: [{ line: 1, quantity: 2, received: null, disposition: null, accepted: null }],
  } });
  await api.advance(id);
  expect((await get(`/v1/returns/${rma}`)).body).toMatchObject({ ...base, status: 'authorised', location: 'L-1', carrier: 'sim', waybillNo: `W-${rma}`, authorisedAt: at });

  await refused(() => step(rma, 'receive', { lines: [{ line: 1, quantity: 3 }] }), 422, 'unprocessable', '/lines/0/quantity');
  await refused(() => step(rma, 'inspect', inspected), 409, 'conflict', null, 'the return is authorised: only a received return can be inspected');
  expect(await step(rma, 'receive', received)).toMatchObject({ status: 200, body: { status: 'received', receivedAt: at, lines: [{ line: 1, quantity: 2, received: 2, disposition: null }] } });
  await refused(() => step(rma, 'receive', received), 409, 'conflict', null, 'the return is received: only an authorised return can be received');
  await refused(() => step(rma, 'cancel', { reason: 'kept' }), 409, 'conflict', null, 'the return is received: it can no longer be cancelled');
  await refused(() => step(rma, 'inspect', { lines: [{ line: 1, disposition: 'restock', accepted: 3 }] }), 422, 'unprocessable', '/lines/0/accepted');
  await refused(() => step(rma, 'inspect', { lines: [{ line: 1, disposition: 'sell', accepted: 1 }] }), 400, 'invalid', '/lines/0/disposition');
  expect(await step(rma, 'inspect', inspected)).toMatchObject({ status: 200, body: { status: 'inspected', inspectedAt: at, lines: [{ line: 1, received: 2, disposition: 'restock', accepted: 2 }] } });
  await api.advance(id);
  expect((await get(`/v1/returns/${rma}`)).body).toMatchObject({ status: 'closed', closedAt: at });
  expect(await api.world.stock(sku)).toMatchObject({ 'L-1': [9, 0] });

  const due = (await get('/v1/refunds?status=due')).body['refunds'] as Record<string, unknown>[];
  const refund = due.find((r) => r['order'] === id) as Record<string, unknown>;
  // Two of three units: 2 × 1000, and 2 × 267 of the freight.
  expect(refund).toEqual({
    id: refund['id'], order: id, cause: 'return', amount: 2534, currency: 'CNY', status: 'due', createdAt: at, settledAt: null, settlementReference: null,
    lines: [{ line: 1, units: 2, amount: 2534, list: 2000, freight: 534, byBearer: { platform: 0, shop: 0, influencer: 0, brand: 0 } }],
  });
  const settle = (reference: string, key = operator) => api.call(key, 'POST', `/v1/refunds/${refund['id'] as string}/settlement`, { reference });
  await refused(() => settle('BANK-1', clerk), 403, 'forbidden');
  await refused(() => settle('BANK-1', atL2), 404, 'not_found');
  expect(await settle('BANK-1')).toMatchObject({ status: 200, body: { ...refund, status: 'settled', settledAt: at, settlementReference: 'BANK-1' } });
  await refused(() => settle('BANK-1'), 200);
  await refused(() => settle('BANK-2'), 409, 'conflict', '/reference', 'the refund is settled under another reference: "BANK-1"');
  expect(((await get('/v1/refunds')).body['refunds'] as { id: string }[]).some((r) => r.id === refund['id'])).toBe(false);
  expect(((await get('/v1/refunds?status=settled')).body['refunds'] as { id: string }[]).map((r) => r.id)).toEqual([refund['id']]);
  const { body } = await get(`/v1/orders/${id}`);
  expect(body).toMatchObject({ status: 'delivered', lines: [{ issued: 3, returned: 2, refunded: 2 }], returns: [{ rma, status: 'closed' }], refunds: [{ id: refund['id'], status: 'settled' }] });
  expect((body['timeline'] as { type: string; actor: string; data: unknown }[]).filter((e) => e.type === 'refund.settled').map(({ actor, data }) => ({ actor, data })))
    .toEqual([{ actor: 'key:operator', data: { refund: refund['id'], amount: 2534, currency: 'CNY', reference: 'BANK-1' } }]);
});

test('a return can be withdrawn or refused until the goods have come', async () => {
  const { id } = await delivered();
  const first = await rmaOf(request(id));
  expect(await step(first, 'cancel', { reason: 'keeps it' })).toMatchObject({ status: 200, body: { status: 'cancelled', closedAt: api.world.now.toISOString() } });
  await refused(() => step(first, 'cancel', { reason: 'again' }), 200);
  await refused(() => step(first, 'refuse', { reason: 'too late' }), 409, 'conflict', null, 'the return is cancelled: it can no longer be refused');
  const second = await rmaOf(request(id, { lines: [{ line: 1, quantity: 3 }] }));
  await refused(() => request(id), 422, 'unprocessable', '/lines/0/quantity', '0 units of line 1 can be returned, not 2');
  expect(await step(second, 'refuse', { reason: 'worn' })).toMatchObject({ status: 200, body: { status: 'refused' } });
  await rmaOf(request(id));
});

test('what makes no sense is refused by field', async () => {
  const { id } = await delivered();
  await refused(() => request(id, { lines: [{ line: 9, quantity: 1 }] }), 422, 'unprocessable', '/lines/0/line', 'the order has no line 9');
  await refused(() => request(id, { lines: [{ line: 1, quantity: 0 }] }), 400, 'invalid', '/lines/0/quantity');
  await refused(() => request(id, { lines: [] }), 400, 'invalid', '/lines');
  await refused(() => request(id, { method: 'pigeon' }), 400, 'invalid', '/method');
  await refused(() => request(id, { location: 'NOWHERE' }), 422, 'unknown_location', '/location');
  await refused(() => request(id, {}, reader), 403, 'forbidden');
  await refused(() => get('/v1/returns/rma_00000000000000000000000000'), 404, 'not_found');
  const open = await api.order({ lines: [{ sku: `SKU-${skus}`, quantity: 1, unitPrice: 1 }] });
  await refused(() => request(open), 409, 'conflict', null, 'the order is in_fulfillment: goods can be returned once they have been delivered');
});

test('after the window only as goodwill, which is an operator’s', async () => {
  const { id } = await delivered();
  const start = api.world.now;
  api.world.now = new Date(start.getTime() + DAY);
  await refused(() => request(id), 409, 'conflict', null, `the return window ended at ${api.world.now.toISOString()}; send "goodwill": true to take it back all the same`);
  await refused(() => request(id, { goodwill: true }), 403, 'forbidden', '/goodwill');
  const rma = await rmaOf(request(id, { goodwill: true }, operator));
  expect((await get(`/v1/returns/${rma}`)).body).toMatchObject({ late: true, status: 'requested' });
  expect(await api.world.one('select topic, order_id from outbox where return_id = $1', decodeId('rma', rma))).toEqual({ topic: 'start_return', order_id: decodeId('ord', id) });
  api.world.now = start;
});

test('a bound key has the returns that come to it, and no other', async () => {
  const { id } = await delivered();
  await refused(() => request(id, {}, atL2), 404, 'not_found', null, `order "${id}" does not exist`);
  // Nowhere yet: nobody's but the head office's.
  const free = await rmaOf(request(id, { lines: [{ line: 1, quantity: 1 }] }));
  await refused(() => get(`/v1/returns/${free}`, atL1), 404, 'not_found');
  await refused(() => request(id, { location: 'L-2' }, atL1), 422, 'unknown_location', '/location');
  const mine = await rmaOf(request(id, { method: 'drop_off', lines: [{ line: 1, quantity: 2 }] }, atL1));
  expect((await get(`/v1/returns/${mine}`, atL1)).body).toMatchObject({ rma: mine, location: 'L-1', status: 'requested' });
  await api.advance(id);
  for (const send of [
    () => get(`/v1/returns/${mine}`, atL2), () => step(mine, 'receive', received, atL2), () => step(mine, 'inspect', inspected, atL2),
    () => step(mine, 'cancel', { reason: 'not ours' }, atL2), () => step(mine, 'refuse', { reason: 'not ours' }, atL2),
  ]) await refused(send, 404, 'not_found', null, `return "${mine}" does not exist`);
  expect((await step(mine, 'receive', received, atL1)).status).toBe(200);
  expect((await step(mine, 'inspect', { lines: [{ line: 1, disposition: 'damaged', accepted: 1 }] }, atL1)).status).toBe(200);
  await api.advance(id);
  const refundsOf = async (key: string) => ((await get('/v1/refunds', key)).body['refunds'] as { order: string; amount: number }[]).filter((r) => r.order === id).map((r) => r.amount);
  expect([await refundsOf(atL1), await refundsOf(atL2), await refundsOf(clerk)]).toEqual([[1267], [], [1267]]);
});

test('an exchange sends the goods anew instead of money', async () => {
  const { id } = await delivered();
  const rma = await rmaOf(request(id, { kind: 'exchange', location: 'L-1' }));
  await api.advance(id);
  await step(rma, 'receive', received);
  await step(rma, 'inspect', inspected);
  await api.advance(id);
  const { exchangeOrder } = (await get(`/v1/returns/${rma}`)).body as { exchangeOrder: string };
  expect((await get(`/v1/orders/${exchangeOrder}`)).body).toMatchObject({ type: 'resend', parent: id, money: { total: 0 }, lines: [{ line: 1, quantity: 2, net: 0 }] });
  expect(await api.world.refunds(id)).toEqual([]);
});

test('refunds come in pages, oldest first', async () => {
  const orders: string[] = [];
  for (let i = 0; i < 3; i++) {
    const { id } = await api.world.capture({ channel: 'douyin', lines: [{ sku: 'NO-SUCH', quantity: 1, unitPrice: 100 + i }], freight: 0 });
    await cancelOrder(api.world.store.writer, decodeId('ord', id) as string, 'none', 'key:test');
    orders.push(id);
  }
  const all: { id: string; order: string }[] = [];
  for (let after: string | null = ''; after !== null;) {
    const { body } = await get(`/v1/refunds?limit=2${after === '' ? '' : `&after=${after}`}`);
    all.push(...body['refunds'] as typeof all);
    after = body['next'] as string | null;
  }
  expect(all.map((r) => r.order).slice(-3)).toEqual(orders);
  expect(new Set(all.map((r) => r.id)).size).toBe(all.length);
  await refused(() => get('/v1/refunds?after=nonsense'), 400, 'invalid', '/querystring/after');
});
