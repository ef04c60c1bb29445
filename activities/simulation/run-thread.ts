import { Worker } from 'node:worker_threads';
import type { SimulationResult } from '../../domain/simulation/model.ts';
import type { SimulationNews, SimulationTask } from './worker.ts';

const NEWS_MS = 500;
/** A thread that has simulated before is twice as fast from its first order on: so many are kept, so long. */
const KEPT = 2;
const KEPT_MS = 600_000;

const idle: Idle[] = [];

/**
 * A simulation in a thread of its own. `onNews` hears now and then how far it is, one call at a time; when it says false, or the signal aborts, the thread ends and null comes back.
 * Throws what the thread throws.
 */
export async function runInThread(task: SimulationTask, onNews: (simulated: number) => Promise<boolean>, signal: AbortSignal): Promise<{ simulated: number; result: SimulationResult } | null> {
  const worker = idleOne() ?? new Worker(new URL('thread.mjs', import.meta.url), { execArgv: [] });
  let latest = 0;
  let timer: NodeJS.Timeout | undefined;
  let isWhole = false;
  const deaf: (() => void)[] = [];
  try {
    return await new Promise((resolve, reject) => {
      const onMessage = ({ simulated, result }: SimulationNews): void => {
        latest = simulated;
        if (!result) return;
        isWhole = true;
        resolve({ simulated, result });
      };
      const onExit = (code: number): void => { reject(new Error(`the simulating thread ended with ${code} and no result`)); };
      const stop = (): void => { resolve(null); };
      worker.on('message', onMessage).once('error', reject).once('exit', onExit);
      signal.addEventListener('abort', stop, { once: true });
      // One by one: a worker has listeners of its own.
      deaf.push(() => { worker.off('message', onMessage).off('error', reject).off('exit', onExit); }, () => { signal.removeEventListener('abort', stop); });
      if (signal.aborted) stop();
      const tell = (): void => {
        timer = setTimeout(() => { onNews(latest).then((goOn) => { if (goOn) tell(); else stop(); }, reject); }, NEWS_MS);
      };
      tell();
      worker.postMessage(task);
    });
  } finally {
    clearTimeout(timer);
    for (const forget of deaf) forget();
    if (isWhole && !signal.aborted && idle.length < KEPT) keep(worker);
    else await worker.terminate();
  }
}

type Idle = { worker: Worker; drop: () => void };

function idleOne(): Worker | undefined {
  const kept = idle.pop();
  if (!kept) return undefined;
  const { worker, drop } = kept;
  worker.off('error', drop).off('exit', drop).ref();
  return worker;
}

/** Kept for the next simulation; the process may end meanwhile. */
function keep(worker: Worker): void {
  const kept: Idle = {
    worker, drop: () => {
      const at = idle.indexOf(kept);
      if (at < 0) return; // at work again
      idle.splice(at, 1);
      void worker.terminate();
    },
  };
  idle.push(kept);
  worker.once('error', kept.drop).once('exit', kept.drop).unref();
  setTimeout(kept.drop, KEPT_MS).unref();
}
