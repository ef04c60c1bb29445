import { Worker } from 'node:worker_threads';
import { planScope } from '../../domain/replenishment/scope-plan.ts';
import type { ScopeInput, ScopePlan } from '../../domain/replenishment/scope-model.ts';
import { forecastWeeks, type WeeklyForecast, type WeeklySeries } from '../../domain/replenishment/weekly-forecast.ts';
import type { PlanningTask } from './worker.ts';

/** Fewer than so many sites or weeks of series are worked out at once: starting a thread takes longer. */
const SMALL_SITES = 500;
const SMALL_SERIES = 20;

/** A plan, in a thread of its own where it may take long. Throws what the thread throws; ends it when the signal aborts. */
export async function planned(input: ScopeInput, signal: AbortSignal): Promise<ScopePlan> {
  return input.sites.length <= SMALL_SITES ? planScope(input) : inThread<ScopePlan>({ plan: input }, signal);
}

/** Forecasts of many series, the same way. */
export async function forecastsOf(series: WeeklySeries[], signal: AbortSignal): Promise<(WeeklyForecast | null)[]> {
  return series.length <= SMALL_SERIES ? forecastWeeks(series) : inThread<(WeeklyForecast | null)[]>({ forecast: series }, signal);
}

async function inThread<T>(task: PlanningTask, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const worker = new Worker(new URL('thread.mjs', import.meta.url), { workerData: task, execArgv: [] });
  try {
    return await new Promise<T>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', (code) => { reject(new Error(`the planning thread ended with ${code} and no result`)); });
      signal.addEventListener('abort', () => { reject(signal.reason instanceof Error ? signal.reason : new Error('stopped')); }, { once: true });
    });
  } finally {
    await worker.terminate();
  }
}
