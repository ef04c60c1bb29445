import { deflateRawSync } from 'node:zlib';
import { runInThread } from '../../activities/simulation/run-thread.ts';
import { canonicalJson } from '../../domain/routing/canonical.ts';
import type { InstancePolicy } from '../../domain/routing/model.ts';
import type { SimulationResult } from '../../domain/simulation/model.ts';
import { calibrateNode } from '../support/calibrate-node.ts';
import { JOURNEY } from '../support/journey-sales.ts';
import { POLICIES, realWeek } from './week.ts';

const WEEK = 38;

/**
 * One week of real baskets replayed under two policies, each on a thread of its own as the product has them, twice. `ordersPerSecond`: orders simulated, both policies together, by wall time from the hand-over of the
 * record to the last result (reading the files is not in it), on threads that have simulated before; `coldPerSecond`: the first time, the start of the threads in it. `repeatable`: the second time gave the same bytes. Arguments: week, folder of the set.
 */
export async function simulation(args: string[]): Promise<Record<string, unknown>> {
  const calibration = calibrateNode();
  const input = realWeek(Number(args[0] ?? WEEK), args[1] ?? JOURNEY);
  const packed = deflateRawSync(JSON.stringify(input));
  const times: number[] = [];
  const rounds: { simulated: number; result: SimulationResult }[][] = [];
  for (let round = 0; round < 2; round++) {
    const started = performance.now();
    rounds.push(await Promise.all(POLICIES.map((policy) => simulated(packed, policy))));
    times.push(performance.now() - started);
  }
  const [done = [], again = []] = rounds;
  for (const [i, { result: { total: t } }] of done.entries()) {
    console.log(`${POLICIES[i]?.code}: ${t.costPerOrder} cents an order, ${t.shipmentsPerOrder} shipments, ${t.onTimeShare ?? 0} on time, ${t.stockOuts.units} units in ${t.stockOuts.orders} orders not served, ${t.kmPerShipment ?? 0} km`);
  }
  const [cold = 0, warm = 0] = times;
  const orders = done.reduce((sum, d) => sum + d.simulated, 0);
  return {
    bench: 'simulation', week: Number(args[0] ?? WEEK), orders, lines: input.orders.reduce((sum, o) => sum + o.order.lines.length, 0), locations: input.locations.length, policies: POLICIES.length,
    seconds: Math.round(warm / 10) / 100, ordersPerSecond: Math.round((orders * 1000) / warm), coldPerSecond: Math.round((orders * 1000) / cold), threads: POLICIES.length,
    repeatable: done.every((d, i) => canonicalJson(d.result) === canonicalJson(again[i]?.result)),
    costPerOrder: done.map((d) => d.result.total.costPerOrder), onTimeShare: done.map((d) => d.result.total.onTimeShare), shipmentsPerOrder: done.map((d) => d.result.total.shipmentsPerOrder), calibration,
  };
}

async function simulated(input: Uint8Array, policy: InstancePolicy): Promise<{ simulated: number; result: SimulationResult }> {
  const done = await runInThread({ input, policy }, () => Promise.resolve(true), new AbortController().signal);
  if (!done) throw new Error('the simulation was not to be stopped');
  return done;
}
