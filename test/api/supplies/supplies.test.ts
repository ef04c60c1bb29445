import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { SCOPES } from '../../../db/api-keys.ts';
import { runAudit } from '../../../db/audit/run-audit.ts';
import { moveUnits } from '../../../db/stock/move-units.ts';
import { tendLateSupplies } from '../../../db/stock/supplies/change-date.ts';
import { decodeId } from '../../../domain/ids.ts';
import type { OrderIntake } from '../../../domain/order/intake.ts';
import { TestApi } from '../../support/api.ts';

const NOW = new Date('2026-11-23T02:00:00Z');
const SOON = '2026-11-27T02:00:00.000Z';
const LATER = '2026-12-05T02:00:00.000Z';
let api: TestApi;
let admin: string;
let skus = 0;
beforeAll(async () => {
  api = await TestApi.open({ stock: 0, skus: 60 });
  admin = await api.key('admin', SCOPES);
  await api.world.store.pool.query('update channels set supply_horizon_s = 1209600');
  await api.world.store.network.reload();
});
afterEach(async () => {
  api.world.now = NOW;
  expect((await runAudit(api.world.store.pool)).violations).toEqual([]);
});
afterAll(async () => { await api.close(); });

const sku = (): string => `SKU-${++skus}`;
const post = (url: string, body: object = {}, key = admin) => api.call(key, 'POST', url, body);
const announce = (reference: string, lines: object[], changes: object = {}) => post('/v1/supplies', { reference, kind: 'purchase_order', location: 'L-1', expectedAt: SOON, lines, ...changes });
const receive = (reference: string, receipt: string, lines: object[], changes: object = {}, key = admin) => post(`/v1/supplies/${reference}/receipts`, { reference: receipt, lines, ...changes }, key);
async function patch(reference: string, payload: object, key = admin): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await api.app.inject({ method: 'PATCH', url: `/v1/supplies/${reference}`, headers: { authorization: `Bearer ${key}` }, payload });
  return { status: response.statusCode, body: response.json<Record<string, unknown>>() };
}
const read = async (reference: string) => (await api.call(admin, 'GET', `/v1/supplies/${reference}`)).body;
const stockIn = (code: string, quantity: number, location = 'L-1') => post('/v1/stock/receipts', { reference: `in-${code}-${location}-${quantity}`, location, lines: [{ sku: code, quantity }] });

/** A paid order whose workflow has come as far as it can. */
async function order(code: string, quantity: number, changes: Partial<OrderIntake> = {}): Promise<string> {
  await api.world.store.projection.refresh();
  const { id } = await api.world.capture({ channel: 'douyin', lines: [{ sku: code, quantity, unitPrice: 1000 }], ...changes });
  await api.advance(id);
  return id;
}
/** [status, units that are there, units still to come, units missing] */
async function state(id: string): Promise<[string, number, number, number]> {
  const row = await api.world.one<{ s: string; there: number; coming: number; missing: number }>(
    `select o.status s, (select coalesce(sum(r.quantity), 0)::int from reservations r join stock_levels v on v.id = r.level_id and v.supply_id = 0 where r.order_id = o.id and r.status in ('held', 'confirmed')) there,
       (select coalesce(sum(r.quantity), 0)::int from reservations r join stock_levels v on v.id = r.level_id and v.supply_id <> 0 where r.order_id = o.id and r.status in ('held', 'confirmed')) coming,
       (select coalesce(sum(quantity), 0)::int from shortages where order_id = o.id and status = 'open') missing from orders o where id = $1`, decodeId('ord', id));
  return [row.s, row.there, row.coming, row.missing];
}
const levels = async (code: string) => (await api.world.store.pool.query<{ at: string }>(
  `select l.code || ' ' || v.condition || case when v.supply_id = 0 then '' else ' coming' end || case when v.allotment_id = 0 then '' else ' allotted' end || ' ' || v.on_hand || '/' || v.reserved as at
   from stock_levels v join locations l on l.id = v.location_id join skus s on s.id = v.sku_id where s.code = $1 and v.on_hand > 0 order by 1`, [code])).rows.map((r) => r.at);
