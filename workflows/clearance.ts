import {
  allHandlersFinished, ApplicationFailure, condition, continueAsNew, defineSignal, defineUpdate, proxyActivities, setCurrentDetails, setHandler, setWorkflowOptions, workflowInfo,
} from '@temporalio/workflow';
import { COMMANDS, refusal, type CampaignStatus, type CommandName } from '../domain/clearance/flow.ts';
import type { Activities } from '../activities/index.ts';
import { versioned } from './versioning.ts';
import { LOOK, type ClearanceCommand, type ClearanceInput } from './contract/messages.ts';

const steps = proxyActivities<Pick<Activities, 'advanceCampaign' | 'commandCampaign'>>({
  startToCloseTimeout: '2 minutes', retry: { initialInterval: '500 ms', maximumInterval: '30 seconds' },
});

/**
 * One clearance campaign: opens and closes its stages, proposes markdowns, ends on target, time or budget, restores, reports. It carries no facts: what is due and when stands in PostgreSQL, and prices
 * begin and end by their own windows, with Temporal down too. Commands come in two ways to one effect: committed by the API, which then says «look»; or as Updates of the same names, which are refused
 * here where the status that was last seen does not take them, and by the same transaction where anything else is wrong.
 */
export async function clearance(input: ClearanceInput): Promise<void> {
  const { campaign } = input;
  let looks = 0;
  let status: CampaignStatus | null = null;
  setHandler(defineSignal(LOOK), () => { looks += 1; });
  for (const name of COMMANDS) {
    setHandler(defineUpdate<CampaignStatus, [ClearanceCommand]>(name), async (command) => {
      const done = await steps.commandCampaign({ campaign, command: { ...command, command: name } });
      if (done.problem !== null) throw ApplicationFailure.nonRetryable(done.problem.detail, done.problem.code);
      status = done.status;
      looks += 1;
      return done.status;
    }, { validator: (command) => { check(name, command, status); } });
  }
  for (;;) {
    const seen = looks;
    const facts = await steps.advanceCampaign({ campaign });
    status = facts.status;
    setCurrentDetails(`**${facts.status}**: ${facts.summary}${facts.wakeAt === null ? '' : `, next look at ${facts.wakeAt}`}`);
    if (facts.wakeAt === null) break;
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof clearance>(input);
    }
    // The worker's clock may be a little behind the server's: never a loop without a rest.
    await condition(() => looks > seen, Math.max(1_000, Date.parse(facts.wakeAt) - Date.now()));
  }
  await condition(allHandlersFinished);
}

/** What can be seen without the database; throwing here leaves no trace in the history. */
function check(name: CommandName, command: ClearanceCommand, status: CampaignStatus | null): void {
  if (typeof command !== 'object' || (command as unknown) === null || command.v !== 1) throw ApplicationFailure.nonRetryable('the command is {v: 1, …}', 'invalid');
  const no = status === null ? null : refusal(name, status);
  if (no !== null) throw ApplicationFailure.nonRetryable(no, 'conflict');
  if (name === 'stop' && !command.reason) throw ApplicationFailure.nonRetryable('say why it is stopped: reason', 'invalid');
  if (name === 'extend' && command.endsAt === undefined && command.stage === undefined) throw ApplicationFailure.nonRetryable('say endsAt, stage or both', 'invalid');
  for (const at of [command.endsAt, command.stage?.endsAt]) if (at !== undefined && Number.isNaN(Date.parse(at))) throw ApplicationFailure.nonRetryable(`"${at}" is no moment`, 'invalid');
}

// Open for weeks: it goes on with the newest version; changes are guarded by `patched`.
setWorkflowOptions(versioned('AUTO_UPGRADE'), clearance);
