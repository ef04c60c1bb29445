import { Worker } from 'node:worker_threads';
import type { SimulationResult } from '../../domain/simulation/model.ts';
import type { SimulationNews, SimulationTask } from './worker.ts';

const NEWS_MS = 500;

/**
 * A simulation in a thread of its own. `onNews` hears now and then how far it is, one call at a time; when it says false, or the signal aborts, the thread ends and null comes back.
 * Throws what the thread throws.
 */
export async function runInThread(task: SimulationTask, onNews: (simulated: number) => Promise<boolean>, signal: AbortSignal): Promise<{ simulated: number; result: SimulationResult } | null> {
  const worker = new Worker(new URL('thread.mjs', import.meta.url), { workerData: task, execArgv: [] });
  let latest = 0;
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise((resolve, reject) => {
      worker.on('message', ({ simulated, result }: SimulationNews) => {
        latest = simulated;
        if (result) resolve({ simulated, result });
      });
      worker.once('error', reject);
      worker.once('exit', (code) => { reject(new Error(`the simulating thread ended with ${code} and no result`)); });
      const stop = (): void => { resolve(null); };
      if (signal.aborted) stop();
      signal.addEventListener('abort', stop, { once: true });
      const tell = (): void => {
        timer = setTimeout(() => { onNews(latest).then((goOn) => { if (goOn) tell(); else stop(); }, reject); }, NEWS_MS);
      };
      tell();
    });
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}
