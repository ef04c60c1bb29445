import {
  allHandlersFinished, condition, continueAsNew, defineSignal, proxyActivities, setCurrentDetails, setHandler, setWorkflowOptions, workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { versioned } from './versioning.ts';
import { LOOK, type ChannelSyncInput } from './contract/messages.ts';

/** One attempt at a time, so one process speaks for a shop: its limits and its tokens are kept by one. A worker that dies is missed after its heartbeat. */
const steps = proxyActivities<Pick<Activities, 'syncChannel'>>({
  startToCloseTimeout: '5 minutes', heartbeatTimeout: '15 seconds', retry: { initialInterval: '500 ms', maximumInterval: '30 seconds' },
});

/** A channel without a shop account is looked at again when its account is made. */
const IDLE = '1 day';

/**
 * A shop account for as long as there is one: a look when something has changed, here or there, and when the platform is to be asked. It carries no facts: what came in, what is to
 * be told and how far the poll is stands in PostgreSQL.
 */
export async function channelSync(input: ChannelSyncInput): Promise<void> {
  const { channel } = input;
  let looks = 0;
  setHandler(defineSignal(LOOK), () => { looks += 1; });
  for (;;) {
    const seen = looks;
    const facts = await steps.syncChannel({ channel });
    setCurrentDetails(facts.fault === null ? `Looked. Next: ${facts.nextLook ?? 'when its account is made'}.` : `**The platform fails: ${facts.fault}**\n\nNext: ${facts.nextLook ?? ''}.`);
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof channelSync>(input);
    }
    if (facts.busy) continue;
    const wait = facts.nextLook === null ? IDLE : Math.max(100, Date.parse(facts.nextLook) - Date.now());
    await condition(() => looks > seen, wait);
  }
}

setWorkflowOptions(versioned('AUTO_UPGRADE'), channelSync);
