import { Worker } from 'node:worker_threads';
import { Problem } from '../../../domain/problem.ts';
import type { WaveResult } from '../../../domain/routing/wave/model.ts';
import type { WaveTask } from './worker.ts';

/** Beyond the time that it was given a thread is ended: very long orders take it long for the first look already. */
const GRACE_MS = 20_000;

/** Solves a wave in a thread of its own, so that nobody waits for it. Throws Problem when it takes far too long, else what the thread throws. */
export async function solveInThread(task: WaveTask, graceMs = GRACE_MS): Promise<WaveResult> {
  const worker = new Worker(new URL('thread.mjs', import.meta.url), { workerData: task, execArgv: [] });
  const lines = task.wave.orders.reduce((n, { order }) => n + order.lines.length, 0);
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<WaveResult>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', (code) => { reject(new Error(`the solving thread ended with ${code} and no result`)); });
      timer = setTimeout(() => { reject(new Problem('unprocessable', `${task.wave.orders.length} orders with ${lines} lines at ${task.wave.locations.length} locations are too much for one wave of ${task.seconds} s: send fewer or shorter orders`, '/orders')); }, task.seconds * 1000 + graceMs);
    });
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}
