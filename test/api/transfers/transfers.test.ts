import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { SCOPES } from '../../../db/api-keys.ts';
import { runAudit } from '../../../db/audit/run-audit.ts';
import { decodeId } from '../../../domain/ids.ts';
import { TestApi } from '../../support/api.ts';

let api: TestApi;
let admin: string;
let one: string;
let two: string;
let three: string;
let n = 0;
beforeAll(async () => {
  api = await TestApi.open({ stock: 0, skus: 60 });
  admin = await api.key('admin', SCOPES);
  one = await api.key('one', ['stock:read', 'stock:write'], 'L-1');
  two = await api.key('two', ['stock:read', 'stock:write'], 'L-2');
  three = await api.key('three', ['stock:read', 'stock:write'], 'L-3');
  await api.world.store.pool.query('update channels set supply_horizon_s = 1209600');
  await api.world.store.network.reload();
});
afterEach(async () => { expect((await runAudit(api.world.store.pool)).violations).toEqual([]); });
afterAll(async () => { await api.close(); });

const post = (url: string, body: object = {}, key = admin) => api.call(key, 'POST', url, body);
const sku = (): string => `SKU-${++n}`;
/** A SKU with units at L-2. */
async function stocked(units: number): Promise<string> {
  const code = sku();
  await api.world.setStock(code, { 'L-2': units });
  return code;
}
const propose = (lines: object[], changes: object = {}, key = admin) => post('/v1/transfers', { reference: `T-${++n}`, reason: 'manual', from: 'L-2', to: 'L-1', lines, ...changes }, key);
async function approved(lines: object[], changes: object = {}): Promise<string> {
  const { status, body } = await propose(lines, { approve: true, ...changes });
  expect([status, body['status']]).toEqual([201, 'approved']);
  return body['id'] as string;
}
const act = (id: string, what: string, body: object = {}, key = admin) => post(`/v1/transfers/${id}/${what}`, body, key);
const read = async (id: string, key = admin) => (await api.call(key, 'GET', `/v1/transfers/${id}`)).body as Record<string, unknown> & { events: { type: string; data: unknown }[]; variances: object[]; lines: object[] };
const levels = async (code: string) => (await api.world.store.pool.query<{ at: string }>(
  `select l.code || ' ' || v.condition || case when v.supply_id = 0 then '' else ' coming' end || case when v.allotment_id = 0 then '' else ' aside' end || ' ' || v.on_hand || '/' || v.reserved as at
   from stock_levels v join locations l on l.id = v.location_id join skus s on s.id = v.sku_id where s.code = $1 and v.on_hand > 0 order by 1`, [code])).rows.map((r) => r.at);
const movements = async (code: string) => (await api.world.store.pool.query<{ m: string }>(
  `select m.cause || ' ' || sum(m.d_on_hand) m from stock_movements m join stock_levels v on v.id = m.level_id join skus s on s.id = v.sku_id where s.code = $1 and m.cause not in ('count', 'receipt', 'supply_date') group by m.cause, m.command_id order by m.command_id`, [code])).rows.map((r) => r.m);
const print = () => api.world.one<Record<string, unknown>>(
  `select (select count(*) from transfers) t, (select count(*) from transfer_events) e, (select count(*) from stock_movements) m, (select count(*) from supplies) s, (select count(*) from partner_events) p, (select count(*) from outbox) o`);

