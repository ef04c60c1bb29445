import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CaptureOutcome } from '../../db/capture/outcome.ts';
import { prepareOrder } from '../../db/capture/prepare.ts';
import { ensureLevels } from '../../db/ledger.ts';
import { decodeId } from '../../domain/ids.ts';
import type { CaptureAnswer, OrderIntake } from '../../domain/order/intake.ts';
import type { Problem } from '../../domain/problem.ts';
import { World } from '../support/world.ts';

let world: World;
let skus = 0;
beforeAll(async () => { world = await World.create({ skus: 60, stock: 0 }); });
afterAll(async () => { await world.close(); });

const stock = async (code: string) => Object.fromEntries(Object.entries(await world.stock(code)).filter(([, [onHand]]) => onHand > 0));

/** A SKU that no other test uses, with the given stock by location. */
async function sku(stock: Record<string, number> = {}): Promise<string> {
  const code = `SKU-${++skus}`;
  await world.setStock(code, stock);
  return code;
}

const line = (code: string, quantity = 1, unitPrice = 1000) => ({ sku: code, quantity, unitPrice });

async function submit(changes: Partial<OrderIntake>, key: string | null = null): Promise<CaptureOutcome> {
  const intake = world.intake(changes);
  await world.store.network.loadSkus(intake.lines.map((l) => l.sku));
  return world.store.capture.submit(prepareOrder(intake, world.store.network, world.store.vault, world.now, { apiKeyId: 1, idempotencyKey: key, actor: 'key:test', locationId: null }));
}

function answer(outcome: CaptureOutcome): CaptureAnswer {
  if ('problem' in outcome) throw outcome.problem;
  return outcome.answer;
}

const problem = (outcome: CaptureOutcome): Problem => {
  if ('answer' in outcome) throw new Error(`captured ${outcome.answer.id}`);
  return outcome.problem;
};

const of = (id: string): string => decodeId('ord', id) as string;
const rows = async (text: string, ...values: unknown[]): Promise<Record<string, unknown>[]> => (await world.store.pool.query<Record<string, unknown>>(text, values)).rows;
/** Everything a capture may leave behind, by table. */
const written = () => world.one<Record<string, number>>(`select ${['orders', 'order_lines', 'order_events', 'vault_records', 'reservations', 'stock_movements', 'shortages', 'order_holds', 'outbox', 'idempotency_keys']
  .map((t) => `(select count(*)::int from ${t}) ${t}`).join(', ')}`);

