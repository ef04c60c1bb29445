import {
  allHandlersFinished, condition, continueAsNew, defineSignal, proxyActivities, setCurrentDetails, setHandler, setWorkflowOptions, workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { planningQueue } from './contract/ids.ts';
import { LOOK, type ReplenishmentInput } from './contract/messages.ts';
import { versioned } from './versioning.ts';

const steps = proxyActivities<Pick<Activities, 'nextReplenishmentStep' | 'carryOutPlans'>>({
  startToCloseTimeout: '10 minutes', retry: { initialInterval: '500 ms', maximumInterval: '30 seconds' },
});

/**
 * The stock of a scope, for as long as it is active: forecasts of each new week, a plan by cadence and whenever something falls to its reorder point, transfers and purchase orders of
 * what was planned. It carries no facts; a signal says «look».
 */
export async function replenishment(input: ReplenishmentInput): Promise<void> {
  const { scope } = input;
  const planning = proxyActivities<Pick<Activities, 'forecastScope' | 'planStock'>>({
    taskQueue: planningQueue(workflowInfo().taskQueue), startToCloseTimeout: '4 hours', heartbeatTimeout: '60 seconds', retry: { initialInterval: '1 second', maximumInterval: '30 seconds' },
  });
  let looks = 0;
  setHandler(defineSignal(LOOK), () => { looks += 1; });
  for (;;) {
    const seen = looks;
    const step = await steps.nextReplenishmentStep({ scope });
    setCurrentDetails(`**${step.do.replace('_', ' ')}**${step.do === 'wait' ? ` until ${step.wakeAt}` : step.do === 'plan' ? `: ${step.cause}` : ''}`);
    switch (step.do) {
      case 'end': return;
      case 'carry_out': await steps.carryOutPlans({ scope }); break;
      case 'forecast': await planning.forecastScope({ scope, week: step.week }); break;
      case 'plan': await planning.planStock({ scope, cause: step.cause }); break;
      case 'wait':
        if (workflowInfo().continueAsNewSuggested) {
          await condition(allHandlersFinished);
          await continueAsNew<typeof replenishment>(input);
        }
        // The worker's clock may be a little behind the server's: never a loop without a rest.
        await condition(() => looks > seen, Math.max(1_000, Date.parse(step.wakeAt) - Date.now()));
    }
  }
}

// Open for as long as its scope: it goes on with the newest version; changes are guarded by `patched`.
setWorkflowOptions(versioned('AUTO_UPGRADE'), replenishment);
