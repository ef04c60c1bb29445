import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { Pool } from 'pg';
import { startPostgres } from '../../bin/embedded/postgres.ts';
import { createPool } from '../../db/pool.ts';
import { dataDirectory, oncePerRun } from './shared-server.ts';

const template = 'tributary_template';

export interface TestDatabase {
  readonly url: string;
  /** A pool with the type parsers of `db/pool.ts`. */
  readonly pool: Pool;
  /** Ends the pool and removes the database; other connections are cut. */
  drop(): Promise<void>;
}

function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}

async function administer(url: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

/** The one PostgreSQL of this test run, started by whoever needs it first; its `postgres` database. */
export async function postgresUrl(): Promise<string> {
  const { url } = await oncePerRun('postgres', async () => {
    const server = await startPostgres({
      dataDir: dataDirectory('postgres'),
      fsync: false,
      database: 'postgres',
      settings: { max_connections: '300', shared_buffers: '64MB', autovacuum_naptime: '5min', max_wal_size: '256MB' },
    });
    return { pid: server.pid, url: server.url };
  });
  return url;
}

async function templateReady(url: string): Promise<void> {
  await oncePerRun('template', async () => {
    const { migrate } = await import('../../db/migrate.ts');
    await administer(url, `CREATE DATABASE ${template}`);
    await migrate(withDatabase(url, template));
    await administer(url, `ALTER DATABASE ${template} IS_TEMPLATE true ALLOW_CONNECTIONS false`);
    return {};
  });
}

/**
 * A migrated database of its own for a test file, cloned from the run's template.
 * @param empty true: without migrations.
 */
export async function createDatabase({ empty = false }: { empty?: boolean } = {}): Promise<TestDatabase> {
  const admin = await postgresUrl();
  if (!empty) await templateReady(admin);
  const name = `t_${randomBytes(6).toString('hex')}`;
  await administer(admin, `CREATE DATABASE ${name}${empty ? '' : ` TEMPLATE ${template} STRATEGY file_copy`}`);
  const url = withDatabase(admin, name);
  const pool = createPool(url, 10);
  return {
    url,
    pool,
    async drop() {
      if (!pool.ended) await pool.end();
      await administer(admin, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}
