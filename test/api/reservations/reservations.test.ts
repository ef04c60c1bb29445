import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { SCOPES } from '../../../db/api-keys.ts';
import { runAudit } from '../../../db/audit/run-audit.ts';
import { expireLeases } from '../../../db/leases/expire-leases.ts';
import { decodeId } from '../../../domain/ids.ts';
import { TestApi } from '../../support/api.ts';
import { everything, refused, send, type Reply } from '../network/requests.ts';

let api: TestApi;
let admin: string;
let skus = 0;
let references = 0;
const START = new Date('2026-11-23T02:00:00Z');
beforeAll(async () => {
  api = await TestApi.open({ skus: 60, stock: 0 });
  admin = await api.key('admin', SCOPES);
});
afterAll(async () => { await api.close(); });
afterEach(async () => {
  await expireLeases(api.world.store.writer);
  expect((await runAudit(api.world.store.pool, { now: api.world.now })).violations).toEqual([]);
  api.world.now = START;
});

async function stocked(at: Record<string, number>): Promise<string> {
  const sku = `SKU-${++skus}`;
  await api.world.setStock(sku, at);
  return sku;
}
type Line = { sku: string; quantity: number };
const body = (lines: Line[], changes: object = {}) => ({ reference: `R-${++references}`, owner: 'cart', channel: 'own', expiresInS: 600, mode: 'all', lines, ...changes });
const take = (lines: Line[], changes: object = {}): Promise<Reply> => send(api, admin, 'POST', '/v1/reservations', body(lines, changes));
const post = (id: string, what: string, payload: object): Promise<Reply> => send(api, admin, 'POST', `/v1/reservations/${id}/${what}`, payload);
const read = (id: string): Promise<Reply> => send(api, admin, 'GET', `/v1/reservations/${id}`);
const idOf = (reply: Reply): string => reply.body['id'] as string;
const reserved = (reply: Reply): unknown => (reply.body['lines'] as { line: number; sku: string; reserved: { location: string; quantity: number }[] }[]).map((l) => [l.sku, ...l.reserved.map((r) => `${r.location}:${r.quantity}`)]);
const later = (seconds: number): void => { api.world.now = new Date(START.getTime() + seconds * 1000); };

/** Sends again what was done before: it answers, and nothing changes. */
async function repeated(request: () => Promise<Reply>): Promise<void> {
  const before = await everything(api);
  expect((await request()).status).toBe(200);
  expect(await everything(api)).toBe(before);
}

