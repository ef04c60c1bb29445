import { Worker } from 'node:worker_threads';
import type { WaveResult } from '../../../domain/routing/wave/model.ts';
import type { WaveTask } from './worker.ts';

/** Beyond the time that it was given a thread is ended: it hangs. */
const GRACE_MS = 20_000;

/** Solves a wave in a thread of its own, so that nobody waits for it. Throws what the thread throws. */
export async function solveInThread(task: WaveTask): Promise<WaveResult> {
  const worker = new Worker(new URL('thread.mjs', import.meta.url), { workerData: task, execArgv: [] });
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<WaveResult>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', (code) => { reject(new Error(`the solving thread ended with ${code} and no result`)); });
      timer = setTimeout(() => { reject(new Error('the solver did not end in time')); }, task.seconds * 1000 + GRACE_MS);
    });
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}
