import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SCOPES } from '../../../db/api-keys.ts';
import { runAudit } from '../../../db/audit/run-audit.ts';
import { captureIntake } from '../../../db/capture/capture-intake.ts';
import { expireDue } from '../../../db/orders/expiry.ts';
import { openStore, type Store } from '../../../db/store.ts';
import { decodeId } from '../../../domain/ids.ts';
import type { OrderIntake } from '../../../domain/order/intake.ts';
import { TestApi } from '../../support/api.ts';
import { VAULT_KEY } from '../../support/world.ts';

let api: TestApi;
let admin: string;
let other: Store;
let n = 0;
const NOW = new Date('2026-11-23T02:00:00Z');
beforeAll(async () => {
  api = await TestApi.open({ skus: 60, stock: 0 });
  admin = await api.key('admin', SCOPES);
  other = await openStore({ url: api.world.database.url, vaultKey: VAULT_KEY, clock: () => api.world.now, refreshMs: 50 });
  await call('PUT', '/v1/staff', { members: [{ id: 'E-1', group: 'hq' }, { id: 'E-2', group: 'shop' }] });
});
beforeEach(() => { api.world.now = NOW; });
afterAll(async () => {
  expect((await runAudit(api.world.store.pool)).violations).toEqual([]);
  expect(await api.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
  await other.close();
  await api.close();
});

async function call(method: 'PUT' | 'POST' | 'GET', url: string, body?: object, headers: Record<string, string> = {}) {
  const r = await api.app.inject({ method, url, headers: { authorization: `Bearer ${admin}`, ...headers }, ...(body === undefined ? {} : { payload: body }) });
  return { status: r.statusCode, body: r.json<Record<string, unknown>>() };
}
/** A SKU at 1,000 with units at L-1. */
async function sku(units = 100, price = 1000, floor?: number): Promise<string> {
  const code = `SKU-${++n}`;
  if (units > 0) await api.world.setStock(code, { 'L-1': units });
  await call('PUT', '/v1/prices', { prices: [{ sku: code, currency: 'CNY', price, ...(floor === undefined ? {} : { floor }) }] });
  return code;
}
async function promotion(changes: object): Promise<string> {
  const code = `P-${++n}`;
  const { status, body } = await call('PUT', `/v1/promotions/${code}`, { name: code, currency: 'CNY', from: '2026-11-20T00:00:00Z', until: '2026-11-30T00:00:00Z', bearer: 'shop', status: 'active', ...changes });
  expect([status, body['detail']]).toEqual([200, undefined]);
  await other.network.promotions.reload();
  return code;
}
async function coupons(code: string, wish: object): Promise<string[]> {
  const { body } = await call('POST', `/v1/promotions/${code}/coupons`, { batch: `B-${++n}`, ...wish });
  return (body['coupons'] as { code: string }[]).map((c) => c.code);
}
type Line = { sku: string; quantity: number; unitPrice?: number };
const intake = (lines: Line[], changes: Partial<OrderIntake> = {}): OrderIntake => api.world.intake({ freight: 0, lines, ...changes });
const order = (lines: Line[], changes: Partial<OrderIntake> = {}, headers: Record<string, string> = {}) => call('POST', '/v1/orders', intake(lines, changes), headers);
const buyer = (phone: string) => ({ shipTo: { name: 'A', phone, country: 'CN', province: 'Shanghai', city: 'Shanghai', street: '1 Example Road' } });
const detail = async (id: unknown) => (await call('GET', `/v1/orders/${String(id)}`)).body as { status: string; money: { total: number }; lines: { sku: string; quantity: number; gift: boolean; net: number; discounts: object[] }[] };
const print = async () => [await api.fingerprint(), await api.world.one(
  `select (select md5(string_agg(c::text, '|' order by id)) from coupons c) c, (select md5(string_agg(u::text, '|' order by u.promotion_id, subject)) from promotion_usage u) u, (select md5(string_agg(r::text, '|' order by order_id, promotion_id)) from promotion_redemptions r) r`)];
/** The same order through another process, behind a queue of its own. */
async function elsewhere(body: OrderIntake) {
  await other.network.loadSkus(body.lines.map((l) => l.sku));
  const outcome = await captureIntake(other, body, { apiKeyId: 1, idempotencyKey: null, actor: 'key:test', locationId: null });
  return 'problem' in outcome ? outcome.problem.status : 201;
}
async function untouched(send: () => Promise<{ status: number; body: Record<string, unknown> }>) {
  const before = await print();
  const { status, body } = await send();
  expect(await print()).toEqual(before);
  return [status, body['code'], body['field']];
}

test('a line without a price costs what the book says; the promotion, its bearer and amount are on the line, in the answer, in the detail', async () => {
  const a = await sku();
  const code = await promotion({ kind: 'markdown', terms: { percentOff: 20 }, skus: [{ sku: a }], bearer: 'brand' });
  const { status, body } = await order([{ sku: a, quantity: 3 }]);
  expect([status, body['total']]).toEqual([201, 2400]);
  const id = (await call('GET', `/v1/promotions/${code}`)).body['id'];
  expect(body['promotions']).toEqual({
    applied: [{ promotion: id, code, kind: 'markdown', bearer: 'brand', amount: 600, units: 3, lines: [{ line: 1, amount: 600 }] }], gifts: [], dropped: [], unused: [] });
  expect((await detail(body['id'])).lines[0]).toMatchObject({ net: 2400, discounts: [{ bearer: 'brand', code, amount: 600, promotion: id }] });
  expect((await call('GET', `/v1/promotions/${code}/redemptions`)).body['items']).toEqual([{ order: body['id'], coupon: null, units: 3, amount: 600, at: NOW.toISOString(), givenBackAt: null }]);
});

test('who prices his lines himself is left alone, on every channel; asked for, promotions apply to his prices', async () => {
  const a = await sku();
  await promotion({ kind: 'markdown', terms: { percentOff: 50 }, skus: [{ sku: a }] });
  const own = await order([{ sku: a, quantity: 1, unitPrice: 900 }]);
  expect([own.body['total'], own.body['promotions']]).toEqual([900, undefined]);
  expect((await order([{ sku: a, quantity: 1, unitPrice: 900 }], { channel: 'douyin' })).body['total']).toBe(900);
  expect((await order([{ sku: a, quantity: 1, unitPrice: 900 }], { promotions: 'apply' })).body['total']).toBe(450);
  for (const changes of [{ coupons: ['X'] }, { staff: { id: 'E-1' } }, { promotions: 'apply' as const }]) {
    expect((await untouched(() => order([{ sku: a, quantity: 1, unitPrice: 900 }], { channel: 'douyin', ...changes })))).toEqual([422, 'unprocessable', `/${Object.keys(changes)[0] ?? ''}`]);
  }
  expect(await untouched(() => order([{ sku: a, quantity: 1 }], { channel: 'douyin' }))).toEqual([422, 'unprocessable', '/lines/0/unitPrice']);
  const bare = `SKU-${++n}`;
  await api.world.setStock(bare, { 'L-1': 5 });
  expect(await untouched(() => order([{ sku: bare, quantity: 1 }]))).toEqual([422, 'unprocessable', '/lines/0/unitPrice']);
});

test('live to the second by business time: before, in, at the end; over at once when it is ended; across a restart', async () => {
  const a = await sku();
  const code = await promotion({ kind: 'markdown', terms: { percentOff: 10 }, skus: [{ sku: a }], from: '2026-11-23T10:00:00Z', until: '2026-11-23T11:00:00Z' });
  const at = async (time: string) => {
    api.world.now = new Date(time);
    return (await order([{ sku: a, quantity: 1 }])).body['total'];
  };
  expect([await at('2026-11-23T09:59:59.999Z'), await at('2026-11-23T10:00:00Z'), await at('2026-11-23T10:59:59.999Z'), await at('2026-11-23T11:00:00Z')]).toEqual([1000, 900, 900, 1000]);
  const fresh = await openStore({ url: api.world.database.url, vaultKey: VAULT_KEY, clock: () => api.world.now });
  const totals: number[] = [];
  for (const time of ['2026-11-23T10:59:59Z', '2026-11-23T11:00:00Z']) {
    api.world.now = new Date(time);
    await fresh.network.loadSkus([a]);
    const outcome = await captureIntake(fresh, intake([{ sku: a, quantity: 1 }]), { apiKeyId: 1, idempotencyKey: null, actor: 'key:test', locationId: null });
    totals.push('answer' in outcome ? outcome.answer.total : -1);
  }
  await fresh.close();
  expect(totals).toEqual([900, 1000]);
  // Another process has not heard of the end yet: the capture finds out in its transaction and prices anew.
  api.world.now = new Date('2026-11-23T10:30:00Z');
  await other.network.promotions.reload();
  const stale = other.network.promotions.reload.bind(other.network.promotions);
  let reloads = 0;
  const known = new Map(other.network.promotions.byId);
  await call('POST', `/v1/promotions/${code}/end`, {});
  const candidates = other.network.promotions.candidates.bind(other.network.promotions);
  other.network.promotions.candidates = (when, lines) => (reloads === 0 ? [...known.values()].filter((p) => p.code === code) : candidates(when, lines));
  other.network.promotions.reload = () => { reloads++; return stale(); };
  await other.network.loadSkus([a]);
  const outcome = await captureIntake(other, intake([{ sku: a, quantity: 1 }]), { apiKeyId: 1, idempotencyKey: 'STALE', actor: 'key:test', locationId: null });
  other.network.promotions.candidates = candidates;
  other.network.promotions.reload = stale;
  expect(['answer' in outcome && outcome.answer.total, reloads > 0]).toEqual([1000, true]);
});

describe('coupons', () => {
  test('used once; the same order again gets the same answer; nobody else gets it', async () => {
    const a = await sku();
    const code = await promotion({ kind: 'coupon', terms: { amountOff: 300 }, skus: [{ sku: a }] });
    const [one] = await coupons(code, { count: 1 }) as [string];
    const body = intake([{ sku: a, quantity: 1 }], { coupons: [one.toLowerCase()] });
    const first = await call('POST', '/v1/orders', body);
    expect([first.status, first.body['total']]).toEqual([201, 700]);
    expect(await call('POST', '/v1/orders', body)).toEqual({ status: 200, body: first.body });
    expect(await untouched(() => order([{ sku: a, quantity: 1 }], { coupons: [one] }))).toEqual([409, 'conflict', '/coupons']);
    expect(await untouched(() => order([{ sku: a, quantity: 1 }], { coupons: ['NO-SUCH'] }))).toEqual([422, 'unprocessable', '/coupons/0']);
  });

  test('many orders at once in two processes: one gets it, the others are refused and change nothing', async () => {
    const a = await sku();
    const code = await promotion({ kind: 'coupon', terms: { amountOff: 300 }, skus: [{ sku: a }] });
    const [one] = await coupons(code, { count: 1 }) as [string];
    const bodies = Array.from({ length: 40 }, () => intake([{ sku: a, quantity: 1 }], { coupons: [one] }));
    const statuses = await Promise.all(bodies.map((b, i) => (i % 2 === 0 ? call('POST', '/v1/orders', b).then((r) => r.status) : elsewhere(b))));
    expect([statuses.filter((s) => s === 201).length, statuses.filter((s) => s === 409).length]).toEqual([1, 39]);
    expect(await api.world.stock(a)).toMatchObject({ 'L-1': [100, 1] });
    expect(await api.world.one(`select (select count(*)::int from orders o join order_lines l on l.order_id = o.id where l.sku_code = '${a}') orders, (select count(*)::int from promotion_redemptions r join promotions p on p.id = r.promotion_id where p.code = '${code}') taken`)).toEqual({ orders: 1, taken: 1 });
  });

  test('who loses the coupon gives the last unit to who lost that', async () => {
    const a = await sku(2);
    const code = await promotion({ kind: 'coupon', terms: { amountOff: 300 }, skus: [{ sku: a }] });
    const [one] = await coupons(code, { count: 1 }) as [string];
    const outcomes = await Promise.all([order([{ sku: a, quantity: 1 }], { coupons: [one] }), order([{ sku: a, quantity: 1 }], { coupons: [one] }), order([{ sku: a, quantity: 1 }])]);
    expect(outcomes.map((o) => o.status).sort()).toEqual([201, 201, 409]);
    expect(await api.world.stock(a)).toMatchObject({ 'L-1': [2, 2] });
  });

  test('cancelled whole it comes back, once; expired too; when its window is over it lapses', async () => {
    const a = await sku();
    const code = await promotion({ kind: 'coupon', terms: { amountOff: 300 }, skus: [{ sku: a }], perCustomer: { orders: 1 }, budget: 600 });
    const [one] = await coupons(code, { count: 1 }) as [string];
    const use = (changes: Partial<OrderIntake> = {}) => order([{ sku: a, quantity: 2 }], { coupons: [one], ...buyer('13900000001'), ...changes });
    const usage = () => api.world.one(`select coalesce(sum(orders), 0)::int o, coalesce(sum(units), 0)::int u, coalesce(sum(amount), 0)::int a from promotion_usage u join promotions p on p.id = u.promotion_id where code = '${code}'`);
    const first = await use();
    expect([first.status, await usage()]).toEqual([201, { o: 2, u: 4, a: 600 }]);
    const cancel = () => call('POST', `/v1/orders/${String(first.body['id'])}/cancel`, { reason: 'changed his mind' });
    await Promise.all([cancel(), cancel(), cancel()]);
    expect(await usage()).toEqual({ o: 0, u: 0, a: 0 });
    const second = await use({ payment: { status: 'unpaid' } });
    expect(second.status).toBe(201);
    expect((await cancel()).status).toBeLessThan(300);
    expect((await use()).status).toBe(422); // the limit of the customer is reached again
    api.world.now = new Date('2026-11-23T04:00:00Z');
    await expireDue(api.world.store.writer);
    expect(await usage()).toEqual({ o: 0, u: 0, a: 0 });
    const third = await use();
    expect(third.status).toBe(201);
    await call('POST', `/v1/promotions/${code}/end`, {});
    await call('POST', `/v1/orders/${String(third.body['id'])}/cancel`, { reason: 'too late' });
    expect((await call('GET', `/v1/promotions/${code}`)).body['coupons']).toEqual({ issued: 0, used: 0, lapsed: 1, revoked: 0 });
    expect((await use()).body['detail']).toBe('this coupon is lapsed');
  });

  test('issued to a person, it is of no use to another; revoked, to nobody; below its least spend it says so; beaten, it is kept', async () => {
    const a = await sku();
    const code = await promotion({ kind: 'coupon', terms: { amountOff: 300, minSpend: 1500 }, skus: [{ sku: a }] });
    const [own, revoked] = await coupons(code, { buyers: [{ phone: '13911112222' }, { phone: '13911113333' }] }) as [string, string];
    const use = (phone: string, quantity: number, changes: Partial<OrderIntake> = {}) => order([{ sku: a, quantity }], { coupons: [own], ...buyer(phone), ...changes });
    expect(await untouched(() => use('13900009999', 2))).toEqual([422, 'unprocessable', '/coupons/0']);
    expect(await untouched(() => use('13911112222', 1))).toEqual([422, 'unprocessable', '/coupons/0']);
    await promotion({ kind: 'staff_price', terms: { percentOff: 50, groups: ['hq'] }, skus: [{ sku: a }] });
    const beaten = await use('13911112222', 2, { staff: { id: 'E-1' } });
    expect([beaten.body['total'], (beaten.body['promotions'] as { unused: object[] }).unused]).toMatchObject([1000, [{ coupon: 0 }]]);
    expect((await use('13911112222', 2, { staff: { id: 'E-2' } })).body['total']).toBe(1700);
    await call('POST', `/v1/promotions/${code}/coupons/revoke`, {});
    expect(await untouched(() => order([{ sku: a, quantity: 2 }], { coupons: [revoked], ...buyer('13911113333') }))).toEqual([409, 'conflict', '/coupons/0']);
  });
});

test('staff price: a number that nobody has is refused; the units of one member are exact, many orders at once in two processes', async () => {
  const a = await sku();
  await promotion({ kind: 'staff_price', terms: { percentOff: 50 }, skus: [{ sku: a }], perStaffUnits: 4 });
  expect(await untouched(() => order([{ sku: a, quantity: 1 }], { staff: { id: 'E-9' } }))).toEqual([422, 'unprocessable', '/staff/id']);
  const send = (i: number) => {
    const body = intake([{ sku: a, quantity: 1 }], { staff: { id: 'E-1' }, expectTotal: 500 });
    return i % 2 === 0 ? call('POST', '/v1/orders', body).then((r) => r.status) : elsewhere(body);
  };
  const statuses = await Promise.all(Array.from({ length: 20 }, (_, i) => send(i)));
  expect(statuses.filter((s) => s === 201).length).toBe(4);
  expect(await api.world.one(`select units from promotion_usage u join promotions p on p.id = u.promotion_id where kind = 'staff_price' and subject like 's:%' and u.units > 0 order by p.id desc limit 1`)).toEqual({ units: 4 });
  // His share is used up: the list price; two of five at the staff price for the other one would be too many.
  expect((await order([{ sku: a, quantity: 1 }], { staff: { id: 'E-1' } })).body['total']).toBe(1000);
  expect((await order([{ sku: a, quantity: 5 }], { staff: { id: 'E-2' } })).body['total']).toBe(3000);
});

test("a customer's limit and a budget: races are refused, nothing is overdrawn", async () => {
  const a = await sku();
  const code = await promotion({ kind: 'markdown', terms: { amountOff: 100 }, skus: [{ sku: a }], perCustomer: { orders: 2 }, budget: 500 });
  const body = (phone: string) => intake([{ sku: a, quantity: 1 }], { ...buyer(phone), expectTotal: 900 });
  const mine = await Promise.all(Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? call('POST', '/v1/orders', body('13955550000')).then((r) => r.status) : elsewhere(body('13955550000')))));
  expect(mine.filter((s) => s === 201).length).toBe(2);
  const all = await Promise.all(Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? call('POST', '/v1/orders', body(`1395555${1000 + i}`)).then((r) => r.status) : elsewhere(body(`1395555${1000 + i}`)))));
  expect(all.filter((s) => s === 201).length).toBe(3);
  expect((await call('GET', `/v1/promotions/${code}`)).body['used']).toEqual({ orders: 5, units: 5, amount: 500 });
  expect((await order([{ sku: a, quantity: 1 }], buyer('13955559999'))).body['total']).toBe(1000);
});

