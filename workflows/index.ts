export { order } from './order.ts';
export { lateReturn } from './late-return.ts';
export { reconciliation } from './reconciliation.ts';
export { declaration } from './declaration.ts';
export { channelSync } from './channel-sync.ts';
export { simulation } from './simulation.ts';
export { transfer } from './transfer.ts';
export { canary } from './canary.ts';
