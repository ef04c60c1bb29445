import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { startPostgres, type RunningPostgres } from '../../bin/embedded/postgres.ts';
import { findTemporal, startTemporal } from '../../bin/embedded/temporal.ts';
import { createApiKey, SCOPES } from '../../db/api-keys.ts';
import { migrate } from '../../db/migrate.ts';
import { createPool } from '../../db/pool.ts';
import { Vault } from '../../db/vault.ts';
import { bootstrapTemporal } from '../../runtime/temporal-bootstrap.ts';
import { seed, type SeedOptions } from '../seed.ts';
import { startApi, startSimulator, startWorker, type Started } from './api.ts';

export const VAULT_KEY = Buffer.alloc(32, 7);
export const NAMESPACE = 'tributary';

/** A whole system on this machine with real PostgreSQL, real Temporal and the simulators, for benchmarks; everything is stopped by `stop`. */
export type Stack = {
  postgres: RunningPostgres; temporal: { address: string; pid: number }; pool: pg.Pool; api: Started; key: string; cities: readonly string[];
  env: Record<string, string>; startWorker(): Promise<Started>; stop(): Promise<void>;
};

export async function startStack(options: SeedOptions & { speed: number }): Promise<Stack> {
  const directory = mkdtempSync(join(tmpdir(), 'tributary-bench-'));
  const stops: (() => Promise<unknown> | void)[] = [() => { rmSync(directory, { recursive: true, force: true }); }];
  const stop = async (): Promise<void> => { for (const end of stops.splice(0).reverse()) await end(); };
  try {
    const postgres = await startPostgres({ dataDir: join(directory, 'pg'), settings: { shared_buffers: '512MB', max_wal_size: '4GB' } });
    stops.push(() => postgres.stop());
    const found = await findTemporal();
    if (found.kind !== 'binary') throw new Error('benchmarks measure a Temporal server of their own: unset TEMPORAL_ADDRESS');
    const temporal = await startTemporal({ binary: found.path, dataDir: join(directory, 'temporal') });
    stops.push(() => temporal.stop());
    await bootstrapTemporal(temporal.address, NAMESPACE);
    await migrate(postgres.url);
    const pool = createPool(postgres.url, 4);
    stops.push(() => pool.end());
    const { key } = await createApiKey(pool, { name: 'bench', scopes: SCOPES });
    const env = {
      DATABASE_URL: postgres.url, VAULT_KEY: VAULT_KEY.toString('base64'), TEMPORAL_ADDRESS: temporal.address, TEMPORAL_NAMESPACE: NAMESPACE, LOG_LEVEL: 'info',
    };
    const api = await startApi(env);
    stops.push(() => api.stop());
    const secret = `whsec_${randomBytes(32).toString('base64')}`;
    const partner = { TRIBUTARY_URL: `http://127.0.0.1:${api.port}`, API_KEY: key, SECRET: secret, SPEED: String(options.speed), SEED: '1' };
    const carrier = await startSimulator('carrier', partner);
    stops.push(() => carrier.stop());
    const wms = await startSimulator('wms', { ...partner, CARRIER_URL: `http://127.0.0.1:${carrier.port}` });
    stops.push(() => wms.stop());
    const { cities } = await seed(pool, {
      ...options, partnerUrl: `http://127.0.0.1:${wms.port}`, carrierUrl: `http://127.0.0.1:${carrier.port}`, partnerSecret: new Vault(VAULT_KEY).sealSecret(secret),
    });
    return {
      postgres, temporal, pool, api, key, cities, env, stop,
      async startWorker() {
        const worker = await startWorker(env);
        stops.push(() => worker.stop());
        return worker;
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Waits until a count is reached; throws with the states when it does not move for a minute. */
export async function waitFor(pool: pg.Pool, sql: string, wanted: number, say: (n: number) => void = () => undefined): Promise<void> {
  let last = -1;
  let since = Date.now();
  for (;;) {
    const n = (await pool.query<{ n: number }>(sql)).rows[0]?.n ?? 0;
    if (n >= wanted) return;
    if (n !== last) {
      last = n;
      since = Date.now();
      say(n);
    } else if (Date.now() - since > 60_000) {
      const { rows } = await pool.query('select status, count(*) n from orders group by 1 order by 1');
      throw new Error(`stuck at ${n} of ${wanted}: ${JSON.stringify(rows)}`);
    }
    await new Promise((resolve) => { setTimeout(resolve, 200); });
  }
}
