/** Workflow ids hold our own ids only: outside ids may carry anything, a phone number even. */
export const orderWorkflowId = (orderId: string): string => `order/${orderId}`;
export const returnWorkflowId = (rma: string): string => `return/${rma}`;
export const ORDER_WORKFLOW = 'order';
export const RETURN_WORKFLOW = 'lateReturn';