describe('gifts', () => {
  const gift = (a: string, g: string, outOfStock: string, changes: object = {}) => promotion({ kind: 'gift', terms: { gifts: [{ sku: g, quantity: 1 }], minSpend: 1000, outOfStock }, skus: [{ sku: a }], ...changes });
  test('a line at price 0, reserved like any other', async () => {
    const [a, g] = [await sku(), await sku(2)];
    await gift(a, g, 'drop');
    const { body } = await order([{ sku: a, quantity: 2 }], { freight: 300 });
    expect([body['total'], (body['promotions'] as { gifts: object[] }).gifts]).toMatchObject([2300, [{ line: 2, sku: g, quantity: 1 }]]);
    expect((await detail(body['id'])).lines.map((l) => [l.sku, l.gift, l.net])).toEqual([[a, false, 2300], [g, true, 0]]);
    expect(await api.world.stock(g)).toMatchObject({ 'L-1': [2, 1] });
  });
  test('out of stock: dropped with a note, or the order is refused; exactly as many gifts as there are', async () => {
    const [a, g] = [await sku(), await sku(3)];
    const code = await gift(a, g, 'drop');
    const bodies = Array.from({ length: 10 }, () => intake([{ sku: a, quantity: 1 }]));
    const answers = await Promise.all(bodies.map((b, i) => (i % 2 === 0 ? call('POST', '/v1/orders', b).then((r) => r.status) : elsewhere(b))));
    expect(answers).toEqual(answers.map(() => 201));
    expect(await api.world.stock(g)).toMatchObject({ 'L-1': [3, 3] });
    expect(await api.world.one(`select count(*)::int n, sum(quantity)::int units from order_lines where sku_code = '${g}'`)).toEqual({ n: 3, units: 3 });
    const late = await order([{ sku: a, quantity: 1 }]);
    expect((late.body['promotions'] as { dropped: object[] }).dropped).toMatchObject([{ sku: g, quantity: 1, reason: 'out of stock' }]);
    expect(await detail(late.body['id'])).toMatchObject({ status: 'captured', lines: [{ sku: a }] });
    expect((await call('GET', `/v1/promotions/${code}`)).body['used']).toEqual({ orders: 3, units: 3, amount: 0 });
    const b = await sku();
    await gift(b, g, 'refuse');
    expect(await untouched(() => order([{ sku: b, quantity: 1 }]))).toEqual([409, 'insufficient_stock', undefined]);
  });
  test("to orders of a platform whose prices are facts, where the channel is named; they are never refused for it", async () => {
    const [a, g] = [await sku(), await sku(1)];
    await gift(a, g, 'refuse', { channels: ['douyin'] });
    const first = await order([{ sku: a, quantity: 1, unitPrice: 1200 }], { channel: 'douyin' });
    expect([first.body['total'], (await detail(first.body['id'])).lines.map((l) => l.sku)]).toEqual([1200, [a, g]]);
    const second = await order([{ sku: a, quantity: 1, unitPrice: 1200 }], { channel: 'douyin' });
    expect([second.status, second.body['missing'], (await detail(second.body['id'])).lines.map((l) => l.sku)]).toEqual([201, [], [a]]);
  });
});

