import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient } from '../../bin/demo/client.ts';
import { loadDemo } from '../../bin/demo/load-demo.ts';
import { demoOrder } from '../../bin/demo/orders.ts';
import { System } from '../../bin/embedded/system.ts';
import { runAudit } from '../../db/audit/run-audit.ts';
import { createPool } from '../../db/pool.ts';
import { freePort } from '../../workers/metrics.ts';

const ORDERS = 60;
const dataDir = mkdtempSync(join(tmpdir(), 'tributary-demo-'));
let system: System;
const FINAL = ['delivered', 'closed', 'cancelled', 'expired', 'rejected'];

beforeAll(async () => {
  const { DATABASE_URL: _d, ...rest } = process.env;
  // Ports of its own: somebody may be running the demo beside the tests.
  const ports = { API_PORT: await freePort(), TEMPORAL_UI_PORT: await freePort(), TEMPORAL_PORT: await freePort(), POSTGRES_PORT: await freePort(), WMS_PORT: await freePort(), CARRIER_PORT: await freePort(), WORKER_METRICS_PORT: await freePort() };
  system = new System({ dataDir, env: { ...rest, ...Object.fromEntries(Object.entries(ports).map(([k, v]) => [k, String(v)])), LOG_LEVEL: 'warn' }, tell: () => undefined });
  await system.start();
}, 300_000);
afterAll(async () => {
  await system.stop();
  rmSync(dataDir, { recursive: true, force: true });
}, 120_000);

test('the demo of npm start: 60 orders end by themselves, clean ones without a hand, the audit is clean', async () => {
  const partners = await system.startSimulators();
  const options = { apiUrl: system.apiUrl, adminKey: system.adminKey, ...partners, partnerSecret: system.partnerSecret, orders: ORDERS, onProgress: () => undefined };
  await loadDemo(options);
  const client = createClient(system.apiUrl, system.adminKey);
  const end = Date.now() + 240_000;
  for (;;) {
    const { counts } = (await client<{ counts: Record<string, number> }>('GET', '/v1/orders/summary')).body;
    const done = FINAL.reduce((sum, status) => sum + (counts[status] ?? 0), 0);
    if (done === ORDERS) break;
    if (Date.now() > end) expect(counts).toEqual('all final');
    await delay(500);
  }
  const pool = createPool(system.databaseUrl, 2);
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
  const returns = await pool.query<{ status: string; refunds: number }>(`select r.status, (select count(*)::int from refunds f where f.cause_id = r.id and f.amount > 0) refunds from returns r`);
  expect(returns.rows).toEqual([{ status: 'closed', refunds: 1 }, { status: 'closed', refunds: 1 }, { status: 'closed', refunds: 1 }]);
  expect((await runAudit(pool)).violations).toEqual([]);

  // An interrupted demo is simply loaded again: nothing twice.
  await loadDemo(options);
  expect((await pool.query<{ n: number }>('select count(*) n from orders')).rows[0]?.n).toBe(ORDERS);
  expect((await runAudit(pool)).violations).toEqual([]);

  // Nothing of the people is in what Temporal stored, nor in PostgreSQL outside the vault's ciphertext.
  for (const name of readdirSync(join(dataDir, 'temporal'))) {
    const stored = readFileSync(join(dataDir, 'temporal', name));
    for (const canary of ['演示顾客', '100-0000-', '示例路']) expect({ name, canary, at: stored.indexOf(canary) }).toEqual({ name, canary, at: -1 });
  }
  await pool.end();
}, 400_000);
