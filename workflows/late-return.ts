import { condition, defineSignal, proxyActivities, setCurrentDetails, setHandler, setWorkflowOptions } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { versioned } from './versioning.ts';
import { LOOK, type ReturnInput } from './contract/messages.ts';

const outside = proxyActivities<Pick<Activities, 'handleReturn'>>({
  startToCloseTimeout: '45 seconds', retry: { initialInterval: '500 ms', maximumInterval: '30 seconds' },
});

/** A return that comes after its order has closed (goodwill): the same routine, in a workflow of its own. */
export async function lateReturn(input: ReturnInput): Promise<void> {
  let looks = 0;
  let seen = 0;
  setHandler(defineSignal(LOOK), () => { looks += 1; });
  for (;;) {
    seen = looks;
    const { status, done } = await outside.handleReturn({ rma: input.rma });
    setCurrentDetails(`**${status}**${done ? '' : '. Waits for the goods.'}`);
    if (done) return;
    await condition(() => looks > seen);
  }
}

// Soon over: it ends on the version it began on.
setWorkflowOptions(versioned('PINNED'), lateReturn);