describe('what a capture writes', () => {
  test('one transaction: order, lines, money, reservation, promise, event, outbox', async () => {
    const [a, b] = [await sku({ 'L-1': 5 }), await sku({ 'L-1': 5 })];
    const got = answer(await submit({
      lines: [{ sku: a, quantity: 1, unitPrice: 1000 }, { sku: b, quantity: 2, unitPrice: 500, discounts: [{ bearer: 'shop', code: 'LINE', amount: 100 }] }],
      discounts: [{ bearer: 'platform', code: 'ALL', amount: 190 }], freight: 171, priority: 2,
    }));
    expect(got).toEqual({
      id: got.id, channel: 'own', externalId: got.externalId, status: 'captured', currency: 'CNY', total: 1881, payBy: null,
      promise: { shipBy: '2026-11-23T09:00:00.000Z', deliverBy: '2026-11-24T10:00:00.000Z' },
      reserved: [{ line: 1, location: 'L-1', quantity: 1 }, { line: 2, location: 'L-1', quantity: 2 }], missing: [], capturedAt: '2026-11-23T02:00:00.000Z',
    });
    const id = of(got.id);
    expect(await rows('select status, payment_status, list_amount, discount_amount, freight_amount, total_amount, ship_by, deliver_by, priority, hold_reason from orders where id = $1', id)).toEqual([{
      status: 'captured', payment_status: 'paid', list_amount: 2000, discount_amount: 290, freight_amount: 171, total_amount: 1881,
      ship_by: new Date('2026-11-23T09:00:00Z'), deliver_by: new Date('2026-11-24T10:00:00Z'), priority: 2, hold_reason: null,
    }]);
    expect(await rows('select line_no, sku_code, quantity, unit_price, list_amount, discount_amount, freight_share, net_amount, discounts from order_lines where order_id = $1 order by 1', id)).toEqual([
      { line_no: 1, sku_code: a, quantity: 1, unit_price: 1000, list_amount: 1000, discount_amount: 100, freight_share: 90, net_amount: 990, discounts: [{ bearer: 'platform', code: 'ALL', amount: 100 }] },
      { line_no: 2, sku_code: b, quantity: 2, unit_price: 500, list_amount: 1000, discount_amount: 190, freight_share: 81, net_amount: 891,
        discounts: [{ bearer: 'shop', code: 'LINE', amount: 100 }, { bearer: 'platform', code: 'ALL', amount: 90 }] },
    ]);
    expect(await rows(`select r.line_no, r.quantity, r.status, r.expires_at from reservations r where order_id = $1 order by 1`, id)).toEqual([
      { line_no: 1, quantity: 1, status: 'held', expires_at: null }, { line_no: 2, quantity: 2, status: 'held', expires_at: null }]);
    expect(await rows('select leg, d_on_hand, d_reserved, cause from stock_movements where command_id = $1 order by 1', id)).toEqual([
      { leg: 0, d_on_hand: 0, d_reserved: 1, cause: 'capture' }, { leg: 1, d_on_hand: 0, d_reserved: 2, cause: 'capture' }]);
    expect(await rows('select type, actor, data from order_events where order_id = $1', id)).toEqual([{ type: 'order.captured', actor: 'key:test', data: got }]);
    // Two steps of priority: two days before the ship-by date.
    expect(await rows('select topic, priority from outbox where order_id = $1', id)).toEqual([{ topic: 'start', priority: new Date('2026-11-21T09:00:00Z') }]);
    expect(await stock(b)).toEqual({ 'L-1': [5, 2] });
    expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
  });

  test('what the price list does later changes nothing: the money of an order is frozen', async () => {
    const code = await sku({ 'L-1': 5 });
    const got = answer(await submit({ lines: [line(code, 2, 700)], freight: 0 }));
    await world.store.pool.query('update skus set cost = 1 where code = $1', [code]);
    expect(await rows('select unit_price, net_amount from order_lines where order_id = $1', of(got.id))).toEqual([{ unit_price: 700, net_amount: 1400 }]);
  });

  test('an unpaid order waits for its payment and its stock is held until then', async () => {
    const code = await sku({ 'L-2': 1 });
    const got = answer(await submit({ lines: [line(code)], payment: { status: 'unpaid' } }));
    expect([got.status, got.payBy]).toEqual(['awaiting_payment', '2026-11-23T02:30:00.000Z']);
    expect(await rows('select status, payment_due_at from orders where id = $1', of(got.id))).toEqual([{ status: 'awaiting_payment', payment_due_at: new Date('2026-11-23T02:30:00Z') }]);
    expect(await rows('select status, expires_at from reservations where order_id = $1', of(got.id))).toEqual([{ status: 'held', expires_at: new Date('2026-11-23T02:30:00Z') }]);
  });

  test('a merge window and a scheduled day put routing off', async () => {
    const code = await sku({ 'L-1': 9 });
    const route = async (changes: Partial<OrderIntake>) => rows('select route_after from orders where id = $1', of(answer(await submit({ lines: [line(code)], ...changes })).id));
    expect(await route({})).toEqual([{ route_after: null }]);
    expect(await route({ channel: 'merging' })).toEqual([{ route_after: new Date('2026-11-23T02:15:00Z') }]);
    expect(await route({ channel: 'merging', scheduled: { from: '2026-11-25T01:00:00+08:00' } })).toEqual([{ route_after: new Date('2026-11-24T17:00:00Z') }]);
  });

  test('the latest of several locations is the promise', async () => {
    const [a, b] = [await sku({ 'L-1': 1 }), await sku({ 'L-2': 1 })];
    const got = answer(await submit({ lines: [line(a), line(b)] }));
    expect(got.reserved).toEqual([{ line: 1, location: 'L-1', quantity: 1 }, { line: 2, location: 'L-2', quantity: 1 }]);
    expect(got.promise).toEqual({ shipBy: '2026-11-23T09:00:00.000Z', deliverBy: '2026-11-25T10:00:00.000Z' });
  });
});

