import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { decodeId } from '../../domain/ids.ts';
import { expireDue } from '../../db/orders/expiry.ts';
import { TestApi, type Answer } from '../support/api.ts';

let api: TestApi;
let operator: string;
let writer: string;
let reader: string;
let atL2: string;
let skus = 0;
beforeAll(async () => {
  api = await TestApi.open({ skus: 100, stock: 0 });
  operator = await api.key('operator', ['orders:read', 'orders:write', 'orders:operate', 'personal:read']);
  writer = await api.key('writer', ['orders:write']);
  reader = await api.key('reader', ['orders:read']);
  atL2 = await api.key('shop two', ['orders:read', 'orders:write', 'orders:operate'], 'L-2');
});
afterAll(async () => { await api.close(); });
afterEach(async () => { expect(await api.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 }); });

/** Ten units at L-1 of a SKU that no other test uses; 1 × 1000 and the freight of 800. */
async function lines(quantity = 1): Promise<{ sku: string; quantity: number; unitPrice: number }[]> {
  const sku = `SKU-${++skus}`;
  await api.world.setStock(sku, { 'L-1': 10 });
  return [{ sku, quantity, unitPrice: 1000 }];
}
const send = (id: string, verb: string, body: object, key = operator): Promise<Answer> => api.call(key, 'POST', `/v1/orders/${id}/${verb}`, body);
const said = async (answer: Promise<Answer>): Promise<unknown[]> => { const { status, body } = await answer; return status < 300 ? [status, body] : [status, body['code'], body['detail']]; };
const read = async (id: string) => (await api.call(operator, 'GET', `/v1/orders/${id}`)).body as Record<string, never>;
const timeline = async (id: string, type: string) => (await read(id) as unknown as { timeline: { type: string; actor: string; data: unknown }[] }).timeline.filter((e) => e.type === type).map(({ actor, data }) => ({ actor, data }));
const woken = async (id: string) => (await api.world.one<{ n: number }>(`select count(*)::int n from outbox where topic = 'look' and order_id = $1`, decodeId('ord', id))).n;
/** The command is refused, and nothing has changed. */
async function refused(send: () => Promise<Answer>, ...expected: unknown[]): Promise<void> {
  const before = await api.fingerprint();
  expect((await said(send())).slice(0, expected.length)).toEqual(expected);
  expect(await api.fingerprint()).toBe(before);
}
const other = { name: 'Other Person', phone: '10000000002', country: 'CN', province: 'Beijing', city: 'Beijing', district: 'Haidian', street: '2 Other Road' };
const bodies: Record<string, object> = {
  cancel: { reason: 'no more wanted' }, hold: { reason: 'ask first' }, release: {}, address: { shipTo: other }, payment: { status: 'paid' }, 'refund-requests': { reason: 'no more wanted' },
};

describe('who may', () => {
  test.each(Object.keys(bodies))('%s: not without its scope, and never another location’s order', async (verb) => {
    const id = await api.order({ lines: await lines(), payment: { status: 'unpaid' } });
    const body = bodies[verb] as object;
    await refused(() => send(id, verb, body, reader), 403, 'forbidden');
    await refused(() => send(id, verb, body, atL2), 404, 'not_found', `order "${id}" does not exist`);
    await refused(() => send('ord_00000000000000000000000000', verb, body), 404, 'not_found');
    await refused(() => send(id, verb, { ...body, surprise: 1 }), 400, 'invalid', '/surprise is not known here; leave it out');
    if (verb === 'hold' || verb === 'release') await refused(() => send(id, verb, body, writer), 403, 'forbidden');
  });

  test('a bound key commands the orders that its location took', async () => {
    const id = await api.order({ lines: await lines(), location: 'L-2' }, 'ship');
    expect(await said(send(id, 'hold', { reason: 'the customer is here' }, atL2))).toEqual([200, { status: 'on_hold' }]);
    expect(await said(send(id, 'release', {}, atL2))).toEqual([200, { status: 'routed' }]);
    expect(await said(send(id, 'cancel', { reason: 'the customer left' }, atL2))).toEqual([200, { status: 'cancelled' }]);
  });
});

