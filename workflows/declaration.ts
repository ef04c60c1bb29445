import {
  allHandlersFinished, condition, continueAsNew, defineSignal, proxyActivities, setCurrentDetails, setHandler, setWorkflowOptions, workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { versioned } from './versioning.ts';
import { LOOK, type DeclarationInput } from './contract/messages.ts';

const steps = proxyActivities<Pick<Activities, 'advanceDeclaration'>>({
  startToCloseTimeout: '60 seconds', retry: { initialInterval: '500 ms', maximumInterval: '30 seconds' },
});

/**
 * One partner session: live at its start, over at its end, settled, and watched until its last reserved unit has left or gone home. It carries no facts: what is due
 * and when stands in PostgreSQL; sales end by the allotment's own dates, with Temporal down too.
 */
export async function declaration(input: DeclarationInput): Promise<void> {
  let looks = 0;
  setHandler(defineSignal(LOOK), () => { looks += 1; });
  for (;;) {
    const seen = looks;
    const { status, wakeAt } = await steps.advanceDeclaration({ declaration: input.declaration });
    setCurrentDetails(`**${status}**${wakeAt === null ? '' : `, next look at ${wakeAt}`}`);
    if (wakeAt === null) return;
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof declaration>(input);
    }
    // The worker's clock may be a little behind the server's: never a loop without a rest.
    await condition(() => looks > seen, Math.max(1_000, Date.parse(wakeAt) - Date.now()));
  }
}

// Open for days or for ever: it goes on with the newest version; changes are guarded by `patched`.
setWorkflowOptions(versioned('AUTO_UPGRADE'), declaration);
