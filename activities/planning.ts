import { lookAtRedistribution } from '../db/redistribution/plan.ts';
import { lookAtSlowMovers } from '../db/slow-movers/look.ts';
import type { ActivityDeps } from './deps.ts';

/** `done`: what a look did, in words for the Temporal UI; null where nothing was due. `wakeAt` ISO 8601. */
export type PlanningProgress = { done: string | null; wakeAt: string };

/** Long-running planning; it belongs on the planning queue. */
export function createPlanning({ writer, network }: ActivityDeps) {
  return {
    /** Evaluates slow movers where it is due. */
    async lookAtSlowMovers(): Promise<PlanningProgress> {
      const { evaluation, wakeAt } = await lookAtSlowMovers(writer);
      return { done: evaluation && `${evaluation.day}: ${evaluation.skus} SKUs, ${evaluation.findings} findings, ${evaluation.opened} alerts opened, ${evaluation.closed} closed`, wakeAt: wakeAt.toISOString() };
    },

    /** Lapses and plans moves where it is due. */
    async lookAtRedistribution(): Promise<PlanningProgress> {
      const { planned, lapsed, wakeAt } = await lookAtRedistribution(writer, network);
      return { done: planned ? `${planned.proposals} moves proposed in ${planned.categories} categories, ${planned.units} units` : lapsed > 0 ? `${lapsed} proposals lapsed` : null, wakeAt: wakeAt.toISOString() };
    },
  };
}
