import { proxyActivities, setWorkflowOptions, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { planningQueue } from './contract/ids.ts';
import type { CycleInput } from './contract/messages.ts';
import { cycle } from './planning-cycle.ts';
import { versioned } from './versioning.ts';

/** Redistribution: plans moves on its cadence, lapses proposals; one for the whole business, on the planning queue. */
export async function redistribution(input: CycleInput): Promise<void> {
  const { lookAtRedistribution } = proxyActivities<Pick<Activities, 'lookAtRedistribution'>>({
    taskQueue: planningQueue(workflowInfo().taskQueue), startToCloseTimeout: '30 minutes', retry: { initialInterval: '1 second', maximumInterval: '5 minutes' },
  });
  await cycle(input, lookAtRedistribution);
}

setWorkflowOptions(versioned('AUTO_UPGRADE'), redistribution);