const woken = async (id: string) => (await api.world.store.pool.query(`select 1 from outbox where order_id = $1 and topic = 'look'`, [decodeId('ord', id)])).rowCount;
const forget = (id: string) => api.world.store.pool.query('delete from outbox where order_id = $1', [decodeId('ord', id)]);
const everything = () => api.world.one<Record<string, unknown>>(
  `select (select count(*) from supplies) supplies, (select count(*) from stock_movements) movements, (select coalesce(sum(on_hand), 0) from stock_levels) units, (select count(*) from supply_receipts) receipts,
     (select count(*) from partner_events) known, (select count(*) from order_events) events`);

describe('announcing', () => {
  test('units can be sold with the date of their supply; the same again answers the same, another body is refused', async () => {
    const code = sku();
    expect((await announce('PO-1', [{ sku: code, quantity: 5 }])).body).toEqual({ reference: 'PO-1', status: 'open', units: 5 });
    const id = await order(code, 3);
    expect(await state(id)).toEqual(['backordered', 0, 3, 0]);
    const again = await Promise.all([1, 2, 3].map(() => announce('PO-1', [{ sku: code, quantity: 5 }])));
    expect(again.map((a) => [a.status, a.body['units']])).toEqual([[200, 5], [200, 5], [200, 5]]);
    expect((await announce('PO-1', [{ sku: code, quantity: 6 }])).body['code']).toBe('duplicate_with_other_body');
    expect(await levels(code)).toEqual(['L-1 sellable coming 5/3']);
    expect(await read('PO-1')).toMatchObject({
      kind: 'purchase_order', status: 'open', location: 'L-1', from: null, expectedAt: SOON, announced: 5, toCome: 5, reserved: 3, version: 1,
      levels: [{ sku: code, condition: 'sellable', allotment: null, toCome: 5, reserved: 3, free: 2 }], orders: [{ order: id, line: 1, units: 3 }], variances: [],
    });
  });

  test('ten at once under one reference are one supply', async () => {
    const code = sku();
    const answers = await Promise.all(Array.from({ length: 10 }, () => announce('PO-10', [{ sku: code, quantity: 4 }])));
    expect(answers.map((a) => a.status)).toEqual(Array(10).fill(200));
    expect(await levels(code)).toEqual(['L-1 sellable coming 4/0']);
  });

  test('orders that wait get its units first, by promise; a channel that does not look so far ahead waits on', async () => {
    const code = sku();
    const late = await order(code, 2, { shipBy: '2026-11-30T00:00:00Z' });
    const early = await order(code, 2, { shipBy: '2026-11-28T00:00:00Z' });
    await announce('PO-2', [{ sku: code, quantity: 3 }]);
    expect([await state(early), await state(late)]).toEqual([['backordered', 0, 2, 0], ['backordered', 0, 1, 1]]);
    const other = sku();
    const waits = await order(other, 1);
    await announce('PO-3', [{ sku: other, quantity: 1 }], { expectedAt: '2027-01-30T00:00:00Z' });
    expect(await state(waits)).toEqual(['backordered', 0, 0, 1]);
  });

  test('an order that was not paid at the announcement takes announced units once it is', async () => {
    const code = sku();
    const { id } = await api.world.capture({ channel: 'douyin', lines: [{ sku: code, quantity: 2, unitPrice: 1000 }], payment: { status: 'unpaid' } });
    await announce('PO-5', [{ sku: code, quantity: 3 }]);
    expect(await state(id)).toEqual(['awaiting_payment', 0, 0, 2]);
    await post(`/v1/orders/${id}/payment`, { status: 'paid' });
    await api.advance(id);
    expect(await state(id)).toEqual(['backordered', 0, 2, 0]);
  });

  test('a transfer takes its units off the sender: nothing is there twice', async () => {
    const code = sku();
    await stockIn(code, 6, 'L-2');
    await announce('TR-1', [{ sku: code, quantity: 2 }, { sku: code, quantity: 3 }], { kind: 'transfer', from: 'L-2' });
    expect(await levels(code)).toEqual(['L-1 sellable coming 5/0', 'L-2 sellable 1/0']);
    const before = await everything();
    const denied = await announce('TR-2', [{ sku: code, quantity: 1 }, { sku: code, quantity: 1 }], { kind: 'transfer', from: 'L-2' });
    expect([denied.status, denied.body['code'], denied.body['field']]).toEqual([409, 'insufficient_stock', '/lines/1/quantity']);
    expect(await everything()).toEqual(before);
  });

  test.each([
    ['a date that is over', { expectedAt: '2026-11-23T01:59:59Z' }, 422, '/expectedAt'], ['an unknown location', { location: 'NOWHERE' }, 422, '/location'],
    ['an unknown SKU', { lines: [{ sku: 'NO-SUCH', quantity: 1 }] }, 422, '/lines/0/sku'], ['no units', { lines: [{ sku: 'SKU-60', quantity: 0 }] }, 400, '/lines/0/quantity'],
    ['a transfer from nowhere', { kind: 'transfer' }, 422, '/from'], ['a transfer to itself', { kind: 'transfer', from: 'L-1' }, 422, '/from'], ['a purchase order from a location', { from: 'L-2' }, 422, '/from'],
    ['a lot of a SKU without lots', { lines: [{ sku: 'SKU-60', quantity: 1, lot: { code: 'A' } }] }, 422, '/lines/0/lot'],
  ])('denied, nothing changed: %s', async (_what, changes, status, field) => {
    const before = await everything();
    const denied = await announce('PO-DENIED', [{ sku: 'SKU-60', quantity: 1 }], changes);
    expect([denied.status, denied.body['field']]).toEqual([status, field]);
    expect(await everything()).toEqual(before);
  });

  test('a key that is bound to a location announces nothing, and sees only what comes to it or leaves it', async () => {
    const shop = await api.key('shop', ['stock:read', 'stock:write'], 'L-3');
    const code = sku();
    expect((await post('/v1/supplies', { reference: 'PO-X', kind: 'return', location: 'L-3', expectedAt: SOON, lines: [{ sku: code, quantity: 1 }] }, shop)).status).toBe(403);
    await announce('PO-4', [{ sku: code, quantity: 1 }], { location: 'L-3' });
    const seen = (await api.call(shop, 'GET', '/v1/supplies')).body as { supplies: { reference: string }[] };
    expect(seen.supplies.map((s) => s.reference)).toEqual(['PO-4']);
    expect((await api.call(shop, 'GET', '/v1/supplies/PO-1')).status).toBe(404);
    expect((await receive('PO-1', 'R', [], {}, shop)).status).toBe(404);
    expect((await receive('PO-4', 'R', [{ sku: code, quantity: 1 }], {}, shop)).body).toMatchObject({ status: 'received', free: 1 });
    const pages = (await api.call(admin, 'GET', '/v1/supplies?limit=2')).body as { supplies: unknown[]; next: number };
    expect([pages.supplies.length, typeof pages.next]).toEqual([2, 'number']);
  });
});

