import knex, { type Knex } from 'knex';
import pg from 'pg';
import { typeParsers } from './types.ts';

/** A pool of connections with our type parsers. `max` connections; idle ones close after 30 s. */
export function createPool(url: string, max = 10): pg.Pool {
  // `pipeline`: what is queried without waiting goes out at once; the capture saves half of its round trips by it.
  const options: pg.PoolConfig & { pipeline: boolean } = {
    pipeline: true, connectionString: url, max, types: typeParsers, idleTimeoutMillis: 30_000, connectionTimeoutMillis: 30_000, application_name: 'tributary',
  };
  const pool = new pg.Pool(options);
  // A connection that the server ends must not end the process, idle or in a transaction: its next query fails, the next client is new. One that is told
  // so while it says goodbye (`end` does not wait for that) has lost nothing.
  pool.on('connect', (client) => { client.on('error', (error) => { if (!pool.ending) process.emitWarning(`database connection lost: ${error.message}`); }); });
  pool.on('error', () => undefined); // the same event again, of an idle client
  return pool;
}

/** Query builder for lists and reports, over a small pool of its own. */
export function createKnex(url: string, max = 4): Knex {
  return knex({ client: 'pg', connection: { connectionString: url, types: typeParsers as never }, pool: { min: 0, max } });
}
