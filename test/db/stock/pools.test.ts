import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CaptureOutcome } from '../../../db/capture/outcome.ts';
import { prepareOrder } from '../../../db/capture/prepare.ts';
import { ensureLevels } from '../../../db/ledger.ts';
import { cancelOrder } from '../../../db/orders/cancel-order.ts';
import { validateOrder } from '../../../db/orders/validate-order.ts';
import { receiveStock } from '../../../db/stock/receipts.ts';
import { decodeId, encodeId } from '../../../domain/ids.ts';
import type { OrderIntake } from '../../../domain/order/intake.ts';
import { World } from '../../support/world.ts';

let world: World;
let skus = 0;
beforeAll(async () => { world = await World.create({ skus: 60, stock: 0 }); });
afterAll(async () => {
  expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
  await world.close();
});

const freshSku = (): string => `SKU-${++skus}`;

async function allotment(code: string, columns: Record<string, unknown> = {}): Promise<number> {
  const row = { kind: 'campaign', name: code, code, parent_id: 0, ...columns };
  const { rows } = await world.store.pool.query<{ id: number }>(
    `insert into allotments (${Object.keys(row).join(', ')}) values (${Object.keys(row).map((_, i) => `$${i + 1}`).join(', ')}) returning id`, Object.values(row));
  await world.store.network.reload();
  return (rows[0] as { id: number }).id;
}

async function put(sku: string, units: number, holder: { location?: string; allotmentId?: number; supplyId?: number; lotId?: number } = {}): Promise<number> {
  await world.store.network.loadSkus([sku]);
  return world.store.writer.change(async (tx) => {
    const [id] = await ensureLevels(tx.client, [{
      locationId: world.locationId(holder.location ?? 'L-1'), skuId: world.store.network.knownSku(sku)!.id, condition: 'sellable', lotId: holder.lotId ?? 0,
      allotmentId: holder.allotmentId ?? 0, supplyId: holder.supplyId ?? 0,
    }]);
    await tx.post('receipt', null, [{ levelId: id!, onHand: units, reserved: 0 }]);
    return id!;
  });
}

async function submit(sku: string, quantity: number, changes: Partial<OrderIntake> = {}): Promise<CaptureOutcome> {
  await world.store.projection.refresh();
  const intake = world.intake({ lines: [{ sku, quantity, unitPrice: 1000 }], ...changes });
  await world.store.network.loadSkus([sku]);
  return world.store.capture.submit(prepareOrder(intake, world.store.network, world.store.vault, world.now, { apiKeyId: 1, idempotencyKey: null, actor: 'key:test', locationId: null }));
}
const answer = (o: CaptureOutcome) => { if ('problem' in o) throw o.problem; return o.answer; };
const code = (o: CaptureOutcome): string => ('problem' in o ? o.problem.code : 'captured');
const reserved = async (level: number): Promise<number> => (await world.one<{ reserved: number }>(`select reserved from stock_levels where id = ${level}`)).reserved;
const uuid = (id: string): string => decodeId('ord', id) as string;
const borrowed = async (id: number): Promise<number> => (await world.one<{ n: number }>(`select coalesce(sum(borrowed), 0)::int n from allotment_borrowings where allotment_id = ${id}`)).n;

