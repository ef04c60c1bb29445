import { allHandlersFinished, condition, continueAsNew, defineSignal, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import { LOOK, type CycleInput } from './contract/messages.ts';

/** Looks on its cadence and when it is told to, for ever. It carries no facts: what is due stands in PostgreSQL. */
export async function cycle(input: CycleInput, look: () => Promise<{ done: string | null; wakeAt: string }>): Promise<void> {
  let looks = 0;
  setHandler(defineSignal(LOOK), () => { looks += 1; });
  for (;;) {
    const seen = looks;
    const { done, wakeAt } = await look();
    setCurrentDetails(`${done === null ? '' : `**${done}**, `}next look at ${wakeAt}`);
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew(input);
    }
    // The worker's clock may be a little behind the server's: never a loop without a rest.
    await condition(() => looks > seen, Math.max(1_000, Date.parse(wakeAt) - Date.now()));
  }
}
