import type pg from 'pg';
import { rollUpDemand } from '../../db/demand/roll-up.ts';
import { allReadable } from './readable.ts';

/** Rolls up the demand of all that was committed so far. */
export async function followDemand(pool: pg.Pool, now: Date): Promise<void> {
  await allReadable(pool);
  await rollUpDemand(pool, now);
}
