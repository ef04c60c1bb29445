import { proxyActivities, setWorkflowOptions, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { planningQueue } from './contract/ids.ts';
import type { CycleInput } from './contract/messages.ts';
import { cycle } from './planning-cycle.ts';
import { versioned } from './versioning.ts';

/** Slow-mover warning (滞销预警), one for the whole business, on the planning queue. */
export async function slowMovers(input: CycleInput): Promise<void> {
  const { lookAtSlowMovers } = proxyActivities<Pick<Activities, 'lookAtSlowMovers'>>({
    taskQueue: planningQueue(workflowInfo().taskQueue), startToCloseTimeout: '30 minutes', retry: { initialInterval: '1 second', maximumInterval: '5 minutes' },
  });
  await cycle(input, lookAtSlowMovers);
}

setWorkflowOptions(versioned('AUTO_UPGRADE'), slowMovers);
