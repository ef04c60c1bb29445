import type { ScopeInput, ScopePlan } from '../../domain/replenishment/scope-model.ts';
import type { StockWriter } from '../stock-writer.ts';
import { inTransaction, SNAPSHOT } from '../transaction.ts';
import { commitPlan, type PlanCause } from './commit.ts';
import { gather, type Gathered } from './gather.ts';
import { readScope } from './scopes.ts';

const ATTEMPTS = 5;

/**
 * Plans a scope: gathers what there is at one moment, has it planned (elsewhere: it may take long), and commits, unless another plan was committed meanwhile; then once more on the new
 * state. Two at once, or one that is killed and run again, order nothing twice. Returns the plan's id; null where there was nothing to plan.
 */
export async function runPlan(writer: StockWriter, code: string, cause: PlanCause, planned: (input: ScopeInput) => Promise<ScopePlan>): Promise<string | null> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const began = performance.now();
    const gathered = await snapshot(writer, code, cause);
    if (!gathered || (cause === 'wake' && gathered.dirty.length === 0)) return null;
    const id = await commitPlan(writer, code, gathered, await planned(gathered.input), cause, (performance.now() - began) / 1000);
    if (id !== null) return id;
  }
  throw new Error(`scope ${code} was changed again and again while it was planned`);
}

function snapshot(writer: StockWriter, code: string, cause: PlanCause): Promise<Gathered | null> {
  return inTransaction(writer.pool, async (client) => {
    const scope = await readScope(client, code);
    return scope?.active === true ? gather(client, scope, cause !== 'wake', writer.clock()) : null;
  }, SNAPSHOT);
}
