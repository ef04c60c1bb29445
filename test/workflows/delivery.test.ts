import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { trackParcels, type TrackingNews } from '../../db/fulfillment/track-parcels.ts';
import { inspectReturn, receiveReturn } from '../../db/returns/returns.ts';
import { decodeId, encodeId } from '../../domain/ids.ts';
import type { ReleaseMessage } from '../../partners/location-partner.ts';
import { DAY, MINUTE, Scene } from '../support/scene.ts';

let s: Scene;
beforeAll(async () => { s = await Scene.open(); });
afterAll(async () => { await s.close(); });
afterEach(async () => { expect(await s.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 }); });

const uuid = (id: string): string => decodeId('ord', id) as string;
const payment = async (id: string): Promise<string> => (await s.world.one<{ p: string }>('select payment_status p from orders where id = $1', uuid(id))).p;
const messages = (id: string): ReleaseMessage[] =>
  s.world.partners.requests.filter((r) => r.url.endsWith('/v1/fulfillment-orders') && (r.body as ReleaseMessage).orderId === id).map((r) => r.body as ReleaseMessage);
const waybills = (id: string): Record<string, unknown>[] => messages(id).map((m) =>
  s.world.partners.requests.find((r) => r.url.endsWith('/v1/waybills') && (r.body as { requestId: string }).requestId === m.fulfillmentOrderId)?.body as Record<string, unknown>);
const milestones = async (id: string): Promise<string[]> =>
  (await s.world.store.pool.query<{ milestone: string }>('select milestone from parcels where order_id = $1 order by id', [uuid(id)])).rows.map((r) => r.milestone);

async function split(changes: Parameters<Scene['order']>[0] = {}): Promise<{ id: string; lines: ReturnType<Scene['lines']> }> {
  const lines = s.lines();
  await s.world.setStock(lines[0]!.sku, { 'L-2': 0, 'L-3': 0 });
  await s.world.setStock(lines[1]!.sku, { 'L-1': 0, 'L-3': 0 });
  return { id: await s.order({ lines, ...changes }), lines };
}

test('cash on delivery: told to the carrier and the location, paid when it arrives', async () => {
  const id = await s.order({ payment: { status: 'cash_on_delivery' } });
  expect(messages(id)[0]).toMatchObject({ cashOnDelivery: { amount: 2800, currency: 'CNY' } });
  expect(waybills(id)[0]).toMatchObject({ cashOnDelivery: { amount: 2800, currency: 'CNY' }, weightG: 900 });
  await s.issue(id);
  expect(await payment(id)).toBe('cash_on_delivery');
  await s.carrier(id, 'delivered');
  expect(await payment(id)).toBe('paid');
  expect(await s.world.events(id)).toContain('order.paid');
});

test('cash on delivery over two locations: collected once, for all of it', async () => {
  const { id } = await split({ payment: { status: 'cash_on_delivery' } });
  expect(messages(id).map((m) => m.cashOnDelivery).sort((a) => (a ? -1 : 1))).toEqual([{ amount: 2800, currency: 'CNY' }, undefined]);
});

test('cash on delivery with units that were cancelled: only the rest is collected', async () => {
  const lines = s.lines();
  await s.world.setStock(lines[1]!.sku, { 'L-1': 1, 'L-2': 0, 'L-3': 0 });
  const id = await s.order({ lines, channel: 'douyin', payment: { status: 'cash_on_delivery' } });
  await s.skip(3 * DAY, id);
  // Nobody answers, and there is no other place: it is asked twice more, for the same.
  expect(messages(id).map((m) => m.cashOnDelivery)).toEqual([1, 2, 3].map(() => ({ amount: 2100, currency: 'CNY' })));
  expect(await s.world.refunds(id)).toEqual([]);
});

test('cash on delivery that is refused at the door: never paid, nothing to refund', async () => {
  const id = await s.order({ payment: { status: 'cash_on_delivery' } });
  await s.issue(id);
  await s.carrier(id, 'attempt_failed');
  await s.carrier(id, 'returning');
  await s.carrier(id, 'returned');
  expect(await payment(id)).toBe('cash_on_delivery');
  const row = await s.world.one<{ id: string }>('select id from returns where order_id = $1', uuid(id));
  const rma = encodeId('rma', row.id);
  await s.run(id, () => receiveReturn(s.world.store.writer, rma, [{ line: 1, quantity: 1 }, { line: 2, quantity: 2 }], null, 'key:test'));
  await s.run(id, () => inspectReturn(s.world.store.writer, rma, [{ line: 1, disposition: 'restock', accepted: 1 }, { line: 2, disposition: 'restock', accepted: 2 }], null, 'key:test'));
  expect(await s.world.refunds(id)).toEqual([]);
  await s.closes(id);
  expect(await s.world.status(id)).toBe('closed');
});

test('split over two locations: partially shipped, shipped, delivered only with the last parcel', async () => {
  const { id, lines } = await split();
  const [a, b] = await s.world.fulfillments(id);
  expect([a!.location, a!.lines, b!.location, b!.lines]).toEqual(['L-1', [{ lineNo: 1, quantity: 1 }], 'L-2', [{ lineNo: 2, quantity: 2 }]]);
  await s.issue(id, a);
  expect(await s.world.status(id)).toBe('partially_shipped');
  await s.issue(id, b);
  expect(await s.world.status(id)).toBe('shipped');
  await s.carrier(id, 'delivered', b);
  expect(await s.world.status(id)).toBe('shipped');
  await s.carrier(id, 'delivered', a);
  expect(await s.world.status(id)).toBe('delivered');
  expect(await s.world.stock(lines[1]!.sku)).toEqual({ 'L-1': [0, 0], 'L-2': [8, 0], 'L-3': [0, 0] });
  expect((await s.world.events(id)).filter((e) => e === 'order.delivered')).toHaveLength(1);
});

