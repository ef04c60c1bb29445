import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { SCOPES } from '../../../db/api-keys.ts';
import { runAudit } from '../../../db/audit/run-audit.ts';
import { decodeId } from '../../../domain/ids.ts';
import { TestApi } from '../../support/api.ts';
import { defaultAnswer } from '../../support/world.ts';
import { refused, send, type Reply } from '../network/requests.ts';

let api: TestApi;
let admin: string;
let skus = 0;
let references = 0;
beforeAll(async () => {
  api = await TestApi.open({ skus: 40, stock: 0 });
  admin = await api.key('admin', SCOPES);
});
afterAll(async () => { await api.close(); });
afterEach(async () => {
  api.world.partners.answer = defaultAnswer;
  expect((await runAudit(api.world.store.pool, { now: api.world.now })).violations).toEqual([]);
});

/** A SKU that no other test uses, with this stock. */
async function stocked(at: Record<string, number>): Promise<string> {
  const sku = `SKU-${++skus}`;
  await api.world.setStock(sku, at);
  return sku;
}
const line = (sku: string, quantity: number): object => ({ lines: [{ sku, quantity, unitPrice: 100 }] });
const lose = (sku: string, units: number, location = 'L-1', reference = `A-${++references}`): Promise<Reply> =>
  send(api, admin, 'POST', '/v1/stock/adjustments', { reference, location, reason: 'count', lines: [{ sku, delta: -units }] });
const receive = (sku: string, quantity: number, location = 'L-1'): Promise<Reply> =>
  send(api, admin, 'POST', '/v1/stock/receipts', { reference: `R-${++references}`, location, lines: [{ sku, quantity }] });
const plan = async (id: string): Promise<unknown[]> => (await api.world.fulfillments(id)).map((f) => [f.location, f.status, f.reason, f.lines.map((l) => l.quantity)]);
const shortages = async (id: string): Promise<unknown[]> =>
  (await api.world.store.pool.query<{ row: string }>(`select format('%s %s %s %s', line_no, quantity, cause, status) "row" from shortages where order_id = $1 order by id`, [decodeId('ord', id)])).rows.map((r) => r.row);
const waybills = async (id: string): Promise<unknown[]> =>
  (await api.world.store.pool.query<{ row: string }>(`select format('%s %s', request_id, state) "row" from waybills where order_id = $1 order by asked_at, request_id`, [decodeId('ord', id)])).rows.map((r) => r.row);
const looks = async (id: string): Promise<number> =>
  (await api.world.one<{ n: number }>(`select count(*)::int n from outbox where order_id = $1 and topic = 'look'`, decodeId('ord', id))).n;

test('an order routed to a location that loses all of it is served from elsewhere and arrives; the location hears nothing', async () => {
  const sku = await stocked({ 'L-1': 4, 'L-2': 4 });
  const id = await api.order(line(sku, 4), 'ship');
  expect(await plan(id)).toEqual([['L-1', 'routed', null, [4]]]);
  const asked = api.world.partners.requests.length;
  expect((await lose(sku, 4)).body).toMatchObject({ shortened: 4 });
  expect([await plan(id), await shortages(id), await api.world.status(id), await looks(id)]).toEqual([[['L-1', 'cancelled', 'stock_loss', [4]]], ['1 4 stock_loss open'], 'backordered', 1]);
  await api.advance(id);
  expect([await plan(id), await shortages(id)]).toEqual([[['L-1', 'cancelled', 'stock_loss', [4]], ['L-2', 'released', null, [4]]], ['1 4 stock_loss served']]);
  expect(api.world.partners.requests.slice(asked).map((r) => (r.body as { locationCode?: string }).locationCode ?? r.url)).toEqual(['http://carrier.test/v1/waybills', 'L-2']);
  await api.world.issue((await api.world.fulfillments(id))[1]!);
  expect(await api.world.status(id)).toBe('shipped');
});

test('a location that has the order is told to stop, its number is taken back, and its goods issue is refused', async () => {
  const sku = await stocked({ 'L-1': 4, 'L-2': 4 });
  const id = await api.order(line(sku, 4));
  const [there] = await api.world.fulfillments(id);
  await lose(sku, 3);
  expect(await waybills(id)).toEqual([`${there!.id} issued`]);
  await lose(sku, 1);
  expect(await waybills(id)).toEqual([`${there!.id} void`]);
  const key = await api.key('wms', ['fulfillment:write'], 'L-1');
  await refused(api, () => send(api, key, 'POST', '/v1/partners/locations/L-1/events', {
    eventId: 'late', fulfillmentOrderId: there!.id, type: 'goods_issue', occurredAt: api.world.now.toISOString(),
    parcels: [{ parcelNo: 1, carrier: 'sim', waybillNo: there!.waybillNo, lines: [{ lineNo: 1, quantity: 4 }] }],
  }), 409, 'handover_blocked');
  await api.advance(id);
  expect(api.world.partners.to(`/fulfillment-orders/${there!.id}/cancel`).map((r) => r.body)).toEqual([{ reason: 'stock_loss' }]);
  const [, other] = await api.world.fulfillments(id);
  expect(other).toMatchObject({ location: 'L-2', status: 'released', lines: [{ lineNo: 1, quantity: 4 }] });
  expect(await waybills(id)).toEqual([`${there!.id} void`, `${other!.id} issued`]);
  await api.world.issue(other!);
  await api.world.carrier(other!.waybillNo ?? '', 'delivered');
  expect(await api.world.status(id)).toBe('delivered');
});

