import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { SCOPES } from '../../../db/api-keys.ts';
import { runAudit } from '../../../db/audit/run-audit.ts';
import { expireDue } from '../../../db/orders/expiry.ts';
import type { OrderIntake } from '../../../domain/order/intake.ts';
import { TestApi } from '../../support/api.ts';

const NOW = new Date('2026-11-23T02:00:00Z');
const DUE = '2026-11-26T02:00:00.000Z';
let api: TestApi;
let admin: string;
let skus = 0;
beforeAll(async () => {
  api = await TestApi.open({ stock: 0, skus: 20 });
  admin = await api.key('admin', SCOPES);
  await api.world.store.pool.query(`update channels set supply_horizon_s = 1209600`);
  await api.world.store.pool.query(`update channels set deposit_refundable = true where code = 'douyin'`);
  await api.world.store.network.reload();
});
afterEach(async () => {
  api.world.now = NOW;
  expect((await runAudit(api.world.store.pool)).violations).toEqual([]);
});
afterAll(async () => { await api.close(); });

const post = (url: string, body: object) => api.call(admin, 'POST', url, body);
async function announced(quantity: number): Promise<string> {
  const sku = `SKU-${++skus}`;
  await post('/v1/supplies', { reference: `PO-${sku}`, kind: 'purchase_order', location: 'L-1', expectedAt: '2026-11-28T02:00:00Z', lines: [{ sku, quantity }] });
  return sku;
}
async function presale(sku: string, changes: Partial<OrderIntake> = {}): Promise<string> {
  await api.world.store.projection.refresh();
  return (await api.world.capture({ channel: 'own', lines: [{ sku, quantity: 2, unitPrice: 10_000 }], freight: 0, payment: { status: 'deposit', deposit: 3_000, balanceDueAt: DUE }, ...changes })).id;
}
const order = async (id: string) => (await api.call(admin, 'GET', `/v1/orders/${id}`)).body as unknown as { status: string; paymentStatus: string; payBy: string | null; refunds: { cause: string; amount: number }[] };
const coming = async (sku: string) => api.world.one<{ on: number; held: number }>(
  `select sum(on_hand)::int "on", sum(reserved)::int held from stock_levels v join skus s on s.id = v.sku_id where s.code = $1 and v.supply_id <> 0`, sku);
const told = (id: string, type: string) => api.world.events(id).then((all) => all.filter((t) => t === type).length);

test('the deposit keeps units that are still to come; the balance, paid in time, lets the order go on when they are there', async () => {
  const sku = await announced(3);
  const id = await presale(sku);
  expect(await order(id)).toMatchObject({ status: 'awaiting_payment', paymentStatus: 'deposit', payBy: DUE, refunds: [] });
  expect(await coming(sku)).toEqual({ on: 3, held: 2 });
  await api.advance(id);
  expect((await order(id)).status).toBe('awaiting_payment');
  const paid = await Promise.all([1, 2, 3].map(() => post(`/v1/orders/${id}/payment`, { status: 'paid', reference: 'PAY-1' })));
  expect(paid.map((p) => p.status)).toEqual([200, 200, 200]);
  expect(await told(id, 'order.paid')).toBe(1);
  api.world.now = new Date(Date.parse(DUE) + 1000);
  expect(await expireDue(api.world.store.writer)).toBe(0);
  await api.advance(id);
  expect(await order(id)).toMatchObject({ status: 'backordered', paymentStatus: 'paid' });
  await post(`/v1/supplies/PO-${sku}/receipts`, { reference: 'R', lines: [{ sku, quantity: 3 }] });
  await api.advance(id);
  expect((await order(id)).status).toBe('in_fulfillment');
});

test.each([['own', 'order.deposit_kept', []], ['douyin', 'order.deposit_refunded', [{ cause: 'cancellation', amount: 3_000 }]]])(
  'a balance that is not paid frees the units; the deposit is settled as channel %s says', async (channel, event, refunds) => {
    const sku = await announced(2);
    const id = await presale(sku, { channel });
    await api.advance(id);
    api.world.now = new Date(Date.parse(DUE) - 1);
    expect(await expireDue(api.world.store.writer)).toBe(0);
    api.world.now = new Date(DUE);
    const expired = await Promise.all([expireDue(api.world.store.writer), expireDue(api.world.store.writer)]);
    expect(expired.reduce((a, b) => a + b)).toBe(1);
    expect(await order(id)).toMatchObject({ status: 'expired', refunds });
    expect([await told(id, event), await coming(sku)]).toEqual([1, { on: 2, held: 0 }]);
    const late = await post(`/v1/orders/${id}/payment`, { status: 'paid', reference: 'LATE' });
    expect([late.status, late.body['code']]).toEqual([409, 'conflict']);
    expect((await order(id)).refunds).toMatchObject(refunds);
  });

test('a pre-sale whose units we lack ourselves gives the deposit back, whatever the channel says', async () => {
  const id = await presale(await announced(1), { channel: 'douyin' });
  await api.world.store.pool.query(`update channels set deposit_refundable = false where code = 'douyin'`);
  api.world.now = new Date(DUE);
  expect(await expireDue(api.world.store.writer)).toBe(1);
  await api.world.store.pool.query(`update channels set deposit_refundable = true where code = 'douyin'`);
  expect((await order(id)).refunds).toMatchObject([{ cause: 'cancellation', amount: 3_000 }]);
});

test('payment and expiry at once: one of them, and the units follow', async () => {
  for (let i = 0; i < 5; i++) {
    const sku = await announced(2);
    const id = await presale(sku);
    api.world.now = new Date(DUE);
    const [paid, expired] = await Promise.all([post(`/v1/orders/${id}/payment`, { status: 'paid', reference: 'RACE' }), expireDue(api.world.store.writer)]);
    expect((paid.status === 200) !== (expired === 1)).toBe(true);
    expect(await coming(sku)).toEqual({ on: 2, held: expired === 1 ? 0 : 2 });
    api.world.now = NOW;
  }
});

test('a cancelled pre-sale never gives back more than was paid', async () => {
  const sku = await announced(2);
  const id = await presale(sku, { channel: 'douyin' });
  expect((await post(`/v1/orders/${id}/cancel`, { reason: 'changed my mind' })).status).toBe(200);
  expect(await order(id)).toMatchObject({ status: 'cancelled', refunds: [{ cause: 'cancellation', amount: 3_000 }] });
  expect(await coming(sku)).toEqual({ on: 2, held: 0 });
});

test.each([
  ['no deposit', { status: 'deposit', balanceDueAt: DUE }, '/payment/deposit'], ['no date', { status: 'deposit', deposit: 1 }, '/payment/balanceDueAt'],
  ['a deposit that is all', { status: 'deposit', deposit: 20_000, balanceDueAt: DUE }, '/payment/deposit'], ['a date that is over', { status: 'deposit', deposit: 1, balanceDueAt: NOW.toISOString() }, '/payment/balanceDueAt'],
  ['a deposit of a paid order', { status: 'paid', deposit: 1 }, '/payment/deposit'],
])('denied, nothing changed: %s', async (_what, payment, field) => {
  const sku = await announced(2);
  const denied = await post('/v1/orders', { ...api.world.intake({ lines: [{ sku, quantity: 2, unitPrice: 10_000 }], freight: 0 }), payment });
  expect([denied.status, denied.body['field']]).toEqual([422, field]);
  expect(await coming(sku)).toEqual({ on: 2, held: 0 });
});
