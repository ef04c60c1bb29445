import { parentPort, workerData } from 'node:worker_threads';
import type { InstancePolicy } from '../../domain/routing/model.ts';
import { Simulation } from '../../domain/simulation/simulate.ts';
import type { SimulationInput, SimulationResult } from '../../domain/simulation/model.ts';

export type Task = { input: SimulationInput; policy: InstancePolicy };
export type Done = { policy: string; orders: number; ms: number; result: SimulationResult };

const { input, policy } = workerData as Task;
const started = performance.now();
const simulation = new Simulation(input, policy);
simulation.run(Number.POSITIVE_INFINITY);
const done: Done = { policy: policy.code, orders: simulation.orders, ms: performance.now() - started, result: simulation.result() };
parentPort?.postMessage(done);
