import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { cancelOrder } from '../../db/orders/cancel-order.ts';
import { PartnerUnavailable } from '../../domain/http-port.ts';
import { decodeId } from '../../domain/ids.ts';
import { orderWorkflowId } from '../../workflows/contract/ids.ts';
import { MINUTE, Scene } from '../support/scene.ts';
import { defaultAnswer } from '../support/world.ts';

let s: Scene;
beforeAll(async () => { s = await Scene.open(); });
afterAll(async () => { await s.close(); });
afterEach(async () => {
  await s.world.store.pool.query('delete from location_pauses');
  s.world.partners.answer = defaultAnswer;
  expect(await s.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
});

const uuid = (id: string): string => decodeId('ord', id) as string;
const cancel = (id: string): Promise<'cancelled' | 'asked'> => cancelOrder(s.world.store.writer, uuid(id), 'buyer changed their mind', 'key:test');
const FREE = { 'L-1': [10, 0], 'L-2': [10, 0], 'L-3': [10, 0] };
const refusing = (reason: string): void => {
  s.world.partners.answer = (r) => r.url.includes('/fulfillment-orders/') && r.url.endsWith('/cancel') ? { status: 200, body: { outcome: 'refused', reason } } : defaultAnswer(r);
};
const over = async (id: string): Promise<void> => { await s.environment.client.workflow.getHandle(orderWorkflowId(id)).result(); };

test('captured, before its workflow started: everything is free at once, the workflow only ends', async () => {
  const lines = s.lines();
  const id = await s.capture({ lines });
  expect(await cancel(id)).toBe('cancelled');
  expect(await s.world.status(id)).toBe('cancelled');
  await s.settle(id);
  await over(id);
  expect(await s.world.events(id)).toEqual(['order.captured', 'order.cancel_requested', 'refund.due', 'order.units_cancelled', 'order.cancelled']);
  expect(await s.world.refunds(id)).toEqual([['cancellation', 2800]]);
  expect(await s.world.stock(lines[1]!.sku)).toEqual(FREE);
  expect(await cancel(id)).toBe('cancelled');
  expect(await s.world.refunds(id)).toEqual([['cancellation', 2800]]);
});

test('awaiting payment: stock is free, nothing is owed', async () => {
  const lines = s.lines();
  const id = await s.order({ lines, payment: { status: 'unpaid' } });
  expect(await s.world.status(id)).toBe('awaiting_payment');
  expect(await s.run(id, () => cancel(id))).toBe('cancelled');
  await over(id);
  expect(await s.world.stock(lines[1]!.sku)).toEqual(FREE);
  expect(await s.world.refunds(id)).toEqual([]);
});

test('on hold: cancelled and refunded, no location is ever told', async () => {
  const id = await s.capture();
  await s.world.store.pool.query(`insert into order_holds (order_id, reason, placed_at, placed_by) values ($1, 'manual', now(), 'key:test')`, [uuid(id)]);
  await s.world.store.pool.query(`update orders set status = 'on_hold', hold_reason = 'manual' where id = $1`, [uuid(id)]);
  await s.settle(id);
  expect(await s.world.status(id)).toBe('on_hold');
  expect(await s.run(id, () => cancel(id))).toBe('cancelled');
  await over(id);
  expect(await s.world.status(id)).toBe('cancelled');
  expect(await s.world.refunds(id)).toEqual([['cancellation', 2800]]);
  expect(await s.world.fulfillments(id)).toEqual([]);
});

test('confirmed or routed, before the location is told: no consent is needed', async () => {
  const lines = s.lines();
  const id = await s.order({ lines, scheduled: { from: new Date(s.world.now.getTime() + 60 * MINUTE).toISOString() } });
  expect(await s.world.status(id)).toBe('confirmed');
  expect(await s.run(id, () => cancel(id))).toBe('cancelled');
  await over(id);
  expect(await s.world.stock(lines[1]!.sku)).toEqual(FREE);
  expect(await s.world.refunds(id)).toEqual([['cancellation', 2800]]);

  // Routed: the carrier's answer is held back by a hold placed in between.
  const routed = await s.capture();
  s.world.partners.answer = () => { throw new PartnerUnavailable('not now'); };
  await s.until(routed, async () => (await s.world.fulfillments(routed)).length === 1);
  await s.world.store.pool.query(`update fulfillment_orders set status = 'routed' where order_id = $1`, [uuid(routed)]);
  expect(await cancel(routed)).toBe('cancelled');
  s.world.partners.answer = defaultAnswer;
  await s.settle(routed);
  expect(await s.world.status(routed)).toBe('cancelled');
  expect(await s.world.refunds(routed)).toEqual([['cancellation', 2800]]);
});

test.each(['released', 'accepted'])('%s: the location is asked, agrees, and the waybill is taken back', async (stage) => {
  const lines = s.lines();
  const id = await s.order({ lines });
  const f = await s.living(id);
  if (stage === 'accepted') await s.tell(id, f, { type: 'accepted' });
  await s.sync();
  expect(await cancel(id)).toBe('asked');
  expect(await s.world.status(id)).toBe('in_fulfillment');
  expect(await cancel(id)).toBe('asked');
  await s.settle(id);
  await over(id);
  expect(await s.world.status(id)).toBe('cancelled');
  expect(await s.world.refunds(id)).toEqual([['cancellation', 2800]]);
  expect(await s.world.stock(lines[1]!.sku)).toEqual(FREE);
  expect(s.world.partners.to(`/fulfillment-orders/${f.id}/cancel`)).toHaveLength(1);
  await s.takeBackWaybills();
  expect(s.world.partners.to(`/waybills/${f.waybillNo ?? ''}/cancel`)).toHaveLength(1);
  await expect(s.world.issue(f)).rejects.toMatchObject({ code: 'handover_blocked' });
});

test('packed and refused: the order goes on and is delivered; it can be asked again', async () => {
  const lines = s.lines();
  const id = await s.order({ lines });
  const f = await s.living(id);
  await s.tell(id, f, { type: 'packed', parcels: [] });
  refusing('packed');
  expect(await s.run(id, () => cancel(id))).toBe('asked');
  expect(await s.world.events(id)).toContain('order.cancel_refused');
  expect(await s.run(id, () => cancel(id))).toBe('asked');
  expect((await s.world.events(id)).filter((e) => e === 'order.cancel_refused')).toHaveLength(2);
  expect(await s.world.refunds(id)).toEqual([]);
  expect(await s.issue(id)).toEqual({ ok: true, handOver: 'allowed' });
  await expect(cancel(id)).rejects.toMatchObject({ code: 'conflict' });
  await s.carrier(id, 'delivered');
  expect(await s.world.status(id)).toBe('delivered');
  await s.closes(id);
  expect(await s.world.stock(lines[1]!.sku)).toEqual({ 'L-1': [8, 0], 'L-2': [10, 0], 'L-3': [10, 0] });
});

test('two locations, one refuses: its part goes on, the other part is cancelled and refunded to the cent', async () => {
  const lines = s.lines();
  await s.world.setStock(lines[0]!.sku, { 'L-2': 0, 'L-3': 0 });
  await s.world.setStock(lines[1]!.sku, { 'L-1': 0, 'L-3': 0 });
  const id = await s.order({ lines, freight: 801 });
  const [a, b] = await s.world.fulfillments(id);
  expect([a!.location, b!.location]).toEqual(['L-1', 'L-2']);
  await s.tell(id, a!, { type: 'packed', parcels: [] });
  s.world.partners.answer = (r) => r.url.includes(`/fulfillment-orders/${a!.id}/cancel`) ? { status: 200, body: { outcome: 'refused', reason: 'packed' } } : defaultAnswer(r);
  expect(await s.run(id, () => cancel(id))).toBe('asked');
  expect((await s.world.fulfillments(id)).map((f) => f.status)).toEqual(['packed', 'cancelled']);
  expect(await s.world.refunds(id)).toEqual([['cancellation', 1400]]); // 801 is spread 401 and 400
  expect(await s.world.stock(lines[1]!.sku)).toEqual({ 'L-1': [0, 0], 'L-2': [10, 0], 'L-3': [0, 0] });
  await s.issue(id);
  expect(await s.world.status(id)).toBe('shipped');
  await s.carrier(id, 'delivered');
  await s.closes(id);
  expect(await s.world.status(id)).toBe('closed');
});

test('a location that does not answer the cancellation: the order goes on under its acceptance deadline, not for ever', async () => {
  const id = await s.capture();
  s.world.partners.answer = (r) => { if (r.url.includes('/fulfillment-orders')) throw new PartnerUnavailable('down'); return defaultAnswer(r); };
  await s.until(id, async () => (await s.world.events(id)).includes('fulfillment.unreachable'));
  expect(await cancel(id)).toBe('asked');
  await s.until(id, async () => (await s.world.events(id)).includes('order.cancel_refused'));
  expect(await s.world.status(id)).toBe('in_fulfillment');
  s.world.partners.answer = defaultAnswer;
  await s.skip(2 * MINUTE, id);
  expect((await s.living(id)).status).toBe('released');
});

test('a location that gives the order back by itself while the cancellation is on its way: cancelled, not sent elsewhere', async () => {
  const lines = s.lines();
  const id = await s.order({ lines });
  const f = await s.living(id);
  await s.sync();
  expect(await cancel(id)).toBe('asked');
  await s.world.tell(f, { type: 'rejected', reason: 'closed' });
  await s.settle(id);
  await over(id);
  expect(await s.world.status(id)).toBe('cancelled');
  expect(await s.world.fulfillments(id)).toHaveLength(1);
  expect(await s.world.refunds(id)).toEqual([['cancellation', 2800]]);
  expect(await s.world.stock(lines[1]!.sku)).toEqual(FREE);
});

test('a short pick while the cancellation is on its way: the missing units are cancelled too', async () => {
  const lines = s.lines();
  const id = await s.order({ lines });
  const f = await s.living(id);
  await s.sync();
  expect(await cancel(id)).toBe('asked');
  await s.world.tell(f, { type: 'short_picked', lines: [{ lineNo: 2, quantity: 1 }] });
  expect(await s.world.refunds(id)).toEqual([['cancellation', 700]]);
  await s.settle(id);
  await over(id);
  expect(await s.world.status(id)).toBe('cancelled');
  expect(await s.world.refunds(id)).toEqual([['cancellation', 700], ['cancellation', 2100]]);
  expect(await s.world.stock(lines[1]!.sku)).toEqual({ 'L-1': [9, 0], 'L-2': [10, 0], 'L-3': [10, 0] });
});

test('the goods are handed over while the cancellation is on its way: the hand-over wins', async () => {
  const id = await s.order();
  const f = await s.living(id);
  await s.sync();
  expect(await cancel(id)).toBe('asked');
  expect(await s.world.issue(f)).toEqual({ ok: true, handOver: 'allowed' });
  await s.settle(id);
  expect(await s.world.status(id)).toBe('shipped');
  expect(await s.world.refunds(id)).toEqual([]);
  expect((await s.world.events(id)).filter((e) => e === 'order.cancel_refused')).toHaveLength(1);
});
