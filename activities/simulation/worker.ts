import { parentPort } from 'node:worker_threads';
import { inflateRawSync } from 'node:zlib';
import type { InstancePolicy } from '../../domain/routing/model.ts';
import { Simulation } from '../../domain/simulation/simulate.ts';
import type { SimulationInput, SimulationResult } from '../../domain/simulation/model.ts';

/** `input`: deflated JSON of a SimulationInput: unpacked here, not where orders wait. */
export type SimulationTask = { input: Uint8Array; policy: InstancePolicy };
export type SimulationNews = { simulated: number; result: SimulationResult | null };

/** Orders between two signs of life. */
const STEP = 200;

// One task after the other: whoever has one more sends it when the last one is over.
parentPort?.on('message', ({ input, policy }: SimulationTask) => {
  const simulation = new Simulation(JSON.parse(inflateRawSync(input).toString()) as SimulationInput, policy);
  for (let more = true; more;) {
    more = simulation.run(STEP);
    const news: SimulationNews = { simulated: simulation.orders, result: more ? null : simulation.result() };
    parentPort?.postMessage(news);
  }
});
