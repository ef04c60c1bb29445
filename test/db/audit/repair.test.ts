import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { repairAudit } from '../../../db/audit/repair.ts';
import { runAudit } from '../../../db/audit/run-audit.ts';
import { takeLease } from '../../../db/leases/take-lease.ts';
import { cancelOrder } from '../../../db/orders/cancel-order.ts';
import { decodeId } from '../../../domain/ids.ts';
import { World } from '../../support/world.ts';

let world: World;
let references = 0;
beforeAll(async () => { world = await World.create({ skus: 20, stock: 0 }); });
afterAll(async () => { await world.close(); });

const sql = (text: string, ...values: unknown[]) => world.store.pool.query(text, values);
const checks = async (): Promise<string[]> => (await runAudit(world.store.pool, { now: world.now })).violations.map((v) => v.check);
const repair = () => repairAudit(world.store.writer);
const levelOf = async (sku: string): Promise<number> => (await world.one<{ id: number }>(
  `select v.id from stock_levels v join skus s on s.id = v.sku_id join locations l on l.id = v.location_id where s.code = $1 and l.code = 'L-1'`, sku)).id;
const notes = async (): Promise<unknown[]> => (await sql('select what, before, after, command_id is not null moved from audit_repairs order by id')).rows;
const order = (sku: string, quantity: number) => world.capture({ lines: [{ sku, quantity, unitPrice: 100 }] });
const uuid = (id: string): string => decodeId('ord', id) as string;
const lease = async (sku: string, quantity: number): Promise<string> => (await takeLease(world.store.writer, world.store,
  { reference: `R-${++references}`, owner: 'cart', channel: 'own', expiresInS: 60, mode: 'all', lines: [{ sku, quantity }] }, 'key:test')).lease.id;

/** Found as `what`, repaired as `what`; the second run finds nothing and repairs nothing. */
async function mends(...what: string[]): Promise<void> {
  expect(await checks()).toEqual(what);
  await sql('truncate audit_repairs');
  expect(new Set((await repair()).map((r) => r.what))).toEqual(new Set(what.filter((w) => w !== 'levels-reservations' || what.length === 1)));
  expect(await checks()).toEqual([]);
  expect(await repair()).toEqual([]);
}
/** `[on hand, reserved]` at the one location that has any. */
const stock = async (sku: string): Promise<[number, number] | undefined> => (await world.stock(sku))['L-1'];
const cause = async (level: number): Promise<unknown> => world.one('select cause, d_on_hand h, d_reserved r from stock_movements where level_id = $1 order by command_id desc limit 1', level);

