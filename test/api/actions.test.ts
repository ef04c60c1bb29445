import type { FastifyInstance } from 'fastify';
import type { Knex } from 'knex';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { buildApp } from '../../api/app.ts';
import { createApiKey } from '../../db/api-keys.ts';
import { runAudit } from '../../db/audit/run-audit.ts';
import { reserveOrder } from '../../db/orders/reserve-order.ts';
import { routeOrder } from '../../db/orders/route-order.ts';
import { validateOrder } from '../../db/orders/validate-order.ts';
import { createKnex } from '../../db/pool.ts';
import { decodeId } from '../../domain/ids.ts';
import type { OrderIntake } from '../../domain/order/intake.ts';
import { createLogger } from '../../runtime/logger.ts';
import { World } from '../support/world.ts';

let world: World;
let app: FastifyInstance;
let knex: Knex;
let key: string;
beforeAll(async () => {
  world = await World.create({ stock: 1000 });
  knex = createKnex(world.database.url);
  key = (await createApiKey(world.store.pool, { name: 'operator', scopes: ['orders:operate', 'orders:read'] })).key;
  await world.store.network.reload();
  app = await buildApp({ store: world.store, knex, logger: createLogger('test', 'silent') });
});
afterAll(async () => {
  await app.close();
  await knex.destroy();
  await world.close();
});
beforeEach(async () => { expect((await runAudit(world.store.pool)).violations).toEqual([]); });

const uuid = (id: string): string => decodeId('ord', id) as string;
async function act(action: string, orderIds: string[], params?: object): Promise<{ status: number; results: { orderId: string; ok: boolean; code?: string; detail?: string; field?: string }[] }> {
  const response = await app.inject({ method: 'POST', url: '/v1/orders/actions', headers: { authorization: `Bearer ${key}` }, payload: { action, orderIds, reason: 'test', ...(params ? { params } : {}) } });
  return { status: response.statusCode, results: (response.json() as { results?: [] }).results ?? [] };
}
/** Captured, checked and reserved, as the workflow would have it. */
async function ready(changes: Partial<OrderIntake> = {}): Promise<string> {
  const { id } = await world.capture(changes);
  await step(id);
  return id;
}
async function step(id: string): Promise<void> {
  await validateOrder(world.store.writer, world.store.network, world.store.vault, uuid(id));
  await reserveOrder(world.store.writer, world.store.network, uuid(id));
}
async function head(id: string): Promise<{ status: string; total: number; units: number; reserved: number }> {
  const { rows } = await world.store.pool.query<{ status: string; total: number; units: number; reserved: number }>(
    `select status, total_amount total, (select coalesce(sum(quantity), 0)::int from order_lines where order_id = o.id) units,
       (select coalesce(sum(quantity), 0)::int from reservations where order_id = o.id and status in ('held', 'confirmed')) reserved from orders o where id = $1`, [uuid(id)]);
  return rows[0] as { status: string; total: number; units: number; reserved: number };
}
const lines: OrderIntake['lines'] = [{ sku: 'SKU-1', quantity: 3, unitPrice: 999, discounts: [{ bearer: 'shop', code: 'X', amount: 100 }] }, { sku: 'SKU-2', quantity: 2, unitPrice: 501 }];

test('split: units, money to the minor unit and reservations move; nothing is lost', async () => {
  const id = await ready({ lines, freight: 7 });
  const before = await head(id);
  const { results } = await act('split', [id], { lines: [{ line: 1, quantity: 2 }] });
  expect(results[0]?.ok).toBe(true);
  const child = results[0]?.detail as string;
  const [a, b] = [await head(id), await head(child)];
  expect([a.units, b.units, a.reserved, b.reserved]).toEqual([3, 2, 3, 2]);
  expect(a.total + b.total).toBe(before.total);
  expect(before.total).toBe(3 * 999 - 100 + 2 * 501 + 7);
  await step(child);
  expect((await head(child)).status).toBe('confirmed');
  expect((await act('split', [id], { lines: [{ line: 1, quantity: 1 }, { line: 2, quantity: 2 }] })).results[0]?.code).toBe('unprocessable');
  expect(await head(id)).toEqual(a);
});

