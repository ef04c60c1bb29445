import type { StockWriter } from '../stock-writer.ts';
import { advanceDeclaration } from './advance.ts';

const MOST = 20;
/** So long after its end a session's workflow is taken to be held up (Temporal or all its workers are down): then units go home without it. */
const HELD_UP_MS = 10_000;

/**
 * What must not wait for a workflow, worked off by every worker: units that came free after the end go home within seconds, and sessions end with Temporal down
 * too. Several at once have one effect; one session that fails does not hold up the others. Returns how many were advanced.
 */
export async function tendDeclarations(writer: StockWriter): Promise<number> {
  const { rows } = await writer.pool.query<{ id: string }>({
    name: 'declarations_due',
    text: `select d.id from declarations d where d.emptied_at is null and (d.status in ('declared', 'live') and d.ends_at <= $1
      or d.ended_at is not null and exists (select from stock_levels v where v.allotment_id = d.allotment_id and v.allotment_id <> 0 and v.on_hand > v.reserved)) order by d.ends_at limit $2`,
    values: [new Date(writer.clock().getTime() - HELD_UP_MS), MOST],
  });
  let done = 0;
  for (const { id } of rows) {
    try {
      await advanceDeclaration(writer, id);
      done++;
    } catch (error) {
      process.emitWarning(`declaration ${id} not tended: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return done;
}
