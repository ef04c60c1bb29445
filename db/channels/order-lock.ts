import type pg from 'pg';
import { Turns } from './turns.ts';

/**
 * Each order that is applied holds a connection for its lock and needs others for its work: were all of the pool's held by locks, of many shops at once, none would ever get on. So locks
 * take a quarter of it at most, the others wait without one.
 */
const turns = new WeakMap<pg.Pool, Turns>();
function turnsOf(pool: pg.Pool): Turns {
  let own = turns.get(pool);
  if (!own) turns.set(pool, (own = new Turns(Math.max(1, Math.floor((pool.options.max ?? 10) / 4)))));
  return own;
}

/** Runs what concerns one order of a platform alone, whoever else asks. */
export function underOrderLock<T>(pool: pg.Pool, channelId: number, externalId: string, run: () => Promise<T>): Promise<T> {
  return turnsOf(pool).take(async () => {
    const lock = await pool.connect();
    const key = [`tributary:channel-order:${channelId}`, externalId];
    try {
      await lock.query('select pg_advisory_lock(hashtext($1), hashtext($2))', key);
      try {
        return await run();
      } finally {
        await lock.query('select pg_advisory_unlock(hashtext($1), hashtext($2))', key);
      }
    } finally {
      lock.release();
    }
  });
}