describe('repairs', () => {
  test('a hold of an order that does not exist: taken away, with its movement and the reason', async () => {
    await world.setStock('SKU-1', { 'L-1': 5 });
    const level = await levelOf('SKU-1');
    await order('SKU-1', 2);
    await sql(`insert into reservations (order_id, line_no, seq, level_id, quantity, status) values (uuidv7(), 1, 0, $1, 3, 'held')`, level);
    await sql('update stock_levels set reserved = 5 where id = $1', level);
    await sql(`insert into stock_movements (command_id, leg, level_id, d_on_hand, d_reserved, cause) values (uuidv7(), 0, $1, 0, 3, 'capture')`, level);
    await mends('orphan-reservations');
    expect([await stock('SKU-1'), await cause(level)]).toEqual([[5, 2], { cause: 'repair', h: 0, r: -3 }]);
    expect(await notes()).toEqual([{ what: 'orphan-reservations', moved: true, after: { reserved: 2, live: 2 }, before: {
      reserved: 5, live: 5, rows: [{ orderId: expect.any(String) as string, lineNo: 1, seq: 0, quantity: 3, status: 'held', fault: 'orphan-reservations' }],
    } }]);
    expect((await order('SKU-1', 3)).reserved).toEqual([{ line: 1, location: 'L-1', quantity: 3 }]);
  });

  test('a row without the stock: the level was right all along, nothing moves', async () => {
    await world.setStock('SKU-2', { 'L-1': 5 });
    const level = await levelOf('SKU-2');
    await sql(`insert into reservations (order_id, line_no, seq, level_id, quantity, status) values (uuidv7(), 1, 0, $1, 3, 'confirmed')`, level);
    await mends('levels-reservations', 'orphan-reservations');
    expect(await cause(level)).toEqual({ cause: 'count', h: 5, r: 0 });
  });

  test('holds of an order that is over, and of reservations that have ended', async () => {
    await world.setStock('SKU-3', { 'L-1': 9 });
    const { id } = await order('SKU-3', 2);
    await sql(`update orders set status = 'cancelled', closed_at = now() where id = $1`, uuid(id));
    await mends('terminal-reservations');
    expect(await stock('SKU-3')).toEqual([9, 0]);
    const over = await lease('SKU-3', 4);
    await sql(`update leases set status = 'released', ended_at = now() where id = $1`, decodeId('res', over));
    await mends('ended-leases');
    expect(await stock('SKU-3')).toEqual([9, 0]);
  });

  test('shortages that an order which is over waits for', async () => {
    const { id } = await world.capture({ channel: 'douyin', lines: [{ sku: 'SKU-4', quantity: 2, unitPrice: 100 }] });
    await sql(`update orders set status = 'closed', closed_at = now() where id = $1`, uuid(id));
    await mends('terminal-reservations');
    expect(await world.one('select status from shortages where order_id = $1', uuid(id))).toEqual({ status: 'cancelled' });
  });

  test.each([['more', 4], ['fewer', 1]])('a level with %s reserved than its reservations', async (_, reserved) => {
    const sku = `SKU-${reserved + 4}`;
    await world.setStock(sku, { 'L-1': 5 });
    const level = await levelOf(sku);
    await order(sku, 2);
    await sql('update stock_levels set reserved = $2 where id = $1', level, reserved);
    await sql(`insert into stock_movements (command_id, leg, level_id, d_on_hand, d_reserved, cause) values (uuidv7(), 0, $1, 0, $2, 'planted')`, level, reserved - 2);
    await mends('levels-reservations');
    expect([await stock(sku), await cause(level)]).toEqual([[5, 2], { cause: 'repair', h: 0, r: 2 - reserved }]);
  });

  test('a level that is not the sum of its movements: the level stays, a movement of its own cause makes up for it, and says so', async () => {
    await world.setStock('SKU-9', { 'L-1': 5 });
    const level = await levelOf('SKU-9');
    await sql('update stock_levels set on_hand = 7 where id = $1', level);
    await mends('levels-movements');
    expect([await stock('SKU-9'), await cause(level)]).toEqual([[7, 0], { cause: 'audit_correction', h: 2, r: 0 }]);
    expect(await notes()).toEqual([{ what: 'levels-movements', moved: true, before: { movements: { onHand: 5, reserved: 0 } }, after: { movements: { onHand: 7, reserved: 0 } } }]);
  });

  test('units that a repair frees go to who waits for them', async () => {
    await world.setStock('SKU-10', { 'L-1': 2 });
    const { id } = await order('SKU-10', 2);
    const waiting = await world.capture({ channel: 'douyin', lines: [{ sku: 'SKU-10', quantity: 1, unitPrice: 100 }] });
    await world.activities(null).validate({ orderId: waiting.id });
    await sql(`update orders set status = 'rejected', closed_at = now() where id = $1`, uuid(id));
    await mends('terminal-reservations');
    expect([await world.status(waiting.id), await stock('SKU-10')]).toEqual(['confirmed', [2, 1]]);
  });

  test('overdue reservations go the ordinary way', async () => {
    await world.setStock('SKU-11', { 'L-1': 2 });
    await lease('SKU-11', 2);
    const before = world.now;
    world.now = new Date(before.getTime() + 180_000);
    await mends('stale-hold');
    world.now = before;
    expect(await stock('SKU-11')).toEqual([2, 0]);
  });

  test('what cannot be repaired stays reported: more is reserved than is on hand', async () => {
    await world.setStock('SKU-12', { 'L-1': 2 });
    const { id } = await order('SKU-12', 2);
    await sql('update reservations set quantity = 5 where order_id = $1', uuid(id));
    const warnings: string[] = [];
    const listen = (warning: Error): void => void warnings.push(warning.message);
    process.on('warning', listen);
    expect(await repair()).toEqual([]);
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', listen);
    expect([await checks(), warnings]).toEqual([['levels-reservations'], [expect.stringContaining('count it, then adjust it')]]);
    await sql('update reservations set quantity = 2 where order_id = $1', uuid(id));
    expect(await checks()).toEqual([]);
  });
});

test('repairs that race live traffic do no harm', async () => {
  await world.setStock('SKU-13', { 'L-1': 500 });
  const level = await levelOf('SKU-13');
  const early = await Promise.all(Array.from({ length: 20 }, () => order('SKU-13', 1)));
  const ghosts = 15;
  for (let i = 0; i < ghosts; i++) await sql(`insert into reservations (order_id, line_no, seq, level_id, quantity, status) values (uuidv7(), 1, 0, $1, 1, 'held')`, level);
  await sql('update stock_levels set reserved = reserved + $2 where id = $1', level, ghosts);
  await sql(`insert into stock_movements (command_id, leg, level_id, d_on_hand, d_reserved, cause) values (uuidv7(), 0, $1, 0, $2, 'capture')`, level, ghosts);
  const repairs = [];
  const traffic = Promise.all([
    ...Array.from({ length: 60 }, () => order('SKU-13', 1)), ...early.slice(0, 10).map(({ id }) => cancelOrder(world.store.writer, uuid(id), 'race', 'key:test')),
    ...Array.from({ length: 20 }, () => lease('SKU-13', 1)),
  ]);
  for (let i = 0; i < 4; i++) repairs.push(...(await Promise.all([repair(), repair()])).flat());
  await traffic;
  repairs.push(...await repair());
  expect(repairs.map((r) => r.what)).toEqual(['orphan-reservations']);
  expect(await checks()).toEqual([]);
  expect(await stock('SKU-13')).toEqual([500, 20 + 60 - 10 + 20]);
});