describe('receiving', () => {
  test('reserved units first, first promised first; a rest waits for the next parcel; orders are woken', async () => {
    const code = sku();
    await announce('PO-20', [{ sku: code, quantity: 6 }]);
    const late = await order(code, 2, { shipBy: '2026-12-02T00:00:00Z' });
    const early = await order(code, 3, { shipBy: '2026-11-30T00:00:00Z' });
    for (const id of [late, early]) await forget(id);
    expect((await receive('PO-20', 'R-1', [{ sku: code, quantity: 4 }])).body).toEqual({ supply: 'PO-20', reference: 'R-1', status: 'open', units: 4, served: 4, free: 0, variances: [] });
    expect([await state(early), await state(late)]).toEqual([['confirmed', 3, 0, 0], ['backordered', 1, 1, 0]]);
    expect([await woken(early), await woken(late)]).toEqual([1, 1]);
    expect(await levels(code)).toEqual(['L-1 sellable 4/4', 'L-1 sellable coming 2/1']);
    expect((await receive('PO-20', 'R-2', [{ sku: code, quantity: 2 }])).body).toMatchObject({ status: 'received', served: 1, free: 1, variances: [] });
    expect(await state(late)).toEqual(['confirmed', 2, 0, 0]);
    await api.advance(early);
    expect((await state(early))[0]).toBe('in_fulfillment');
    const over = await receive('PO-20', 'R-3', [{ sku: code, quantity: 1 }]);
    expect([over.status, over.body['code']]).toEqual([409, 'conflict']);
    expect(await levels(code)).toEqual(['L-1 sellable 6/5']);
  });

  test('the same receipt ten times at once counts once; another body under its reference is refused', async () => {
    const code = sku();
    await announce('PO-21', [{ sku: code, quantity: 9 }]);
    await order(code, 5);
    const answers = await Promise.all(Array.from({ length: 10 }, () => receive('PO-21', 'R-1', [{ sku: code, quantity: 7 }])));
    expect(answers.map((a) => a.body)).toEqual(Array(10).fill({ supply: 'PO-21', reference: 'R-1', status: 'open', units: 7, served: 5, free: 2, variances: [] }));
    expect((await receive('PO-21', 'R-1', [{ sku: code, quantity: 8 }])).body['code']).toBe('duplicate_with_other_body');
    expect(await levels(code)).toEqual(['L-1 sellable 7/5', 'L-1 sellable coming 2/0']);
  });

  test('two receipts, new orders and cancellations at once: every unit is somewhere once', async () => {
    const code = sku();
    await announce('PO-22', [{ sku: code, quantity: 40 }]);
    const first = await Promise.all(Array.from({ length: 10 }, () => order(code, 2)));
    await Promise.all([
      receive('PO-22', 'R-1', [{ sku: code, quantity: 12 }]), receive('PO-22', 'R-2', [{ sku: code, quantity: 15 }]), ...Array.from({ length: 5 }, () => order(code, 1)),
      ...first.slice(0, 4).map((id) => post(`/v1/orders/${id}/cancel`, { reason: 'changed my mind' })),
    ]);
    const { there, coming, reserved } = await api.world.one<{ there: number; coming: number; reserved: number }>(
      `select sum(on_hand) filter (where supply_id = 0)::int there, sum(on_hand) filter (where supply_id <> 0)::int coming, sum(reserved)::int reserved from stock_levels v join skus s on s.id = v.sku_id where s.code = $1`, code);
    expect({ there, coming, reserved }).toEqual({ there: 27, coming: 13, reserved: 17 });
  });

  test('what never comes is a variance: the youngest orders are short and served before new sales', async () => {
    const code = sku();
    await announce('PO-23', [{ sku: code, quantity: 5 }]);
    const older = await order(code, 2);
    api.world.now = new Date(NOW.getTime() + 1000);
    const younger = await order(code, 3);
    expect((await receive('PO-23', 'R-1', [{ sku: code, quantity: 3 }], { final: true })).body).toEqual({
      supply: 'PO-23', reference: 'R-1', status: 'received', units: 3, served: 3, free: 0, variances: [{ sku: code, kind: 'short', units: 2, shortened: 2 }],
    });
    expect([await state(older), await state(younger)]).toEqual([['confirmed', 2, 0, 0], ['backordered', 1, 0, 2]]);
    expect(await read('PO-23')).toMatchObject({ status: 'received', toCome: 0, variances: [{ sku: code, kind: 'short', units: 2, shortened: 2, receipt: 'R-1' }] });
    await stockIn(code, 2);
    expect(await state(younger)).toEqual(['confirmed', 3, 0, 0]);
  });

  test('what came damaged serves nobody: who had it reserved last is short', async () => {
    const code = sku();
    await announce('PO-24', [{ sku: code, quantity: 4 }]);
    const id = await order(code, 4);
    expect((await receive('PO-24', 'R-1', [{ sku: code, quantity: 1, condition: 'damaged' }, { sku: code, quantity: 3 }])).body).toEqual({
      supply: 'PO-24', reference: 'R-1', status: 'received', units: 4, served: 3, free: 0, variances: [{ sku: code, kind: 'condition', units: 1, shortened: 1 }],
    });
    expect(await state(id)).toEqual(['backordered', 3, 0, 1]);
    expect(await levels(code)).toEqual(['L-1 damaged 1/0', 'L-1 sellable 3/3']);
  });

  test('more than was announced is the shared stock, and nobody goes short for a damaged unit when enough others came', async () => {
    const code = sku();
    await announce('PO-27', [{ sku: code, quantity: 4 }]);
    const id = await order(code, 4);
    expect((await receive('PO-27', 'R-1', [{ sku: code, quantity: 1, condition: 'damaged' }, { sku: code, quantity: 6 }])).body).toEqual({
      supply: 'PO-27', reference: 'R-1', status: 'received', units: 7, served: 4, free: 3,
      variances: [{ sku: code, kind: 'surplus', units: 2, shortened: 0 }, { sku: code, kind: 'surplus', units: 1, shortened: 0 }],
    });
    expect(await state(id)).toEqual(['confirmed', 4, 0, 0]);
    expect(await levels(code)).toEqual(['L-1 damaged 1/0', 'L-1 sellable 6/4']);
  });

  test('units that were set apart while they were on their way stay set apart; a SKU that was not announced comes too', async () => {
    const code = sku();
    const other = sku();
    await announce('PO-25', [{ sku: code, quantity: 5 }]);
    await api.world.store.pool.query(`insert into allotments (kind, name, code, parent_id) values ('campaign', 'show', 'show-25', 0)`);
    await api.world.store.network.reload();
    const { id } = await api.world.one<{ id: number }>(`select id from allotments where code = 'show-25'`);
    await api.world.store.writer.change(async (tx) => {
      const level = await tx.one<{ id: number; skuId: number; locationId: number; supplyId: number }>(
        `select v.id, sku_id "skuId", location_id "locationId", supply_id "supplyId" from stock_levels v join skus s on s.id = v.sku_id where s.code = $1 and v.supply_id <> 0`, [code]);
      if (!level) throw new Error('no level');
      await moveUnits(tx, 'allot', [{ fromLevelId: level.id, units: 2, to: { ...level, allotmentId: id } }]);
    });
    expect((await receive('PO-25', 'R-1', [{ sku: code, quantity: 3 }, { sku: other, quantity: 1 }])).body).toMatchObject({ free: 4, variances: [{ sku: other, kind: 'surplus', units: 1 }] });
    expect(await levels(code)).toEqual(['L-1 sellable 1/0', 'L-1 sellable allotted 2/0', 'L-1 sellable coming 2/0']);
  });

  test('lots are named when they come', async () => {
    const code = sku();
    await api.world.store.pool.query('update skus set lot_tracked = true where code = $1', [code]);
    await api.world.store.network.reload();
    await announce('PO-26', [{ sku: code, quantity: 2 }]);
    const id = await order(code, 1);
    const denied = await receive('PO-26', 'R-0', [{ sku: code, quantity: 2 }]);
    expect([denied.status, denied.body['field']]).toEqual([422, '/lines/0/lot']);
    await receive('PO-26', 'R-1', [{ sku: code, quantity: 2, lot: { code: 'A', expiresOn: '2027-06-01' } }]);
    expect(await state(id)).toEqual(['confirmed', 1, 0, 0]);
    expect(await levels(code)).toEqual(['L-1 sellable 2/1']);
  });
});