describe('stock', () => {
  test('a strict channel refuses what is not whole, and writes nothing', async () => {
    const [a, b] = [await sku({ 'L-1': 1 }), await sku({ 'L-1': 1 })];
    const before = await written();
    const refused = problem(await submit({ lines: [line(a), line(b, 3)] }));
    expect([refused.code, refused.status, refused.field, refused.extra]).toEqual(['insufficient_stock', 409, '/lines/1/quantity', { missing: [{ line: 2, sku: b, quantity: 2 }] }]);
    expect(await written()).toEqual(before);
    await expect(submit({ lines: [line(a), line('SKU-NONE')] })).rejects.toMatchObject({ code: 'unknown_sku', field: '/lines/1/sku' });
    expect(await written()).toEqual(before);
    expect(await stock(a)).toEqual({ 'L-1': [1, 0] });
  });

  test('an accepting channel takes an order with an unknown SKU and holds it; the rest is reserved', async () => {
    const code = await sku({ 'L-1': 3 });
    const got = answer(await submit({ channel: 'douyin', lines: [line(code, 2), line('SKU-NONE', 4)] }));
    expect(got).toMatchObject({ status: 'on_hold', promise: null, reserved: [{ line: 1, location: 'L-1', quantity: 2 }], missing: [{ line: 2, sku: 'SKU-NONE', quantity: 4, cause: 'unknown_sku' }] });
    const id = of(got.id);
    expect(await rows('select status, hold_reason from orders where id = $1', id)).toEqual([{ status: 'on_hold', hold_reason: 'unknown_sku' }]);
    expect(await rows('select reason, detail, placed_by, released_at from order_holds where order_id = $1', id)).toEqual([{ reason: 'unknown_sku', detail: 'SKU-NONE', placed_by: 'system', released_at: null }]);
    expect(await rows('select line_no, sku_id, quantity, cause, deadline, status from shortages where order_id = $1', id)).toEqual([
      { line_no: 2, sku_id: null, quantity: 4, cause: 'unknown_sku', deadline: new Date('2026-11-25T02:00:00Z'), status: 'open' }]);
    expect(await stock(code)).toEqual({ 'L-1': [3, 2] });
  });

  test('an accepting channel takes an order that lacks stock: a shortage with cause and deadline, the rest reserved', async () => {
    const [a, b] = [await sku({ 'L-1': 2, 'L-3': 1 }), await sku({ 'L-1': 1 })];
    const got = answer(await submit({ channel: 'douyin', lines: [line(a, 5), line(b)] }));
    expect(got.status).toBe('captured');
    expect(got.missing).toEqual([{ line: 1, sku: a, quantity: 2, cause: 'no_stock' }]);
    expect(got.reserved.toSorted((x, y) => x.line - y.line || x.location.localeCompare(y.location))).toEqual([
      { line: 1, location: 'L-1', quantity: 2 }, { line: 1, location: 'L-3', quantity: 1 }, { line: 2, location: 'L-1', quantity: 1 }]);
    expect(await rows('select line_no, quantity, cause, deadline, status from shortages where order_id = $1', of(got.id))).toEqual([
      { line_no: 1, quantity: 2, cause: 'no_stock', deadline: new Date('2026-11-25T02:00:00Z'), status: 'open' }]);
    expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
  });

  test('two lines of one SKU are counted together', async () => {
    const code = await sku({ 'L-1': 3 });
    expect(problem(await submit({ lines: [line(code, 2), line(code, 2)] })).extra).toEqual({ missing: [{ line: 2, sku: code, quantity: 1 }] });
    const got = answer(await submit({ lines: [line(code, 2), line(code, 1, 0)] }));
    expect(got.reserved).toEqual([{ line: 1, location: 'L-1', quantity: 2 }, { line: 2, location: 'L-1', quantity: 1 }]);
    expect(await stock(code)).toEqual({ 'L-1': [3, 3] });
  });

  test('the buffer is kept from sale, also when it was raised just now', async () => {
    const code = await sku({ 'L-1': 5 });
    await world.store.pool.query('update stock_levels set buffer = 3 where sku_id = (select id from skus where code = $1) and location_id = $2', [code, world.locationId('L-1')]);
    expect(problem(await submit({ lines: [line(code, 3)] })).extra).toEqual({ missing: [{ line: 1, sku: code, quantity: 1 }] });
    expect(answer(await submit({ lines: [line(code, 2)] })).reserved).toEqual([{ line: 1, location: 'L-1', quantity: 2 }]);
    expect(problem(await submit({ lines: [line(code)] })).code).toBe('insufficient_stock');
    await world.store.pool.query('update stock_levels set buffer = 0 where sku_id = (select id from skus where code = $1)', [code]);
    expect(answer(await submit({ lines: [line(code, 3)] })).reserved).toEqual([{ line: 1, location: 'L-1', quantity: 3 }]);
  });

  async function lots(code: string, ...of: [lot: string, expires: string, quantity: number][]): Promise<number[]> {
    const levels = await world.store.writer.change(async (tx) => {
      const skuId = world.store.network.knownSku(code)!.id;
      const ids = await Promise.all(of.map(async ([lot, expires]) => (await tx.one<{ id: number }>('insert into lots (sku_id, code, expires_on) values ($1, $2, $3) returning id', [skuId, lot, expires]))!.id));
      const made = await ensureLevels(tx.client, ids.map((lotId) => ({ locationId: world.locationId('L-1'), skuId, condition: 'sellable', lotId })));
      await tx.post('receipt', null, made.map((levelId, i) => ({ levelId, onHand: of[i]![2], reserved: 0 })));
      return made;
    });
    await world.store.projection.reread(levels);
    return levels;
  }
  const taken = async (id: string) => rows(`select t.code, r.quantity from reservations r join stock_levels v on v.id = r.level_id join lots t on t.id = v.lot_id where r.order_id = $1 order by r.seq`, of(id));

  test('lots go first-expired-first', async () => {
    const code = await sku();
    await lots(code, ['LATE', '2027-06-01', 5], ['EARLY', '2027-01-01', 2], ['MIDDLE', '2027-03-01', 5]);
    expect(await taken(answer(await submit({ lines: [line(code, 4)] })).id)).toEqual([{ code: 'EARLY', quantity: 2 }, { code: 'MIDDLE', quantity: 2 }]);
    expect(await taken(answer(await submit({ lines: [line(code, 4)] })).id)).toEqual([{ code: 'MIDDLE', quantity: 3 }, { code: 'LATE', quantity: 1 }]);
  });

  test('a recalled lot is not sold from the moment of its recall, nor when units of it come back', async () => {
    const code = await sku();
    await lots(code, ['BAD', '2027-01-01', 5], ['GOOD', '2027-06-01', 2]);
    const first = answer(await submit({ lines: [line(code, 1)] }));
    expect(await taken(first.id)).toEqual([{ code: 'BAD', quantity: 1 }]);
    await world.store.pool.query(`update lots set recalled_at = now() where code = 'BAD'`);
    expect(await taken(answer(await submit({ lines: [line(code, 1)] })).id)).toEqual([{ code: 'GOOD', quantity: 1 }]);
    const [held] = await rows('select level_id from reservations where order_id = $1', of(first.id));
    await world.store.writer.change(async (tx) => {
      await tx.query(`update reservations set status = 'released' where order_id = $1`, [of(first.id)]);
      await tx.post('release', of(first.id), [{ levelId: held!['level_id'] as number, onHand: 0, reserved: -1 }]);
    });
    expect(problem(await submit({ lines: [line(code, 2)] })).extra).toEqual({ missing: [{ line: 1, sku: code, quantity: 1 }] });
    expect(await taken(answer(await submit({ lines: [line(code, 1)] })).id)).toEqual([{ code: 'GOOD', quantity: 1 }]);
    expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
  });

  test('damaged goods, allotments and supplies are nobody else\'s', async () => {
    const code = await sku();
    await world.store.network.loadSkus([code]);
    await world.store.writer.change(async (tx) => {
      await tx.query(`insert into allotments (id, kind, name, code, parent_id) values (7, 'campaign', 'share', 'share', 0)`);
      await tx.query(`insert into supplies (id, kind, reference, expected_at) values (7, 'purchase_order', 'PO-7', now())`);
      const at = { locationId: world.locationId('L-1'), skuId: world.store.network.knownSku(code)!.id, lotId: 0 };
      const made = await ensureLevels(tx.client, [{ ...at, condition: 'damaged' }, { ...at, condition: 'sellable', allotmentId: 7 }, { ...at, condition: 'sellable', supplyId: 7 }]);
      await tx.post('receipt', null, made.map((levelId) => ({ levelId, onHand: 5, reserved: 0 })));
    });
    expect(problem(await submit({ lines: [line(code)] })).code).toBe('insufficient_stock');
  });

  test('a location that is not active sells nothing', async () => {
    const code = await sku({ 'L-3': 4 });
    await world.store.pool.query(`update locations set active = false where code = 'L-3'`);
    await world.store.network.reload();
    expect(problem(await submit({ lines: [line(code)] })).code).toBe('insufficient_stock');
    await world.store.pool.query(`update locations set active = true where code = 'L-3'`);
    await world.store.network.reload();
    expect(answer(await submit({ lines: [line(code)] })).reserved).toEqual([{ line: 1, location: 'L-3', quantity: 1 }]);
  });
});

