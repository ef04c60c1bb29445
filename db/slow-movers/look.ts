import { askWorkflow } from '../outbox.ts';
import type { StockWriter } from '../stock-writer.ts';
import { SLOW_MOVERS } from './alert.ts';
import { evaluateSlowMovers, type Evaluation } from './evaluate.ts';
import { readSlowMoverState } from './policy.ts';

/** Evaluates where it is due or somebody asked for it, and says when to look again. Killed half-way, it is still due. */
export async function lookAtSlowMovers(writer: StockWriter): Promise<{ evaluation: Evaluation | null; wakeAt: Date }> {
  const state = await readSlowMoverState(writer.pool);
  const due = dueAt(state);
  if (due > writer.clock()) return { evaluation: null, wakeAt: due };
  const evaluation = await evaluateSlowMovers(writer);
  return { evaluation, wakeAt: dueAt(await readSlowMoverState(writer.pool)) };
}

function dueAt({ everyS, requestedAt, evaluatedAt }: { everyS: number; requestedAt: Date | null; evaluatedAt: Date | null }): Date {
  if (evaluatedAt === null) return new Date(0);
  const asked = requestedAt !== null && requestedAt > evaluatedAt ? requestedAt.getTime() : Infinity;
  return new Date(Math.min(asked, evaluatedAt.getTime() + everyS * 1000));
}

/** Sees to it that the workflow runs: it is asked for when an evaluation is late by ten minutes, at most every ten minutes by each process. */
export async function tendSlowMovers(writer: StockWriter): Promise<void> {
  const late = dueAt(await readSlowMoverState(writer.pool)).getTime() + 600_000 < writer.clock().getTime();
  if (late) await writer.change((tx) => askWorkflow(tx, 'look', SLOW_MOVERS));
}