describe('another date', () => {
  test('later: the first promised get what is there, the others are told; earlier: nobody is', async () => {
    const code = sku();
    await announce('PO-30', [{ sku: code, quantity: 5 }]);
    const late = await order(code, 2, { shipBy: '2026-11-29T00:00:00Z' });
    const early = await order(code, 2, { shipBy: '2026-11-28T00:00:00Z' });
    const patient = await order(code, 1, { shipBy: '2026-12-20T00:00:00Z' });
    await stockIn(code, 3, 'L-2');
    expect((await patch('PO-30', { expectedAt: LATER, version: 1 })).body).toEqual({ reference: 'PO-30', expectedAt: LATER, version: 2, repegged: 3, warned: 1 });
    expect([await state(early), await state(late), await state(patient)]).toEqual([['confirmed', 2, 0, 0], ['backordered', 1, 1, 0], ['backordered', 0, 1, 0]]);
    expect(await api.world.events(early)).toContain('order.repegged');
    expect([(await api.world.events(late)).filter((e) => e === 'supply.late').length, (await api.world.events(patient)).includes('supply.late')]).toEqual([1, false]);
    expect((await patch('PO-30', { expectedAt: LATER })).body).toMatchObject({ version: 2, repegged: 0, warned: 0 });
    const stale = await patch('PO-30', { expectedAt: SOON, version: 1 });
    expect([stale.status, stale.body['field']]).toEqual([409, '/version']);
    expect((await patch('PO-30', { expectedAt: SOON, version: 2 })).body).toMatchObject({ expectedAt: SOON, version: 3, repegged: 0, warned: 0 });
    expect(await read('PO-30')).toMatchObject({ expectedAt: SOON, lateWarnings: 1 });
    expect((await patch('PO-30', { expectedAt: '2026-11-01T00:00:00Z' })).status).toBe(422);
  });

  test('units of another supply that comes in time are as good; the date of a supply is the date of its promise', async () => {
    const code = sku();
    await announce('PO-31', [{ sku: code, quantity: 2 }]);
    const id = await order(code, 2);
    await announce('PO-32', [{ sku: code, quantity: 5 }], { expectedAt: '2026-11-26T00:00:00Z', location: 'L-2' });
    expect((await patch('PO-31', { expectedAt: LATER })).body).toMatchObject({ repegged: 2, warned: 0 });
    expect(await state(id)).toEqual(['backordered', 0, 2, 0]);
    expect(await levels(code)).toEqual(['L-1 sellable coming 2/0', 'L-2 sellable coming 5/2']);
  });

  test('a day that passes without the goods: told once for each date', async () => {
    const code = sku();
    await announce('PO-33', [{ sku: code, quantity: 2 }]);
    const id = await order(code, 2);
    api.world.now = new Date('2026-11-27T02:00:01Z');
    const { writer, network } = api.world.store;
    await Promise.all([tendLateSupplies(writer, network), tendLateSupplies(writer, network)]);
    await tendLateSupplies(writer, network);
    expect((await api.world.events(id)).filter((e) => e === 'supply.late')).toHaveLength(1);
    expect(await read('PO-33')).toMatchObject({ overdue: true, lateWarnings: 1 });
    expect((await patch('PO-33', { expectedAt: LATER })).body).toMatchObject({ warned: 1 });
    expect(await read('PO-33')).toMatchObject({ overdue: false, lateWarnings: 2 });
  });
});

