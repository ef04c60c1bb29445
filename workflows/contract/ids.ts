/** Workflow ids hold our own ids only: outside ids may carry anything, a phone number even. */
export const orderWorkflowId = (orderId: string): string => `order/${orderId}`;
export const returnWorkflowId = (rma: string): string => `return/${rma}`;
export const ORDER_WORKFLOW = 'order';
export const RETURN_WORKFLOW = 'lateReturn';
export const reconciliationWorkflowId = (locationCode: string): string => `reconciliation/${locationCode}`;
export const RECONCILIATION_WORKFLOW = 'reconciliation';
export const declarationWorkflowId = (declaration: string): string => `declaration/${declaration}`;
export const DECLARATION_WORKFLOW = 'declaration';
export const channelSyncWorkflowId = (channelCode: string): string => `channel-sync/${channelCode}`;
export const CHANNEL_SYNC_WORKFLOW = 'channelSync';
export const simulationWorkflowId = (simulation: string): string => `simulation/${simulation}`;
/** The queue of heavy planning: its activities take no slot from those of orders. */
export const planningQueue = (taskQueue: string): string => `${taskQueue}-planning`;
export const replenishmentWorkflowId = (scope: string): string => `replenishment/${scope}`;
export const transferWorkflowId = (transfer: string): string => `transfer/${transfer}`;
export const waveWorkflowId = (wave: string): string => `wave/${wave}`;
export const canaryWorkflowId = (canary: string): string => `canary/${canary}`;
export const SLOW_MOVERS_WORKFLOW_ID = 'slow-movers';
export const clearanceWorkflowId = (campaign: string): string => `clearance/${campaign}`;
export const REDISTRIBUTION_WORKFLOW_ID = 'redistribution';
