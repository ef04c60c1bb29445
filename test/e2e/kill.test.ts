import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { orderBody, seed } from '../../bench/seed.ts';
import { startApi, startSimulator, startWorker, type Started } from '../../bench/support/api.ts';
import { seeded } from '../../bench/support/random.ts';
import { startPostgres, type RunningPostgres } from '../../bin/embedded/postgres.ts';
import { findTemporal, startTemporal, type RunningTemporal } from '../../bin/embedded/temporal.ts';
import { createApiKey, SCOPES } from '../../db/api-keys.ts';
import { runAudit } from '../../db/audit/run-audit.ts';
import { migrate } from '../../db/migrate.ts';
import { createPool } from '../../db/pool.ts';
import { Vault } from '../../db/vault.ts';
import { bootstrapTemporal } from '../../runtime/temporal-bootstrap.ts';

const ORDERS = 200;
const VAULT_KEY = Buffer.alloc(32, 9);
const directory = mkdtempSync(join(tmpdir(), 'tributary-e2e-'));

let postgres: RunningPostgres;
let temporal: RunningTemporal;
let api: Started;
let worker: Started;
let carrier: Started;
let wms: Started;
let env: Record<string, string>;
let key: string;
let cities: readonly string[];
let binary: string;

const startDatabase = (port?: number): Promise<RunningPostgres> => startPostgres({ dataDir: join(directory, 'pg'), ...(port === undefined ? {} : { port }) });
const startServer = (port?: number): Promise<RunningTemporal> => startTemporal({ binary, dataDir: join(directory, 'temporal'), ui: false, ...(port === undefined ? {} : { port }) });

beforeAll(async () => {
  const found = await findTemporal();
  if (found.kind !== 'binary') throw new Error('this test kills its own Temporal: unset TEMPORAL_ADDRESS');
  binary = found.path;
  postgres = await startDatabase();
  temporal = await startServer();
  await bootstrapTemporal(temporal.address, 'tributary');
  await migrate(postgres.url);
  const pool = createPool(postgres.url, 2);
  key = (await createApiKey(pool, { name: 'e2e', scopes: SCOPES })).key;
  env = { DATABASE_URL: postgres.url, VAULT_KEY: VAULT_KEY.toString('base64'), TEMPORAL_ADDRESS: temporal.address, LOG_LEVEL: 'info' };
  api = await startApi(env);
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  const partner = { TRIBUTARY_URL: `http://127.0.0.1:${api.port}`, API_KEY: key, SECRET: secret, SPEED: '100000', SEED: '3' };
  carrier = await startSimulator('carrier', partner);
  wms = await startSimulator('wms', { ...partner, CARRIER_URL: `http://127.0.0.1:${carrier.port}` });
  ({ cities } = await seed(pool, {
    locations: 6, skus: 40, stock: 500, returnWindowS: 0, partnerUrl: `http://127.0.0.1:${wms.port}`, carrierUrl: `http://127.0.0.1:${carrier.port}`, partnerSecret: new Vault(VAULT_KEY).sealSecret(secret),
  }));
  await pool.end();
  worker = await startWorker(env);
}, 300_000);

afterAll(async () => {
  for (const part of [api, worker, wms, carrier]) await part?.stop();
  await temporal?.stop();
  await postgres?.stop();
  rmSync(directory, { recursive: true, force: true });
}, 120_000);

/** Sends an order until it has an answer, as a client should: the same id is one order. */
async function send(body: unknown): Promise<string> {
  for (let attempt = 0; attempt < 300; attempt++) {
    try {
      const answer = await fetch(`http://127.0.0.1:${api.port}/v1/orders`, { method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' }, body: JSON.stringify(body) });
      if (answer.status === 200 || answer.status === 201) return ((await answer.json()) as { id: string }).id;
      if (answer.status !== 503 && answer.status !== 500) throw new TypeError(`refused: ${answer.status} ${await answer.text()}`);
    } catch (error) {
      // fetch reports a lost connection as a TypeError with a cause; anything else is real.
      if (!(error instanceof TypeError) || error.message.startsWith('refused')) throw error;
    }
    await delay(100);
  }
  throw new Error('no answer');
}

async function kill(part: Started): Promise<void> {
  const ended = new Promise((resolve) => { part.process.once('exit', resolve); });
  part.process.kill('SIGKILL');
  await ended;
}

async function until(pool: pg.Pool, sql: string, wanted: number): Promise<void> {
  const end = Date.now() + 480_000;
  for (;;) {
    const n = await pool.query<{ n: number }>(sql).then((r) => r.rows[0]?.n ?? 0, () => -1);
    if (n >= wanted) return;
    if (Date.now() > end) {
      const { rows } = await pool.query('select status, count(*) n from orders group by 1 order by 1');
      throw new Error(`${n} of ${wanted}: ${sql}; ${JSON.stringify(rows)}`);
    }
    await delay(100);
  }
}

const port = (address: string): number => Number(address.split(':').at(-1));

test('API, worker, Temporal and PostgreSQL are each killed once amid 200 orders: all arrive, nothing twice, the audit is clean', async () => {
  const pool = createPool(postgres.url, 2);
  const random = seeded(11);
  const left = `select count(*) n from orders where status in ('shipped', 'delivered', 'closed')`;
  const sending = Promise.all(Array.from({ length: 8 }, async (_, lane) => {
    const ids: string[] = [];
    for (let i = lane; i < ORDERS; i += 8) {
      ids.push(await send(orderBody(i, 40, cities, random)));
      // Spread over the kills, so that each of them finds orders at every stage.
      await until(pool, `select count(*) n from orders where captured_at is not null`, 1);
      await delay(200);
    }
    return ids;
  }));

  await until(pool, left, 5);
  await kill(worker);
  await until(pool, 'select count(*) n from orders', 40);
  worker = await startWorker(env);

  await until(pool, left, 20);
  await kill(api);
  api = await startApi({ ...env, API_PORT: String(api.port) });

  await until(pool, left, 40);
  process.kill(temporal.pid, 'SIGKILL');
  await delay(500); // the worker and the relay meet the outage
  temporal = await startServer(port(temporal.address));
  expect(temporal.address).toBe(env['TEMPORAL_ADDRESS']);

  await until(pool, left, 60);
  process.kill(postgres.pid, 'SIGKILL');
  await delay(500);
  postgres = await startDatabase(postgres.port);
  expect(postgres.url).toBe(env['DATABASE_URL']);

  const ids = (await sending).flat();
  expect(new Set(ids).size).toBe(ORDERS);
  await until(pool, `select count(*) n from orders where status = 'closed'`, ORDERS);

  const audit = await runAudit(pool);
  expect(audit.violations).toEqual([]);
  expect(audit.orders).toBe(ORDERS);
  const { rows: [twice] } = await pool.query<{ shipments: number; issued: number; wanted: number; refunds: number }>(
    `select (select count(*)::int from (select fulfillment_order_id from shipments group by 1 having count(*) > 1) d) shipments,
       (select sum(issued_quantity)::int from order_lines) issued, (select sum(quantity)::int from order_lines) wanted, (select count(*)::int from refunds) refunds`);
  expect(twice).toEqual({ shipments: 0, issued: twice?.wanted, wanted: twice?.wanted, refunds: 0 });
  await pool.end();
}, 1_500_000);
