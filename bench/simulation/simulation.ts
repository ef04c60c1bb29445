import { Worker } from 'node:worker_threads';
import { canonicalJson } from '../../domain/routing/canonical.ts';
import { calibrateNode } from '../support/calibrate-node.ts';
import { JOURNEY } from '../support/journey-sales.ts';
import { POLICIES, realWeek } from './week.ts';
import type { Done, Task } from './worker.ts';

const WEEK = 38;

function run(task: Task): Promise<Done> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('thread.mjs', import.meta.url), { workerData: task, execArgv: [] });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => { if (code !== 0) reject(new Error(`a simulating thread ended with ${code}`)); });
  });
}

/**
 * One week of real baskets replayed under two policies, each on a thread of its own, twice. `ordersPerSecond`: orders simulated, both policies together, by wall time from the start of
 * the threads to the last result (reading the files is not in it). `repeatable`: the second time gave the same bytes. Arguments: week, folder of the set.
 */
export async function simulation(args: string[]): Promise<Record<string, unknown>> {
  const calibration = calibrateNode();
  const input = realWeek(Number(args[0] ?? WEEK), args[1] ?? JOURNEY);
  const times: number[] = [];
  const rounds: Done[][] = [];
  for (let round = 0; round < 2; round++) {
    const started = performance.now();
    rounds.push(await Promise.all(POLICIES.map((policy) => run({ input, policy }))));
    times.push(performance.now() - started);
  }
  const [done, again] = rounds as [Done[], Done[]];
  for (const { policy, orders, ms, result: { total: t } } of done) {
    console.log(`${policy}: ${orders} orders in ${(ms / 1000).toFixed(2)} s; ${t.costPerOrder} cents an order, ${t.shipmentsPerOrder} shipments, ${t.onTimeShare ?? 0} on time, ${t.stockOuts.units} units in ${t.stockOuts.orders} orders not served, ${t.kmPerShipment ?? 0} km`);
  }
  const orders = done.reduce((sum, d) => sum + d.orders, 0);
  const seconds = Math.min(...times) / 1000;
  return {
    bench: 'simulation', week: Number(args[0] ?? WEEK), orders, lines: input.orders.reduce((sum, o) => sum + o.order.lines.length, 0), locations: input.locations.length, policies: POLICIES.length,
    seconds: Math.round(seconds * 100) / 100, ordersPerSecond: Math.round(orders / seconds), slowerRunPerSecond: Math.round((orders * 1000) / Math.max(...times)), threads: POLICIES.length,
    repeatable: done.every((d, i) => canonicalJson(d.result) === canonicalJson(again[i]?.result)),
    costPerOrder: done.map((d) => d.result.total.costPerOrder), onTimeShare: done.map((d) => d.result.total.onTimeShare), shipmentsPerOrder: done.map((d) => d.result.total.shipmentsPerOrder), calibration,
  };
}
