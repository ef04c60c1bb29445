import { workflowInfo } from '@temporalio/workflow';

/** What a workflow does when a new version is promoted; nothing on a worker that is not versioned: the server refuses its tasks otherwise. */
export function versioned(versioningBehavior: 'AUTO_UPGRADE' | 'PINNED'): () => { versioningBehavior?: 'AUTO_UPGRADE' | 'PINNED' } {
  return () => (workflowInfo().currentDeploymentVersion?.deploymentName ? { versioningBehavior } : {});
}