describe('cancel', () => {
  test('at once while no location knows: stock back, money due; again the same answer', async () => {
    const [line] = await lines(2);
    const id = await api.order({ lines: [line as never] }, 'ship');
    expect(await said(send(id, 'cancel', { reason: 'no more wanted' }))).toEqual([200, { status: 'cancelled' }]);
    expect(await api.world.stock((line as { sku: string }).sku)).toMatchObject({ 'L-1': [10, 0] });
    expect(await read(id)).toMatchObject({
      status: 'cancelled', lines: [{ cancelled: 2, refunded: 2 }], fulfillmentOrders: [{ status: 'cancelled', endReason: 'no more wanted' }],
      refunds: [{ cause: 'cancellation', amount: 2800, currency: 'CNY', status: 'due', lines: [{ line: 1, units: 2, amount: 2800, list: 2000, freight: 800 }] }],
    });
    expect(await timeline(id, 'order.cancel_requested')).toEqual([{ actor: 'key:operator', data: { reason: 'no more wanted' } }]);
    expect(await woken(id)).toBe(1);
    await refused(() => send(id, 'cancel', { reason: 'again' }), 200, { status: 'cancelled' });
  });

  test('a location that works on it is asked', async () => {
    const id = await api.order({ lines: await lines() });
    expect(await said(send(id, 'cancel', { reason: 'no more wanted' }))).toEqual([202, { status: 'asked' }]);
    expect(await read(id)).toMatchObject({ status: 'in_fulfillment', fulfillmentOrders: [{ status: 'released', cancelRequestedAt: api.world.now.toISOString() }], refunds: [] });
    await api.advance(id);
    expect(await read(id)).toMatchObject({ status: 'cancelled', fulfillmentOrders: [{ status: 'cancelled', cancelOutcome: 'cancelled' }], refunds: [{ amount: 1800 }] });
  });

  test('goods that have left cannot be cancelled', async () => {
    const id = await api.order({ lines: await lines() });
    await api.deliver(id);
    await refused(() => send(id, 'cancel', { reason: 'late' }), 409, 'conflict', 'goods have left: request a refund (POST …/refund-requests) or a return (POST …/returns) instead');
  });
});

describe('hold and release', () => {
  test('a held order is told to nobody; released, it goes on', async () => {
    const id = await api.order({ lines: await lines() }, 'ship');
    expect(await said(send(id, 'hold', { reason: 'ask the buyer' }))).toEqual([200, { status: 'on_hold' }]);
    await refused(() => send(id, 'hold', { reason: 'ask the buyer' }), 200, { status: 'on_hold' });
    await api.advance(id);
    expect(await read(id)).toMatchObject({
      status: 'on_hold', holdReason: 'manual', fulfillmentOrders: [{ status: 'routed' }],
      holds: [{ reason: 'manual', detail: 'ask the buyer', placedBy: 'key:operator', releasedAt: null, note: null }],
    });
    expect(await woken(id)).toBe(1);
    expect(await said(send(id, 'release', { note: 'asked' }))).toEqual([200, { status: 'routed' }]);
    expect(await woken(id)).toBe(2);
    await refused(() => send(id, 'release', {}), 409, 'conflict', 'the order is routed: it is not held');
    await api.advance(id);
    expect(await read(id)).toMatchObject({
      status: 'in_fulfillment', holdReason: null, holds: [{ releasedAt: api.world.now.toISOString(), releasedBy: 'key:operator', note: 'asked' }],
    });
    expect(await timeline(id, 'order.hold_released')).toEqual([{ actor: 'key:operator', data: { holds: ['manual'], note: 'asked' } }]);
  });

  test('releasing overrules the rules that held it, for this order only', async () => {
    const rules = await api.world.store.pool.query<{ id: number }>(
      `insert into audit_rules (name, kind, action, params) values ('big', 'amount', 'hold', '{"min":500000}'), ('bigger', 'amount', 'hold', '{"min":600000}') returning id`);
    await api.world.store.network.reload();
    const [line] = await lines();
    const big = () => api.order({ lines: [{ ...line as { sku: string; quantity: number }, unitPrice: 700_000 }] }, 'ship');
    const id = await big();
    expect(await read(id)).toMatchObject({ status: 'on_hold', holds: [{ reason: 'big' }, { reason: 'bigger' }] });
    await send(id, 'hold', { reason: 'and look twice' });
    expect(await said(send(id, 'release', {}))).toEqual([200, { status: 'captured' }]);
    expect((await api.world.one<{ approved: number[] }>('select approved_rules approved from orders where id = $1', decodeId('ord', id))).approved).toEqual(rules.rows.map((r) => r.id));
    await api.advance(id, 'ship');
    expect(await read(id)).toMatchObject({ status: 'routed' });
    expect(await read(await big())).toMatchObject({ status: 'on_hold' });
    // An amount stays approved at another address.
    expect(await said(send(id, 'address', { shipTo: other }))).toEqual([200, { status: 'captured' }]);
    expect((await api.world.one<{ approved: number[] }>('select approved_rules approved from orders where id = $1', decodeId('ord', id))).approved).toEqual(rules.rows.map((r) => r.id));
    await api.world.store.pool.query(`update audit_rules set kind = 'address' where name = 'big'`);
    await send(id, 'address', { shipTo: { ...other, street: '3 Other Road' } });
    expect((await api.world.one<{ approved: number[] }>('select approved_rules approved from orders where id = $1', decodeId('ord', id))).approved).toEqual([rules.rows[1]?.id]);
    await api.world.store.pool.query('update audit_rules set active = false');
    await api.world.store.network.reload();
  });

  test('not once a location knows, goods have left, or the order is over', async () => {
    const id = await api.order({ lines: await lines() });
    await refused(() => send(id, 'hold', { reason: 'late' }), 409, 'conflict', 'the order is in_fulfillment: a location works on it; cancel it instead (POST …/cancel)');
    await api.deliver(id);
    await refused(() => send(id, 'hold', { reason: 'late' }), 409, 'conflict', 'the order is delivered: goods have left and cannot be held');
    const gone = await api.order({ lines: await lines() }, 'ship');
    await send(gone, 'cancel', { reason: 'gone' });
    await refused(() => send(gone, 'hold', { reason: 'late' }), 409, 'conflict', 'the order is cancelled: there is nothing left to hold');
    await refused(() => send(gone, 'release', {}), 409, 'conflict', 'the order is cancelled: it cannot be released');
  });
});

