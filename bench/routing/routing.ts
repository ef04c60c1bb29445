import * as highsPackage from 'highs';
import { checkInstance } from '../../domain/routing/check.ts';
import type { RoutingInstance } from '../../domain/routing/model.ts';
import { planOrder } from '../../domain/routing/plan.ts';
import { startGround } from '../support/ground.ts';
import { quantile } from '../support/random.ts';
import { generate } from './generate.ts';
import { LAST, lastLines, toMip, UNSERVED } from './mip.ts';
import { fewestSplits, nearestFirst } from './rules.ts';

// Its types name a default export of ES modules; Node finds it under `default` of the namespace.
const loadHighs = highsPackage.default as unknown as (typeof highsPackage)['default']['default'];
/** HiGHS gets this long for one instance; what it has not proved by then is counted as `unproved`, never as equal. */
const MOST_SECONDS = 600;
const WARM_UP = 400;

/** Instances of two sizes: our cost against the optimum of the same model by HiGHS, our time, and what nearest-first and fewest-splits cost more. Arguments: how many of each size. */
export async function routing(args: string[]): Promise<Record<string, unknown>> {
  const [small, large] = [Number(args[0] ?? 1000), Number(args[1] ?? 200)];
  const ground = await startGround({ locations: 1, skus: 1, stock: 1 });
  const { calibration } = ground;
  await ground.stop();
  const total = small + large;
  // Made when it is wanted: a server has the order at hand in memory, not a thousand of them for the collector to go through.
  const instanceAt = (i: number): RoutingInstance => (i < small ? generate(i + 1, 12, 60) : generate(i - small + 100_001, 12, 400));
  // A server that runs is warm: the compiler's share goes to other instances, which are not counted.
  for (let i = 0; i < WARM_UP; i++) planOrder(generate(500_001 + i, 12, i % 4 === 0 ? 400 : 60));
  const times = Array.from({ length: total }, (_, i) => {
    const instance = instanceAt(i);
    checkInstance(instance);
    const started = performance.now();
    planOrder(instance);
    return performance.now() - started;
  });
  times.sort((a, b) => a - b);
  const planned = { p50Ms: round2(quantile(times, 0.5)), p99Ms: round2(quantile(times, 0.99)), maxMs: round2(times.at(-1) ?? 0) };
  console.log(`planned: ${JSON.stringify(planned)}`);
  const excess = { nearestFirst: [] as number[], fewestSplits: [] as number[] };
  let highs = await loadHighs();
  let [optimal, unproved, wrong] = [0, 0, 0];
  let seconds = 0;
  for (let i = 0; i < total; i++) {
    const instance = instanceAt(i);
    if (i % 100 === 0) console.log(`${i} of ${total} compared, ${optimal} equal, ${unproved} not proved in ${MOST_SECONDS} s, HiGHS ${seconds.toFixed(0)} s`);
    if (i % 200 === 199) highs = await loadHighs(); // its heap only grows
    const plan = planOrder(instance);
    // Constants of the program: what is not served would otherwise make the tolerance wide.
    const constant = plan.unallocated.length * UNSERVED + lastLines(instance, plan) * LAST + (plan.shipments.length === 0 ? 0 : instance.policy.weights.splitPenalty);
    const started = performance.now();
    const solve = (last: boolean): ReturnType<typeof highs.solve> => highs.solve(toMip(instance, last), { time_limit: MOST_SECONDS, mip_rel_gap: 0, mip_abs_gap: 1e-4, output_flag: false });
    const first = solve(false);
    const solved = instance.policy.dealers === 'after_own' && first.Status === 'Optimal' && first.ObjectiveValue >= UNSERVED / 2 ? solve(true) : first;
    seconds += (performance.now() - started) / 1000;
    if (solved.Status !== 'Optimal') unproved++;
    else if (plan.optimal && Math.abs(solved.ObjectiveValue - constant - plan.cost) <= 1e-6 * Math.max(1, Math.abs(plan.cost))) optimal++;
    else {
      wrong++;
      console.log(`instance ${i}: ours ${plan.cost}, HiGHS ${solved.ObjectiveValue - constant}`);
    }
    compare(instance, plan, excess);
  }
  const mean = (values: readonly number[]): number => Math.round((values.reduce((sum, n) => sum + n, 0) / Math.max(1, values.length)) * 1000) / 1000;
  return {
    bench: 'routing', instances: total, optimal, unproved, wrong, ...planned,
    nearestFirstExcess: mean(excess.nearestFirst), fewestSplitsExcess: mean(excess.fewestSplits), compared: excess.nearestFirst.length, highsSeconds: Math.round(seconds), calibration,
  };
}

const round2 = (value: number): number => Math.round(value * 100) / 100;

/** Cost beyond the optimum as a share of it, where the rule serves as many lines and the optimum costs something. */
function compare(instance: RoutingInstance, plan: ReturnType<typeof planOrder>, excess: { nearestFirst: number[]; fewestSplits: number[] }): void {
  const [nearest, fewest] = [nearestFirst(instance), fewestSplits(instance)];
  if (plan.cost <= 0 || nearest === null || fewest === null) return;
  excess.nearestFirst.push(nearest / plan.cost - 1);
  excess.fewestSplits.push(fewest / plan.cost - 1);
}