describe('gifts of merged orders', () => {
  const gift = (a: string, g: string) => promotion({ kind: 'gift', terms: { gifts: [{ sku: g, quantity: 1 }], minQuantity: 2, outOfStock: 'drop' }, skus: [{ sku: a }] });
  const two = async (a: string, phone: string, each: number) => [
    String((await order([{ sku: a, quantity: each }], buyer(phone))).body['id']), String((await order([{ sku: a, quantity: each }], buyer(phone))).body['id'])] as const;
  const merge = (ids: readonly string[]) => call('POST', '/v1/orders/actions', { action: 'merge', orderIds: ids, reason: 'one parcel' });
  const noted = async (id: string) => ((await detail(id)) as unknown as { timeline: { type: string; data: object }[] }).timeline.filter((e) => e.type === 'order.gifts_recomputed').map((e) => e.data);
  const gifts = async (id: string, g: string) => (await api.world.one<{ n: number }>(`select coalesce(sum(quantity - cancelled_quantity), 0)::int n from order_lines where order_id = $1 and sku_code = $2`, decodeId('ord', id), g)).n;

  test('a threshold that they reach together: the gift comes once, and goes with the member', async () => {
    const [a, g] = [await sku(), await sku(2)];
    const code = await gift(a, g);
    const ids = await two(a, '13966660001', 1);
    expect((await merge(ids)).status).toBe(200);
    expect([await gifts(ids[0], g), await api.world.stock(g)]).toMatchObject([1, { 'L-1': [2, 1] }]);
    expect(await noted(ids[0])).toMatchObject([{ added: [{ line: 3, sku: g, quantity: 1, code }], removed: [], dropped: [] }]);
    expect((await call('GET', `/v1/promotions/${code}`)).body['used']).toEqual({ orders: 1, units: 1, amount: 0 });
    const before = await print();
    expect((await merge(ids)).status).toBe(409);
    expect(await print()).toEqual(before);
    expect((await call('POST', `/v1/orders/${ids[1]}/cancel`, { reason: 'no' })).body).toEqual({ status: 'cancelled' });
    expect([await gifts(ids[0], g), await api.world.stock(g), await noted(ids[0])]).toMatchObject([0, { 'L-1': [2, 0] }, [{}, { added: [], removed: [{ line: 3, sku: g, quantity: 1 }] }]]);
    expect((await detail(ids[0])).status).toBe('captured');
    const done = await print();
    expect((await call('POST', `/v1/orders/${ids[1]}/cancel`, { reason: 'no' })).body).toEqual({ status: 'cancelled' });
    expect(await print()).toEqual(done);
  });
  test('each had one that does not repeat: one stays, also when a member is cancelled whose rest still earns it', async () => {
    const [a, g] = [await sku(), await sku(2)];
    await gift(a, g);
    const ids = await two(a, '13966660002', 2);
    expect(await api.world.stock(g)).toMatchObject({ 'L-1': [2, 2] });
    expect((await merge(ids)).status).toBe(200);
    expect([await gifts(ids[0], g), await api.world.stock(g)]).toMatchObject([1, { 'L-1': [2, 1] }]);
    expect(await noted(ids[0])).toMatchObject([{ added: [], removed: [{ line: 4, sku: g, quantity: 1 }], dropped: [] }]);
    await call('POST', `/v1/orders/${ids[1]}/cancel`, { reason: 'no' });
    expect([await gifts(ids[0], g), (await noted(ids[0])).length]).toEqual([1, 1]);
  });
  test('out of stock: the orders are merged without it, and it is noted', async () => {
    const [a, g] = [await sku(), await sku(0)];
    await gift(a, g);
    const ids = await two(a, '13966660003', 1);
    expect((await merge(ids)).status).toBe(200);
    expect([await gifts(ids[0], g), await noted(ids[0])]).toMatchObject([0, [{ added: [], removed: [], dropped: [{ sku: g, quantity: 1, reason: 'out of stock' }] }]]);
    expect((await detail(ids[0])).status).toBe('captured');
  });
});

