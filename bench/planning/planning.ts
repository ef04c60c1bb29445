import { Worker } from 'node:worker_threads';
import { calibrateNode } from '../support/calibrate-node.ts';
import { LOCATIONS, WEEKS } from './world.ts';
import type { Done, Share } from './worker.ts';

const WORKERS = 2;

function run(share: Share): Promise<Done> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('thread.mjs', import.meta.url), { workerData: share, execArgv: [] });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => { if (code !== 0) reject(new Error(`a planning thread ended with ${code}`)); });
  });
}

/**
 * Histories cleaned, demand over the lead time, levels for 95 % fill rate, then transfers and purchase orders, for 50,000 SKUs in 20 locations on two threads.
 * `seconds` is wall time of everything, start of the threads and the making of the histories included. Arguments: SKUs.
 */
export async function planning(args: string[]): Promise<Record<string, unknown>> {
  const skus = Number(args[0] ?? 50_000);
  const calibration = calibrateNode();
  const started = performance.now();
  const shares = Array.from({ length: WORKERS }, (_, i): Share => ({ from: Math.floor((skus * i) / WORKERS), to: Math.floor((skus * (i + 1)) / WORKERS) }));
  let peakMb = 0;
  const watch = setInterval(() => { peakMb = Math.max(peakMb, process.memoryUsage.rss() / 1_048_576); }, 100);
  const parts = await Promise.all(shares.map(run)).finally(() => { clearInterval(watch); });
  const seconds = (performance.now() - started) / 1000;
  const sum = (key: keyof Done): number => parts.reduce((total, p) => total + p[key], 0);
  console.log(`${sum('sites')} SKU × locations of ${WEEKS} weeks (${LOCATIONS} locations): ${sum('transfers')} transfers, ${sum('purchases')} order lines, ${sum('units')} units, ${sum('unmet')} sites left below their level`);
  console.log(`of the time of the threads ${(sum('madeMs') / 1000).toFixed(1)} s made the histories`);
  return { bench: 'planning', sites: sum('sites'), seconds: Math.round(seconds * 10) / 10, historySeconds: Math.round(sum('madeMs') / WORKERS / 100) / 10, threads: WORKERS, memoryMb: Math.round(peakMb), transfers: sum('transfers'), purchases: sum('purchases'), calibration };
}