describe('address', () => {
  test('another address: checked and routed anew, the rest of the contact kept', async () => {
    const [line] = await lines();
    const { sku } = line as { sku: string };
    await api.world.setStock(sku, { 'L-2': 10 });
    const id = await api.order({ lines: [line as never], buyer: { id: 'B-9' }, buyerRemark: 'ring twice' }, 'ship');
    expect((await read(id) as unknown as { fulfillmentOrders: { location: string; status: string }[] }).fulfillmentOrders).toMatchObject([{ location: 'L-1', status: 'routed' }]);
    expect(await said(send(id, 'address', { shipTo: other }, writer))).toEqual([200, { status: 'captured' }]);
    expect(await read(id)).toMatchObject({
      validatedAt: null, destination: { country: 'CN', province: 'Beijing', city: 'Beijing', district: 'Haidian' },
      contact: { buyer: { id: 'B-9' }, shipTo: other, buyerRemark: 'ring twice', sellerRemark: null, invoice: null },
      fulfillmentOrders: [{ location: 'L-1', status: 'cancelled', endReason: 'address changed' }], reservations: [{ location: 'L-1', units: 1, status: 'confirmed', fulfillmentOrder: null }],
    });
    const [event] = await timeline(id, 'order.address_changed');
    expect(event).toEqual({ actor: 'key:writer', data: { fulfillmentOrders: [expect.stringMatching(/^ful_/) as string] } });
    expect(await woken(id)).toBe(1);
    // The address hash is the capture's own: duplicates are found among both.
    const twin = await api.order({ lines: [line as never], shipTo: other }, 'ship');
    expect(await api.world.one('select count(distinct address_hash)::int n, count(*)::int of from orders where id = any($1::uuid[])', [id, twin].map((x) => decodeId('ord', x)))).toEqual({ n: 1, of: 2 });
    await refused(() => send(id, 'address', { shipTo: other }), 200, { status: 'captured' });
    await api.advance(id);
    expect(await read(id)).toMatchObject({ status: 'in_fulfillment', fulfillmentOrders: [{ location: 'L-1', status: 'cancelled' }, { location: 'L-2', status: 'released' }] });
    const [request] = api.world.partners.to('/v1/fulfillment-orders').slice(-1);
    expect(request?.body).toMatchObject({ locationCode: 'L-2', shipTo: other });
  });

  test('not once everything is packed, the order is over, or the person is erased', async () => {
    const id = await api.order({ lines: await lines() });
    await api.deliver(id);
    await refused(() => send(id, 'address', { shipTo: other }), 409, 'conflict', 'the order is delivered: all of it is packed or has left; cancel what can be cancelled and order anew');
    const gone = await api.order({ lines: await lines() }, 'ship');
    await send(gone, 'cancel', { reason: 'gone' });
    await refused(() => send(gone, 'address', { shipTo: other }), 409, 'conflict', 'the order is cancelled: its address can no longer change');
    const erased = await api.order({ lines: await lines(), shipTo: { ...other, phone: '10000000003' } }, 'ship');
    await api.world.store.pool.query('update persons set wrapped_key = null, erased_at = now() where id = (select person_id from orders where id = $1)', [decodeId('ord', erased)]);
    await refused(() => send(erased, 'address', { shipTo: other }), 409, 'conflict', 'the receiver has been erased: no address can be written for them');
    await refused(() => send(id, 'address', { shipTo: { ...other, phone: undefined } }), 400, 'invalid', '/shipTo/phone is missing');
  });
});

