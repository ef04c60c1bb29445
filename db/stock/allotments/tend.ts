import { Problem } from '../../../domain/problem.ts';
import type { StockWriter } from '../../stock-writer.ts';
import { closeAllotment, emptyAllotment } from './close.ts';
import { reallocateAllotment } from './reallocate.ts';

export type Tended = { reallocated: number; closed: number; emptied: number };
const MOST = 20;

/**
 * What dates make due, worked off by every worker: scheduled reallocations, campaigns that have ended, units that came free in a closed allotment.
 * Several at once have one effect. One allotment that fails does not hold up the others; it is tried again.
 */
export async function tendAllotments(writer: StockWriter): Promise<Tended> {
  return { reallocated: await reallocateDue(writer), closed: await closeEnded(writer), emptied: await emptyClosed(writer) };
}

/**
 * The moment a run is due is its reference: who comes second, or after a crash, reads the same answer. The period then moves on, once, to the next moment
 * after now; runs that were missed are not made up for.
 */
async function reallocateDue(writer: StockWriter): Promise<number> {
  const { rows } = await writer.pool.query<{ id: number; code: string; due: Date }>(
    `select a.id, a.code, s.next_reallocate_at due from allotment_schedules s join allotments a on a.id = s.allotment_id where s.next_reallocate_at <= $1
     order by s.next_reallocate_at limit $2`, [writer.clock(), MOST]);
  return each(rows, async ({ id, code, due }) => {
    await reallocateAllotment(writer, code, due.toISOString(), 'allotment-schedule').catch((error: unknown) => {
      if (!(error instanceof Problem && error.code === 'conflict')) throw error; // conflict: closed meanwhile, and its schedule gone with it
    });
    const moved = await writer.pool.query(
      `update allotment_schedules set next_reallocate_at = next_reallocate_at
         + make_interval(secs => reallocate_every_s * (1 + floor(extract(epoch from $3::timestamptz - next_reallocate_at) / reallocate_every_s)::int))
       where allotment_id = $1 and next_reallocate_at = $2`, [id, due, writer.clock()]);
    return moved.rowCount === 1;
  });
}

async function closeEnded(writer: StockWriter): Promise<number> {
  const { rows } = await writer.pool.query<{ code: string }>(
    `select code from allotments where closed_at is null and ends_at <= $1 and kind in ('group', 'channel', 'campaign') order by ends_at, id limit $2`, [writer.clock(), MOST]);
  return each(rows, async ({ code }) => { await closeAllotment(writer, code); return true; });
}

async function emptyClosed(writer: StockWriter): Promise<number> {
  const { rows } = await writer.pool.query<{ id: number }>(
    `select c.allotment_id id from allotment_closings c where exists (select from stock_levels v where v.allotment_id = c.allotment_id and v.allotment_id <> 0 and v.on_hand > v.reserved)
       or not exists (select from stock_levels v where v.allotment_id = c.allotment_id and v.allotment_id <> 0 and v.on_hand > 0) order by c.closed_at, id limit $1`, [MOST]);
  return each(rows, async ({ id }) => { await emptyAllotment(writer, id); return true; });
}

async function each<T>(rows: readonly T[], run: (row: T) => Promise<boolean>): Promise<number> {
  let done = 0;
  for (const row of rows) {
    try {
      if (await run(row)) done++;
    } catch (error) {
      process.emitWarning(`allotment ${JSON.stringify(row)} not tended: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return done;
}