describe('taking', () => {
  test('answers what is reserved and where, near the destination, until when', async () => {
    const sku = await stocked({ 'L-1': 5, 'L-2': 5 });
    const near = await take([{ sku, quantity: 3 }], { destination: { country: 'CN', province: 'Beijing', city: 'Beijing' } });
    expect(near).toMatchObject({ status: 201, body: {
      owner: 'cart', channel: 'own', mode: 'all', status: 'active', expiresAt: '2026-11-23T02:10:00.000Z', endedAt: null, order: null, transfer: null,
      lines: [{ line: 1, sku, quantity: 3, bundle: null, reserved: [{ location: 'L-2', quantity: 3 }] }],
    } });
    expect(idOf(near)).toMatch(/^res_[0-9a-hjkmnp-tv-z]{26}$/);
    expect(await read(idOf(near))).toEqual({ status: 200, body: near.body });
    expect(await api.world.stock(sku)).toMatchObject({ 'L-1': [5, 0], 'L-2': [5, 3] });
  });

  test('all: whole or nothing, with what is missing; lines of one SKU are counted together', async () => {
    const [a, b] = [await stocked({ 'L-1': 5, 'L-2': 2 }), await stocked({ 'L-1': 1 })];
    const reply = await refused(api, () => take([{ sku: a, quantity: 4 }, { sku: b, quantity: 1 }, { sku: a, quantity: 4 }]), 409, 'insufficient_stock', '/lines/2/quantity');
    expect(reply.body['missing']).toEqual([{ line: 3, sku: a, quantity: 1 }]);
    expect(reserved(await take([{ sku: a, quantity: 4 }, { sku: b, quantity: 1 }, { sku: a, quantity: 3 }]))).toEqual([[a, 'L-1:4'], [b, 'L-1:1'], [a, 'L-1:1', 'L-2:2']]);
  });

  test('lines: each whole or not at all, in their order', async () => {
    const [a, b] = [await stocked({ 'L-1': 5 }), await stocked({ 'L-1': 1 })];
    const got = await take([{ sku: a, quantity: 4 }, { sku: a, quantity: 2 }, { sku: b, quantity: 2 }, { sku: a, quantity: 1 }], { mode: 'lines' });
    expect(reserved(got)).toEqual([[a, 'L-1:4'], [a], [b], [a, 'L-1:1']]);
    expect([await api.world.stock(a), await api.world.stock(b)]).toMatchObject([{ 'L-1': [5, 5] }, { 'L-1': [1, 0] }]);
    await refused(api, () => take([{ sku: b, quantity: 2 }], { mode: 'lines' }), 409, 'insufficient_stock', '/lines/0/quantity');
  });

  test('partial: what there is; nothing at all is refused', async () => {
    const [a, b] = [await stocked({ 'L-1': 3, 'L-3': 1 }), await stocked({ 'L-1': 1 })];
    expect(reserved(await take([{ sku: a, quantity: 3 }, { sku: a, quantity: 3 }, { sku: b, quantity: 5 }], { mode: 'partial' }))).toEqual([[a, 'L-1:3'], [a, 'L-3:1'], [b, 'L-1:1']]);
    await refused(api, () => take([{ sku: a, quantity: 1 }], { mode: 'partial' }), 409, 'insufficient_stock', '/lines/0/quantity');
  });

  test('bundles are reserved by component; partial takes whole ones only', async () => {
    const [set, a, b] = [await stocked({}), await stocked({ 'L-1': 7 }), await stocked({ 'L-1': 9 })];
    expect((await send(api, admin, 'PUT', `/v1/skus/${set}/components`, { components: [{ sku: a, quantity: 2 }, { sku: b, quantity: 1 }] })).status).toBe(200);
    await refused(api, () => take([{ sku: set, quantity: 4 }]), 409, 'insufficient_stock', '/lines/0/quantity');
    const got = await take([{ sku: set, quantity: 4 }], { mode: 'partial' });
    expect(got.body['lines']).toEqual([
      { line: 1, sku: a, quantity: 8, bundle: { sku: set, line: 1 }, reserved: [{ location: 'L-1', quantity: 6 }] },
      { line: 2, sku: b, quantity: 4, bundle: { sku: set, line: 1 }, reserved: [{ location: 'L-1', quantity: 3 }] },
    ]);
  });

  test('one owner and reference is one reservation, however often it is sent at once; another body is refused', async () => {
    const sku = await stocked({ 'L-1': 10 });
    const request = body([{ sku, quantity: 4 }], { reference: 'ONCE' });
    const replies = await Promise.all(Array.from({ length: 5 }, () => send(api, admin, 'POST', '/v1/reservations', request)));
    expect(replies.map((r) => r.status).toSorted()).toEqual([200, 200, 200, 200, 201]);
    expect(new Set(replies.map((r) => JSON.stringify(r.body))).size).toBe(1);
    expect(await api.world.stock(sku)).toMatchObject({ 'L-1': [10, 4] });
    await refused(api, () => send(api, admin, 'POST', '/v1/reservations', { ...request, expiresInS: 601 }), 409, 'duplicate_with_other_body', '/reference');
    expect((await send(api, admin, 'POST', '/v1/reservations', { ...request, owner: 'another cart' })).status).toBe(201);
  });

  test('bad input changes nothing', async () => {
    const sku = await stocked({ 'L-1': 1 });
    await refused(api, () => take([{ sku: 'NONE', quantity: 1 }]), 422, 'unknown_sku', '/lines/0/sku');
    await refused(api, () => take([{ sku, quantity: 1 }], { channel: 'nowhere' }), 422, 'unknown_channel', '/channel');
    await refused(api, () => take([{ sku, quantity: 1 }], { expiresInS: 0 }), 400, 'invalid', '/expiresInS');
    await refused(api, () => take([{ sku, quantity: 1 }], { expiresInS: 86_401 }), 400, 'invalid', '/expiresInS');
    await refused(api, () => take([{ sku, quantity: 0 }]), 400, 'invalid', '/lines/0/quantity');
    await refused(api, () => take([]), 400, 'invalid', '/lines');
    await refused(api, () => take([{ sku, quantity: 1 }], { mode: 'some' }), 400, 'invalid', '/mode');
    await refused(api, () => read('res_00000000000000000000000000'), 404, 'not_found');
  });

  test('only keys of the head office with the scope', async () => {
    const sku = await stocked({ 'L-1': 1 });
    const shop = await api.key('shop', SCOPES, 'L-1');
    const reader = await api.key('reader', ['stock:read']);
    await refused(api, () => send(api, shop, 'POST', '/v1/reservations', body([{ sku, quantity: 1 }])), 403, 'forbidden');
    await refused(api, () => send(api, reader, 'POST', '/v1/reservations', body([{ sku, quantity: 1 }])), 403, 'forbidden');
    const id = idOf(await take([{ sku, quantity: 1 }]));
    await refused(api, () => send(api, shop, 'GET', `/v1/reservations/${id}`), 403, 'forbidden');
    await refused(api, () => send(api, shop, 'DELETE', `/v1/reservations/${id}`), 403, 'forbidden');
    await refused(api, () => send(api, reader, 'POST', `/v1/reservations/${id}/extension`, { expiresInS: 1 }), 403, 'forbidden');
    expect((await send(api, reader, 'GET', `/v1/reservations/${id}`)).status).toBe(200);
  });

  test('100 at once for 10 units: exactly 10', async () => {
    const sku = await stocked({ 'L-1': 4, 'L-2': 6 });
    const replies = await Promise.all(Array.from({ length: 100 }, () => take([{ sku, quantity: 1 }])));
    expect([201, 409].map((s) => replies.filter((r) => r.status === s).length)).toEqual([10, 90]);
    expect(await api.world.stock(sku)).toMatchObject({ 'L-1': [4, 4], 'L-2': [6, 6] });
  });

  test('carts and orders at once do not share units', async () => {
    const sku = await stocked({ 'L-1': 10 });
    const [carts, orders] = await Promise.all([
      Promise.all(Array.from({ length: 20 }, () => take([{ sku, quantity: 1 }]))),
      Promise.allSettled(Array.from({ length: 20 }, () => api.world.capture({ lines: [{ sku, quantity: 1, unitPrice: 100 }] }))),
    ]);
    expect(carts.filter((c) => c.status === 201).length + orders.filter((o) => o.status === 'fulfilled').length).toBe(10);
    expect(await api.world.stock(sku)).toMatchObject({ 'L-1': [10, 10] });
  });

  test('several at once take what there is in part, together no more than all', async () => {
    const sku = await stocked({ 'L-1': 7, 'L-2': 7 });
    const replies = await Promise.all(Array.from({ length: 6 }, () => take([{ sku, quantity: 4 }], { mode: 'partial' })));
    const units = replies.filter((r) => r.status === 201).map((r) => (r.body['lines'] as { reserved: { quantity: number }[] }[])[0]!.reserved.reduce((sum, x) => sum + x.quantity, 0));
    expect(units.toSorted((x, y) => y - x)).toEqual([4, 4, 4, 2]);
    expect(replies.filter((r) => r.status === 409)).toHaveLength(2);
  });
});