describe('payment', () => {
  test('the order no longer expires, its stock is held without an end; again the same answer', async () => {
    const id = await api.order({ lines: await lines(), payment: { status: 'unpaid' } });
    expect(await read(id)).toMatchObject({ status: 'awaiting_payment', paymentStatus: 'unpaid', payBy: new Date(api.world.now.getTime() + 1_800_000).toISOString() });
    expect(await said(send(id, 'payment', { status: 'paid', reference: 'PAY-1' }))).toEqual([200, { paymentStatus: 'paid' }]);
    expect(await read(id)).toMatchObject({ status: 'captured', paymentStatus: 'paid', payBy: null });
    expect(await api.world.one('select payment_due_at due, (select count(*)::int from reservations where order_id = $1 and expires_at is not null) expiring from orders where id = $1', decodeId('ord', id)))
      .toEqual({ due: null, expiring: 0 });
    expect(await timeline(id, 'order.paid')).toEqual([{ actor: 'key:operator', data: { reference: 'PAY-1' } }]);
    expect(await woken(id)).toBe(1);
    await refused(() => send(id, 'payment', { status: 'paid' }), 200, { paymentStatus: 'paid' });
    await api.advance(id);
    expect(await read(id)).toMatchObject({ status: 'in_fulfillment' });
  });

  test('expired, cancelled, or never to be paid in advance: refused by name', async () => {
    const late = await api.order({ lines: await lines(), payment: { status: 'unpaid' } });
    const gone = await api.order({ lines: await lines(), payment: { status: 'unpaid' } });
    await send(gone, 'cancel', { reason: 'gone' });
    await refused(() => send(gone, 'payment', { status: 'paid' }), 409, 'conflict', 'the order is cancelled: it can no longer be paid; give the money back');
    api.world.now = new Date(api.world.now.getTime() + 1_800_000);
    expect(await expireDue(api.world.store.writer)).toBeGreaterThan(0);
    await refused(() => send(late, 'payment', { status: 'paid' }), 409, 'conflict', 'the order is expired: it can no longer be paid; give the money back');
    const cod = await api.order({ lines: await lines(), payment: { status: 'cash_on_delivery' } });
    await refused(() => send(cod, 'payment', { status: 'paid' }), 409, 'conflict', 'the payment of the order is cash_on_delivery: none is due now');
    await refused(() => send(cod, 'payment', { status: 'unpaid' }), 400, 'invalid');
  });
});

describe('refund requests', () => {
  test('before the goods leave: cancelled and due at once', async () => {
    const id = await api.order({ lines: await lines(2) }, 'ship');
    const { status, body } = await send(id, 'refund-requests', { reason: 'no more wanted' });
    expect([status, body]).toEqual([200, { id: body['id'], status: 'refunded', cancelledUnits: 2 }]);
    expect(await read(id)).toMatchObject({
      status: 'cancelled', refunds: [{ cause: 'refund_request', amount: 2800 }],
      refundRequests: [{ id: body['id'], status: 'refunded', reason: 'no more wanted', requestedBy: 'key:operator', closedAt: api.world.now.toISOString() }],
    });
    await refused(() => send(id, 'refund-requests', { reason: 'again' }), 409, 'conflict');
  });

  test('on its way: intercepted; the same request is open once', async () => {
    const id = await api.order({ lines: await lines() });
    const [f] = await api.world.fulfillments(id);
    await api.world.issue(f as Parameters<typeof api.world.issue>[0]);
    const { body } = await send(id, 'refund-requests', { reason: 'no more wanted' });
    expect(body).toEqual({ id: body['id'], status: 'intercepting', cancelledUnits: 0 });
    await refused(() => send(id, 'refund-requests', { reason: 'again' }), 200, { id: body['id'], status: 'intercepting', cancelledUnits: 0 });
    await api.advance(id);
    expect(await read(id)).toMatchObject({ status: 'shipped', refunds: [], refundRequests: [{ status: 'intercepted', closedAt: null }], fulfillmentOrders: [{ parcels: [{ interceptOutcome: 'accepted' }] }] });
  });
});
