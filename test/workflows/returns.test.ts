import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { endReturn, inspectReturn, receiveReturn, requestReturn, type ReturnRequest } from '../../db/returns/returns.ts';
import { applyDue } from '../../db/fulfillment/due.ts';
import { PartnerUnavailable } from '../../domain/http-port.ts';
import { decodeId, encodeId } from '../../domain/ids.ts';
import { orderWorkflowId, returnWorkflowId } from '../../workflows/contract/ids.ts';
import { DAY, Scene } from '../support/scene.ts';
import { defaultAnswer } from '../support/world.ts';

let s: Scene;
beforeAll(async () => { s = await Scene.open(); });
afterAll(async () => { await s.close(); });
afterEach(async () => {
  s.world.partners.answer = defaultAnswer;
  expect(await s.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
});

const uuid = (id: string): string => decodeId('ord', id) as string;
const ask = (id: string, lines: ReturnRequest['lines'], changes: Partial<ReturnRequest> = {}): Promise<string> =>
  requestReturn(s.world.store.writer, uuid(id), { kind: 'refund', reason: 'too small', method: 'label', lines, ...changes }, null, 'key:test');
const receive = (rma: string, lines: { line: number; quantity: number }[]) => receiveReturn(s.world.store.writer, rma, lines, null, 'key:test');
const inspect = (rma: string, lines: Parameters<typeof inspectReturn>[2]) => inspectReturn(s.world.store.writer, rma, lines, null, 'key:test');
const row = (rma: string) => s.world.one<{ status: string; waybill_no: string | null; location: string | null; late: boolean; exchange: string | null }>(
  'select r.status, r.waybill_no, l.code as location, r.late, r.exchange_order_id exchange from returns r left join locations l on l.id = r.location_id where r.id = $1', decodeId('rma', rma));

test('request, label, receive less than announced, inspect: stock by condition, refund to the cent', async () => {
  // 3 × 3.33 + freight 1.00, and a discount of 1.00: nets 9.99 in thirds that do not come out even.
  const [a, b, c] = [s.sku(), s.sku(), s.sku()];
  const id = await s.delivered({
    lines: [{ sku: a, quantity: 3, unitPrice: 333, discounts: [{ bearer: 'shop', code: 'C', amount: 100 }] }, { sku: b, quantity: 2, unitPrice: 500 }, { sku: c, quantity: 1, unitPrice: 100 }], freight: 0,
  });
  const rma = await s.run(id, () => ask(id, [{ line: 1, quantity: 2 }, { line: 2, quantity: 2 }, { line: 3, quantity: 1 }]));
  expect(await row(rma)).toMatchObject({ status: 'authorised', waybill_no: `W-${rma}`, location: 'L-1', late: false });
  await s.run(id, () => receive(rma, [{ line: 1, quantity: 2 }, { line: 2, quantity: 1 }, { line: 3, quantity: 1 }]));
  expect((await row(rma)).status).toBe('received');
  await expect(inspect(rma, [{ line: 1, disposition: 'restock', accepted: 2 }])).rejects.toMatchObject({ code: 'unprocessable' });
  await s.run(id, () => inspect(rma, [{ line: 1, disposition: 'restock', accepted: 2 }, { line: 2, disposition: 'damaged', accepted: 1 }, { line: 3, disposition: 'dispose', accepted: 0 }]));
  expect((await row(rma)).status).toBe('closed');
  // Line 1: 899 over three units is 333-34, 333-33, 333-33; two of them 299 + 300. Line 2: 500. Line 3: nothing accepted.
  expect(await s.world.refunds(id)).toEqual([['return', 599 + 500]]);
  expect(await s.world.stock(a)).toMatchObject({ 'L-1': [9, 0] });
  expect(await s.world.stock(b)).toMatchObject({ 'L-1': [8, 0] });
  expect(await s.world.stock(b, 'damaged')).toEqual({ 'L-1': [1, 0] });
  expect(await s.world.stock(c)).toMatchObject({ 'L-1': [9, 0] });
  // The third unit of line 1 later: the rest of its price exactly.
  const second = await s.run(id, () => ask(id, [{ line: 1, quantity: 1 }, { line: 2, quantity: 1 }]));
  await s.run(id, () => receive(second, [{ line: 1, quantity: 1 }, { line: 2, quantity: 1 }]));
  await s.run(id, () => inspect(second, [{ line: 1, disposition: 'restock', accepted: 1 }, { line: 2, disposition: 'restock', accepted: 1 }]));
  expect(await s.world.refunds(id)).toEqual([['return', 1099], ['return', 800]]);
  expect(await s.world.status(id)).toBe('delivered');
  await s.closes(id);
  expect(await s.world.status(id)).toBe('closed');
});

test('units cannot be returned twice, nor more than were sent, nor before they have arrived', async () => {
  const id = await s.order();
  await s.issue(id);
  await expect(ask(id, [{ line: 1, quantity: 1 }])).rejects.toMatchObject({ code: 'conflict' });
  await s.carrier(id, 'delivered');
  const rma = await s.run(id, () => ask(id, [{ line: 2, quantity: 2 }]));
  await expect(ask(id, [{ line: 2, quantity: 1 }])).rejects.toMatchObject({ code: 'unprocessable', field: '/lines/0/quantity' });
  await expect(ask(id, [{ line: 1, quantity: 1 }, { line: 1, quantity: 1 }])).rejects.toMatchObject({ field: '/lines/1/quantity' });
  await expect(ask(id, [{ line: 9, quantity: 1 }])).rejects.toMatchObject({ field: '/lines/0/line' });
  await expect(receive(rma, [{ line: 2, quantity: 3 }])).rejects.toMatchObject({ code: 'unprocessable' });
  // Withdrawn: they are free to be returned again.
  await s.run(id, () => endReturn(s.world.store.writer, rma, 'cancelled', 'kept after all', 'key:test'));
  const again = await s.run(id, () => ask(id, [{ line: 2, quantity: 2 }]));
  await s.run(id, () => receive(again, [{ line: 2, quantity: 2 }]));
  await s.run(id, () => inspect(again, [{ line: 2, disposition: 'restock', accepted: 2 }]));
  await expect(ask(id, [{ line: 2, quantity: 1 }])).rejects.toMatchObject({ code: 'unprocessable' });
  expect(await s.world.refunds(id)).toEqual([['return', 1400]]);
});

test('an exchange owes goods, not money: a new order that ships, even under duplicate and margin rules', async () => {
  const lines = s.lines();
  const id = await s.delivered({ lines });
  await s.world.store.pool.query(`insert into audit_rules (name, kind, action, params) values ('twice', 'duplicate', 'hold', '{"withinMinutes":10080,"by":"buyer"}'), ('margin', 'margin', 'hold', '{"minPercent":10}')`);
  await s.world.store.network.reload();
  // Other tests' orders are of the same buyer; only the parent matters here.
  await s.world.store.pool.query(`update orders set captured_at = captured_at - interval '30 days' where id <> $1`, [uuid(id)]);
  const rma = await s.run(id, () => ask(id, [{ line: 2, quantity: 1 }], { kind: 'exchange', method: 'drop_off' }));
  expect((await row(rma)).waybill_no).toBeNull();
  await s.run(id, () => receive(rma, [{ line: 2, quantity: 1 }]));
  await s.run(id, () => inspect(rma, [{ line: 2, disposition: 'damaged', accepted: 1 }]));
  expect(await s.world.refunds(id)).toEqual([]);
  const exchange = encodeId('ord', (await row(rma)).exchange ?? '');
  await s.settle(exchange);
  expect(await s.world.status(exchange)).toBe('in_fulfillment');
  const f = await s.living(exchange);
  expect(f.lines).toEqual([{ lineNo: 1, quantity: 1 }]);
  expect(s.world.partners.requests.find((r) => (r.body as { fulfillmentOrderId?: string }).fulfillmentOrderId === f.id)?.body)
    .toMatchObject({ shipTo: { name: 'Test Person', street: '1 Example Road' }, lines: [{ sku: lines[1]!.sku, quantity: 1 }] });
  await s.issue(exchange);
  await s.carrier(exchange, 'delivered');
  await s.closes(exchange);
  expect(await s.world.status(exchange)).toBe('closed');
  expect(await s.world.events(id)).toContain('order.resent');
  expect(await s.world.stock(lines[1]!.sku)).toMatchObject({ 'L-1': [7, 0] });
  await s.world.store.pool.query('delete from audit_rules');
  await s.world.store.network.reload();
});

test('two returns at once; the order stays open past its window until both are done', async () => {
  const id = await s.delivered();
  const one = await s.run(id, () => ask(id, [{ line: 1, quantity: 1 }]));
  const two = await s.run(id, () => ask(id, [{ line: 2, quantity: 1 }], { method: 'pickup' }));
  await s.skip(3 * DAY, id);
  expect(await s.world.status(id)).toBe('delivered');
  await s.run(id, () => receive(one, [{ line: 1, quantity: 1 }]));
  await s.run(id, () => inspect(one, [{ line: 1, disposition: 'restock', accepted: 1 }]));
  expect(await s.world.status(id)).toBe('delivered');
  await s.run(id, () => endReturn(s.world.store.writer, two, 'refused', 'worn', 'key:test'));
  expect(await s.world.status(id)).toBe('closed');
  expect(await s.world.refunds(id)).toEqual([['return', 1400]]);
});

test('the label cannot be had: after six tries the return goes on without one', async () => {
  const id = await s.delivered();
  s.world.partners.answer = (r) => { if (r.url.endsWith('/v1/waybills')) throw new PartnerUnavailable('down'); return defaultAnswer(r); };
  await s.sync();
  const rma = await ask(id, [{ line: 1, quantity: 1 }]);
  await s.until(id, async () => (await row(rma)).status === 'authorised');
  expect(await row(rma)).toMatchObject({ waybill_no: null, location: 'L-1' });
  expect(s.world.partners.requests.filter((r) => r.url.endsWith('/v1/waybills') && (r.body as { requestId: string }).requestId === rma)).toHaveLength(6);
});

test('a late return out of goodwill runs in a workflow of its own to its end', async () => {
  const lines = s.lines();
  const id = await s.delivered({ lines });
  await s.closes(id);
  await expect(ask(id, [{ line: 1, quantity: 1 }])).rejects.toMatchObject({ code: 'conflict' });
  await s.sync();
  const rma = await ask(id, [{ line: 1, quantity: 1 }], { goodwill: true });
  const workflow = returnWorkflowId(rma);
  await s.settleWorkflow(workflow);
  expect(await row(rma)).toMatchObject({ status: 'authorised', late: true, waybill_no: `W-${rma}` });
  await s.skip(30 * DAY);
  await receive(rma, [{ line: 1, quantity: 1 }]);
  await inspect(rma, [{ line: 1, disposition: 'restock', accepted: 1 }]);
  await s.settleWorkflow(workflow);
  await s.environment.client.workflow.getHandle(workflow).result();
  expect((await row(rma)).status).toBe('closed');
  expect(await s.world.refunds(id)).toEqual([['return', 1400]]);
  expect(await s.world.status(id)).toBe('closed');
  expect(await s.world.stock(lines[0]!.sku)).toMatchObject({ 'L-1': [10, 0] });

  const withdrawn = await ask(id, [{ line: 2, quantity: 1 }], { goodwill: true });
  await s.settleWorkflow(returnWorkflowId(withdrawn));
  await endReturn(s.world.store.writer, withdrawn, 'cancelled', 'kept', 'key:test');
  await s.settleWorkflow(returnWorkflowId(withdrawn));
  await s.environment.client.workflow.getHandle(returnWorkflowId(withdrawn)).result();
});

test('a late return that is asked for before the order could close does not keep it open', async () => {
  const id = await s.delivered();
  s.world.now = new Date(s.world.now.getTime() + 1.5 * DAY);
  const rma = await ask(id, [{ line: 1, quantity: 1 }], { goodwill: true });
  expect((await row(rma)).late).toBe(true);
  expect(await s.world.status(id)).toBe('delivered');
  await s.skip(2 * DAY, id);
  expect(await s.world.status(id)).toBe('closed');
  await s.environment.client.workflow.getHandle(orderWorkflowId(id)).result();
  await applyDue(s.world.store.writer, s.world.store.network, uuid(id));
  expect((await s.world.events(id)).filter((e) => e === 'order.closed')).toHaveLength(1);
});
