import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { acknowledgeOutbox, askWorkflow, leaseOutbox, postponeOutbox, type OutboxRow } from '../../db/outbox.ts';
import { World } from '../support/world.ts';

let world: World;
let orders: string[];
beforeAll(async () => {
  world = await World.create({ stock: 1000 });
  for (let i = 0; i < 40; i++) await world.capture();
  orders = (await world.store.pool.query<{ id: string }>('select id from orders order by id')).rows.map((r) => r.id);
});
afterEach(async () => { await world.store.pool.query('delete from outbox'); });
afterAll(async () => { await world.close(); });

const pool = () => world.store.pool;
/** Rows as `[order, topic, days from today]`, in the order in which they are written; returns their ids. */
async function rows(...wanted: [order: number, topic: string, days: number][]): Promise<number[]> {
  await pool().query('delete from outbox');
  const ids: number[] = [];
  for (const [order, topic, days] of wanted) {
    const { rows: [row] } = await pool().query<{ id: number }>(`insert into outbox (order_id, topic, priority) values ($1, $2, now() + make_interval(days => $3)) returning id`, [orders[order], topic, days]);
    ids.push(row!.id);
  }
  return ids;
}
const orderOf = (row: OutboxRow): string | null => ('orderId' in row ? row.orderId : null);
const ids = (leased: readonly { id: number }[]): number[] => leased.map((r) => r.id).toSorted((a, b) => a - b);

test('urgent rows are leased first, whatever came first; as many as asked for', async () => {
  const [late, soon, tomorrow, overdue] = await rows([0, 'start', 9], [1, 'start', 2], [2, 'look', 1], [3, 'start', -1]);
  expect(ids(await leaseOutbox(pool(), 2, 30))).toEqual([tomorrow, overdue]);
  expect(ids(await leaseOutbox(pool(), 1, 30))).toEqual([soon]);
  expect(ids(await leaseOutbox(pool(), 5, 30))).toEqual([late]);
  expect(await leaseOutbox(pool(), 5, 30)).toEqual([]);
});

test('a row tells what its workflow needs to be started', async () => {
  const [id] = await rows([0, 'start', 0]);
  const order = await world.one<{ deliver_by: Date }>('select deliver_by from orders where id = $1', orders[0]);
  expect(await leaseOutbox(pool(), 1, 30)).toEqual([{ id, topic: 'start', orderId: orders[0], returnId: null, attempts: 1, terminal: false, channelCode: 'own', deliverBy: order.deliver_by, status: 'captured' }]);
  for (const status of ['closed', 'cancelled', 'rejected', 'expired']) {
    await pool().query('update orders set status = $2 where id = $1', [orders[39], status]);
    await rows([39, 'look', 0]);
    expect(await leaseOutbox(pool(), 1, 30)).toMatchObject([{ terminal: true, status }]);
  }
});

test('rows of one order go one after the other, in the order in which they were written, urgent or not', async () => {
  const [start, look, urgent, other] = await rows([0, 'start', 5], [0, 'look', 3], [0, 'look', -9], [1, 'start', 8]);
  expect(ids(await leaseOutbox(pool(), 9, 30))).toEqual([start, other]);
  expect(await leaseOutbox(pool(), 9, 30)).toEqual([]);
  await acknowledgeOutbox(pool(), [start!]);
  expect(ids(await leaseOutbox(pool(), 9, 30))).toEqual([look]);
  await acknowledgeOutbox(pool(), [look!, other!]);
  expect(ids(await leaseOutbox(pool(), 9, 30))).toEqual([urgent]);
  await acknowledgeOutbox(pool(), [urgent!]);
  await acknowledgeOutbox(pool(), []);
  expect(await world.one('select count(*)::int n from outbox')).toEqual({ n: 0 });
});

test('many relays at once: each row once, none left out', async () => {
  await rows(...orders.flatMap((_, i) => [[i, 'start', i % 5], [i, 'look', 0]] as [number, string, number][]));
  const done: number[] = [];
  await Promise.all(Array.from({ length: 8 }, async () => {
    for (let empty = 0; empty < 3;) {
      const leased = await leaseOutbox(pool(), 3, 3600);
      if (leased.length === 0) empty++;
      done.push(...leased.map((r) => r.id));
      // Never two rows of one order at the same time.
      expect(new Set(leased.map(orderOf)).size).toBe(leased.length);
      await acknowledgeOutbox(pool(), leased.map((r) => r.id));
    }
  }));
  expect(done).toHaveLength(80);
  expect(new Set(done).size).toBe(80);
});

test('a lease that has ended is given to another, counted; one that runs is not', async () => {
  const [id] = await rows([0, 'start', 0]);
  expect(await leaseOutbox(pool(), 5, 3600)).toMatchObject([{ id, attempts: 1 }]);
  expect(await leaseOutbox(pool(), 5, 3600)).toEqual([]);
  await pool().query(`update outbox set leased_until = now() - interval '1 millisecond'`);
  expect(await leaseOutbox(pool(), 5, 3600)).toMatchObject([{ id, attempts: 2 }]);
});