describe('the same order again', () => {
  test('gets the same answer for the same body, whatever became of the order; another body is refused', async () => {
    const code = await sku({ 'L-1': 1 });
    const externalId = `twice-${randomUUID()}`;
    const first = await submit({ externalId, lines: [line(code)] });
    expect(first).toMatchObject({ repeated: false });
    await world.store.pool.query(`update orders set status = 'cancelled' where external_id = $1`, [externalId]);
    // Nothing is left: a new order would be refused, the repetition is not.
    expect(await submit({ externalId, lines: [line(code)] })).toEqual({ answer: answer(first), repeated: true });
    const other = problem(await submit({ externalId, lines: [line(code, 2)] }));
    expect([other.code, other.status, other.field]).toEqual(['duplicate_with_other_body', 409, '/externalId']);
    expect(await rows('select count(*)::int n from orders where external_id = $1', externalId)).toEqual([{ n: 1 }]);
  });

  test('an Idempotency-Key with another body: 422, at once and later; the same body gets the same', async () => {
    const code = await sku({ 'L-1': 5 });
    const key = `key-${randomUUID()}`;
    const body = { externalId: `keyed-${randomUUID()}`, lines: [line(code)] };
    const first = await submit(body, key);
    const [same, other] = await Promise.all([submit(body, key), submit({ externalId: randomUUID(), lines: [line(code, 2)] }, key)]);
    expect(answer(same)).toEqual(answer(first));
    expect([problem(other).code, problem(other).status, problem(other).field]).toEqual(['idempotency_mismatch', 422, '/headers/Idempotency-Key']);
    expect(problem(await submit({ externalId: randomUUID(), lines: [line(code, 3)] }, key)).code).toBe('idempotency_mismatch');
    expect(await submit(body, key)).toEqual({ answer: answer(first), repeated: true });
    expect(await stock(code)).toEqual({ 'L-1': [5, 1] });
  });

  test('two bodies at once under one Idempotency-Key: whichever is first is captured, the other refused', async () => {
    const code = await sku({ 'L-1': 5 });
    const key = `raced-${randomUUID()}`;
    const outcomes = await Promise.all([1, 1, 2, 2].map((quantity) => submit({ externalId: `raced-${quantity}-${key}`, lines: [line(code, quantity)] }, key)));
    const captured = outcomes.flatMap((o) => ('answer' in o ? [o.answer] : []));
    const refused = outcomes.flatMap((o) => ('problem' in o ? [o.problem.code] : []));
    expect([captured.length, refused]).toEqual([2, ['idempotency_mismatch', 'idempotency_mismatch']]);
    expect(captured[1]).toEqual(captured[0]);
    expect(await stock(code)).toEqual({ 'L-1': [5, captured[0]?.reserved[0]?.quantity] });
  });

  test('a refusal is remembered for its Idempotency-Key, not for the external id; after 24 hours the key is free', async () => {
    const code = await sku({ 'L-1': 0 });
    const key = `refused-${randomUUID()}`;
    const body = { externalId: `refused-${randomUUID()}`, lines: [line(code)] };
    const refused = problem(await submit(body, key));
    expect(refused.code).toBe('insufficient_stock');
    await world.setStock(code, { 'L-1': 2 });
    const again = problem(await submit(body, key));
    expect([again.code, again.status, again.message, again.field, again.extra]).toEqual([refused.code, 409, refused.message, refused.field, refused.extra]);
    const taken = await submit(body);
    expect(taken).toMatchObject({ repeated: false });
    await world.store.pool.query(`update idempotency_keys set expires_at = now() - interval '1 second' where key = $1`, [key]);
    expect(await submit(body, key)).toEqual({ answer: answer(taken), repeated: true });
    expect(await stock(code)).toEqual({ 'L-1': [2, 1] });
  });

  test('a repetition takes no unit away from the orders beside it', async () => {
    const code = await sku({ 'L-1': 2 });
    const body = { externalId: `beside-${randomUUID()}`, lines: [line(code)] };
    const first = await submit(body);
    const [again, other] = await Promise.all([submit(body), submit({ lines: [line(code)] })]);
    expect(again).toEqual({ answer: answer(first), repeated: true });
    expect(answer(other).reserved).toEqual([{ line: 1, location: 'L-1', quantity: 1 }]);
    expect(await stock(code)).toEqual({ 'L-1': [2, 2] });
  });

  test('100 at once, some with a key: one order, one answer', async () => {
    const code = await sku({ 'L-1': 50 });
    const body = { externalId: `crowd-${randomUUID()}`, lines: [line(code, 3)] };
    const outcomes = await Promise.all(Array.from({ length: 100 }, (_, i) => submit(body, i % 3 === 0 ? null : `crowd-${i % 7}`)));
    const first = answer(outcomes[0]!);
    for (const outcome of outcomes) expect(answer(outcome)).toEqual(first);
    expect(outcomes.filter((o) => 'answer' in o && !o.repeated)).toHaveLength(1);
    expect(await rows('select count(*)::int n from orders where external_id = $1', body.externalId)).toEqual([{ n: 1 }]);
    expect(await rows('select count(*)::int n from outbox where order_id = $1', of(first.id))).toEqual([{ n: 1 }]);
    expect(await stock(code)).toEqual({ 'L-1': [50, 3] });
    expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
  });
});

