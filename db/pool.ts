import knex, { type Knex } from 'knex';
import pg from 'pg';
import { typeParsers } from './types.ts';

/** A pool of connections with our type parsers. `max` connections; idle ones close after 30 s. */
export function createPool(url: string, max = 10): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max, types: typeParsers, idleTimeoutMillis: 30_000, application_name: 'tributary' });
  // An idle connection that the server ends must not end the process; the next query takes a new one.
  pool.on('error', (error) => process.emitWarning(`idle database connection lost: ${error.message}`));
  return pool;
}

/** Query builder for lists and reports, over a small pool of its own. */
export function createKnex(url: string, max = 4): Knex {
  return knex({ client: 'pg', connection: { connectionString: url, types: typeParsers as never }, pool: { min: 0, max } });
}
