import { afterAll, beforeAll, expect, test } from 'vitest';
import { CHECKS } from '../../../db/audit/checks.ts';
import { runAudit } from '../../../db/audit/run-audit.ts';
import { decodeId } from '../../../domain/ids.ts';
import { World } from '../../support/world.ts';
import { Seeded, type Clone, type SeededOrders } from './seeded.ts';

let seeded: Seeded;
beforeAll(async () => { seeded = await Seeded.create(); });
afterAll(async () => { await seeded.drop(); });

async function onClone<T>(run: (clone: Clone) => Promise<T>): Promise<T> {
  const clone = await seeded.clone();
  try {
    return await run(clone);
  } finally {
    await clone.drop();
  }
}

const LEVEL = `(select min(id) from stock_levels)`;
const LEASE = `'01910000-0000-7000-8000-000000000001'::uuid`;
const MOVEMENT = `insert into stock_movements (command_id, leg, level_id, d_on_hand, d_reserved, cause)`;
/** The id of an order as SQL has it. */
const of = (order: keyof SeededOrders): string => `'${decodeId('ord', seeded.orders[order]) ?? ''}'`;

/** A statement or more for each check, which breaks that law and no other one. */
const PLANTED: Record<string, () => string> = {
  'levels-movements': () => `${MOVEMENT} values (uuidv7(), 0, ${LEVEL}, 1, 0, 'planted')`,
  'levels-reservations': () => `update reservations set quantity = quantity + 1 where order_id = ${of('captured')} and line_no = 1`,
  'levels-bounds': () => `alter table stock_levels drop constraint stock_levels_conserved;
    insert into stock_levels (location_id, sku_id, condition, on_hand) select location_id, sku_id, 'damaged', -1 from stock_levels where id = ${LEVEL};
    ${MOVEMENT} select uuidv7(), 0, id, -1, 0, 'planted' from stock_levels where on_hand = -1`,
  'orphan-order-lines': () => `insert into order_lines (order_id, line_no, sku_code, quantity, unit_price, list_amount, discount_amount, freight_share, net_amount) values (uuidv7(), 1, 'X', 1, 0, 0, 0, 0, 0)`,
  'orphan-order-events': () => `insert into order_events (order_id, type, at, actor) values (uuidv7(), 'planted', now(), 'system')`,
  'orphan-order-holds': () => `insert into order_holds (order_id, reason, placed_at, placed_by) values (uuidv7(), 'planted', now(), 'system')`,
  'orphan-outbox': () => `insert into outbox (topic, order_id, priority) values ('look', uuidv7(), now())`,
  'orphan-shortages': () => `insert into shortages (order_id, line_no, quantity, cause, deadline) values (uuidv7(), 1, 1, 'planted', now())`,
  'orphan-reservations': () => `insert into reservations (order_id, line_no, seq, level_id, quantity, status) values (uuidv7(), 1, 0, ${LEVEL}, 1, 'released')`,
  'orphan-movements': () => `${MOVEMENT} values (uuidv7(), 0, 999999, 1, 0, 'planted')`,
  'orders-without-lines': () => `insert into orders select (jsonb_populate_record(o, jsonb_build_object('id', uuidv7(), 'external_id', 'planted'))).* from orders o where id = ${of('captured')}`,
  'orders-without-contact': () => `update orders set contact_id = uuidv7() where id = ${of('captured')}`,
  'stale-hold': () => `update reservations set expires_at = '2026-11-23T01:58:59Z' where order_id = ${of('unpaid')} and line_no = 1`,
  'terminal-reservations': () => `update orders set status = 'closed' where id = ${of('captured')}`,
  'ended-leases': () => `update stock_levels set reserved = reserved + 1 where id = ${LEVEL}; ${MOVEMENT} values (uuidv7(), 0, ${LEVEL}, 0, 1, 'planted');
    insert into leases (id, owner, reference, channel_id, mode, status, expires_at, created_at, created_by, ended_at) select ${LEASE}, 'o', 'r', min(id), 'all', 'released', now(), now(), 't', now() from channels;
    insert into lease_lines (lease_id, line_no, sku_id, quantity) select ${LEASE}, 1, sku_id, 1 from stock_levels where id = ${LEVEL};
    insert into reservations (order_id, line_no, seq, level_id, quantity, status) values (${LEASE}, 1, 0, ${LEVEL}, 1, 'held')`,
  'line-units': () => `alter table order_lines drop constraint order_lines_check; update order_lines set cancelled_quantity = 3 where order_id = ${of('captured')} and line_no = 2`,
  'line-issued': () => `update order_lines set issued_quantity = 1 where order_id = ${of('captured')} and line_no = 2`,
  'line-routed': () => `update fulfillment_order_lines set quantity = quantity + 1 where line_no = 1 and fulfillment_order_id in (select id from fulfillment_orders where order_id = ${of('shipped')})`,
  'line-money': () => `update order_lines set discount_amount = discount_amount + 1 where order_id = ${of('captured')} and line_no = 1`,
  'order-money': () => `update orders set freight_amount = freight_amount + 1 where id = ${of('captured')}`,
  'refund-units': () => `update order_lines set refunded_quantity = 1 where order_id = ${of('refunded')} and line_no = 2`,
  'refund-amounts': () => `update refunds set amount = amount + 1, lines = jsonb_set(lines, '{0,amount}', to_jsonb((lines->0->>'amount')::int + 1)) where order_id = ${of('refunded')}`,
  'refund-sums': () => `update refunds set amount = amount - 1 where order_id = ${of('refunded')}`,
  'refund-before-issue': () => `insert into refund_requests (id, order_id, status, reason, requested_at, requested_by)
    select uuidv7(), order_id, 'intercepting', 'planted', issued_at - interval '1 ms', 'key:test' from shipments where order_id = ${of('shipped')}`,
  'demand-sums': () => `insert into daily_demand values ('2026-11-23', 1, 1, 1, 'CN', 'Shanghai', 2, 200, 0, 0, 0);
    insert into demand_parts values (uuidv7(), 1, 1, '2026-11-23', 1, 1, 'CN', 'Shanghai', 1, 200, 0, 0, 0)`,
  'campaign-budgets': () => `insert into campaigns (id, reference, name, status, plan, currency, starts_at, ends_at, created_at, created_by, scanned_to) values (${LEASE}, 'C', 'C', 'draft', '{}', 'CNY', now(), now() + interval '1 day', now(), 't', ${LEASE});
    insert into campaign_budgets (campaign_id, stage, spent) values (${LEASE}, 0, 1)`,
};

