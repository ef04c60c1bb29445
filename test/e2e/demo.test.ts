import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient, type Client } from '../../bin/demo/client.ts';
import { loadDemo, type DemoOptions } from '../../bin/demo/load-demo.ts';
import { PLATFORMS, platformOf } from '../../bin/demo/network.ts';
import { demoOrder } from '../../bin/demo/orders.ts';
import { arrived, connectPlatforms, control, orderOnPlatform, type PlatformUrls } from '../../bin/demo/platforms.ts';
import { System } from '../../bin/embedded/system.ts';
import { runAudit } from '../../db/audit/run-audit.ts';
import { createPool } from '../../db/pool.ts';
import type { Item, Order } from '../../simulators/platform/order.ts';
import { freePort } from '../../workers/metrics.ts';

const ORDERS = 60;
const dataDir = mkdtempSync(join(tmpdir(), 'tributary-demo-'));
let system: System;
let ports: Record<string, string>;
const FINAL = ['delivered', 'closed', 'cancelled', 'expired', 'rejected'];

const newSystem = (): System => {
  const { DATABASE_URL: _d, ...rest } = process.env;
  return new System({ dataDir, env: { ...rest, ...ports, LOG_LEVEL: 'warn' }, tell: () => undefined });
};

beforeAll(async () => {
  // Ports of its own: somebody may be running the demo beside the tests.
  const names = ['API_PORT', 'TEMPORAL_UI_PORT', 'TEMPORAL_PORT', 'POSTGRES_PORT', 'WMS_PORT', 'CARRIER_PORT', 'WORKER_METRICS_PORT'];
  ports = Object.fromEntries(await Promise.all(names.map(async (name) => [name, String(await freePort())] as const)));
  system = newSystem();
  await system.start();
}, 300_000);
afterAll(async () => {
  await system.stop();
  rmSync(dataDir, { recursive: true, force: true });
}, 120_000);

async function settle(look: () => Promise<unknown>, wanted: unknown): Promise<void> {
  const end = Date.now() + 240_000;
  for (;;) {
    const found = await look();
    if (JSON.stringify(found) === JSON.stringify(wanted)) return;
    if (Date.now() > end) expect(found).toEqual(wanted);
    await delay(500);
  }
}

async function finalOrders(client: Client): Promise<number> {
  const { counts } = (await client<{ counts: Record<string, number> }>('GET', '/v1/orders/summary')).body;
  return FINAL.reduce((sum, status) => sum + (counts[status] ?? 0), 0);
}

