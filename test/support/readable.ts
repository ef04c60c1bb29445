import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';

/**
 * Resolves when all that was committed so far is readable: readers of changes stop below the oldest running transaction of the whole server, which other tests share, so one that is
 * open elsewhere holds them back for a moment.
 */
export async function allReadable(pool: pg.Pool): Promise<void> {
  const { rows: [mine] } = await pool.query<{ x: string }>('select pg_current_xact_id()::text x');
  for (const end = Date.now() + 20_000; ; await delay(5)) {
    const { rows: [past] } = await pool.query<{ past: boolean }>('select pg_snapshot_xmin(pg_current_snapshot()) > $1::text::xid8 past', [mine?.x]);
    if (past?.past === true) return;
    if (Date.now() > end) throw new Error('what was committed cannot be read: some transaction is open');
  }
}
