import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startPostgres } from '../../bin/embedded/postgres.ts';
import { createApiKey } from '../../db/api-keys.ts';
import { migrate } from '../../db/migrate.ts';
import { createPool } from '../../db/pool.ts';
import { seed } from '../seed.ts';
import { calibrate } from '../support/calibration.ts';
import { cpuMs } from '../support/cpu.ts';
import { ceiling } from './ceiling.ts';
import { startApi } from '../support/api.ts';

const run = promisify(execFile);
const LOCATIONS = 17;
const SKUS = 200;
export const VAULT_KEY = Buffer.alloc(32, 7);

type Load = { seconds: number; statuses: Record<string, number>; p50: number; p99: number; max: number };

/** Orders of two lines over HTTP, load on the same cores, fsync on; then the same batches straight from one process without HTTP. */
export async function capture(args: string[]): Promise<Record<string, unknown>> {
  const orders = Number(args[0] ?? 60_000);
  const connections = Number(args[1] ?? 128);
  const processes = Number(args[2] ?? 1);
  const directory = mkdtempSync(join(tmpdir(), 'tributary-bench-'));
  const server = await startPostgres({ dataDir: join(directory, 'pg'), settings: { shared_buffers: '512MB', max_wal_size: '4GB' } });
  try {
    await migrate(server.url);
    const pool = createPool(server.url, 4);
    const { cities } = await seed(pool, { locations: LOCATIONS, skus: SKUS, stock: 1_000 + Math.ceil((orders * 12) / (LOCATIONS * SKUS)) });
    const { key } = await createApiKey(pool, { name: 'bench', scopes: ['orders:write'] });
    const calibration = await calibrate(server.url);
    const apis = await Promise.all(Array.from({ length: processes }, () => startApi({ DATABASE_URL: server.url, VAULT_KEY: VAULT_KEY.toString('base64') })));
    const load = async (count: number, first: number): Promise<Load> => {
      const { stdout } = await run(process.execPath, ['--import', 'tsx', fileURLToPath(new URL('load.ts', import.meta.url)), JSON.stringify([apis.map((a) => a.port), key, connections, count, first, SKUS, cities])], { maxBuffer: 1e8 });
      return JSON.parse(stdout.trim().split('\n').at(-1) as string) as Load;
    };
    await load(Math.ceil(orders / 6), 1); // warm
    await pool.query('checkpoint');
    const cpu = (): { api: number; database: number } => ({ api: apis.reduce((sum, a) => sum + cpuMs(a.process.pid as number), 0), database: cpuMs(server.pid) });
    const before = cpu();
    const result = await load(orders, 1_000_000);
    const after = cpu();
    for (const api of apis) await api.stop();
    const ok = await pool.query<{ n: number }>('select count(*) n from orders where external_id >= $1 and length(external_id) = 9', ['B-1000000']);
    console.log(`HTTP: ${orders} orders in ${result.seconds.toFixed(2)} s, answers ${JSON.stringify(result.statuses)}, in the database ${ok.rows[0]?.n ?? 0}`);
    const direct = await ceiling(server.url, VAULT_KEY, orders, SKUS, cities);
    console.log(`without HTTP: ${Math.round(direct)} orders/s`);
    const perSecond = orders / result.seconds;
    await pool.end();
    return {
      bench: 'capture', orders, connections, apiProcesses: processes, ordersPerSecond: Math.round(perSecond), p50Ms: round(result.p50), p99Ms: round(result.p99), maxMs: round(result.max),
      batchCeilingRatio: round(perSecond / direct), directOrdersPerSecond: Math.round(direct), apiCpuMsPerOrder: round((after.api - before.api) / orders), databaseCpuMsPerOrder: round((after.database - before.database) / orders), statuses: result.statuses, locations: LOCATIONS, calibration,
    };
  } finally {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

const round = (n: number): number => Math.round(n * 1000) / 1000;