describe('overflow', () => {
  test('own units first, then the shared ones', async () => {
    const sku = freshSku();
    const own = await put(sku, 3, { allotmentId: await allotment('first') });
    const shared = await put(sku, 5);
    answer(await submit(sku, 2, { session: 'first' }));
    expect([await reserved(own), await reserved(shared)]).toEqual([2, 0]);
    answer(await submit(sku, 3, { session: 'first' }));
    expect([await reserved(own), await reserved(shared)]).toEqual([3, 2]);
  });

  test('what is set apart is sold to nobody else', async () => {
    const sku = freshSku();
    const own = await put(sku, 3, { allotmentId: await allotment('apart') });
    expect(code(await submit(sku, 1))).toBe('insufficient_stock');
    expect(await reserved(own)).toBe(0);
  });

  test('never: what its own units do not cover is refused whole', async () => {
    const sku = freshSku();
    const own = await put(sku, 2, { allotmentId: await allotment('closed-house', { overflow: 'never' }) });
    const shared = await put(sku, 9);
    expect(code(await submit(sku, 3, { session: 'closed-house' }))).toBe('insufficient_stock');
    expect([await reserved(own), await reserved(shared)]).toEqual([0, 0]);
    answer(await submit(sku, 2, { session: 'closed-house' }));
    expect([await reserved(own), await reserved(shared)]).toEqual([2, 0]);
  });

  test('borrow: up to the limit, counted across orders sent at once', async () => {
    const sku = freshSku();
    const id = await allotment('borrower', { overflow: 'borrow', borrow_limit: 4 });
    const own = await put(sku, 2, { allotmentId: id });
    const shared = await put(sku, 50);
    await world.store.projection.refresh();
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => submit(sku, 1, { session: 'borrower' })));
    expect(outcomes.map(code).toSorted()).toEqual([...Array<string>(6).fill('captured'), ...Array<string>(4).fill('insufficient_stock')]);
    expect([await reserved(own), await reserved(shared), await borrowed(id)]).toEqual([2, 4, 4]);
  });

  test('a chain of parents, a closed one passed over', async () => {
    const sku = freshSku();
    const group = await allotment('group', { kind: 'group' });
    const shop = await allotment('shop', { parent_id: group, closed_at: new Date() });
    await allotment('show', { parent_id: shop });
    const mine = await put(sku, 1, { allotmentId: group });
    const shared = await put(sku, 1);
    answer(await submit(sku, 2, { session: 'show' }));
    expect([await reserved(mine), await reserved(shared)]).toEqual([1, 1]);
  });

  test("a channel's own allotment needs no session", async () => {
    const sku = freshSku();
    const own = await put(sku, 1, { allotmentId: await allotment('douyin-share', { kind: 'channel', channel_id: world.store.network.channels.get('douyin')!.id }) });
    const shared = await put(sku, 1);
    answer(await submit(sku, 1, { channel: 'douyin' }));
    expect([await reserved(own), await reserved(shared)]).toEqual([1, 0]);
  });
});

describe('sessions', () => {
  test.each([
    ['an unknown one', 'nobody', {}], ['one of another channel', 'theirs', { channel_id: 2 }], ['before it begins', 'later', { starts_at: new Date('2026-11-23T03:00:00Z') }],
    ['after its end', 'earlier', { ends_at: new Date('2026-11-23T02:00:00Z') }], ['one that was closed', 'shut', { closed_at: new Date('2026-11-23T01:00:00Z') }],
  ])('%s is refused and nothing is reserved', async (_, session, columns) => {
    const sku = freshSku();
    const shared = await put(sku, 1);
    if (session !== 'nobody') await allotment(session, columns);
    await expect(submit(sku, 1, { session })).rejects.toMatchObject({ code: 'unprocessable', field: '/session' });
    expect(await reserved(shared)).toBe(0);
  });
});

test("a platform's order that missed its session is a fact: captured from the channel's stock, and told", async () => {
  const sku = freshSku();
  const own = await put(sku, 5, { allotmentId: await allotment('gone-by', { ends_at: new Date('2026-11-23T01:00:00Z') }) });
  const shared = await put(sku, 1);
  const late = answer(await submit(sku, 1, { channel: 'douyin', session: 'gone-by' }));
  expect([late.sessionMissed, late.reserved]).toEqual(['session "gone-by" is over', [{ line: 1, location: 'L-1', quantity: 1 }]]);
  const inTime = answer(await submit(sku, 1, { channel: 'douyin', session: 'gone-by', orderedAt: '2026-11-23T00:59:59Z' }));
  expect(inTime.sessionMissed).toBeUndefined();
  expect([await reserved(own), await reserved(shared)]).toEqual([1, 1]);
  expect(answer(await submit(sku, 1, { channel: 'douyin', session: 'nobody' })).missing).toEqual([{ line: 1, sku, quantity: 1, cause: 'no_stock' }]);
});

