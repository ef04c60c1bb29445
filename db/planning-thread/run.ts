import { Worker } from 'node:worker_threads';
import type { Tasks } from './worker.ts';

/** Beyond this a thread hangs and is ended. */
const MOST_MS = 300_000;

/** Works out something heavy in a thread of its own, so that nobody waits for it. Throws what the thread throws. */
export async function inThread<K extends keyof Tasks>(kind: K, task: Tasks[K]['in']): Promise<Tasks[K]['out']> {
  const worker = new Worker(new URL('thread.mjs', import.meta.url), { workerData: { kind, ...task }, execArgv: [] });
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<Tasks[K]['out']>((resolve, reject) => {
      worker.once('message', ({ result }: { result: Tasks[K]['out'] }) => { resolve(result); });
      worker.once('error', reject);
      worker.once('exit', (code) => { reject(new Error(`the planning thread ended with ${code} and no result`)); });
      timer = setTimeout(() => { reject(new Error('the planning thread did not end in time')); }, MOST_MS);
    });
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}
