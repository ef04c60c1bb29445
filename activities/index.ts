import { createChannelSync } from './channel-sync/index.ts';
import { createCanaries } from './canary.ts';
import { createDeclarations } from './declaration.ts';
import type { ActivityDeps } from './deps.ts';
import { createOrderSteps } from './order-steps.ts';
import { createReconciliation } from './reconcile.ts';
import { createReturns } from './returns.ts';
import { createShipping } from './ship.ts';
import { createSimulations } from './simulation.ts';
import { createWaves } from './wave.ts';
import { createPlanning } from './planning.ts';
import { createReplenishment } from './replenishment.ts';
import { createTransfers } from './transfer.ts';
import { createClearance } from './clearance.ts';

/** Every activity by its name. */
export function createActivities(deps: ActivityDeps) {
  return {
    ...createOrderSteps(deps),
    ...createShipping(deps),
    ...createReturns(deps),
    ...createReconciliation(deps),
    ...createDeclarations(deps),
    ...createChannelSync(deps),
    ...createSimulations(deps),
    ...createTransfers(deps),
    ...createReplenishment(deps),
    ...createClearance(deps),
    ...createCanaries(deps),
    ...createWaves(deps),
    ...createPlanning(deps),
  };
}

export type Activities = ReturnType<typeof createActivities>;
