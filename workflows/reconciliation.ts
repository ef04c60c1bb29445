import {
  allHandlersFinished, condition, continueAsNew, defineSignal, proxyActivities, setCurrentDetails, setHandler, setWorkflowOptions, workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { versioned } from './versioning.ts';
import { LOOK, type ReconciliationInput } from './contract/messages.ts';

const steps = proxyActivities<Pick<Activities, 'reconcileNext'>>({
  startToCloseTimeout: '2 hours', heartbeatTimeout: '120 seconds', retry: { initialInterval: '500 ms', maximumInterval: '30 seconds' },
});
const outside = proxyActivities<Pick<Activities, 'pullSnapshot'>>({
  startToCloseTimeout: '10 minutes', retry: { initialInterval: '500 ms', maximumInterval: '30 seconds' },
});

/**
 * The counts of one location, for as long as there is the location: snapshots one after the other as they were taken, and the partner asked for its stock when
 * that is due. It carries no facts: what waits, how far it is and when to ask stands in PostgreSQL.
 */
export async function reconciliation(input: ReconciliationInput): Promise<void> {
  const { location } = input;
  let looks = 0;
  setHandler(defineSignal(LOOK), () => { looks += 1; });
  let last = 'none yet';
  for (;;) {
    const seen = looks;
    const facts = await steps.reconcileNext({ location });
    if (facts.snapshot !== null) last = `${facts.snapshot}: ${facts.outcome ?? ''}`;
    setCurrentDetails(`Last snapshot: **${last}**.${facts.pullDue === null ? '' : `\n\nAsks the partner at ${facts.pullDue}.`}`);
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof reconciliation>(input);
    }
    if (facts.snapshot !== null) continue;
    const wait = facts.pullDue === null ? null : Date.parse(facts.pullDue) - Date.now();
    if (wait !== null && wait <= 0) await outside.pullSnapshot({ location, due: facts.pullDue as string });
    else if (wait === null) await condition(() => looks > seen);
    else await condition(() => looks > seen, wait);
  }
}

// Open for days or for ever: it goes on with the newest version; changes are guarded by `patched`.
setWorkflowOptions(versioned('AUTO_UPGRADE'), reconciliation);