describe('ending', () => {
  test('expires at its time, not before; the units are free and go to who waits', async () => {
    const sku = await stocked({ 'L-1': 2 });
    const id = idOf(await take([{ sku, quantity: 2 }], { expiresInS: 10 }));
    const waiting = await api.order({ channel: 'douyin', lines: [{ sku, quantity: 1, unitPrice: 100 }] });
    expect(await api.world.status(waiting)).toBe('backordered');
    later(9.999);
    expect(await expireLeases(api.world.store.writer)).toBe(0);
    later(10);
    expect(await Promise.all([expireLeases(api.world.store.writer), expireLeases(api.world.store.writer)]).then(([a, b]) => a + b)).toBe(1);
    expect(await read(id)).toMatchObject({ status: 200, body: { status: 'expired', endedAt: '2026-11-23T02:00:10.000Z', lines: [{ reserved: [] }] } });
    expect([await api.world.status(waiting), await api.world.stock(sku)]).toMatchObject(['confirmed', { 'L-1': [2, 1] }]);
  });

  test('many that are due are worked off in one go', async () => {
    const sku = await stocked({ 'L-1': 120 });
    for (let i = 0; i < 6; i++) await Promise.all(Array.from({ length: 20 }, () => take([{ sku, quantity: 1 }], { expiresInS: 5 })));
    later(6);
    expect(await expireLeases(api.world.store.writer)).toBe(120);
    expect(await api.world.stock(sku)).toMatchObject({ 'L-1': [120, 0] });
  });

  test('one that cannot expire does not keep the others', async () => {
    const [a, b] = [await stocked({ 'L-1': 1 }), await stocked({ 'L-1': 1 })];
    const [bad, good] = [idOf(await take([{ sku: a, quantity: 1 }], { expiresInS: 1 })), idOf(await take([{ sku: b, quantity: 1 }], { expiresInS: 2 }))];
    const level = await api.world.one<{ id: number }>('select level_id id from reservations where order_id = $1', decodeId('res', bad));
    await api.world.store.pool.query('update stock_levels set reserved = 0 where id = $1', [level.id]);
    later(3);
    const warnings: string[] = [];
    const listen = (warning: Error): void => void warnings.push(warning.message);
    process.on('warning', listen);
    expect(await expireLeases(api.world.store.writer)).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', listen);
    expect(warnings).toEqual([expect.stringContaining('a reservation could not expire')]);
    expect([(await read(bad)).body['status'], (await read(good)).body['status']]).toEqual(['active', 'expired']);
    await api.world.store.pool.query('update stock_levels set reserved = 1 where id = $1', [level.id]);
  });

  test('released once, safe to repeat; then it cannot be extended', async () => {
    const sku = await stocked({ 'L-1': 3 });
    const id = idOf(await take([{ sku, quantity: 3 }]));
    const release = () => send(api, admin, 'DELETE', `/v1/reservations/${id}`);
    const replies = await Promise.all([release(), release()]);
    expect(replies.map((r) => [r.status, r.body['status']])).toEqual([[200, 'released'], [200, 'released']]);
    expect(await api.world.stock(sku)).toMatchObject({ 'L-1': [3, 0] });
    await refused(api, () => post(id, 'extension', { expiresInS: 60 }), 409, 'conflict');
    await repeated(release);
  });

  test('extension counts from now; at its time it is too late, whether or not a worker has seen to it', async () => {
    const sku = await stocked({ 'L-1': 1 });
    const id = idOf(await take([{ sku, quantity: 1 }], { expiresInS: 60 }));
    later(59);
    expect((await post(id, 'extension', { expiresInS: 60 })).body).toMatchObject({ status: 'active', expiresAt: '2026-11-23T02:01:59.000Z' });
    later(60);
    expect(await expireLeases(api.world.store.writer)).toBe(0);
    later(119);
    await refused(api, () => post(id, 'extension', { expiresInS: 60 }), 409, 'conflict');
    expect(await expireLeases(api.world.store.writer)).toBe(1);
    await refused(api, () => post(id, 'extension', { expiresInS: 60 }), 409, 'conflict');
  });

  test('an extension that races the expiry: either it lives on whole, or it is over', async () => {
    const sku = await stocked({ 'L-1': 20 });
    const ids: string[] = [];
    for (let i = 0; i < 20; i++) ids.push(idOf(await take([{ sku, quantity: 1 }], { expiresInS: 30 })));
    let calls = 0;
    // Half of the clock's readings lie before the time, half after it.
    const clock = Object.getOwnPropertyDescriptor(api.world, 'now')!;
    Object.defineProperty(api.world, 'now', { configurable: true, get: () => new Date(START.getTime() + (calls++ % 2 === 0 ? 29_999 : 30_000)) });
    const [replies] = await Promise.all([Promise.all(ids.map((id) => post(id, 'extension', { expiresInS: 600 }))), ...Array.from({ length: 6 }, () => expireLeases(api.world.store.writer))]);
    Object.defineProperty(api.world, 'now', clock);
    later(31);
    await expireLeases(api.world.store.writer);
    const statuses = await Promise.all(ids.map(async (id) => (await read(id)).body['status']));
    expect(statuses).toEqual(replies.map((r) => (r.status === 200 ? 'active' : 'expired')));
    expect(await api.world.stock(sku)).toMatchObject({ 'L-1': [20, statuses.filter((s) => s === 'active').length] });
  });

  test('units that are lost are taken from the youngest, an order or a reservation', async () => {
    const sku = await stocked({ 'L-1': 6 });
    const first = idOf(await take([{ sku, quantity: 3 }]));
    await api.order({ channel: 'douyin', lines: [{ sku, quantity: 3, unitPrice: 100 }] }, 'route');
    const lose = (delta: number) => send(api, admin, 'POST', '/v1/stock/adjustments', { reference: `A-${++references}`, location: 'L-1', reason: 'count', lines: [{ sku, delta }] });
    expect((await lose(-3)).body).toMatchObject({ shortened: 3 });
    expect((await lose(-2)).body).toMatchObject({ shortened: 2 });
    expect(reserved(await read(first))).toEqual([[sku, 'L-1:1']]);
    expect(await api.world.stock(sku)).toMatchObject({ 'L-1': [1, 1] });
  });
});

