import type pg from 'pg';

/** How a transaction begins that only reads and sees one moment. */
export const SNAPSHOT = 'begin isolation level repeatable read read only';

/**
 * Runs in a transaction of its own: committed when `run` is through, else rolled back, and what it threw is thrown. A connection that cannot roll back is used no more: the server
 * does it when it ends. Stock and orders are changed by the `StockWriter` alone.
 */
export async function inTransaction<T>(pool: pg.Pool, run: (client: pg.PoolClient) => Promise<T>, begin = 'begin'): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query(begin);
    const result = await run(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch((rollback: Error) => { broken = rollback; });
    throw error;
  } finally {
    client.release(broken);
  }
}

/** The same for work that one process does at a time: null, and nothing was done, where another one is at it (`wait`: it is waited for instead). */
export function aloneInTransaction<T>(pool: pg.Pool, work: string, run: (client: pg.PoolClient) => Promise<T>, wait = false): Promise<T | null> {
  return inTransaction(pool, async (client) => {
    const { rows: [lock] } = await client.query<{ mine: boolean }>(
      wait ? 'select true mine from pg_advisory_xact_lock(hashtext($1))' : 'select pg_try_advisory_xact_lock(hashtext($1)) mine', [`tributary:${work}`]);
    return lock?.mine === true ? run(client) : null;
  });
}