test('one fulfillment order in two parcels is delivered with the second', async () => {
  const id = await s.order();
  const f = await s.living(id);
  await s.tell(id, f, { type: 'goods_issue', parcels: [
    { parcelNo: 1, carrier: 'sim', waybillNo: `A-${id}`, lines: [{ lineNo: 1, quantity: 1 }, { lineNo: 2, quantity: 1 }] },
    { parcelNo: 2, carrier: 'sim', waybillNo: `B-${id}`, lines: [{ lineNo: 2, quantity: 1 }] }] });
  await s.run(id, () => s.world.carrier(`A-${id}`, 'delivered'));
  expect(await s.world.status(id)).toBe('shipped');
  await s.run(id, () => s.world.carrier(`B-${id}`, 'delivered'));
  expect(await s.world.status(id)).toBe('delivered');
});

test('priority, remarks, gifts and the scheduled time reach the location', async () => {
  const [a, b] = s.lines();
  const from = new Date(s.world.now.getTime() + 30 * MINUTE).toISOString();
  const id = await s.order({ lines: [a!, { ...b!, gift: true }], priority: 2, buyerRemark: 'ring twice', sellerRemark: 'fragile', scheduled: { from } });
  await s.skip(31 * MINUTE, id);
  const [message] = messages(id);
  expect(message).toMatchObject({
    locationCode: 'L-1', priority: 2, buyerRemark: 'ring twice', sellerRemark: 'fragile', scheduledFrom: from, carrier: 'sim',
    shipTo: { name: 'Test Person', phone: '10000000001', city: 'Shanghai', street: '1 Example Road' },
    lines: [{ lineNo: 1, sku: a!.sku, quantity: 1 }, { lineNo: 2, sku: b!.sku, quantity: 2, gift: true }],
  });
  expect(message!.waybillNo).toBe(`W-${message!.fulfillmentOrderId}`);
  expect(Date.parse(message!.shipBy)).toBeGreaterThan(Date.parse(from));
});

test('tracking out of order and twice: the parcel only moves on, each event counts once', async () => {
  const id = await s.order();
  await s.issue(id);
  const waybillNo = (await s.living(id)).waybillNo ?? '';
  const news = (status: TrackingNews['status'], minute: number): TrackingNews =>
    ({ eventId: randomUUID(), waybillNo, status, occurredAt: new Date(s.world.now.getTime() + minute * MINUTE).toISOString() });
  const track = (...events: TrackingNews[]) => s.run(id, () => trackParcels(s.world.store.writer, 'sim', events));
  const out = news('out_for_delivery', 30);
  expect(await track(out)).toEqual({ accepted: 1, duplicates: 0, unknown: 0 });
  expect(await track(news('picked_up', 10), news('in_transit', 20), out)).toEqual({ accepted: 2, duplicates: 1, unknown: 0 });
  expect(await milestones(id)).toEqual(['out_for_delivery']);
  await track(news('attempt_failed', 40));
  expect(await milestones(id)).toEqual(['attempt_failed']);
  await track(news('out_for_delivery', 35));
  expect(await milestones(id)).toEqual(['attempt_failed']);
  await track(news('out_for_delivery', 50), news('delivered', 60));
  await track(news('attempt_failed', 70));
  expect(await milestones(id)).toEqual(['delivered']);
  expect(await track({ ...news('delivered', 80), waybillNo: 'nobody-knows' })).toEqual({ accepted: 0, duplicates: 0, unknown: 1 });
  expect((await s.world.events(id)).filter((e) => e.startsWith('parcel.'))).toEqual(['parcel.out_for_delivery', 'parcel.attempt_failed', 'parcel.out_for_delivery', 'parcel.delivered']);
  expect(await s.world.status(id)).toBe('delivered');
});

test('a lost parcel keeps the order shipped; found and delivered, it goes on', async () => {
  const id = await s.order();
  await s.issue(id);
  await s.carrier(id, 'exception');
  await s.carrier(id, 'lost');
  expect(await s.world.status(id)).toBe('shipped');
  expect(await milestones(id)).toEqual(['lost']);
  await s.carrier(id, 'in_transit');
  expect(await milestones(id)).toEqual(['lost']);
  await s.carrier(id, 'delivered');
  expect(await s.world.status(id)).toBe('delivered');
});

test('a location without a connector works through the API: released without a call', async () => {
  await s.world.store.pool.query(`update locations set partner_url = null where code = 'L-1'`);
  await s.world.store.network.reload();
  const id = await s.order();
  expect((await s.living(id)).status).toBe('released');
  expect(messages(id)).toEqual([]);
  await s.issue(id);
  expect(await s.world.status(id)).toBe('shipped');
  await s.world.store.pool.query(`update locations set partner_url = 'http://wms.test' where code = 'L-1'`);
  await s.world.store.network.reload();
});
