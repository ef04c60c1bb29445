import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { SCOPES } from '../../../db/api-keys.ts';
import { runAudit } from '../../../db/audit/run-audit.ts';
import { expireDue } from '../../../db/orders/expiry.ts';
import { decodeId } from '../../../domain/ids.ts';
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

/** A pre-sale of a channel that takes orders without stock. */
const withoutStock = (sku: string, shipBy: string, changes: Partial<OrderIntake> = {}) => presale(sku, { channel: 'douyin', shipBy, ...changes });
const announce = (sku: string, quantity: number) => post('/v1/supplies', { reference: `PO-${sku}`, kind: 'purchase_order', location: 'L-1', expectedAt: '2026-11-28T02:00:00Z', lines: [{ sku, quantity }] });
const units = async (id: string) => api.world.one<{ held: number; confirmed: number; missing: number }>(
  `select (select coalesce(sum(quantity), 0)::int from reservations where order_id = $1 and status = 'held' and expires_at is not null) held,
     (select coalesce(sum(quantity), 0)::int from reservations where order_id = $1 and status = 'confirmed') confirmed, (select coalesce(sum(quantity), 0)::int from shortages where order_id = $1 and status = 'open') missing`, decodeId('ord', id));

test('a pre-sale that waits for units gets them by its promise when they are announced; unpaid, they go to who is next in the same moment', async () => {
  const sku = `SKU-${++skus}`;
  const paid = await withoutStock(sku, '2026-12-03T00:00:00Z', { payment: { status: 'paid' } });
  await api.advance(paid);
  const reserved = await withoutStock(sku, '2026-12-01T00:00:00Z');
  const unpaid = await withoutStock(sku, '2026-11-30T00:00:00Z', { payment: { status: 'unpaid' } });
  expect([await units(paid), await units(reserved), await units(unpaid)]).toEqual(Array(3).fill({ held: 0, confirmed: 0, missing: 2 }));
  await announce(sku, 3);
  // Nothing has been paid for the third: it does not stand in line.
  expect([await units(reserved), await units(paid), await units(unpaid)]).toEqual([{ held: 2, confirmed: 0, missing: 0 }, { held: 0, confirmed: 1, missing: 1 }, { held: 0, confirmed: 0, missing: 2 }]);
  expect((await order(reserved)).status).toBe('awaiting_payment');
  api.world.now = new Date(DUE);
  expect(await expireDue(api.world.store.writer)).toBe(2);
  expect([(await order(reserved)).status, await units(paid), await coming(sku)]).toEqual(['expired', { held: 0, confirmed: 2, missing: 0 }, { on: 3, held: 2 }]);
});

test('a pre-sale without units waits for them from the payment of its balance on: it is not given up in the same second', async () => {
  const sku = `SKU-${++skus}`;
  const id = await withoutStock(sku, '2026-12-20T00:00:00Z', { payment: { status: 'deposit', deposit: 3_000, balanceDueAt: '2026-12-10T02:00:00Z' } });
  const at = (iso: string) => { api.world.now = new Date(iso); };
  at('2026-12-01T02:00:00Z'); // the channel waits two days for stock
  expect((await post(`/v1/orders/${id}/payment`, { status: 'paid', reference: 'PAY-9' })).status).toBe(200);
  await api.advance(id);
  expect([await units(id), (await order(id)).status]).toEqual([{ held: 0, confirmed: 0, missing: 2 }, 'backordered']);
  at('2026-12-03T02:00:00Z');
  await api.advance(id);
  // What was paid, deposit and balance, is given back once.
  expect(await order(id)).toMatchObject({ status: 'cancelled', refunds: [{ cause: 'shortage', amount: 20_000 }] });
});

test('receiving what a pre-sale waits for keeps it waiting for its balance', async () => {
  const sku = await announced(2);
  const id = await presale(sku);
  await post(`/v1/supplies/PO-${sku}/receipts`, { reference: 'R', lines: [{ sku, quantity: 2 }] });
  await api.advance(id);
  expect([(await order(id)).status, await units(id)]).toEqual(['awaiting_payment', { held: 2, confirmed: 0, missing: 0 }]);
  await post(`/v1/orders/${id}/payment`, { status: 'paid', reference: 'PAY-10' });
  await api.advance(id);
  expect((await order(id)).status).toBe('in_fulfillment');
});

test('the supply of a pre-sale is cancelled: nothing is given back before its time, and then the deposit is, since we lacked the units', async () => {
  const sku = await announced(2);
  const id = await presale(sku);
  await post(`/v1/supplies/PO-${sku}/cancel`, {});
  expect([await order(id), await units(id)]).toMatchObject([{ status: 'awaiting_payment', refunds: [] }, { held: 0, confirmed: 0, missing: 2 }]);
  api.world.now = new Date(DUE);
  expect(await expireDue(api.world.store.writer)).toBe(1);
  expect([(await order(id)).refunds, await told(id, 'order.deposit_refunded'), await told(id, 'order.deposit_kept')]).toMatchObject([[{ cause: 'cancellation', amount: 3_000 }], 1, 0]);
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
