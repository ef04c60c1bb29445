import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { requestRefund } from '../../db/orders/refund-request.ts';
import { inspectReturn, receiveReturn } from '../../db/returns/returns.ts';
import { PartnerUnavailable } from '../../domain/http-port.ts';
import { decodeId, encodeId } from '../../domain/ids.ts';
import { orderWorkflowId } from '../../workflows/contract/ids.ts';
import { MINUTE, Scene } from '../support/scene.ts';
import { defaultAnswer } from '../support/world.ts';

let s: Scene;
beforeAll(async () => { s = await Scene.open(); });
afterAll(async () => { await s.close(); });
afterEach(async () => {
  s.world.partners.answer = defaultAnswer;
  expect(await s.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
});

const uuid = (id: string): string => decodeId('ord', id) as string;
const refund = (id: string) => requestRefund(s.world.store.writer, uuid(id), 'changed their mind', 'key:test');
const over = async (id: string): Promise<void> => { await s.environment.client.workflow.getHandle(orderWorkflowId(id)).result(); };
const FREE = { 'L-1': [10, 0], 'L-2': [10, 0], 'L-3': [10, 0] };
const request = (id: string) => s.world.one<{ status: string; closed: boolean }>('select status, closed_at is not null closed from refund_requests where order_id = $1', uuid(id));
const answer = (part: string, body: unknown): void => { s.world.partners.answer = (r) => r.url.endsWith(part) ? { status: 200, body } : defaultAnswer(r); };
async function rmaOf(id: string): Promise<string> {
  const row = await s.world.one<{ id: string }>('select id from returns where order_id = $1 order by id desc limit 1', uuid(id));
  return encodeId('rma', row.id);
}

test.each(['captured', 'released', 'accepted', 'packed'])('before goods issue (%s): money back, stock free, the goods may not leave', async (stage) => {
  const lines = s.lines();
  const id = stage === 'captured' ? await s.capture({ lines }) : await s.order({ lines });
  const f = stage === 'captured' ? null : await s.living(id);
  if (f && (stage === 'accepted' || stage === 'packed')) await s.tell(id, f, { type: 'accepted' });
  if (f && stage === 'packed') await s.tell(id, f, { type: 'packed', parcels: [] });
  await s.sync();
  expect(await refund(id)).toMatchObject({ status: 'refunded', cancelledUnits: 3 });
  // From the commit on, before anybody has been told.
  if (f) await expect(s.world.issue(f)).rejects.toMatchObject({ code: 'handover_blocked' });
  await s.settle(id);
  await over(id);
  expect(await s.world.status(id)).toBe('cancelled');
  expect(await s.world.refunds(id)).toEqual([['refund_request', 2800]]);
  expect(await s.world.stock(lines[1]!.sku)).toEqual(FREE);
  expect(s.world.partners.requests.filter((r) => f !== null && r.url.includes(`/fulfillment-orders/${f.id}/cancel`))).toHaveLength(f ? 1 : 0);
  await expect(refund(id)).rejects.toMatchObject({ code: 'conflict' });
});

test('after goods issue: turned round, received, inspected, restocked, then refunded', async () => {
  const lines = s.lines();
  const id = await s.order({ lines });
  await s.issue(id);
  const f = await s.living(id);
  await s.carrier(id, 'in_transit');
  const first = await s.run(id, () => refund(id));
  expect(first).toMatchObject({ status: 'intercepting', cancelledUnits: 0 });
  expect(await refund(id)).toEqual(first);
  expect(s.world.partners.to(`/waybills/${f.waybillNo ?? ''}/intercept`)).toHaveLength(1);
  expect(await request(id)).toEqual({ status: 'intercepted', closed: false });
  expect(await s.world.refunds(id)).toEqual([]);
  await s.carrier(id, 'returning');
  await s.carrier(id, 'returned');
  const rma = await rmaOf(id);
  await s.run(id, () => receiveReturn(s.world.store.writer, rma, [{ line: 1, quantity: 1 }, { line: 2, quantity: 2 }], null, 'key:test'));
  await s.run(id, () => inspectReturn(s.world.store.writer, rma, [{ line: 1, disposition: 'restock', accepted: 1 }, { line: 2, disposition: 'restock', accepted: 2 }], null, 'key:test'));
  expect(await s.world.refunds(id)).toEqual([['return', 2800]]);
  expect(await request(id)).toEqual({ status: 'refunded', closed: true });
  expect(await s.world.stock(lines[1]!.sku)).toEqual(FREE);
  await s.closes(id);
  expect(await s.world.status(id)).toBe('closed');
});

test('the carrier refuses: the buyer must send it back; without that the request lapses with the window', async () => {
  const id = await s.order();
  await s.issue(id);
  answer('/intercept', { outcome: 'refused', reason: 'out_for_delivery' });
  await s.run(id, () => refund(id));
  expect(await request(id)).toEqual({ status: 'awaiting_return', closed: false });
  await s.carrier(id, 'delivered');
  await s.closes(id);
  expect(await request(id)).toEqual({ status: 'awaiting_return', closed: true });
  expect(await s.world.refunds(id)).toEqual([]);
});

test('the carrier does not answer: tried six times, then as good as refused', async () => {
  const id = await s.order();
  await s.issue(id);
  s.world.partners.answer = (r) => { if (r.url.endsWith('/intercept')) throw new PartnerUnavailable('down'); return defaultAnswer(r); };
  await s.sync();
  await refund(id);
  await s.until(id, async () => (await request(id)).status === 'awaiting_return');
  expect(s.world.partners.requests.filter((r) => r.url.endsWith('/intercept') && r.url.includes((s.world.partners.requests.at(-1)?.url ?? '').split('/').at(-2) ?? '?'))).toHaveLength(6);
});

test('the carrier agrees and delivers all the same: the request waits for a return, the order closes in the end', async () => {
  const id = await s.order();
  await s.issue(id);
  await s.run(id, () => refund(id));
  expect(await request(id)).toEqual({ status: 'intercepted', closed: false });
  await s.carrier(id, 'delivered');
  expect(await request(id)).toEqual({ status: 'awaiting_return', closed: false });
  await s.closes(id);
  expect(await s.world.status(id)).toBe('closed');
  expect(await s.world.refunds(id)).toEqual([]);
});

test('two parcels, one gone: what is here is refunded now, what is on its way is turned round', async () => {
  const lines = s.lines();
  await s.world.setStock(lines[0]!.sku, { 'L-2': 0, 'L-3': 0 });
  await s.world.setStock(lines[1]!.sku, { 'L-1': 0, 'L-3': 0 });
  const id = await s.order({ lines });
  const [a, b] = await s.world.fulfillments(id);
  await s.issue(id, a);
  expect(await s.run(id, () => refund(id))).toMatchObject({ status: 'intercepting', cancelledUnits: 2 });
  expect(await s.world.refunds(id)).toEqual([['refund_request', 1400]]);
  await expect(s.world.issue(b!)).rejects.toMatchObject({ code: 'handover_blocked' });
  expect(await s.world.stock(lines[1]!.sku)).toEqual({ 'L-1': [0, 0], 'L-2': [10, 0], 'L-3': [0, 0] });
  await s.carrier(id, 'returned', a);
  const rma = await rmaOf(id);
  await s.run(id, () => receiveReturn(s.world.store.writer, rma, [{ line: 1, quantity: 1 }], null, 'key:test'));
  await s.run(id, () => inspectReturn(s.world.store.writer, rma, [{ line: 1, disposition: 'damaged', accepted: 1 }], null, 'key:test'));
  expect(await s.world.refunds(id)).toEqual([['refund_request', 1400], ['return', 1400]]);
  expect(await s.world.stock(lines[0]!.sku, 'damaged')).toEqual({ 'L-1': [1, 0] });
});

test('delivered: a refund request waits for the return of the goods', async () => {
  const id = await s.delivered();
  expect(await s.run(id, () => refund(id))).toMatchObject({ status: 'awaiting_return', cancelledUnits: 0 });
  expect(await s.world.refunds(id)).toEqual([]);
  await s.skip(MINUTE, id);
  expect(await s.world.status(id)).toBe('delivered');
});