/** Each order there and the waybills of its parcels. */
async function there(urls: PlatformUrls): Promise<{ platform: string; id: string; status: string; parcels: string[] }[]> {
  const all = await Promise.all(PLATFORMS.map(async (platform) => (await control<Order[]>(urls[platform], 'GET', '/orders')).map((o) => ({ platform, id: o.id, status: o.status, parcels: o.parcels.map((p) => p.number).sort() }))));
  return all.flat().sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** What we have sent of the platforms' orders, the same way. */
async function sentByUs(pool: pg.Pool): Promise<{ platform: string; id: string; parcels: string[] }[]> {
  const { rows } = await pool.query<{ platform: string; id: string; parcels: string[] }>(
    `select c.code platform, o.external_id id, coalesce((select json_agg(p.waybill_no order by p.waybill_no) from parcels p where p.order_id = o.id), '[]') parcels
     from orders o join channels c on c.id = o.channel_id where c.code = any($1::text[]) order by o.external_id`, [PLATFORMS]);
  return rows;
}

/** Nothing is left to be told, and every listing shows there what our account says. */
async function untold(pool: pg.Pool, urls: PlatformUrls): Promise<unknown> {
  const { rows: [open] } = await pool.query<{ changes: number; reports: number; hints: number }>(
    `select (select count(*)::int from listing_changes) changes, (select count(*)::int from channel_reports where done_at is null) reports, (select count(*)::int from channel_hints where done_at is null) hints`);
  const { rows } = await pool.query<{ code: string; sku: string; shown: number }>('select c.code, l.platform_sku sku, (l.granted - l.sold)::int shown from listings l join channels c on c.id = l.channel_id');
  const items = new Map<string, number>((await Promise.all(PLATFORMS.map(async (name) => (await control<{ items: Item[] }>(urls[name], 'GET', '/state')).items.map((i) => [`${name} ${i.sku}`, i.stock] as const)))).flat());
  return { ...open, listings: rows.length === items.size, differ: rows.filter((l) => items.get(`${l.code} ${l.sku}`) !== l.shown) };
}
const TOLD = { changes: 0, reports: 0, hints: 0, listings: true, differ: [] };

test('the demo of npm start: 60 orders, 36 of them from platforms, end by themselves, clean ones without a hand; the platforms hear of each; the audit is clean; the next start goes on', async () => {
  const optionsOf = async (): Promise<DemoOptions> => ({ apiUrl: system.apiUrl, adminKey: system.adminKey, ...await system.startSimulators(), partnerSecret: system.partnerSecret, orders: ORDERS, onProgress: () => undefined });
  const options = await optionsOf();
  await loadDemo(options);
  const client = createClient(system.apiUrl, system.adminKey);
  await settle(() => finalOrders(client), ORDERS);
  let pool = createPool(system.databaseUrl, 2);
  const { rows } = await pool.query<{ external_id: string; status: string; touches: { type: string; reason: string | null }[] }>(
    `select external_id, status, coalesce((select json_agg(json_build_object('type', e.type, 'reason', e.data ->> 'reason') order by e.id) from order_events e
       where e.order_id = o.id and e.actor ~ '^(key|operator):' and e.type <> 'order.captured'), '[]') touches from orders o order by external_id`);
  const scene = new Map(Array.from({ length: ORDERS }, (_, i) => [demoOrder(i).intake.externalId, demoOrder(i).scene]));
  const clean = rows.filter((r) => scene.get(r.external_id) === 'clean');
  const touchless = clean.filter((r) => r.status === 'delivered' && r.touches.length === 0);
  process.stdout.write(`${JSON.stringify({ touchless: touchless.length / clean.length, clean: clean.length, touches: rows.filter((r) => r.touches.length > 0).map((r) => ({ order: r.external_id, touches: r.touches })) })}\n`);
  expect(touchless.length / clean.length).toBeGreaterThanOrEqual(0.98);
  const of = (name: string): string[] => rows.filter((r) => scene.get(r.external_id) === name).map((r) => r.status);
  expect({ unpaid: of('unpaid'), paid: of('paid_later'), cancelled: of('cancelled'), returned: of('returned') })
    .toEqual({ unpaid: ['expired'], paid: ['delivered'], cancelled: ['cancelled'], returned: ['delivered', 'delivered', 'delivered'] });
  const [given] = rows.filter((r) => scene.get(r.external_id) === 'cancelled');
  const story = await pool.query<{ type: string }>(`select e.type from order_events e join orders o on o.id = e.order_id where o.external_id = $1 order by e.id`, [given?.external_id]);
  // Its buyer may be faster than the check that holds it; on its way it never is.
  expect(story.rows.map((e) => e.type).filter((type) => type !== 'order.held' && type !== 'order.on_hold')).toEqual(['order.captured', 'order.cancel_requested', 'refund.due', 'order.units_cancelled', 'order.cancelled']);
  const returns = await pool.query<{ status: string; refunds: number }>(`select r.status, (select count(*)::int from refunds f where f.cause_id = r.id and f.amount > 0) refunds from returns r`);
  expect(returns.rows).toEqual([{ status: 'closed', refunds: 1 }, { status: 'closed', refunds: 1 }, { status: 'closed', refunds: 1 }]);

  // By channel; and the platforms were told of every parcel, and of our stock after it.
  const channels = await pool.query<{ code: string; n: number }>('select c.code, count(*)::int n from orders o join channels c on c.id = o.channel_id group by 1 order by 1');
  expect(Object.fromEntries(channels.rows.map((c) => [c.code, c.n]))).toEqual({ douyin: 12, kuaishou: 12, own: 12, pos: 12, shopify: 12 });
  const states = async (): Promise<[string, number, number][]> => {
    const orders = await there(options.platformUrls);
    const count = (name: string, status: string): number => orders.filter((o) => o.platform === name && o.status === status).length;
    return PLATFORMS.map((name) => [name, count(name, 'shipped'), count(name, 'cancelled')]);
  };
  // The last one of Shopify: nobody paid it, and it is cancelled there.
  await settle(states, [['douyin', 12, 0], ['kuaishou', 11, 1], ['shopify', 11, 1]]);
  await settle(() => untold(pool, options.platformUrls), TOLD);
  const told = await there(options.platformUrls);
  expect(told.map(({ status: _, ...o }) => o)).toEqual(await sentByUs(pool));
  expect(told.filter((o) => o.parcels.length > 1).map((o) => scene.get(o.id))).toEqual(['split']);
  const refused = await pool.query('select kind, body, error from channel_reports where refused');
  expect(refused.rows).toEqual([]);
  expect((await runAudit(pool)).violations).toEqual([]);

  // An interrupted demo is simply loaded again: nothing twice.
  await loadDemo(options);
  expect((await pool.query<{ n: number }>('select count(*) n from orders')).rows[0]?.n).toBe(ORDERS);
  expect((await runAudit(pool)).violations).toEqual([]);
  await settle(() => untold(pool, options.platformUrls), TOLD);
  await pool.end();

  // Nothing of the people is in what Temporal stored, nor in PostgreSQL outside the vault's ciphertext.
  for (const name of readdirSync(join(dataDir, 'temporal'))) {
    const stored = readFileSync(join(dataDir, 'temporal', name));
    for (const canary of ['演示顾客', '100-0000-', '示例路']) expect({ name, canary, at: stored.indexOf(canary) }).toEqual({ name, canary, at: -1 });
  }

  // Stopped and started again, everybody is where they were; what a buyer orders next comes, by the tokens and addresses of before.
  const key = system.adminKey;
  await system.stop();
  system = newSystem();
  await system.start();
  const again = await optionsOf();
  expect([system.adminKey, system.isEmpty, again.platformUrls]).toEqual([key, false, options.platformUrls]);
  expect(await there(again.platformUrls)).toEqual(told);
  const newClient = createClient(system.apiUrl, system.adminKey);
  await connectPlatforms(newClient, system.apiUrl, again.platformUrls);
  const wanted = [2, 3, 4].map((i) => demoOrder(i)).map(({ scene, intake }) => ({ scene, intake: { ...intake, externalId: String(BigInt(intake.externalId) + 1000n) } }));
  for (const order of wanted) await orderOnPlatform(again.platformUrls[platformOf(order.intake.channel) ?? 'douyin'], order);
  for (const order of wanted) await arrived(newClient, again.platformUrls, order);
  await settle(() => finalOrders(newClient), ORDERS + 3);
  pool = createPool(system.databaseUrl, 2);
  await settle(() => untold(pool, again.platformUrls), TOLD);
  expect((await there(again.platformUrls)).map(({ status: _, ...o }) => o)).toEqual(await sentByUs(pool));
  expect((await runAudit(pool)).violations).toEqual([]);
  await pool.end();
}, 600_000);