describe('transfer to an order', () => {
  const shortages = async (id: string): Promise<unknown[]> =>
    (await api.world.store.pool.query<{ row: string }>(`select format('%s %s %s', line_no, quantity, status) "row" from shortages where order_id = $1 order by id`, [decodeId('ord', id)])).rows.map((r) => r.row);
  const held = async (id: string): Promise<unknown[]> => (await api.world.store.pool.query<{ row: string }>(
    `select format('%s %s %s %s', r.line_no, l.code, sum(r.quantity), r.status) "row" from reservations r join stock_levels v on v.id = r.level_id join locations l on l.id = v.location_id
     where r.order_id = $1 and r.status in ('held', 'confirmed') group by r.line_no, l.code, r.status order by 1`, [decodeId('ord', id)])).rows.map((r) => r.row);
  const line = (sku: string, quantity: number) => ({ sku, quantity, unitPrice: 100 });

  test('serves its shortages, replaces its own units, gives the rest back', async () => {
    const [a, b, c] = [await stocked({ 'L-1': 3 }), await stocked({ 'L-1': 6 }), await stocked({ 'L-1': 1 })];
    const id = idOf(await take([{ sku: a, quantity: 3 }, { sku: b, quantity: 2 }, { sku: c, quantity: 1 }]));
    const order = await api.order({ channel: 'douyin', lines: [line(a, 2), line(b, 2)] });
    expect([await api.world.status(order), await shortages(order)]).toEqual(['backordered', ['1 2 open']]);
    await refused(api, () => post(id, 'transfer', { order }), 409, 'conflict', '/order'); // another channel
    const mine = idOf(await take([{ sku: b, quantity: 2 }], { channel: 'douyin' }));
    expect((await send(api, admin, 'DELETE', `/v1/reservations/${id}`)).status).toBe(200); // its units go to the order that waits
    expect([await api.world.status(order), await shortages(order)]).toEqual(['confirmed', ['1 2 served']]);
    const { body: moved, status } = await post(mine, 'transfer', { order });
    expect([status, moved['status'], moved['order'], moved['transfer']]).toEqual([200, 'transferred', order, { served: 0, replaced: 2, released: 0 }]);
    expect(await held(order)).toEqual(['1 L-1 2 confirmed', '2 L-1 2 confirmed']);
    expect(await api.world.stock(b)).toMatchObject({ 'L-1': [6, 2] });
  });

  test('a shortage is served by the units that were kept for it; the order goes on', async () => {
    const [a, b] = [await stocked({ 'L-2': 5 }), await stocked({ 'L-1': 1 })];
    const id = idOf(await take([{ sku: a, quantity: 5 }], { channel: 'douyin' }));
    const order = await api.order({ channel: 'douyin', lines: [line(b, 1), line(a, 3)] });
    expect(await shortages(order)).toEqual(['2 3 open']);
    const reply = await post(id, 'transfer', { order });
    expect(reply.body['transfer']).toEqual({ served: 3, replaced: 0, released: 2 });
    expect([await api.world.status(order), await shortages(order), await held(order)]).toEqual(['confirmed', ['2 3 served'], ['1 L-1 1 confirmed', '2 L-2 3 confirmed']]);
    expect(await api.world.stock(a)).toMatchObject({ 'L-2': [5, 3] });
    expect((await api.world.events(order)).filter((e) => e === 'order.reservation_received')).toHaveLength(1);
    await repeated(() => post(id, 'transfer', { order }));
    await refused(api, () => send(api, admin, 'DELETE', `/v1/reservations/${id}`), 409, 'conflict');
    await refused(api, () => post(id, 'extension', { expiresInS: 5 }), 409, 'conflict');
    await api.advance(order);
    for (const f of await api.world.fulfillments(order)) await api.world.issue(f);
    expect(await api.world.status(order)).toBe('shipped');
    expect([await api.world.stock(a), await api.world.stock(b)]).toMatchObject([{ 'L-2': [2, 0] }, { 'L-1': [0, 0] }]);
  });

  test('an unpaid order gets them until its payment is due', async () => {
    const sku = await stocked({ 'L-1': 2 });
    const id = idOf(await take([{ sku, quantity: 2 }], { channel: 'douyin' }));
    const { id: order } = await api.world.capture({ channel: 'douyin', payment: { status: 'unpaid' }, lines: [line(sku, 2)] });
    expect((await post(id, 'transfer', { order })).body['transfer']).toEqual({ served: 2, replaced: 0, released: 0 });
    expect(await held(order)).toEqual(['1 L-1 2 held']);
    expect(await api.world.one('select distinct expires_at = $2 same from reservations where order_id = $1', decodeId('ord', order), new Date(START.getTime() + 1_800_000))).toEqual({ same: true });
  });

  test('refused, and nothing changed: routed, over, of no use, unknown, ended, due', async () => {
    const [a, b] = [await stocked({ 'L-1': 9 }), await stocked({ 'L-1': 9 })];
    const id = idOf(await take([{ sku: a, quantity: 1 }], { expiresInS: 60 }));
    const routed = await api.order({ lines: [line(a, 1)] });
    await refused(api, () => post(id, 'transfer', { order: routed }), 409, 'conflict', '/order');
    const { id: over } = await api.world.capture({ lines: [line(a, 1)] });
    await send(api, admin, 'POST', `/v1/orders/${over}/cancel`, { reason: 'no' });
    await refused(api, () => post(id, 'transfer', { order: over }), 409, 'conflict', '/order');
    const { id: other } = await api.world.capture({ lines: [line(b, 1)] });
    await refused(api, () => post(id, 'transfer', { order: other }), 409, 'conflict', '/order');
    await refused(api, () => post(id, 'transfer', { order: 'ord_00000000000000000000000000' }), 404, 'not_found');
    const { id: good } = await api.world.capture({ lines: [line(a, 1)] });
    later(60);
    await refused(api, () => post(id, 'transfer', { order: good }), 409, 'conflict');
    await expireLeases(api.world.store.writer);
    await refused(api, () => post(id, 'transfer', { order: good }), 409, 'conflict');
  });

  test('twice at once to one order is one transfer; to two orders one of them gets it', async () => {
    const sku = await stocked({ 'L-1': 8 });
    const order = async (): Promise<string> => (await api.world.capture({ lines: [line(sku, 2)] })).id;
    const [one, two, three] = [await order(), await order(), await order()];
    const id = idOf(await take([{ sku, quantity: 2 }]));
    const same = await Promise.all([post(id, 'transfer', { order: one }), post(id, 'transfer', { order: one })]);
    expect(same.map((r) => [r.status, r.body['transfer']])).toEqual([[200, { served: 0, replaced: 2, released: 0 }], [200, { served: 0, replaced: 2, released: 0 }]]);
    const next = idOf(await take([{ sku, quantity: 2 }]));
    const rivals = await Promise.all([post(next, 'transfer', { order: two }), post(next, 'transfer', { order: three })]);
    expect(rivals.map((r) => r.status).toSorted()).toEqual([200, 409]);
    expect(await api.world.stock(sku)).toMatchObject({ 'L-1': [8, 6] });
  });

  test('a transfer, a release and an expiry at once: one of them', async () => {
    const sku = await stocked({ 'L-1': 40 });
    for (let i = 0; i < 8; i++) {
      api.world.now = START;
      const { id: order } = await api.world.capture({ lines: [line(sku, 1)] });
      const id = idOf(await take([{ sku, quantity: 1 }], { expiresInS: 5 }));
      const [moved, released] = await Promise.all([post(id, 'transfer', { order }), send(api, admin, 'DELETE', `/v1/reservations/${id}`), expireLeases(api.world.store.writer)]);
      expect([[200, 409], [409, 200]]).toContainEqual([moved.status, released.status]);
      expect((await read(id)).body['status']).toBe(moved.status === 200 ? 'transferred' : 'released');
    }
    expect(await api.world.stock(sku)).toMatchObject({ 'L-1': [40, 8] });
  });
});