test('merge: lines of orders to one person and address move into the oldest', async () => {
  const [a, b] = [await ready({ lines }), await ready()];
  const sum = (await head(a)).total + (await head(b)).total;
  const { status, results } = await act('merge', [b, a]);
  expect([status, results.map((r) => r.detail)]).toEqual([200, [a, a]]);
  expect(await head(a)).toMatchObject({ total: sum, units: 8, reserved: 8 });
  expect(await head(b)).toEqual({ status: 'cancelled', total: 0, units: 0, reserved: 0 });
  const other = await ready({ shipTo: { name: 'Else', phone: '10000000002', country: 'CN', province: 'Beijing', city: 'Beijing', street: '2 Example Road' } });
  const before = await head(other);
  expect((await act('merge', [a, other])).status).toBe(409);
  expect(await head(other)).toEqual(before);
});

test('two merges and splits at once: each unit is somewhere exactly once', async () => {
  const ids = await Promise.all([1, 2, 3].map(() => ready({ lines })));
  const totals = (await Promise.all(ids.map(head))).reduce((sum, h) => sum + h.total, 0);
  const answers = await Promise.all([act('merge', [ids[0] as string, ids[1] as string]), act('merge', [ids[1] as string, ids[2] as string]), act('split', [ids[0] as string], { lines: [{ line: 2, quantity: 1 }] })]);
  expect(answers.map((a) => a.status).every((s) => s === 200 || s === 409)).toBe(true);
  const { rows } = await world.store.pool.query<{ total: number; units: number }>(
    `select sum(total_amount)::int total, (select sum(quantity)::int from order_lines l join orders x on x.id = l.order_id where x.id = any($1) or x.parent_id = any($1)) units
     from orders where id = any($1) or parent_id = any($1)`, [ids.map(uuid)]);
  expect(rows[0]).toEqual({ total: totals, units: 15 });
});

test('replace a SKU, add a gift: reserved by the next step; the money stays', async () => {
  const id = await ready({ lines });
  const before = await head(id);
  expect((await act('replace_sku', [id], { line: 2, sku: 'SKU-3' })).results[0]?.ok).toBe(true);
  expect((await act('add_gift', [id], { sku: 'SKU-4', quantity: 2 })).results[0]?.ok).toBe(true);
  expect((await head(id)).reserved).toBe(3);
  await step(id);
  expect(await head(id)).toEqual({ ...before, units: 7, reserved: 7 });
  expect((await act('replace_sku', [id], { line: 2, sku: 'NO-SUCH' })).results[0]).toMatchObject({ ok: false, code: 'unknown_sku', field: '/params/sku' });
});

test('a mended SKU releases the hold for it', async () => {
  const { id } = await world.capture({ channel: 'douyin', lines: [{ sku: 'MYSTERY', quantity: 1, unitPrice: 5 }] });
  expect((await head(id)).status).toBe('on_hold');
  expect((await act('replace_sku', [id], { line: 1, sku: 'SKU-1' })).results[0]?.ok).toBe(true);
  await step(id);
  expect(await head(id)).toMatchObject({ status: 'confirmed', reserved: 1 });
});

test('reverse an approval, release in bulk; force location and carrier are kept', async () => {
  const [a, b] = [await ready(), await ready()];
  await routeOrder(world.store.writer, world.store.network, uuid(a));
  expect((await head(a)).status).toBe('routed');
  expect((await act('reverse_approval', [a, b, 'ord_nonsense'])).results.map((r) => r.ok)).toEqual([true, true, false]);
  expect([(await head(a)).status, (await head(b)).status]).toEqual(['on_hold', 'on_hold']);
  expect((await act('release', [a, b])).results.map((r) => r.ok)).toEqual([true, true]);
  expect((await act('force_location', [a], { location: 'L-3' })).results[0]?.ok).toBe(true);
  expect((await act('force_location', [b], { location: 'L-99' })).results[0]?.code).toBe('unknown_location');
  await step(a);
  await routeOrder(world.store.writer, world.store.network, uuid(a));
  const [f] = (await world.fulfillments(a)).filter((x) => x.status === 'routed');
  expect(f?.locationId).toBe(world.store.network.locations.get('L-3')?.id);
});

test('what has not left cannot be resent', async () => {
  const id = await ready({ lines });
  expect((await act('resend', [id], { lines: [{ line: 1, quantity: 1 }] })).results[0]?.code).toBe('conflict');
});
