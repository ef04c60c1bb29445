import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { runAudit } from '../../../db/audit/run-audit.ts';
import { decodeId } from '../../../domain/ids.ts';
import { TestApi, type Answer } from '../../support/api.ts';
import { defaultAnswer, type Fulfillment } from '../../support/world.ts';

let api: TestApi;
let operator: string;
let skus = 0;
beforeAll(async () => {
  api = await TestApi.open({ skus: 60, stock: 0 });
  operator = await api.key('operator', ['orders:read', 'orders:write', 'personal:read', 'fulfillment:write']);
});
afterEach(async () => {
  api.world.partners.answer = defaultAnswer;
  expect(await api.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
  expect((await runAudit(api.world.store.pool, { now: api.world.now })).violations).toEqual([]);
});
afterAll(async () => { await api.close(); });

const other = { name: 'Test Person', phone: '10000000002', country: 'CN', province: 'Beijing', city: 'Beijing', street: '2 Other Road' };
const send = (id: string, verb: string, body: object, key = operator): Promise<Answer> => api.call(key, 'POST', `/v1/orders/${id}/${verb}`, body);
async function at(units: Record<string, number>, quantity = 1): Promise<{ sku: string; quantity: number; unitPrice: number }> {
  const sku = `SKU-${++skus}`;
  await api.world.setStock(sku, units);
  await api.world.store.projection.refresh();
  return { sku, quantity, unitPrice: 1000 };
}
const plan = async (id: string): Promise<string[]> => (await api.world.fulfillments(id)).map((f) => `${f.location} ${f.status}`);
const of = async (id: string, location: string): Promise<Fulfillment> => (await api.world.fulfillments(id)).find((f) => f.location === location && f.status !== 'cancelled')!;
/** Everything that belongs to a fulfillment order, to the byte. */
const bytes = (f: Fulfillment): Promise<{ all: string }> => api.world.one(
  `select (select f::text from fulfillment_orders f where id = $1) || (select string_agg(l::text, '|' order by line_no) from fulfillment_order_lines l where fulfillment_order_id = $1)
     || (select string_agg(r::text, '|' order by line_no, seq) from reservations r where fulfillment_order_id = $1) "all"`, decodeId('ful', f.id));
async function refused(run: () => Promise<Answer>, status: number, code: string, field: string | null = null): Promise<void> {
  const before = await api.fingerprint();
  const { status: got, body } = await run();
  expect([got, body['code'], body['field'] ?? null]).toEqual([status, code, field]);
  expect(await api.fingerprint()).toBe(before);
}

describe('another address', () => {
  test('what is packed goes on untouched, to the old address; the rest is asked for, given back and planned anew', async () => {
    const lines = [await at({ 'L-1': 1 }), await at({ 'L-2': 1 }), await at({ 'L-3': 1 })];
    const id = await api.order({ lines });
    expect(await plan(id)).toEqual(['L-1 released', 'L-2 released', 'L-3 released']);
    const packed = await of(id, 'L-1');
    await api.world.tell(packed, { type: 'packed', parcels: [{ parcelNo: 1, lines: [{ lineNo: 1, quantity: 1 }] }] });
    const before = await bytes(packed);
    const promised = await api.world.one('select deliver_by from orders where id = $1', decodeId('ord', id));
    api.world.partners.answer = (request) => (request.url.endsWith('/cancel') && request.url.includes(third.id) ? { status: 200, body: { outcome: 'refused', reason: 'packed' } } : defaultAnswer(request));
    const third = await of(id, 'L-3');
    const { status, body } = await send(id, 'address', { shipTo: other });
    expect([status, body]).toEqual([200, { status: 'captured', asked: [(await of(id, 'L-2')).id, third.id].toSorted(), kept: [packed.id] }]);
    await api.advance(id);
    expect(await plan(id)).toEqual(['L-1 packed', 'L-2 cancelled', 'L-3 released', 'L-2 released']);
    expect(await bytes(packed)).toEqual(before);
    expect((await api.world.events(id)).filter((e) => e === 'fulfillment.kept' || e === 'fulfillment.taken_back').toSorted()).toEqual(['fulfillment.kept', 'fulfillment.taken_back']);
    expect(await api.world.refunds(id)).toEqual([]);
    expect(await api.world.one('select deliver_by from orders where id = $1', decodeId('ord', id))).toEqual(promised);
    const work = (await api.call(operator, 'GET', '/v1/fulfillment-orders?limit=200')).body['fulfillmentOrders'] as { id: string; order: string; status: string; location: string; shipTo: { street: string } }[];
    expect(work.filter((f) => f.order === id && f.status !== 'cancelled').map((f) => [f.location, f.shipTo.street]).toSorted()).toEqual([['L-1', '1 Example Road'], ['L-2', '2 Other Road'], ['L-3', '1 Example Road']]);
  });

  test('cancelled whole while the locations are asked: then it is a cancellation, and refunded', async () => {
    const id = await api.order({ lines: [await at({ 'L-1': 2, 'L-2': 2 })] });
    expect((await send(id, 'address', { shipTo: other })).body).toMatchObject({ asked: [expect.any(String)] });
    expect((await send(id, 'cancel', { reason: 'no more' })).status).toBe(202);
    await api.advance(id);
    expect([await api.world.status(id), await api.world.refunds(id), await plan(id)]).toEqual(['cancelled', [['cancellation', 1800]], ['L-1 cancelled']]);
  });

  test('an audit rule that rejects the new address holds what is begun, for a person', async () => {
    const { pool, network } = api.world.store;
    await pool.query(`insert into audit_rules (name, kind, action, params) values ('far', 'address', 'reject', '{"remoteProvinces": ["Beijing"]}')`);
    await network.reload();
    const id = await api.order({ lines: [await at({ 'L-1': 1 }), await at({ 'L-2': 1 })] });
    await api.world.tell(await of(id, 'L-1'), { type: 'packed', parcels: [] });
    await send(id, 'address', { shipTo: other });
    await api.advance(id);
    await pool.query('update audit_rules set active = false');
    await network.reload();
    expect((await api.call(operator, 'GET', `/v1/orders/${id}`)).body).toMatchObject({ status: 'on_hold', holdReason: 'far' });
    expect((await plan(id))[0]).toBe('L-1 packed');
  });
});

describe('cancelled lines', () => {
  const cancel = (id: string, lines: [number, number][], reference = `c-${id}`): Promise<Answer> => send(id, 'cancel-lines', { reference, reason: 'changed my mind', lines: lines.map(([line, quantity]) => ({ line, quantity })) });

  test('before any location knows: cancelled, refunded, the rest planned anew; once for one reference', async () => {
    const id = await api.order({ lines: [await at({ 'L-1': 3, 'L-2': 1 }, 2), await at({ 'L-2': 1 })] }, 'ship');
    const answer = { status: 'routed', cancelled: [{ line: 1, quantity: 2 }], waiting: [], asked: [] };
    expect([await cancel(id, [[1, 2]]), await cancel(id, [[1, 2]])].map((a) => [a.status, a.body])).toEqual([[200, answer], [200, answer]]);
    expect((await cancel(id, [[2, 1]])).body['code']).toBe('duplicate_with_other_body');
    await api.advance(id);
    expect((await plan(id)).slice(-1)).toEqual(['L-2 released']);
    expect((await of(id, 'L-2')).lines).toEqual([{ lineNo: 2, quantity: 1 }]);
    expect(await api.world.refunds(id)).toEqual([['cancellation', 2533]]);
  });

  test('a fulfillment order without these units stays as it is; the one with them is asked for, and the rest of it comes back', async () => {
    const [a, b, c] = [await at({ 'L-1': 1 }), await at({ 'L-2': 5 }), await at({ 'L-2': 5 }, 2)];
    const id = await api.order({ lines: [a, b, c] });
    expect(await plan(id)).toEqual(['L-1 released', 'L-2 released']);
    const untouched = await of(id, 'L-1');
    const before = await bytes(untouched);
    const { body } = await cancel(id, [[2, 1], [3, 1]]);
    expect(body).toEqual({ status: 'in_fulfillment', cancelled: [], waiting: [{ line: 2, quantity: 1 }, { line: 3, quantity: 1 }], asked: [(await of(id, 'L-2')).id] });
    expect(await api.world.refunds(id)).toEqual([]);
    await api.advance(id);
    expect(await plan(id)).toEqual(['L-1 released', 'L-2 cancelled', 'L-2 released']);
    expect((await of(id, 'L-2')).lines).toEqual([{ lineNo: 3, quantity: 1 }]);
    expect(await bytes(untouched)).toEqual(before);
    expect(await api.world.stock(c.sku)).toMatchObject({ 'L-2': [5, 1] });
    expect((await api.world.refunds(id)).map(([cause]) => cause)).toEqual(['cancellation']);
    expect(await api.world.one('select sum(cancel_wanted)::int n, sum(cancelled_quantity)::int done from order_lines where order_id = $1', decodeId('ord', id))).toEqual({ n: 0, done: 2 });
  });

  test('a location that has packed keeps it: refused and said so, nothing refunded', async () => {
    api.world.partners.answer = (request) => (request.url.endsWith('/cancel') ? { status: 200, body: { outcome: 'refused', reason: 'packed' } } : defaultAnswer(request));
    const id = await api.order({ lines: [await at({ 'L-1': 5 }, 2)] });
    expect((await cancel(id, [[1, 1]])).body).toMatchObject({ waiting: [{ line: 1, quantity: 1 }] });
    await api.advance(id);
    expect([await plan(id), await api.world.refunds(id)]).toEqual([['L-1 released'], []]);
    expect(await api.world.events(id)).toContain('order.line_cancel_refused');
    expect(await api.world.one('select cancel_wanted n, cancelled_quantity c from order_lines where order_id = $1', decodeId('ord', id))).toEqual({ n: 0, c: 0 });
  });

  test('rejected by the location while it is asked: the cancelled unit is not looked for elsewhere, the other one is', async () => {
    const id = await api.order({ lines: [await at({ 'L-1': 2, 'L-2': 2 }, 2)] });
    await cancel(id, [[1, 1]]);
    await api.world.tell(await of(id, 'L-1'), { type: 'rejected', reason: 'damaged' });
    await api.advance(id);
    expect(await plan(id)).toEqual(['L-1 rejected', 'L-2 released']);
    expect((await of(id, 'L-2')).lines).toEqual([{ lineNo: 1, quantity: 1 }]);
    expect(await api.world.refunds(id)).toHaveLength(1);
  });

  test('handed over while it is asked: it left, and nothing is refunded', async () => {
    const id = await api.order({ lines: [await at({ 'L-1': 2 }, 2)] });
    const f = await of(id, 'L-1');
    await cancel(id, [[1, 1]]);
    await api.world.issue(f);
    await api.advance(id);
    expect([await api.world.status(id), await api.world.refunds(id)]).toEqual(['shipped', []]);
    expect(await api.world.events(id)).toContain('order.line_cancel_refused');
  });

  test('two at once take no unit twice; all units cancelled is an order cancelled', async () => {
    const id = await api.order({ lines: [await at({ 'L-1': 3 }, 3)] }, 'ship');
    const answers = await Promise.all([cancel(id, [[1, 2]], 'one'), cancel(id, [[1, 2]], 'two')]);
    expect(answers.map((a) => a.status).toSorted()).toEqual([200, 409]);
    expect((await cancel(id, [[1, 1]], 'three')).body['status']).toBe('cancelled');
    expect((await api.world.refunds(id)).reduce((sum, [, amount]) => sum + amount, 0)).toBe(3800);
  });

  test('what cannot be cancelled changes nothing', async () => {
    const id = await api.order({ lines: [await at({ 'L-1': 2 }, 2), await at({ 'L-1': 1 })] });
    await api.world.tell(await of(id, 'L-1'), { type: 'packed', parcels: [] });
    await refused(() => cancel(id, [[1, 1]]), 409, 'conflict', '/lines/0/quantity');
    await refused(() => cancel(id, [[9, 1]]), 422, 'unprocessable', '/lines/0/line');
    await refused(() => cancel(id, [[1, 1], [1, 1]]), 400, 'invalid', '/lines/1/line');
    const unpaid = await api.order({ lines: [await at({ 'L-1': 2 }, 2)], payment: { status: 'unpaid' } });
    await refused(() => cancel(unpaid, [[1, 1]]), 409, 'conflict');
    await refused(async () => send(id, 'cancel-lines', { reference: 'x', reason: 'y', lines: [{ line: 1, quantity: 1 }] }, await api.key('reader', ['orders:read'])), 403, 'forbidden');
    await refused(async () => send(id, 'cancel-lines', { reference: 'x', reason: 'y', lines: [{ line: 1, quantity: 1 }] }, await api.key('elsewhere', ['orders:write'], 'L-3')), 404, 'not_found');
  });
});
