import { proxyActivities, setWorkflowOptions, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { planningQueue } from './contract/ids.ts';
import type { WaveInput } from './contract/messages.ts';
import { versioned } from './versioning.ts';

/** One wave, on the planning queue. It carries no facts: members, plans and how far they have been handed out stand in PostgreSQL. */
export async function wave(input: WaveInput): Promise<void> {
  const planning = proxyActivities<Pick<Activities, 'runWave'>>({
    taskQueue: planningQueue(workflowInfo().taskQueue), startToCloseTimeout: '2 minutes', retry: { initialInterval: '500 ms', maximumInterval: '5 seconds' },
  });
  await planning.runWave({ wave: input.wave });
}

setWorkflowOptions(versioned('AUTO_UPGRADE'), wave);