describe('lots and supplies', () => {
  test('a lot with too little life left is not for this channel; an expired one for none', async () => {
    const sku = freshSku();
    await world.store.network.loadSkus([sku]);
    const { rows } = await world.store.pool.query<{ id: number }>(
      `insert into lots (sku_id, code, expires_on) select $1, 'E' || d, date '2026-11-23' + d from unnest('{-1,10}'::int[]) d returning id`, [world.store.network.knownSku(sku)!.id]);
    const [gone, short] = [await put(sku, 5, { lotId: rows[0]!.id }), await put(sku, 5, { lotId: rows[1]!.id })];
    answer(await submit(sku, 5));
    expect([await reserved(gone), await reserved(short)]).toEqual([0, 5]);
    expect(code(await submit(sku, 1))).toBe('insufficient_stock');
    await put(sku, 5, { lotId: rows[1]!.id });
    await world.store.pool.query(`update channels set min_life_days = 11 where code = 'own'`);
    await world.store.network.reload();
    expect(code(await submit(sku, 1))).toBe('insufficient_stock');
    await world.store.pool.query(`update channels set min_life_days = 10 where code = 'own'`);
    await world.store.network.reload();
    answer(await submit(sku, 1));
    expect(await reserved(short)).toBe(6);
    await world.store.pool.query(`update channels set min_life_days = 0 where code = 'own'`);
    await world.store.network.reload();
  });

  test('what is coming is sold only within the horizon of the channel, after what is there, with its own promise', async () => {
    const sku = freshSku();
    const { rows } = await world.store.pool.query<{ id: number }>(
      `insert into supplies (kind, reference, expected_at) values ('purchase_order', 'PO-1', '2026-11-27T02:00:00Z'), ('purchase_order', 'PO-2', '2026-12-20T02:00:00Z') returning id`);
    const there = await put(sku, 1);
    const [soon, late] = [await put(sku, 3, { supplyId: rows[0]!.id }), await put(sku, 3, { supplyId: rows[1]!.id })];
    expect(code(await submit(sku, 2))).toBe('insufficient_stock');
    await world.store.pool.query(`update channels set supply_horizon_s = 604800 where code = 'own'`);
    await world.store.network.reload();
    const got = answer(await submit(sku, 2));
    expect(got.reserved).toEqual([{ line: 1, location: 'L-1', quantity: 1 }, { line: 1, location: 'L-1', quantity: 1, expectedAt: '2026-11-27T02:00:00.000Z' }]);
    expect(got.promise).toEqual({ shipBy: '2026-11-27T09:00:00.000Z', deliverBy: '2026-11-28T10:00:00.000Z' });
    expect(code(await submit(sku, 3))).toBe('insufficient_stock');
    expect([await reserved(there), await reserved(soon), await reserved(late)]).toEqual([1, 1, 0]);
    await world.store.pool.query(`update channels set supply_horizon_s = 0 where code = 'own'`);
    await world.store.network.reload();
  });
});

describe('shortages come before new sales', () => {
  const waiting = async (sku: string, quantity: number, shipBy: string): Promise<string> => {
    const got = answer(await submit(sku, quantity, { channel: 'douyin', shipBy }));
    await validateOrder(world.store.writer, world.store.network, world.store.vault, uuid(got.id));
    return uuid(got.id);
  };
  const status = async (id: string) => world.one<{ status: string; open: number; reserved: number }>(
    `select status, (select coalesce(sum(quantity), 0)::int from shortages where order_id = o.id and status = 'open') open,
      (select coalesce(sum(quantity), 0)::int from reservations where order_id = o.id and status = 'confirmed') reserved from orders o where id = '${id}'`);

  test('a receipt serves them in its own transaction, by promise date', async () => {
    const sku = freshSku();
    const late = await waiting(sku, 2, '2026-11-30T00:00:00Z');
    const early = await waiting(sku, 2, '2026-11-25T00:00:00Z');
    await receiveStock(world.store.writer, world.store.network, world.locationId('L-2'), { reference: 'R-1', location: 'L-2', lines: [{ sku, quantity: 3 }] });
    expect(await status(early)).toEqual({ status: 'confirmed', open: 0, reserved: 2 });
    expect(await status(late)).toEqual({ status: 'backordered', open: 1, reserved: 1 });
    expect(code(await submit(sku, 1))).toBe('insufficient_stock');
  });

  test('units of a cancelled order go to the next in line', async () => {
    const sku = freshSku();
    await put(sku, 2);
    const first = answer(await submit(sku, 2));
    const second = await waiting(sku, 2, '2026-11-25T00:00:00Z');
    await cancelOrder(world.store.writer, uuid(first.id), 'changed my mind', 'key:test');
    expect(await status(second)).toEqual({ status: 'confirmed', open: 0, reserved: 2 });
    expect((await world.events(encodeId('ord', second))).filter((e) => e === 'order.shortage_served')).toHaveLength(1);
  });

  test('an order that somebody works on is passed over and told to look', async () => {
    const sku = freshSku();
    const id = await waiting(sku, 1, '2026-11-25T00:00:00Z');
    await world.store.pool.query('delete from outbox where order_id = $1', [id]);
    const other = await world.store.pool.connect();
    await other.query('begin');
    await other.query('select from orders where id = $1 for no key update', [id]);
    const level = await put(sku, 1);
    await other.query('rollback');
    other.release();
    expect(await status(id)).toEqual({ status: 'backordered', open: 1, reserved: 0 });
    expect(await reserved(level)).toBe(0);
    expect(await world.one(`select count(*)::int n from outbox where order_id = '${id}' and topic = 'look'`)).toEqual({ n: 1 });
  });
});