describe('what makes no sense', () => {
  test.each<[string, Partial<OrderIntake>, string, string]>([
    ['a channel that is not there', { channel: 'nowhere' }, 'unknown_channel', '/channel'],
    ['another currency', { currency: 'EUR' }, 'unprocessable', '/currency'],
    ['a location that is not there', { location: 'L-99' }, 'unknown_location', '/location'],
    ['an order of the day after tomorrow', { orderedAt: '2026-11-25T02:00:01Z' }, 'unprocessable', '/orderedAt'],
    ['a delivery that ends before it begins', { scheduled: { from: '2026-11-25T02:00:00Z', to: '2026-11-25T01:59:59Z' } }, 'unprocessable', '/scheduled/to'],
    ['a discount above the price', { discounts: [{ bearer: 'shop', code: 'X', amount: 99_999 }] }, 'unprocessable', '/discounts/0/amount'],
    ['a leap second, which no clock here has', { orderedAt: '2016-12-31T23:59:60Z' }, 'unprocessable', '/orderedAt'],
    ['an impossible scheduled time', { scheduled: { from: '2016-12-31T23:59:60Z' } }, 'unprocessable', '/scheduled/from'],
    ['an impossible end of a scheduled time', { scheduled: { from: '2026-11-25T02:00:00Z', to: '2026-12-31T23:59:60Z' } }, 'unprocessable', '/scheduled/to'],
    ['an impossible ship-by date', { shipBy: '2016-12-31T23:59:60Z' }, 'unprocessable', '/shipBy'],
    ['the year 0', { orderedAt: '0000-01-01T00:00:00Z' }, 'unprocessable', '/orderedAt'],
    ['the year 10000', { shipBy: '9999-12-31T23:59:59-23:00' }, 'unprocessable', '/shipBy'],
  ])('%s', async (_what, changes, code, field) => {
    const before = await written();
    await expect(submit({ lines: [line('SKU-1')], ...changes })).rejects.toMatchObject({ code, field });
    expect(await written()).toEqual(before);
  });
});
