import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { runAudit } from '../../../db/audit/run-audit.ts';
import { refundLost } from '../../../db/claims/refund-lost.ts';
import { beginRelease } from '../../../db/fulfillment/release.ts';
import { cancelLines } from '../../../db/orders/cancel-lines.ts';
import { changeAddress } from '../../../db/orders/change-address.ts';
import { lockOrder } from '../../../db/orders/order.ts';
import { requestRefund } from '../../../db/orders/refund-request.ts';
import { inspectReturn, receiveReturn } from '../../../db/returns/returns.ts';
import { decodeId, encodeId } from '../../../domain/ids.ts';
import type { ReleaseMessage } from '../../../partners/location-partner.ts';
import { TestApi } from '../../support/api.ts';
import { defaultAnswer, type Fulfillment } from '../../support/world.ts';

let api: TestApi;
let skus = 0;
beforeAll(async () => { api = await TestApi.open({ skus: 60, stock: 0 }); });
afterEach(async () => {
  api.world.partners.answer = defaultAnswer;
  await api.world.store.pool.query('delete from location_pauses');
  expect(await api.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
  expect((await runAudit(api.world.store.pool, { now: api.world.now })).violations).toEqual([]);
});
afterAll(async () => { await api.close(); });

const uuid = (id: string): string => decodeId('ord', id) as string;
const payment = async (id: string): Promise<string> => (await api.world.one<{ p: string }>('select payment_status p from orders where id = $1', uuid(id))).p;
const messages = (id: string): ReleaseMessage[] => api.world.partners.requests.filter((r) => r.url.endsWith('/v1/fulfillment-orders') && (r.body as ReleaseMessage).orderId === id).map((r) => r.body as ReleaseMessage);
/** What each fulfillment order's location and carrier were told to collect, oldest first: `[location, status, of the location, of the carrier]`. */
async function told(id: string): Promise<unknown[]> {
  return (await api.world.fulfillments(id)).map((f) => [f.location, f.status, messages(id).find((m) => m.fulfillmentOrderId === f.id)?.cashOnDelivery?.amount ?? null,
    (api.world.partners.requests.find((r) => r.url.endsWith('/v1/waybills') && (r.body as { requestId: string }).requestId === f.id)?.body as { cashOnDelivery?: { amount: number } } | undefined)?.cashOnDelivery?.amount ?? null]);
}
async function arrives(f: Fulfillment): Promise<void> {
  await api.world.issue(f);
  await api.world.carrier(f.waybillNo ?? '', 'delivered');
}
/** Two lines of 1400 with their freight, each at a place of its own and at a third one: both are released, the first parcel collects it all. */
async function split(): Promise<{ id: string; lines: { sku: string; quantity: number; unitPrice: number }[]; carrying: Fulfillment; other: Fulfillment }> {
  const lines = [{ sku: `SKU-${++skus}`, quantity: 1, unitPrice: 1000 }, { sku: `SKU-${++skus}`, quantity: 2, unitPrice: 500 }];
  await api.world.setStock(lines[0]!.sku, { 'L-1': 5 });
  await api.world.setStock(lines[1]!.sku, { 'L-2': 5 });
  await api.world.store.projection.refresh();
  const id = await api.order({ lines, payment: { status: 'cash_on_delivery' } });
  const both = await api.world.fulfillments(id);
  const carrying = both.find((f) => messages(id).some((m) => m.fulfillmentOrderId === f.id && m.cashOnDelivery?.amount === 2800))!;
  await api.world.setStock(lines[0]!.sku, { 'L-3': 5 });
  await api.world.setStock(lines[1]!.sku, { 'L-3': 5 });
  return { id, lines, carrying, other: both.find((f) => f.id !== carrying.id)! };
}

test('the parcel that was to collect never leaves: the one in its place collects, and only that one pays the order', async () => {
  const { id, carrying, other } = await split();
  await api.world.tell(carrying, { type: 'rejected', reason: 'closed' });
  await api.advance(id);
  const [, , instead] = await api.world.fulfillments(id);
  expect(await told(id)).toEqual([[carrying.location, 'rejected', 2800, 2800], [other.location, 'released', null, null], ['L-3', 'released', 2800, 2800]]);
  await arrives(other);
  expect([await payment(id), await api.world.status(id)]).toEqual(['cash_on_delivery', 'partially_shipped']);
  await arrives(instead!);
  expect([await payment(id), await api.world.status(id), await api.world.refunds(id)]).toEqual(['paid', 'delivered', []]);
  expect((await api.world.events(id)).filter((e) => e === 'order.paid')).toHaveLength(1);
});

test('taken back because of a new address: the same', async () => {
  const { id, other } = await split();
  await api.world.tell(other, { type: 'packed', parcels: [] });
  await changeAddress(api.world.store.writer, api.world.store.network, api.world.store.vault, uuid(id), { name: 'Test Person', phone: '10000000001', country: 'CN', province: 'Shanghai', city: 'Shanghai', street: '2 Example Road' }, 'key:test');
  await api.advance(id);
  expect((await told(id)).map((t) => (t as unknown[]).slice(1))).toEqual([['cancelled', 2800, 2800], ['packed', null, null], ['released', 2800, 2800]]);
});

test('units cancelled before it is collected are owed back when it is, once', async () => {
  const { id, carrying, other } = await split();
  await cancelLines(api.world.store.writer, uuid(id), { reference: 'C', reason: 'buyer', lines: [{ line: other.lines[0]!.lineNo, quantity: other.lines[0]!.quantity }] }, 'key:test');
  await api.advance(id);
  expect([await told(id), await api.world.refunds(id)]).toEqual([[[carrying.location, 'released', 2800, 2800], [other.location, 'cancelled', null, null]], []]);
  await arrives(carrying);
  expect([await payment(id), await api.world.status(id), await api.world.refunds(id)]).toEqual(['paid', 'delivered', [['overpaid', 1400]]]);
  await api.world.carrier(carrying.waybillNo ?? '', 'delivered');
  expect(await api.world.refunds(id)).toEqual([['overpaid', 1400]]);
});

test('units cancelled after it was collected are owed back at once, though the rest is still to come', async () => {
  const { id, carrying, other } = await split();
  await arrives(carrying);
  expect([await payment(id), await api.world.status(id)]).toEqual(['paid', 'partially_shipped']);
  await requestRefund(api.world.store.writer, uuid(id), 'changed their mind', 'key:test');
  expect([await api.world.refunds(id), (await api.world.fulfillments(id)).find((f) => f.id === other.id)!.status]).toEqual([[['refund_request', 1400]], 'cancelled']);
});

test('what is told is told once: a release that begins anew after a crash collects the same, whatever was cancelled meanwhile', async () => {
  const { writer, network, vault } = api.world.store;
  const lines = [{ sku: `SKU-${++skus}`, quantity: 1, unitPrice: 1000 }, { sku: `SKU-${++skus}`, quantity: 2, unitPrice: 500 }];
  await api.world.setStock(lines[0]!.sku, { 'L-1': 5 });
  await api.world.setStock(lines[1]!.sku, { 'L-2': 5 });
  await api.world.store.projection.refresh();
  const id = await api.order({ lines, payment: { status: 'cash_on_delivery' } }, 'ship');
  const [first, second] = await api.world.fulfillments(id);
  const begin = async (f: Fulfillment) => (await beginRelease(writer, network, vault, uuid(id), decodeId('ful', f.id) as string))?.cashOnDelivery;
  // At the same time, twice: one of them collects.
  const all = await Promise.all([begin(first!), begin(second!), begin(first!), begin(second!)]);
  expect(all.filter((c) => c?.amount === 2800)).toHaveLength(2);
  expect(all.filter((c) => c === null)).toHaveLength(2);
  const carrying = all[0] ? first! : second!;
  const other = carrying === first ? second! : first!;
  await api.world.tell(other, { type: 'rejected', reason: 'closed' });
  await cancelLines(writer, uuid(id), { reference: 'D', reason: 'buyer', lines: other.lines.map((l) => ({ line: l.lineNo, quantity: l.quantity })) }, 'key:test');
  expect(await begin(carrying)).toEqual({ amount: 2800, currency: 'CNY' });
  await api.advance(id);
  await arrives((await api.world.fulfillments(id)).find((f) => f.id === carrying.id)!);
  expect([await payment(id), await api.world.refunds(id)]).toEqual(['paid', [['overpaid', 1400]]]);
});

/** The parcel that collects all of it (2800) is under way; the other half was not found at its place, and there is no more of it. */
async function waits(): Promise<{ id: string; sku: string; carrying: Fulfillment }> {
  const lines = [{ sku: `SKU-${++skus}`, quantity: 1, unitPrice: 1000 }, { sku: `SKU-${++skus}`, quantity: 2, unitPrice: 500 }];
  await api.world.setStock(lines[0]!.sku, { 'L-1': 1 });
  await api.world.setStock(lines[1]!.sku, { 'L-2': 2 });
  await api.world.store.projection.refresh();
  const id = await api.order({ lines, payment: { status: 'cash_on_delivery' } });
  const both = await api.world.fulfillments(id);
  const carrying = both.find((f) => messages(id).some((m) => m.fulfillmentOrderId === f.id && m.cashOnDelivery?.amount === 2800))!;
  const other = both.find((f) => f.id !== carrying.id)!;
  await api.world.tell(other, { type: 'rejected', reason: 'not_found' });
  await api.world.issue(carrying);
  await api.advance(id);
  return { id, sku: lines[other.lines[0]!.lineNo - 1]!.sku, carrying };
}
/** Stock has come for what waits: what its location and carrier are told to collect. */
async function comes(id: string, sku: string): Promise<{ sent: Fulfillment; collects: unknown[] }> {
  await api.world.setStock(sku, { 'L-3': 5 });
  await api.advance(id);
  return { sent: (await api.world.fulfillments(id)).at(-1)!, collects: (await told(id)).at(-1) as unknown[] };
}
/** What came back is received, inspected and refunded. */
async function takenBack(id: string, f: Fulfillment): Promise<void> {
  const { id: rma } = await api.world.one<{ id: string }>('select id from returns where order_id = $1', uuid(id));
  const { lineNo: line, quantity } = f.lines[0]!;
  await receiveReturn(api.world.store.writer, encodeId('rma', rma), [{ line, quantity }], null, 'key:test');
  await inspectReturn(api.world.store.writer, encodeId('rma', rma), [{ line, disposition: 'restock', accepted: quantity }], null, 'key:test');
  await api.advance(id);
}
const paidTimes = async (id: string): Promise<number> => (await api.world.events(id)).filter((e) => e === 'order.paid').length;

test('while the parcel that collects is under way the next one collects nothing', async () => {
  const { id, sku, carrying } = await waits();
  const { sent, collects } = await comes(id, sku);
  expect(collects).toEqual(['L-3', 'released', null, null]);
  await arrives(sent);
  await api.world.carrier(carrying.waybillNo ?? '', 'delivered');
  expect([await payment(id), await api.world.refunds(id), await paidTimes(id)]).toEqual(['paid', [], 1]);
});

test('refused at the door: what leaves afterwards collects for itself, and pays the order once the rest is refunded', async () => {
  const { id, sku, carrying } = await waits();
  await api.world.carrier(carrying.waybillNo ?? '', 'returning');
  const { sent, collects } = await comes(id, sku);
  expect(collects).toEqual(['L-3', 'released', 1400, 1400]);
  await arrives(sent);
  await api.world.carrier(carrying.waybillNo ?? '', 'returned', new Date(api.world.now.getTime() + 1));
  expect([await payment(id), await api.world.refunds(id)]).toEqual(['cash_on_delivery', []]);
  await takenBack(id, carrying);
  expect([await payment(id), await api.world.status(id), await api.world.refunds(id), await paidTimes(id)]).toEqual(['paid', 'delivered', [], 1]);
});

test('come back and taken in before the rest leaves: the same', async () => {
  const { id, sku, carrying } = await waits();
  await api.world.carrier(carrying.waybillNo ?? '', 'returned');
  await takenBack(id, carrying);
  expect([await payment(id), await api.world.refunds(id)]).toEqual(['cash_on_delivery', []]);
  const { sent, collects } = await comes(id, sku);
  expect(collects).toEqual(['L-3', 'released', 1400, 1400]);
  await arrives(sent);
  expect([await payment(id), await api.world.refunds(id), await paidTimes(id)]).toEqual(['paid', [], 1]);
});

test('lost: the next one collects for itself; found and delivered after all, what is collected beyond the order is owed back', async () => {
  const { id, sku, carrying } = await waits();
  await api.world.carrier(carrying.waybillNo ?? '', 'lost');
  const { sent, collects } = await comes(id, sku);
  expect(collects).toEqual(['L-3', 'released', 1400, 1400]);
  await arrives(sent);
  expect([await payment(id), await api.world.refunds(id)]).toEqual(['cash_on_delivery', []]);
  await api.world.carrier(carrying.waybillNo ?? '', 'delivered', new Date(api.world.now.getTime() + 1));
  expect([await payment(id), await api.world.refunds(id), await paidTimes(id)]).toEqual(['paid', [['overpaid', 1400]], 1]);
});

test('lost and refunded: the next one collects for itself, and the order is paid', async () => {
  const { id, sku, carrying } = await waits();
  await api.world.carrier(carrying.waybillNo ?? '', 'lost');
  await api.world.store.writer.change(async (tx) => { await refundLost(tx, await lockOrder(tx, uuid(id)), 'key:test'); });
  const { sent, collects } = await comes(id, sku);
  expect(collects).toEqual(['L-3', 'released', 1400, 1400]);
  await arrives(sent);
  expect([await payment(id), await api.world.refunds(id), await paidTimes(id)]).toEqual(['paid', [], 1]);
});