test('the quote says what an order would cost and touches nothing; the order is held to it', async () => {
  const a = await sku(100, 1000, 800);
  const g = await sku(5);
  await promotion({ kind: 'threshold', terms: { tiers: [{ minSpend: 2000, amountOff: 100 }] }, skus: [{ sku: a }] });
  await promotion({ kind: 'gift', terms: { gifts: [{ sku: g, quantity: 1 }], minQuantity: 2, outOfStock: 'drop' }, skus: [{ sku: a }] });
  const code = await promotion({ kind: 'coupon', terms: { amountOff: 900 }, skus: [{ sku: a }] });
  const [one] = await coupons(code, { count: 1 }) as [string];
  const before = await print();
  const cart = { channel: 'own', currency: 'CNY', lines: [{ sku: a, quantity: 2 }], coupons: [one], freight: 50 };
  const quote = await call('POST', '/v1/price', cart);
  // 2,000 − 100, then 900 of which the floor of 800 leaves 300.
  expect(quote).toMatchObject({ status: 200, body: { list: 2000, discount: 400, freight: 50, total: 1650, problem: null, lines: [{ sku: a, net: 1650 }, { sku: g, gift: true, net: 0 }] } });
  expect(await print()).toEqual(before);
  const lines = [{ sku: a, quantity: 2 }];
  expect(await untouched(() => order(lines, { coupons: [one], freight: 50, expectTotal: 1649 }))).toEqual([409, 'conflict', '/expectTotal']);
  expect((await order(lines, { coupons: [one], freight: 50, expectTotal: 1650 })).body['total']).toBe(1650);
  expect((await call('POST', '/v1/price', cart)).body['problem']).toMatchObject({ code: 'conflict', field: '/coupons/0' });
  expect((await call('POST', '/v1/price', { ...cart, channel: 'douyin' })).status).toBe(422);
});