describe('cancelling', () => {
  test('a purchase order: other units where there are some, else short; safe to repeat, nothing comes any more', async () => {
    const code = sku();
    await announce('PO-40', [{ sku: code, quantity: 4 }]);
    const first = await order(code, 2, { shipBy: '2026-11-28T00:00:00Z' });
    const second = await order(code, 2, { shipBy: '2026-11-29T00:00:00Z' });
    await stockIn(code, 2, 'L-3');
    expect((await post('/v1/supplies/PO-40/cancel')).body).toEqual({ reference: 'PO-40', status: 'cancelled', repegged: 2, shortened: 2, returned: 0 });
    expect([await state(first), await state(second)]).toEqual([['confirmed', 2, 0, 0], ['backordered', 0, 0, 2]]);
    expect(await levels(code)).toEqual(['L-3 sellable 2/2']);
    expect((await post('/v1/supplies/PO-40/cancel')).body).toMatchObject({ status: 'cancelled', shortened: 0 });
    expect((await receive('PO-40', 'R-1', [{ sku: code, quantity: 1 }])).status).toBe(409);
    expect((await patch('PO-40', { expectedAt: LATER })).status).toBe(409);
  });

  test("a transfer: its units are the sender's again, and serve who was short", async () => {
    const code = sku();
    await stockIn(code, 3, 'L-2');
    await announce('TR-40', [{ sku: code, quantity: 3 }], { kind: 'transfer', from: 'L-2' });
    const id = await order(code, 2);
    expect(await state(id)).toEqual(['backordered', 0, 2, 0]);
    expect((await post('/v1/supplies/TR-40/cancel')).body).toEqual({ reference: 'TR-40', status: 'cancelled', repegged: 0, shortened: 2, returned: 3 });
    await api.advance(id);
    expect((await state(id)).slice(1)).toEqual([2, 0, 0]);
    expect(await levels(code)).toEqual(['L-2 sellable 3/2']);
  });
});
