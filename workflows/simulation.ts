import { proxyActivities, setWorkflowOptions, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { planningQueue } from './contract/ids.ts';
import type { SimulationInput } from './contract/messages.ts';
import { versioned } from './versioning.ts';

/**
 * One simulation, on the planning queue, so that no order waits for it. It carries no facts: progress, results and a cancellation stand in PostgreSQL. An attempt that was killed is
 * noticed by its missing heartbeats.
 */
export async function simulation(input: SimulationInput): Promise<void> {
  const planning = proxyActivities<Pick<Activities, 'runSimulation'>>({
    taskQueue: planningQueue(workflowInfo().taskQueue), startToCloseTimeout: '12 hours', heartbeatTimeout: '30 seconds', retry: { initialInterval: '1 second', maximumInterval: '30 seconds' },
  });
  await planning.runSimulation({ simulation: input.simulation });
}

setWorkflowOptions(versioned('AUTO_UPGRADE'), simulation);