test('one Idempotency-Key, one coupon: the answer and the refusal are both remembered', async () => {
  const a = await sku();
  const code = await promotion({ kind: 'coupon', terms: { amountOff: 300 }, skus: [{ sku: a }] });
  const [one] = await coupons(code, { count: 1 }) as [string];
  const key = { 'idempotency-key': randomUUID() };
  const body = intake([{ sku: a, quantity: 1 }], { coupons: [one] });
  const answers = await Promise.all(Array.from({ length: 6 }, () => call('POST', '/v1/orders', body, key)));
  expect(new Set(answers.map((r) => r.body['id'])).size).toBe(1);
  const late = { 'idempotency-key': randomUUID() };
  const second = intake([{ sku: a, quantity: 1 }], { coupons: [one] });
  expect((await call('POST', '/v1/orders', second, late)).status).toBe(409);
  expect((await call('POST', '/v1/orders', second, late)).status).toBe(409);
});

test('an order whose prices are facts is held where a unit goes below the floor; what the platform pays counts, gifts and our own promotions do not', async () => {
  const [a, b] = [await sku(100, 1000, 800), await sku(100, 1000)];
  const { body: rule } = await call('POST', '/v1/audit-rules', { name: 'floor', kind: 'floor', action: 'hold', priority: 10, params: {} });
  const status = async (lines: OrderIntake['lines'], changes: Partial<OrderIntake> = {}) => {
    const { body } = await call('POST', '/v1/orders', intake(lines as Line[], { channel: 'douyin', ...changes }));
    await api.advance(body['id'] as string, 'route');
    const { rows } = await api.world.store.pool.query<{ detail: string }>('select h.detail from order_holds h join orders o on o.id = h.order_id where o.external_id = $1', [body['externalId']]);
    return rows.map((r) => r.detail);
  };
  const off = (amount: number, bearer: 'shop' | 'platform') => [{ bearer, code: 'X', amount }];
  const held = [`sold below the floor price: ${a}`];
  expect(await status([{ sku: a, quantity: 2, unitPrice: 799 }, { sku: b, quantity: 1, unitPrice: 1 }])).toEqual(held);
  expect(await status([{ sku: a, quantity: 2, unitPrice: 800 }])).toEqual([]);
  expect(await status([{ sku: a, quantity: 2, unitPrice: 1000, discounts: off(401, 'shop') }])).toEqual(held);
  expect(await status([{ sku: a, quantity: 2, unitPrice: 1000, discounts: off(401, 'platform') }])).toEqual([]);
  expect(await status([{ sku: b, quantity: 1, unitPrice: 1000 }, { sku: a, quantity: 1, unitPrice: 0, gift: true }])).toEqual([]);
  await promotion({ kind: 'markdown', terms: {}, skus: [{ sku: a, price: 500, floor: 500 }] });
  expect(await status([{ sku: a, quantity: 1 }], { channel: 'own' })).toEqual([]);
  await api.world.store.pool.query('delete from audit_rules where id = $1', [rule['id']]);
});
