import { allHandlersFinished, condition, continueAsNew, defineSignal, proxyActivities, setCurrentDetails, setHandler, setWorkflowOptions, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { LOOK, type CanaryInput } from './contract/messages.ts';
import { versioned } from './versioning.ts';

const steps = proxyActivities<Pick<Activities, 'lookAtCanary'>>({ startToCloseTimeout: '5 minutes', retry: { initialInterval: '500 ms', maximumInterval: '30 seconds' } });

/** One canary of a routing policy, looked at until it is over. It carries no facts: share, guard, figures and when the next look is due stand in PostgreSQL. */
export async function canary(input: CanaryInput): Promise<void> {
  let looks = 0;
  setHandler(defineSignal(LOOK), () => { looks += 1; });
  for (;;) {
    const seen = looks;
    const { status, wakeAt } = await steps.lookAtCanary({ canary: input.canary });
    setCurrentDetails(`**${status}**${wakeAt === null ? '' : `, next look at ${wakeAt}`}`);
    if (wakeAt === null) return;
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof canary>(input);
    }
    // The worker's clock may be a little behind the server's: never a loop without a rest.
    await condition(() => looks > seen, Math.max(1_000, Date.parse(wakeAt) - Date.now()));
  }
}

// Open for days: it goes on with the newest version; changes are guarded by `patched`.
setWorkflowOptions(versioned('AUTO_UPGRADE'), canary);