test('proposed, approved, picked, sent, on its way sellable, received: every unit is somewhere once', async () => {
  const code = await stocked(9);
  const made = await propose([{ sku: code, quantity: 5 }]);
  expect([made.status, made.body['status'], made.body['units']]).toEqual([201, 'proposed', 5]);
  const id = made.body['id'] as string;
  expect(await levels(code)).toEqual(['L-2 sellable 9/0']);
  expect((await act(id, 'approve')).body['status']).toBe('approved');
  expect((await act(id, 'approve')).body['status']).toBe('approved');
  expect(await levels(code)).toEqual(['L-2 sellable 4/0', 'L-2 sellable aside 5/0']);
  expect((await act(id, 'pick', {}, two)).body['status']).toBe('picking');
  const sent = await act(id, 'ship', {}, two);
  expect(sent.body).toMatchObject({ status: 'shipped', units: 5, keptBack: 0, expectedAt: '2026-11-25T02:00:00.000Z' });
  expect((await act(id, 'ship', {}, two)).body).toEqual(sent.body);
  expect((await act(id, 'ship', { lines: [{ sku: code, quantity: 1 }] }, two)).body['code']).toBe('duplicate_with_other_body');
  expect(await levels(code)).toEqual(['L-1 sellable coming 5/0', 'L-2 sellable 4/0']);

  // Four are sold from the shelf, two of what is coming.
  await api.world.store.projection.refresh();
  const order = await api.order({ channel: 'douyin', lines: [{ sku: code, quantity: 4, unitPrice: 100 }] });
  const waits = await api.order({ channel: 'douyin', lines: [{ sku: code, quantity: 2, unitPrice: 100 }] });
  expect([await api.world.status(order) === 'backordered', await api.world.status(waits)]).toEqual([false, 'backordered']);
  expect(await levels(code)).toEqual(['L-1 sellable coming 5/2', 'L-2 sellable 4/4']);

  const receipt = { reference: 'R-1', lines: [{ sku: code, quantity: 5 }] };
  const received = await act(id, 'receipts', receipt, one);
  expect(received.body).toMatchObject({ status: 'received', units: 5, served: 2, free: 3, variances: [] });
  expect((await act(id, 'receipts', receipt, one)).body).toEqual(received.body);
  expect(await levels(code)).toEqual(['L-1 sellable 5/2', 'L-2 sellable 4/4']);
  expect((await read(id)).events.map((e) => e.type)).toEqual(['transfer.proposed', 'transfer.approved', 'transfer.picking', 'transfer.shipped', 'transfer.receipt', 'transfer.received']);
  expect((await read(id))['lines']).toEqual([{ line: 1, sku: code, quantity: 5, picked: null, shipped: 5, received: 5 }]);
});

test('over, short and damaged are variances, booked once, by two at once too', async () => {
  const [over, short, damaged] = [await stocked(5), await stocked(5), await stocked(5)];
  const id = await approved([over, short, damaged].map((code) => ({ sku: code, quantity: 5 })));
  await act(id, 'ship');
  const receipt = { reference: 'R-2', final: true, lines: [{ sku: over, quantity: 6 }, { sku: short, quantity: 3 }, { sku: damaged, quantity: 4 }, { sku: damaged, quantity: 1, condition: 'damaged' }] };
  const answers = await Promise.all([1, 2, 3].map(() => act(id, 'receipts', receipt, one)));
  expect(answers.map((a) => a.status)).toEqual([200, 200, 200]);
  for (const a of answers) expect(a.body).toEqual(answers[0]!.body);
  expect([await levels(over), await levels(short), await levels(damaged)]).toEqual([['L-1 sellable 6/0'], ['L-1 sellable 3/0'], ['L-1 damaged 1/0', 'L-1 sellable 4/0']]);
  expect(await movements(short)).toEqual(['transfer_set_aside 0', 'transfer_sent 0', 'supply_received 0', 'supply_short -2']);
  expect((await read(id)).variances).toEqual(expect.arrayContaining([
    { sku: over, kind: 'surplus', units: 1, receipt: 'R-2' }, { sku: short, kind: 'short', units: 2, receipt: 'R-2' }, { sku: damaged, kind: 'condition', units: 1, receipt: 'R-2' }]));
});

test('two different final receipts at once: one is booked, the other refused', async () => {
  const code = await stocked(4);
  const id = await approved([{ sku: code, quantity: 4 }]);
  await act(id, 'ship');
  const answers = await Promise.all(['A', 'B'].map((reference) => act(id, 'receipts', { reference, final: true, lines: [{ sku: code, quantity: 4 }] }, one)));
  expect(answers.map((a) => a.status).sort()).toEqual([200, 409]);
  expect(await levels(code)).toEqual(['L-1 sellable 4/0']);
});

