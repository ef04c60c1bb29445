import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { rollUpDemand } from '../../db/demand/roll-up.ts';

/** Rolls demand up until all that was committed so far is read: an open transaction of any database of the server (another test's) holds readers back for a moment. */
export async function followDemand(pool: pg.Pool, now: Date): Promise<void> {
  const { rows: [mine] } = await pool.query<{ x: string }>('select pg_current_xact_id()::text x');
  for (const end = Date.now() + 20_000; ;) {
    await rollUpDemand(pool, now);
    const { rows } = await pool.query(`select from readers where name in ('demand', 'stock-outs') and upto > $1::text::xid8`, [mine?.x]);
    if (rows.length === 2) return;
    if (Date.now() > end) throw new Error('the demand could not be followed: some transaction is open');
    await delay(20);
  }
}