test('orders in many states keep every law', async () => {
  await onClone(async ({ pool }) => {
    const result = await runAudit(pool, { now: seeded.world.now });
    expect(result.violations).toEqual([]);
    const { rows } = await pool.query<{ movements: number; orders: number }>('select (select count(*) from stock_movements) movements, (select count(*) from orders) orders');
    expect({ movements: result.movements, orders: result.orders }).toEqual(rows[0]);
    expect(result.orders).toBe(8);
    const { rows: statuses } = await pool.query<{ id: string; status: string }>('select id, status from orders');
    const status = new Map(statuses.map((r) => [r.id, r.status]));
    expect(Object.fromEntries(Object.entries(seeded.orders).map(([name, id]) => [name, status.get(decodeId('ord', id) as string)]))).toEqual({
      captured: 'captured', unpaid: 'awaiting_payment', routed: 'routed', shipped: 'shipped', delivered: 'delivered', short: 'partially_shipped', refunded: 'cancelled', cancelled: 'cancelled',
    });
  });
});

test('every check has a planted violation', () => {
  expect(Object.keys(PLANTED)).toEqual(CHECKS.map((c) => c.name));
});

test.each(Object.entries(PLANTED))('%s is found, and nothing else', async (check, statements) => {
  await onClone(async ({ pool }) => {
    await pool.query(statements());
    const { violations } = await runAudit(pool, { now: seeded.world.now });
    expect(violations.map((v) => v.check)).toEqual([check]);
    expect((await runAudit(pool, { now: seeded.world.now, leaveOut: [check] })).violations).toEqual([]);
  });
});

test('a violation shows ids as clients see them, and amounts', async () => {
  await onClone(async ({ pool }) => {
    await pool.query(`update orders set freight_amount = 900 where id = ${of('captured')}`);
    expect((await runAudit(pool, { now: seeded.world.now })).violations).toEqual([
      { check: 'order-money', detail: `${seeded.orders.captured}: list 2000 - discounts 0 + freight 900, total 2800; its lines make 2800` },
    ]);
  });
});