test('a postponed row waits its time and keeps the reason; rows of its order wait behind it', async () => {
  const [id] = await rows([0, 'start', 0], [0, 'look', 0]);
  await leaseOutbox(pool(), 5, 30);
  await postponeOutbox(pool(), id!, 3600, `Temporal does not answer ${'x'.repeat(600)}`);
  expect(await leaseOutbox(pool(), 5, 30)).toEqual([]);
  expect(await world.one(`select length(last_error) length, attempts, leased_until between now() + interval '59 minutes' and now() + interval '61 minutes' waits from outbox where id = $1`, id)).toEqual({ length: 500, attempts: 1, waits: true });
  await postponeOutbox(pool(), id!, 0, 'again');
  expect(await leaseOutbox(pool(), 5, 30)).toMatchObject([{ id, attempts: 2 }]);
});

test('a transaction under way hides nothing for good: its rows come when it is over', async () => {
  const [first] = await rows([0, 'start', 0], [1, 'start', 0]);
  const client = await pool().connect();
  await client.query('begin');
  await client.query('select from outbox where id = $1 for update', [first]);
  expect(await leaseOutbox(pool(), 9, 30)).toMatchObject([{ orderId: orders[1] }]);
  await client.query(`insert into outbox (order_id, topic, priority) values ($1, 'look', now())`, [orders[2]]);
  expect(await leaseOutbox(pool(), 9, 30)).toEqual([]);
  await client.query('commit');
  client.release();
  expect((await leaseOutbox(pool(), 9, 30)).map(orderOf).toSorted()).toEqual([orders[0], orders[2]].toSorted());
});

test('a late return names itself', async () => {
  await rows();
  const returnId = randomUUID();
  await pool().query(`insert into outbox (order_id, return_id, topic, priority) values ($1, $2, 'start_return', now())`, [orders[0], returnId]);
  expect(await leaseOutbox(pool(), 9, 30)).toMatchObject([{ topic: 'start_return', orderId: orders[0], returnId }]);
});

test('any other workflow names its type, id and input; rows of one workflow go one after the other, beside those of orders', async () => {
  await rows([0, 'start', 5]);
  const ref = { type: 'declaration', id: 'declaration/dec_1', input: { v: 1, declaration: 'dec_1' } };
  await world.store.writer.change(async (tx) => {
    await askWorkflow(tx, 'start', ref);
    await askWorkflow(tx, 'look', ref, new Date(0));
    await askWorkflow(tx, 'look', { ...ref, id: 'declaration/dec_2' });
  });
  const first = await leaseOutbox(pool(), 9, 30);
  expect(first.map((r) => ('workflow' in r ? [r.topic, r.workflow.id] : [r.topic, r.orderId]))).toEqual(expect.arrayContaining([['start_workflow', 'declaration/dec_1'], ['look_workflow', 'declaration/dec_2'], ['start', orders[0]]]));
  expect(first).toHaveLength(3);
  const start = first.find((r) => r.topic === 'start_workflow');
  expect(start).toEqual({ id: start!.id, topic: 'start_workflow', attempts: 1, workflow: ref });
  expect(await leaseOutbox(pool(), 9, 30)).toEqual([]);
  await acknowledgeOutbox(pool(), ids(first));
  expect(await leaseOutbox(pool(), 9, 30)).toMatchObject([{ topic: 'look_workflow', workflow: ref }]);
});

test.each([
  ['an order row without its order', `insert into outbox (topic, priority) values ('look', now())`],
  ['a workflow row without its id', `insert into outbox (topic, workflow_type, input, priority) values ('start_workflow', 'declaration', '{}', now())`],
  ['a workflow row with an order', `insert into outbox (topic, order_id, workflow_type, workflow_id, input, priority) values ('start_workflow', gen_random_uuid(), 'declaration', 'x', '{}', now())`],
])('%s cannot be written', async (_, text) => {
  await expect(pool().query(text)).rejects.toMatchObject({ constraint: 'outbox_target' });
});

test('freed stock wakes each order that waits for it once, the nearest deadline first', async () => {
  await rows();
  const waiting = [];
  for (let i = 0; i < 3; i++) {
    waiting.push(await world.capture({ channel: 'douyin', lines: [{ sku: 'SKU-4', quantity: 10_000, unitPrice: 1 }, { sku: 'SKU-4', quantity: 10_000, unitPrice: 1 }] }));
    world.now = new Date(world.now.getTime() + 60_000);
  }
  await pool().query('delete from outbox');
  await world.setStock('SKU-4', { 'L-1': 3000 });
  await world.setStock('SKU-4', { 'L-1': 4000 });
  const { rows: looks } = await pool().query<{ topic: string; order_id: string }>('select topic, order_id from outbox order by id');
  const { rows: expected } = await pool().query<{ id: string }>('select id from orders where external_id = any($1) order by captured_at', [waiting.map((a) => a.externalId)]);
  expect(looks).toEqual(expected.map((o) => ({ topic: 'look', order_id: o.id })));
});