test('all of it is lost between a carrier\'s being asked for a number and its answer: the number is taken back once it comes', async () => {
  const sku = await stocked({ 'L-1': 4 });
  const id = await api.order(line(sku, 4), 'ship');
  const [there] = await api.world.fulfillments(id);
  api.world.partners.answer = async (r) => {
    if (r.url.endsWith('/v1/waybills')) {
      await lose(sku, 4);
      expect([await plan(id), await waybills(id)]).toEqual([[['L-1', 'cancelled', 'stock_loss', [4]]], [`${there!.id} void`]]);
    }
    return defaultAnswer(r);
  };
  await api.world.activities(null).ship({ orderId: id, fulfillmentOrderId: there!.id });
  expect(await waybills(id)).toEqual([`${there!.id} void`]);
});

test('a part is lost: the rest leaves, and the location serves the part when it has stock again', async () => {
  const sku = await stocked({ 'L-1': 4 });
  const beside = await stocked({ 'L-1': 2 });
  const id = await api.order({ lines: [{ sku, quantity: 4, unitPrice: 100 }, { sku: beside, quantity: 2, unitPrice: 100 }] }, 'ship');
  await lose(sku, 3);
  expect([await plan(id), await shortages(id)]).toEqual([[['L-1', 'routed', null, [1, 2]]], ['1 3 stock_loss open']]);
  await lose(beside, 2);
  expect(await plan(id)).toEqual([['L-1', 'routed', null, [1]]]);
  await api.advance(id);
  await api.world.issue((await api.world.fulfillments(id))[0]!);
  expect(await api.world.status(id)).toBe('partially_shipped');
  await receive(sku, 5);
  await receive(beside, 2);
  await api.advance(id);
  const [, second] = await api.world.fulfillments(id);
  expect(second).toMatchObject({ location: 'L-1', status: 'released', lines: [{ lineNo: 1, quantity: 3 }, { lineNo: 2, quantity: 2 }] });
  await api.world.issue(second!);
  expect([await api.world.status(id), await api.world.stock(sku)]).toMatchObject(['shipped', { 'L-1': [2, 0] }]);
});

test('what is lost while a cancellation stands is cancelled and refunded, not looked for', async () => {
  const sku = await stocked({ 'L-1': 4, 'L-2': 4 });
  const id = await api.order(line(sku, 4));
  expect((await send(api, admin, 'POST', `/v1/orders/${id}/cancel`, { reason: 'changed their mind' })).status).toBeLessThan(300);
  await lose(sku, 4);
  expect([await plan(id), await shortages(id), await api.world.status(id), await api.world.refunds(id)]).toEqual([[['L-1', 'cancelled', 'stock_loss', [4]]], [], 'cancelled', [['cancellation', 1200]]]);
  expect(await api.world.stock(sku)).toMatchObject({ 'L-1': [0, 0], 'L-2': [4, 0] });
});

test('the youngest lose first, and only as many as must; each order is told once', async () => {
  const sku = await stocked({ 'L-1': 9 });
  const ids: string[] = [];
  for (let i = 0; i < 3; i++) ids.push(await api.order(line(sku, 3), 'route'));
  expect((await lose(sku, 4)).body).toMatchObject({ shortened: 4 });
  expect(await Promise.all(ids.map(shortages))).toEqual([[], ['1 1 stock_loss open'], ['1 3 stock_loss open']]);
  expect(await Promise.all(ids.map(looks))).toEqual([0, 1, 1]);
  expect(await api.world.stock(sku)).toMatchObject({ 'L-1': [5, 5] });
});

test('a reference counts once, however often it is sent at once; another body is refused', async () => {
  const sku = await stocked({ 'L-1': 6 });
  await api.order(line(sku, 4), 'route');
  const answers = await Promise.all(Array.from({ length: 6 }, () => lose(sku, 3, 'L-1', 'ONCE')));
  expect(answers).toEqual(Array(6).fill({ status: 200, body: { reference: 'ONCE', shortened: 1 } }));
  expect(await api.world.stock(sku)).toMatchObject({ 'L-1': [3, 3] });
  await refused(api, () => lose(sku, 2, 'L-1', 'ONCE'), 409, 'duplicate_with_other_body', '/reference');
  await refused(api, () => lose(sku, 4), 409, 'conflict', '/lines/0/delta');
});

test('losses, captures and cancellations at once: nothing is sold twice, nothing hangs', async () => {
  const sku = await stocked({ 'L-1': 40 });
  const early = await Promise.all(Array.from({ length: 10 }, () => api.world.capture(line(sku, 2))));
  await Promise.all([
    ...Array.from({ length: 10 }, () => lose(sku, 3)),
    ...Array.from({ length: 8 }, () => api.world.capture({ channel: 'douyin', ...line(sku, 2) })),
    ...early.slice(0, 4).map(({ id }) => send(api, admin, 'POST', `/v1/orders/${id}/cancel`, { reason: 'race' })),
  ]);
  const { 'L-1': level } = await api.world.stock(sku) as { 'L-1': [number, number] };
  expect(level[0]).toBe(10);
  const { units } = await api.world.one<{ units: number }>(
    `select coalesce(sum(s.quantity), 0)::int units from shortages s join skus k on k.id = s.sku_id where k.code = $1 and s.status = 'open'`, sku);
  expect(level[1] + units).toBe(28);
});