test('what was not found is not sent and is the sender\'s again; what a count took meanwhile cannot be sent', async () => {
  const code = await stocked(6);
  const id = await approved([{ sku: code, quantity: 5 }]);
  await act(id, 'pick', { lines: [{ sku: code, quantity: 3 }] });
  expect((await act(id, 'ship')).body).toMatchObject({ units: 3, keptBack: 2 });
  expect(await levels(code)).toEqual(['L-1 sellable coming 3/0', 'L-2 sellable 3/0']);
  const lost = await stocked(5);
  const other = await approved([{ sku: lost, quantity: 5 }]);
  const { id: level } = await api.world.one<{ id: number }>('select v.id from stock_levels v join skus s on s.id = v.sku_id where s.code = $1 and v.allotment_id = -1', lost);
  await api.world.store.writer.change((tx) => tx.post('loss', null, [{ levelId: level, onHand: -2, reserved: 0 }]));
  const before = await print();
  const refused = await act(other, 'ship');
  expect([refused.status, refused.body['code'], refused.body['detail']]).toEqual([409, 'insufficient_stock', expect.stringContaining('3 units')]);
  expect(await print()).toEqual(before);
  expect((await act(other, 'ship', { lines: [{ sku: lost, quantity: 3 }] })).body).toMatchObject({ units: 3, keptBack: 0 });
});

test('cancelled before it leaves: its units are free again and serve who waits; after that: refused', async () => {
  const code = await stocked(5);
  const id = await approved([{ sku: code, quantity: 5 }]);
  const waits = await api.order({ channel: 'douyin', lines: [{ sku: code, quantity: 2, unitPrice: 100 }] });
  expect(await api.world.status(waits)).toBe('backordered');
  const [first, second] = await Promise.all([act(id, 'cancel', { reason: 'no van' }), act(id, 'cancel', { reason: 'no van' })]);
  expect([first.body['status'], second.body['status']]).toEqual(['cancelled', 'cancelled']);
  expect(await levels(code)).toEqual(['L-2 sellable 5/2']);
  expect((await act(id, 'ship')).status).toBe(409);
  const sent = await approved([{ sku: code, quantity: 1 }]);
  await act(sent, 'ship');
  expect((await act(sent, 'cancel', { reason: 'too late' })).status).toBe(409);
  await post(`/v1/supplies/${(await read(sent))['supply'] as string}/cancel`);
  expect([(await read(sent))['status'], await levels(code)]).toEqual(['cancelled', ['L-2 sellable 5/2']]);
});

test('cancelled and sent at the same moment: one of both', async () => {
  const code = await stocked(3);
  const id = await approved([{ sku: code, quantity: 3 }]);
  const [cancelled, sent] = await Promise.all([act(id, 'cancel', { reason: 'race' }), act(id, 'ship')]);
  expect([cancelled.status, sent.status].sort()).toEqual([200, 409]);
  expect(await levels(code)).toEqual([cancelled.status === 200 ? 'L-2 sellable 3/0' : 'L-1 sellable coming 3/0']);
});

test('ten at once under one reference are one transfer; two approvals set the units aside once; two transfers cannot have the same units', async () => {
  const code = await stocked(6);
  const body = { reference: 'SAME', reason: 'replenishment', from: 'L-2', to: 'L-1', lines: [{ sku: code, quantity: 4 }] };
  const made = await Promise.all(Array.from({ length: 10 }, () => post('/v1/transfers', body)));
  expect(new Set(made.map((m) => m.body['id'])).size).toBe(1);
  const id = made[0]!.body['id'] as string;
  await Promise.all([act(id, 'approve'), act(id, 'approve')]);
  expect(await levels(code)).toEqual(['L-2 sellable 2/0', 'L-2 sellable aside 4/0']);
  const before = await print();
  const denied = await propose([{ sku: code, quantity: 3 }], { approve: true });
  expect([denied.status, denied.body['code'], denied.body['field']]).toEqual([409, 'insufficient_stock', '/lines/0/quantity']);
  expect(await print()).toEqual(before);
  expect((await post('/v1/transfers', { ...body, lines: [{ sku: code, quantity: 5 }] })).body['code']).toBe('duplicate_with_other_body');
});

