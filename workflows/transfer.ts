import {
  allHandlersFinished, condition, continueAsNew, defineSignal, proxyActivities, setCurrentDetails, setHandler, setWorkflowOptions, workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { versioned } from './versioning.ts';
import { LOOK, type TransferInput } from './contract/messages.ts';

const steps = proxyActivities<Pick<Activities, 'advanceTransfer'>>({
  startToCloseTimeout: '60 seconds', retry: { initialInterval: '500 ms', maximumInterval: '30 seconds' },
});

/**
 * One transfer: lapses where nobody approves it, warns where it is late at the sender or overdue on its way, frees its units where nobody sends it, closes when it has
 * come. What people do to it is in PostgreSQL; a signal says «look».
 */
export async function transfer(input: TransferInput): Promise<void> {
  let looks = 0;
  setHandler(defineSignal(LOOK), () => { looks += 1; });
  for (;;) {
    const seen = looks;
    const { status, wakeAt } = await steps.advanceTransfer({ transfer: input.transfer });
    setCurrentDetails(`**${status}**${wakeAt === null ? '' : `, next look at ${wakeAt}`}`);
    if (wakeAt === null) return;
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof transfer>(input);
    }
    // The worker's clock may be a little behind the server's: never a loop without a rest.
    await condition(() => looks > seen, Math.max(1_000, Date.parse(wakeAt) - Date.now()));
  }
}

// Open for days: it goes on with the newest version; changes are guarded by `patched`.
setWorkflowOptions(versioned('AUTO_UPGRADE'), transfer);
