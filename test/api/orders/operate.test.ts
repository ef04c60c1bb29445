import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { runAudit } from '../../../db/audit/run-audit.ts';
import { decodeId } from '../../../domain/ids.ts';
import type { OrderIntake } from '../../../domain/order/intake.ts';
import { TestApi, type Answer } from '../../support/api.ts';

let api: TestApi;
let operator: string;
let skus = 0;
beforeAll(async () => {
  api = await TestApi.open({ skus: 200, stock: 0 });
  operator = await api.key('operator', ['orders:read', 'orders:write', 'orders:operate', 'personal:read']);
});
afterAll(async () => { await api.close(); });
afterEach(async () => {
  expect(await api.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
  expect((await runAudit(api.world.store.pool, { now: api.world.now })).violations).toEqual([]);
});

type Line = OrderIntake['lines'][number];
type Result = { orderId: string; ok: boolean; detail?: string; code?: string; field?: string };
const uuid = (id: string): string => decodeId('ord', id) as string;
/** A SKU that no other test uses, with 50 units at L-1. */
async function sku(): Promise<string> {
  const code = `SKU-${++skus}`;
  await api.world.setStock(code, { 'L-1': 50 });
  return code;
}
const line = async (quantity = 1, unitPrice = 1000, more: Partial<Line> = {}): Promise<Line> => ({ sku: await sku(), quantity, unitPrice, ...more });
const send = (action: string, orderIds: string[], params?: object, key = operator): Promise<Answer> =>
  api.call(key, 'POST', '/v1/orders/actions', { action, orderIds, reason: 'because', ...(params ? { params } : {}) });
async function act(action: string, orderIds: string[], params?: object): Promise<Result[]> {
  const { status, body } = await send(action, orderIds, params);
  expect([status, body['detail']]).toEqual([200, undefined]);
  return body['results'] as Result[];
}
async function done(action: string, id: string, params?: object): Promise<string | undefined> {
  const [result] = await act(action, [id], params);
  expect(result).toMatchObject({ orderId: id, ok: true });
  return result?.detail;
}
const detail = async (id: string) => {
  const { status, body } = await api.call(operator, 'GET', `/v1/orders/${id}`);
  expect(status).toBe(200);
  return body as Record<string, never> & { lines: { line: number; sku: string; quantity: number; net: number; discounts: { amount: number }[] }[]; timeline: { type: string; actor: string; data: unknown }[] };
};
const events = async (id: string, type: string) => (await detail(id)).timeline.filter((e) => e.type === type).map(({ actor, data }) => ({ actor, data }));
const woken = async (id: string) => (await api.world.one<{ n: number }>(`select count(*)::int n from outbox where topic = 'look' and order_id = $1`, uuid(id))).n;
/** Money and units of some orders together; reserved units by line's SKU. */
const worth = (ids: string[]) => api.world.one(
  `select sum(list_amount)::int list, sum(discount_amount)::int discount, sum(freight_amount)::int freight, sum(total_amount)::int total,
     (select sum(quantity)::int from order_lines where order_id = any($1::uuid[])) units,
     (select coalesce(sum(quantity), 0)::int from reservations where order_id = any($1::uuid[]) and status in ('held', 'confirmed')) reserved,
     (select coalesce(sum(quantity), 0)::int from shortages where order_id = any($1::uuid[]) and status = 'open') missing,
     (select jsonb_object_agg(k, n) from (select d->>'code' k, sum((d->>'amount')::int)::int n from order_lines, jsonb_array_elements(discounts) d
        where order_id = any($1::uuid[]) group by 1) x) bearers from orders where id = any($1::uuid[])`, ids.map(uuid));
async function refused(action: string, ids: string[], params: object | undefined, expected: Partial<Result>[]): Promise<void> {
  const before = await api.fingerprint();
  expect(await act(action, ids, params)).toMatchObject(expected);
  expect(await api.fingerprint()).toBe(before);
}
const address = { name: 'Test Person', phone: '10000000001', country: 'CN', province: 'Shanghai', city: 'Shanghai', street: '1 Example Road' };

describe('every action', () => {
  const PARAMS: Record<string, object | undefined> = {
    reverse_approval: undefined, force_location: { location: 'L-2' }, force_carrier: { carrier: 'sim' }, replace_sku: { line: 1, sku: 'SKU-200' }, add_gift: { sku: 'SKU-200' },
    split: { lines: [{ line: 1, quantity: 1 }] }, remark: { remark: 'handle with care' }, priority: { priority: 9 }, hold: undefined,
  };
  test.each(Object.keys(PARAMS))('%s: refused by name once a location knows, goods have left or the order is over; nothing changes', async (action) => {
    const there = await api.order({ lines: [await line(2)] });
    const gone = await api.order({ lines: [await line(2)] });
    await api.deliver(gone);
    const over = await api.order({ lines: [await line(2)] }, 'ship');
    await done('cancel', over);
    await refused(action, [there, gone, over], PARAMS[action], [
      { orderId: there, ok: false, code: 'conflict', detail: expect.stringContaining('the order is in_fulfillment: ') as string },
      { orderId: gone, ok: false, code: 'conflict', detail: expect.stringContaining('the order is delivered: ') as string },
      { orderId: over, ok: false, code: 'conflict', detail: expect.stringContaining('the order is cancelled: ') as string },
    ]);
  });

  test.each(['merge'])('%s: refused as a whole once a location knows one', async (action) => {
    const ids = [await api.order({ lines: [await line()] }, 'ship'), await api.order({ lines: [await line()] })];
    const before = await api.fingerprint();
    const { status, body } = await send(action, ids);
    expect([status, body['code'], body['detail']]).toEqual([409, 'conflict', 'the order is in_fulfillment: a location works on it; cancel it first']);
    expect(await api.fingerprint()).toBe(before);
  });

  test.each([
    ['force_location', 'location', { location: 'L-2' }, 'order.location_forced', { location: 'L-2', reason: 'because' }],
    ['force_carrier', 'carrier', { carrier: 'sim' }, 'order.carrier_forced', { carrier: 'sim', reason: 'because' }],
    ['remark', 'remark', { remark: 'handle with care' }, 'order.remark_changed', { reason: 'because' }],
  ])('%s: on the timeline with who and why, un-routed, checked again, the workflow told', async (action, name, params, event, data) => {
    const id = await api.order({ lines: [await line()] }, 'ship');
    await refused(action, [id], {}, [{ ok: false, code: 'invalid', field: `/params/${name}` }]);
    await done(action, id, params);
    expect(await detail(id)).toMatchObject({ status: 'captured', validatedAt: null, fulfillmentOrders: [{ status: 'cancelled' }], reservations: [{ status: 'confirmed', fulfillmentOrder: null }] });
    expect(await events(id, event)).toEqual([{ actor: 'operator:key:operator', data }]);
    expect(await woken(id)).toBe(1);
  });

  test('a remark is in the vault alone; priority makes the order urgent without checking it again', async () => {
    const id = await api.order({ lines: [await line()], buyerRemark: 'ring twice' }, 'ship');
    await done('remark', id, { remark: 'handle with care' });
    expect(await detail(id)).toMatchObject({ contact: { buyerRemark: 'ring twice', sellerRemark: 'handle with care' } });
    expect(JSON.stringify((await detail(id)).timeline)).not.toContain('handle with care');
    const urgent = await api.order({ lines: [await line()] }, 'ship');
    const before = await api.world.one<{ at: Date }>('select priority at from outbox where order_id = $1', uuid(urgent));
    await done('priority', urgent, { priority: 3 });
    expect(await detail(urgent)).toMatchObject({ status: 'routed', priority: 3 });
    expect((await api.world.one<{ at: Date }>('select priority at from outbox where order_id = $1', uuid(urgent))).at.getTime()).toBe(before.at.getTime() - 3 * 86_400_000);
  });

  test('no reason, no key for it, one order twice: refused before anything happens', async () => {
    const id = await api.order({ lines: [await line()] }, 'ship');
    const before = await api.fingerprint();
    const bound = await api.key('bound', ['orders:operate'], 'L-1');
    const reader = await api.key('reader', ['orders:read']);
    expect((await send('hold', [id], undefined, bound)).status).toBe(403);
    expect((await send('hold', [id], undefined, reader)).status).toBe(403);
    expect((await api.call(operator, 'POST', '/v1/orders/actions', { action: 'hold', orderIds: [id] })).body).toMatchObject({ code: 'invalid', field: '/reason' });
    expect((await send('add_gift', [id, id], { sku: 'SKU-200' })).body).toMatchObject({ code: 'invalid', field: '/orderIds' });
    expect(await api.fingerprint()).toBe(before);
  });

  test('what breaks at one order is told for that order; the others are done', async () => {
    const ids = [await api.order({ lines: [await line()] }, 'ship'), await api.order({ lines: [await line()] }, 'ship'), await api.order({ lines: [await line()] }, 'ship')];
    await api.world.store.pool.query(`create function broken() returns trigger language plpgsql as $$ begin raise exception 'broken'; end $$`);
    await api.world.store.pool.query(`create trigger broken before update on orders for each row when (old.id = '${uuid(ids[1] as string)}') execute function broken()`);
    const results = await act('priority', ids, { priority: 5 });
    await api.world.store.pool.query('drop function broken cascade');
    expect(results).toEqual([
      { orderId: ids[0], ok: true }, { orderId: ids[1], ok: false, code: 'internal', detail: 'the request failed here; the request id finds it in the log' }, { orderId: ids[2], ok: true },
    ]);
    expect(await Promise.all(ids.map(async (id) => (await detail(id))['priority']))).toEqual([5, 0, 5]);
  });
});

describe('split', () => {
  test('unit by unit: every sum stays as it was, to the minor unit and by bearer', async () => {
    const id = await api.order({
      freight: 1003, discounts: [{ bearer: 'platform', code: 'ALL', amount: 1001 }],
      lines: [await line(7, 333, { discounts: [{ bearer: 'shop', code: 'X', amount: 101 }, { bearer: 'brand', code: 'Y', amount: 5 }] }), await line(3, 1999)],
    }, 'ship');
    const whole = await worth([id]);
    expect(whole).toMatchObject({ units: 10, reserved: 10, list: 7 * 333 + 3 * 1999, discount: 1107, freight: 1003, bearers: { ALL: 1001, X: 101, Y: 5 } });
    const ids = [id];
    for (const lines of [[{ line: 1, quantity: 2 }], [{ line: 1, quantity: 1 }, { line: 2, quantity: 3 }], [{ line: 1, quantity: 3 }]]) {
      ids.push(await done('split', id, { lines }) as string);
      expect(await worth(ids)).toEqual(whole);
    }
    expect(await Promise.all(ids.map(async (x) => (await detail(x)).lines.map((l) => l.quantity)))).toEqual([[1], [2], [1, 3], [3]]);
    const { externalId } = await detail(id);
    expect(await Promise.all(ids.map(async (x) => [(await detail(x))['externalId'], (await detail(x))['parent']]))).toEqual(
      [[externalId, null], [`${String(externalId)}#S1`, id], [`${String(externalId)}#S2`, id], [`${String(externalId)}#S3`, id]]);
    await refused('split', [id], { lines: [{ line: 1, quantity: 1 }] }, [{ ok: false, code: 'unprocessable', field: '/params/lines' }]);
    await refused('split', [ids[1] as string], { lines: [{ line: 1, quantity: 3 }] }, [{ ok: false, code: 'unprocessable', field: '/params/lines/0/quantity' }]);
    for (const x of ids) await api.advance(x);
    expect(await Promise.all(ids.map(async (x) => (await detail(x))['status']))).toEqual(ids.map(() => 'in_fulfillment'));
  });

  test('reserved units go first, the missing ones with what is left', async () => {
    const code = await sku();
    await api.world.setStock(code, { 'L-1': 3 });
    const { id } = await api.world.capture({ channel: 'douyin', lines: [{ sku: code, quantity: 5, unitPrice: 100 }] });
    const child = await done('split', id, { lines: [{ line: 1, quantity: 4 }] }) as string;
    expect([await worth([id]), await worth([child])]).toMatchObject([{ units: 1, reserved: 0, missing: 1 }, { units: 4, reserved: 3, missing: 1 }]);
  });

  test('an order stays readable when all lines of an earlier plan have moved away', async () => {
    await api.world.setStock('SKU-190', { 'L-2': 5 });
    await api.world.setStock('SKU-191', { 'L-3': 5 });
    const id = await api.order({ lines: [{ sku: 'SKU-190', quantity: 1, unitPrice: 10 }, { sku: 'SKU-191', quantity: 1, unitPrice: 10 }] }, 'ship');
    expect((await api.world.fulfillments(id)).map((f) => f.location)).toEqual(['L-2', 'L-3']);
    await done('split', id, { lines: [{ line: 2, quantity: 1 }] });
    expect(await detail(id)).toMatchObject({ lines: [{ line: 1 }], fulfillmentOrders: [{ location: 'L-2', lines: [{ line: 1, quantity: 1 }] }, { location: 'L-3', lines: [{ line: 2, quantity: 1 }] }] });
    const all = await api.key('work', ['fulfillment:write']);
    const listed = await api.call(all, 'GET', '/v1/fulfillment-orders?location=L-3&limit=200');
    expect([listed.status, (listed.body['fulfillmentOrders'] as { order: string; lines: unknown }[]).find((f) => f.order === id)?.lines]).toEqual(
      [200, [{ line: 2, sku: null, quantity: 1, short: 0, issued: 0 }]]);
  });

  test('again after its parts were merged: another external id', async () => {
    const id = await api.order({ lines: [await line(5)] }, 'ship');
    const parts = [await done('split', id, { lines: [{ line: 1, quantity: 1 }] }) as string, await done('split', id, { lines: [{ line: 1, quantity: 1 }] }) as string];
    await act('merge', parts);
    const third = await done('split', id, { lines: [{ line: 1, quantity: 1 }] }) as string;
    expect((await detail(third))['externalId']).toBe(`${String((await detail(id))['externalId'])}#S3`);
  });

  test('what holds the order holds both parts; an unknown SKU only the part that has it', async () => {
    const id = await api.order({ lines: [await line(2)] }, 'ship');
    await done('hold', id);
    const child = await done('split', id, { lines: [{ line: 1, quantity: 1 }] }) as string;
    for (const x of [id, child]) expect(await detail(x)).toMatchObject({ status: 'on_hold', holdReason: 'manual', holds: [{ reason: 'manual', detail: 'because', placedBy: 'operator:key:operator', releasedAt: null }] });
    expect((await act('release', [id, child])).map((r) => r.ok)).toEqual([true, true]);
    const { id: mixed } = await api.world.capture({ channel: 'douyin', lines: [await line(), { sku: 'NO-SUCH', quantity: 1, unitPrice: 5 }] });
    const unknown = await done('split', mixed, { lines: [{ line: 2, quantity: 1 }] }) as string;
    expect([await detail(mixed), await detail(unknown)]).toMatchObject([{ status: 'captured', holdReason: null }, { status: 'on_hold', holdReason: 'unknown_sku' }]);
    await api.advance(mixed, 'ship');
    expect(await detail(mixed)).toMatchObject({ status: 'routed' });
  });

  test('two at once for the same units: one has them, the other is told', async () => {
    const id = await api.order({ lines: [await line(3), await line(1)] }, 'ship');
    const whole = await worth([id]);
    const answers = await Promise.all([1, 2].map(() => act('split', [id], { lines: [{ line: 1, quantity: 3 }] })));
    const [won, lost] = answers.flat().sort((a, b) => Number(b.ok) - Number(a.ok));
    expect([won?.ok, lost?.ok, lost?.code, lost?.field]).toEqual([true, false, 'unprocessable', '/params/lines/0/line']);
    expect(await worth([id, won?.detail as string])).toEqual(whole);
  });
});

describe('merge', () => {
  test('lines, money, reservations, shortages and holds move into the oldest; the others say where they went', async () => {
    const short = await sku();
    await api.world.setStock(short, { 'L-1': 1 });
    const first = await api.order({ lines: [await line(2, 333)], buyerRemark: 'ring twice' }, 'ship');
    const second = await api.order({ channel: 'own', lines: [await line(1, 777, { discounts: [{ bearer: 'shop', code: 'X', amount: 7 }] })], buyerRemark: 'not before noon', priority: 4 }, 'ship');
    const whole = await worth([first, second]);
    await done('hold', second);
    expect((await act('merge', [second, first])).map((r) => [r.ok, r.detail])).toEqual([[true, first], [true, first]]);
    expect(await worth([first, second])).toEqual(whole);
    expect(await worth([first])).toEqual(whole);
    expect(await detail(first)).toMatchObject({
      status: 'on_hold', holdReason: 'manual', priority: 4, lines: [{ line: 1, quantity: 2 }, { line: 2, quantity: 1 }], holds: [{ reason: 'manual', releasedAt: null }],
      contact: { buyerRemark: 'ring twice\nnot before noon' },
    });
    expect(await detail(second)).toMatchObject({
      status: 'cancelled', holdReason: null, parent: first, lines: [], money: { total: 0 }, refunds: [], fulfillmentOrders: [{ status: 'cancelled', lines: [{ line: 1, quantity: 1 }] }],
    });
    expect(await events(second, 'order.merged_into')).toEqual([{ actor: 'operator:key:operator', data: { order: first, reason: 'because' } }]);
    expect(await events(first, 'order.merged')).toEqual([{ actor: 'operator:key:operator', data: { orders: [second], reason: 'because' } }]);
    await done('release', first);
    await api.advance(first);
    expect(await detail(first)).toMatchObject({ status: 'in_fulfillment', fulfillmentOrders: [{ status: 'cancelled' }, { status: 'released', lines: [{ line: 1, quantity: 2 }, { line: 2, quantity: 1 }] }] });
  });

  test('the most urgent promise stays', async () => {
    const late = await api.order({ lines: [await line()], shipBy: '2026-12-20T00:00:00Z' }, 'ship');
    const soon = await api.order({ lines: [await line()], shipBy: '2026-12-01T00:00:00Z' }, 'ship');
    await act('merge', [late, soon]);
    expect(await detail(late)).toMatchObject({ shipBy: '2026-12-01T00:00:00.000Z' });
  });

  test.each<[string, Partial<OrderIntake>, string]>([
    ['another channel', { channel: 'douyin' }, 'is of another channel'],
    ['another address', { shipTo: { ...address, street: '9 Example Road' } }, 'goes to another person or address'],
    ['another person', { shipTo: { ...address, phone: '10000000009' } }, 'goes to another person or address'],
    ['another payment', { payment: { status: 'cash_on_delivery' } }, 'is cash_on_delivery: merged orders must be paid the same way'],
    ['another kind', { type: 'wholesale' }, 'is of another type'],
    ['another time', { scheduled: { from: '2026-12-01T00:00:00Z' } }, 'is scheduled for another time'],
  ])('not with %s', async (_, changes, why) => {
    const ids = [await api.order({ lines: [await line()] }, 'ship'), await api.order({ lines: [await line()], ...changes }, 'ship')];
    const before = await api.fingerprint();
    const { status, body } = await send('merge', ids);
    expect([status, body['code'], body['detail']]).toEqual([409, 'conflict', `order ${ids[1] as string} ${why}`]);
    expect(await api.fingerprint()).toBe(before);
  });

  test('not with one that is forced to another location', async () => {
    const ids = [await api.order({ lines: [await line()] }, 'ship'), await api.order({ lines: [await line()] }, 'ship')];
    await done('force_location', ids[1] as string, { location: 'L-3' });
    const before = await api.fingerprint();
    expect((await send('merge', ids)).body).toMatchObject({ code: 'conflict', detail: `order ${ids[1] as string} is forced to another location or carrier` });
    expect(await api.fingerprint()).toBe(before);
  });

  test('the same two at once: merged once', async () => {
    const ids = [await api.order({ lines: [await line()] }, 'ship'), await api.order({ lines: [await line()] }, 'ship')];
    const whole = await worth(ids);
    const answers = await Promise.all([send('merge', ids), send('merge', [...ids].reverse())]);
    expect(answers.map((a) => a.status).sort()).toEqual([200, 409]);
    expect(await worth([ids[0] as string])).toEqual(whole);
  });
});

describe('lines', () => {
  test('replace: the old units go back, the new are reserved next; the money stays', async () => {
    const [old, fresh] = [await line(2), await sku()];
    const id = await api.order({ lines: [old] }, 'ship');
    const before = await worth([id]);
    await done('replace_sku', id, { line: 1, sku: fresh });
    expect(await api.world.stock(old.sku)).toMatchObject({ 'L-1': [50, 0] });
    expect(await detail(id)).toMatchObject({ status: 'captured', lines: [{ sku: fresh, quantity: 2 }], shortages: [{ line: 1, units: 2, cause: 'replaced', status: 'open' }] });
    await api.advance(id, 'ship');
    expect(await worth([id])).toEqual(before);
    expect(await api.world.stock(fresh)).toMatchObject({ 'L-1': [50, 2] });
    expect(await events(id, 'order.sku_replaced')).toEqual([{ actor: 'operator:key:operator', data: { line: 1, from: old.sku, to: fresh, reason: 'because' } }]);
    await refused('replace_sku', [id], { line: 1, sku: fresh }, [{ ok: false, code: 'unprocessable', field: '/params/sku' }]);
    await refused('replace_sku', [id], { line: 2, sku: fresh }, [{ ok: false, code: 'unprocessable', field: '/params/line' }]);
  });

  test('two unknown SKUs: the hold goes with the last', async () => {
    const { id } = await api.world.capture({ channel: 'douyin', lines: [{ sku: 'MYSTERY', quantity: 1, unitPrice: 5 }, { sku: 'RIDDLE', quantity: 2, unitPrice: 5 }] });
    await done('replace_sku', id, { line: 1, sku: await sku() });
    expect(await detail(id)).toMatchObject({ status: 'on_hold', holdReason: 'unknown_sku', shortages: [{ cause: 'unknown_sku', status: 'cancelled' }, { cause: 'replaced', status: 'open' }, { line: 2, cause: 'unknown_sku', status: 'open' }] });
    await done('replace_sku', id, { line: 2, sku: await sku() });
    expect(await detail(id)).toMatchObject({ status: 'captured', holdReason: null, holds: [{ reason: 'unknown_sku', releasedBy: 'operator:key:operator', note: 'SKU mended' }] });
    await api.advance(id, 'ship');
    expect(await detail(id)).toMatchObject({ status: 'routed' });
  });

  test('a gift costs nothing and is reserved next', async () => {
    const id = await api.order({ lines: [await line()] }, 'ship');
    const { total } = await worth([id]) as { total: number };
    await done('add_gift', id, { sku: await sku(), quantity: 3 });
    expect(await detail(id)).toMatchObject({ money: { total }, lines: [{ gift: false }, { line: 2, quantity: 3, gift: true, net: 0 }], shortages: [{ line: 2, units: 3, cause: 'gift', status: 'open' }] });
    await api.advance(id, 'ship');
    expect(await worth([id])).toMatchObject({ units: 4, reserved: 4, missing: 0, total });
  });
});

describe('resend', () => {
  test('what has left is sent again at no charge; no more than that, also in several lines of the request', async () => {
    const id = await api.order({ lines: [await line(2)] });
    await refused('resend', [id], { lines: [{ line: 1, quantity: 1 }] }, [{ ok: false, code: 'conflict', field: '/params/lines/0/quantity' }]);
    await api.deliver(id);
    await refused('resend', [id], { lines: [{ line: 1, quantity: 1 }, { line: 1, quantity: 2 }] }, [{ ok: false, code: 'conflict', field: '/params/lines/1/quantity' }]);
    await refused('resend', [id], { lines: [{ line: 2, quantity: 1 }] }, [{ ok: false, code: 'unprocessable', field: '/params/lines/0/line' }]);
    const again = await done('resend', id, { lines: [{ line: 1, quantity: 2 }] }) as string;
    expect(await detail(again)).toMatchObject({ type: 'resend', parent: id, paymentStatus: 'not_due', money: { total: 0 }, lines: [{ quantity: 2, net: 0 }], shortages: [{ units: 2, cause: 'resend' }] });
    await api.advance(again);
    expect(await detail(again)).toMatchObject({ status: 'in_fulfillment' });
    const third = await done('resend', id, { lines: [{ line: 1, quantity: 1 }] }) as string;
    expect((await detail(third))['externalId']).toBe(`${String((await detail(id))['externalId'])}#R2`);
  });
});

describe('holds', () => {
  test('one of several is released by its id; the order stays held by the others', async () => {
    const id = await api.order({ lines: [await line()] }, 'ship');
    await done('hold', id);
    await api.call(operator, 'POST', `/v1/orders/${id}/hold`, { reason: 'and look twice' });
    const holds = (await detail(id))['holds'] as unknown as { id: number; detail: string }[];
    const release = (body: object) => api.call(operator, 'POST', `/v1/orders/${id}/release`, body);
    expect((await release({ holdId: holds[0]?.id, note: 'seen' })).body).toEqual({ status: 'on_hold' });
    expect((await detail(id))['holds']).toMatchObject([{ detail: 'because', note: 'seen', releasedBy: 'key:operator' }, { detail: 'and look twice', releasedAt: null }]);
    const before = await api.fingerprint();
    expect((await release({ holdId: holds[0]?.id })).body).toMatchObject({ status: 409, code: 'conflict', detail: 'the order is on_hold: no open hold has this id' });
    expect(await api.fingerprint()).toBe(before);
    expect((await release({ holdId: holds[1]?.id })).body).toEqual({ status: 'routed' });
  });
});