test.each([
  ['to itself', { to: 'L-2' }, 422, '/to'], ['unknown sender', { from: 'NO' }, 422, '/from'], ['unknown SKU', { lines: [{ sku: 'NO', quantity: 1 }] }, 422, '/lines/0/sku'],
  ['a SKU twice', { lines: [{ sku: 'SKU-1', quantity: 1 }, { sku: 'SKU-1', quantity: 1 }] }, 422, '/lines/1/sku'], ['no units', { lines: [{ sku: 'SKU-1', quantity: 0 }] }, 400, '/lines/0/quantity'],
  ['an order without its reason', { order: 'ord_x' }, 422, '/order'], ['its reason without an order', { reason: 'order' }, 422, '/order'], ['another field', { colour: 'red' }, 400, '/colour'],
])('refused, nothing changed: %s', async (_what, changes, status, field) => {
  const before = await print();
  const denied = await propose([{ sku: 'SKU-1', quantity: 1 }], changes);
  expect([denied.status, denied.body['field']]).toEqual([status, field]);
  expect(await print()).toEqual(before);
});

test('keys that are bound to a location: each side its part, the third sees nothing', async () => {
  const code = await stocked(5);
  const before = await print();
  expect((await propose([{ sku: code, quantity: 1 }], {}, two)).status).toBe(403);
  expect((await propose([{ sku: code, quantity: 1 }], { approve: true }, one)).status).toBe(403);
  expect(await print()).toEqual(before);
  const id = (await propose([{ sku: code, quantity: 2 }], {}, one)).body['id'] as string;
  expect((await act(id, 'approve', {}, one)).status).toBe(403);
  for (const what of ['approve', 'pick', 'ship']) expect((await act(id, what, {}, three)).status).toBe(404);
  expect((await api.call(three, 'GET', `/v1/transfers/${id}`)).status).toBe(404);
  expect((await act(id, 'ship', {}, two)).status).toBe(409);
  await act(id, 'approve');
  expect((await act(id, 'ship', {}, one)).status).toBe(403);
  expect((await act(id, 'receipts', { reference: 'R', lines: [] }, one)).status).toBe(409);
  await act(id, 'ship', {}, two);
  expect((await act(id, 'ship', {}, three)).status).toBe(404);
  expect((await act(id, 'receipts', { reference: 'R', lines: [{ sku: code, quantity: 2 }] }, two)).status).toBe(403);
  expect((await act(id, 'receipts', { reference: 'R', lines: [{ sku: code, quantity: 2 }] }, three)).status).toBe(404);
  expect((await act(id, 'receipts', { reference: 'R', lines: [{ sku: code, quantity: 2 }] }, one)).status).toBe(200);
  const list = (await api.call(three, 'GET', '/v1/transfers')).body as { items: unknown[] };
  expect(list.items).toEqual([]);
  const page = (await api.call(one, 'GET', '/v1/transfers?limit=2')).body as { items: { id: string }[]; next: string };
  const next = (await api.call(one, 'GET', `/v1/transfers?limit=2&after=${page.next}`)).body as { items: { id: string }[] };
  expect(new Set([...page.items, ...next.items].map((t) => t.id)).size).toBe(4);
  expect(decodeId('trf', id)).not.toBeNull();
});

test('lots that expire first go first and keep their name', async () => {
  const code = sku();
  await api.world.store.pool.query('update skus set lot_tracked = true where code = $1', [code]);
  await api.world.store.network.reload();
  for (const [lot, expiresOn] of [['B', '2027-03-01'], ['A', '2027-01-01']]) {
    expect((await post('/v1/stock/receipts', { reference: `lot-${lot}`, location: 'L-2', lines: [{ sku: code, quantity: 3, lot: { code: lot, expiresOn } }] })).status).toBe(200);
  }
  const id = await approved([{ sku: code, quantity: 4 }]);
  await act(id, 'ship', { lines: [{ sku: code, quantity: 4 }] });
  const { rows } = await api.world.store.pool.query('select o.code, v.on_hand from stock_levels v join skus s on s.id = v.sku_id join lots o on o.id = v.lot_id where s.code = $1 and v.supply_id <> 0 order by 1', [code]);
  expect(rows).toEqual([{ code: 'A', on_hand: 3 }, { code: 'B', on_hand: 1 }]);
});
