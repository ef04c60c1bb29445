import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';

/** Until so many backends of this database wait for a lock; returns who they wait for. */
export async function lockWaits(pool: pg.Pool, waiting: number): Promise<number[]> {
  for (const end = Date.now() + 20_000; ;) {
    const { rows } = await pool.query<{ by: number[] }>(`select pg_blocking_pids(pid) "by" from pg_stat_activity where datname = current_database() and cardinality(pg_blocking_pids(pid)) > 0`);
    if (rows.length >= waiting) return rows.flatMap((r) => r.by);
    if (Date.now() > end) throw new Error(`${rows.length} of ${waiting} wait for a lock`);
    await delay(5);
  }
}
