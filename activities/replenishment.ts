import { Context } from '@temporalio/activity';
import { rollUpDemand } from '../db/demand/roll-up.ts';
import { carryOut } from '../db/replenishment/carry-out.ts';
import type { PlanCause } from '../db/replenishment/commit.ts';
import { scopeStep, type ScopeStep } from '../db/replenishment/due.ts';
import { keepForecasts, markForecast, nextForecastSet } from '../db/replenishment/forecasts.ts';
import { runPlan } from '../db/replenishment/run-plan.ts';
import { readScope } from '../db/replenishment/scopes.ts';
import type { ActivityDeps } from './deps.ts';
import { forecastsOf, planned } from './replenishment/in-thread.ts';

const BEAT_MS = 5_000;

async function beating<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const current = Context.current();
  const beat = setInterval(() => { current.heartbeat(); }, BEAT_MS);
  try {
    return await run(current.cancellationSignal);
  } finally {
    clearInterval(beat);
  }
}

/** The activities of `replenishment/<scope>`. `forecastScope` and `planStock` belong on the planning queue. */
export function createReplenishment({ writer, network }: ActivityDeps) {
  return {
    /** What is due now. */
    nextReplenishmentStep({ scope }: { scope: string }): Promise<ScopeStep> { return scopeStep(writer, scope); },
    /** Forecasts of a week, set by set: a set that is there is not made again. Returns how many series were forecast. */
    async forecastScope({ scope: code, week }: { scope: string; week: string }): Promise<number> {
      return beating(async (signal) => {
        const scope = await readScope(writer.pool, code);
        if (!scope) return 0;
        await rollUpDemand(writer.pool, writer.clock());
        let made = 0;
        for (let set = await nextForecastSet(writer.pool, scope, week, writer.clock()); set; set = await nextForecastSet(writer.pool, scope, week, writer.clock())) {
          await keepForecasts(writer, set, await forecastsOf(set.series, signal), week);
          made += set.keys.length;
        }
        await markForecast(writer, scope, week);
        return made;
      });
    },
    /** Plans and commits; null where there was nothing to plan. */
    async planStock({ scope, cause }: { scope: string; cause: PlanCause }): Promise<string | null> {
      return beating((signal) => runPlan(writer, scope, cause, (input) => planned(input, signal)));
    },
    /** Makes transfers and purchase orders of what was planned. */
    carryOutPlans({ scope }: { scope: string }): Promise<{ made: number; failed: number }> { return carryOut(writer, network, scope); },
  };
}
