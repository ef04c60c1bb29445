import { parentPort, workerData } from 'node:worker_threads';
import type { MoveLane, MovePlan, MoveRules, MoveSite } from '../../domain/redistribution/model.ts';
import { planMoves, type Effort } from '../../domain/redistribution/plan.ts';
import type { WeeklySales } from '../../domain/slow-movers/features.ts';
import { learnOutlook, slowChance, type Outlook } from '../../domain/slow-movers/outlook.ts';
import { openHighs } from '../../runtime/highs.ts';

/** Chances of a slow-down of many SKUs, null for one that sold too little; null for all where the past teaches nothing. */
export type Outlooks = (Pick<Outlook, 'threshold' | 'slowShare' | 'steadyShare' | 'rows'> & { chances: (number | null)[] }) | null;
export type Tasks = {
  outlook: { in: { series: WeeklySales[]; now: number }; out: Outlooks };
  moves: { in: { sites: MoveSite[]; lanes: MoveLane[]; rules: MoveRules; effort: Effort }; out: MovePlan };
};
export type Task = { [K in keyof Tasks]: { kind: K } & Tasks[K]['in'] }[keyof Tasks];

async function run(task: Task): Promise<Outlooks | MovePlan> {
  if (task.kind === 'moves') return planMoves(task.sites, task.lanes, task.rules, await openHighs(), task.effort);
  const outlook = learnOutlook(task.series, task.now);
  if (!outlook) return null;
  const { threshold, slowShare, steadyShare, rows } = outlook;
  return { threshold, slowShare, steadyShare, rows, chances: task.series.map((s) => slowChance(outlook, s, task.now)) };
}

parentPort?.postMessage({ result: await run(workerData as Task) });
