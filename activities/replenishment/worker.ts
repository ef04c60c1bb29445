import { parentPort, workerData } from 'node:worker_threads';
import { planScope } from '../../domain/replenishment/scope-plan.ts';
import type { ScopeInput } from '../../domain/replenishment/scope-model.ts';
import { forecastWeeks, type WeeklySeries } from '../../domain/replenishment/weekly-forecast.ts';

/** Work of a planning thread: pure functions of domain/. */
export type PlanningTask = { plan: ScopeInput } | { forecast: WeeklySeries[] };

const task = workerData as PlanningTask;
parentPort?.postMessage('plan' in task ? planScope(task.plan) : forecastWeeks(task.forecast));