test('no more than 50 violations of a check are listed', async () => {
  await onClone(async ({ pool }) => {
    await pool.query(`insert into order_events (order_id, type, at, actor) select uuidv7(), 'planted', now(), 'system' from generate_series(1, 60)`);
    expect((await runAudit(pool, { now: seeded.world.now })).violations.map((v) => v.check)).toEqual(Array.from({ length: 50 }, () => 'orphan-order-events'));
  });
});

test('a refund request that waited for the lock of a goods issue is no violation, whatever the clocks say; one that came first is', async () => {
  const request = (event: string): string => `insert into refund_requests (id, order_id, status, reason, requested_at, requested_by)
    select uuidv7(), order_id, 'intercepting', 'planted', issued_at - interval '1 ms', 'key:test' from shipments where order_id = ${of('shipped')}; ${event}`;
  await onClone(async ({ pool }) => {
    await pool.query(request(`insert into order_events (order_id, type, at, actor) values (${of('shipped')}, 'refund.requested', now(), 'key:test')`));
    expect((await runAudit(pool, { now: seeded.world.now })).violations).toEqual([]);
  });
  await onClone(async ({ pool }) => {
    await pool.query(request(`insert into order_events (order_id, id, type, at, actor) overriding system value values (${of('shipped')}, 0, 'refund.requested', now(), 'key:test')`));
    expect((await runAudit(pool, { now: seeded.world.now })).violations.map((v) => v.check)).toEqual(['refund-before-issue']);
  });
});

test('an order that is not over has an outbox row or a workflow', async () => {
  await onClone(async ({ pool }) => {
    const { captured, routed, refunded, cancelled } = seeded.orders;
    for (const order of ['captured', 'routed', 'refunded', 'cancelled'] as const) await pool.query(`delete from outbox where order_id = ${of(order)}`);
    const asked: string[][] = [];
    const found = (...ids: string[]) => runAudit(pool, {
      now: seeded.world.now,
      workflowExists: (orderIds) => {
        asked.push(orderIds);
        return Promise.resolve(new Set(ids));
      },
    });
    expect((await found(captured, routed)).violations).toEqual([]);
    expect(asked).toEqual([[captured, routed]]);
    expect((await found(routed)).violations).toEqual([{ check: 'workflow', detail: `${captured} is not over and has neither a workflow nor an outbox row` }]);
    expect([refunded, cancelled].map((id) => asked.flat().includes(id))).toEqual([false, false]);
  });
});

test('where Temporal cannot be asked, a captured order that nothing stands for and nothing has happened to is found; the grace and any later work clear it', async () => {
  await onClone(async ({ pool }) => {
    const { captured } = seeded.orders;
    const at = seeded.world.now;
    const later = new Date(at.getTime() + 60_001);
    const found = async (now: Date, withoutTemporal = true) => (await runAudit(pool, { now, withoutTemporal, leaveOut: ['stale-hold'] })).violations;
    expect(await found(later)).toEqual([]); // its outbox row stands for it
    for (const order of ['captured', 'routed', 'unpaid'] as const) await pool.query(`delete from outbox where order_id = ${of(order)}`);
    expect(await found(later)).toEqual([{
      check: 'captured-forgotten', detail: expect.stringMatching(new RegExp(`^${captured} was captured at .+; no outbox row stands for it and nothing has happened to it since$`)) as string,
    }]);
    expect(await found(new Date(at.getTime() + 59_000))).toEqual([]);
    expect(await found(later, false)).toEqual([]);
    await pool.query(`insert into order_events (order_id, type, at, actor) values (${of('captured')}, 'order.note', now(), 'system')`);
    expect(await found(later)).toEqual([]);
  });
});

test('the audit is right while orders are captured, and leaves no transaction behind', async () => {
  const world = await World.create({ stock: 1000 });
  try {
    let captured = 0;
    const orders = Promise.all(Array.from({ length: 60 }, async () => {
      await world.capture();
      captured += 1;
    }));
    const results = [];
    do results.push(await runAudit(world.store.pool, { now: world.now })); while (captured < 60);
    await orders;
    results.push(await runAudit(world.store.pool, { now: world.now }));
    expect(results.flatMap((r) => r.violations)).toEqual([]);
    expect(results.at(-1)?.orders).toBe(60);
    expect(await world.one(`select count(*)::int open from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'`)).toEqual({ open: 0 });
  } finally {
    await world.close();
  }
});
