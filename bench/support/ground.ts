import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { startPostgres } from '../../bin/embedded/postgres.ts';
import { createApiKey } from '../../db/api-keys.ts';
import { migrate } from '../../db/migrate.ts';
import { createPool } from '../../db/pool.ts';
import { seed, type SeedOptions } from '../seed.ts';
import { calibrate } from './calibration.ts';

export const VAULT_KEY = Buffer.alloc(32, 7);

/** A migrated and seeded database of its own, fsync on, with a key for orders; `stop` removes everything. */
export type Ground = {
  url: string; postgresPid: number; pool: pg.Pool; key: string; cities: readonly string[]; calibration: number; env: Record<string, string>; stop(): Promise<void>;
};

export async function startGround(options: SeedOptions): Promise<Ground> {
  const directory = mkdtempSync(join(tmpdir(), 'tributary-bench-'));
  const server = await startPostgres({ dataDir: join(directory, 'pg'), settings: { shared_buffers: '512MB', max_wal_size: '4GB' } });
  const stop = async (): Promise<void> => {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await migrate(server.url);
    const pool = createPool(server.url, 4);
    const { cities } = await seed(pool, options);
    const { key } = await createApiKey(pool, { name: 'bench', scopes: ['orders:write', 'stock:read'] });
    return {
      url: server.url, postgresPid: server.pid, pool, key, cities, calibration: await calibrate(server.url),
      env: { DATABASE_URL: server.url, VAULT_KEY: VAULT_KEY.toString('base64') },
      async stop() {
        await pool.end();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
