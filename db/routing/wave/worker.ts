import { parentPort, workerData } from 'node:worker_threads';
import type { WaveInstance } from '../../../domain/routing/wave/model.ts';
import { solveWave } from '../../../domain/routing/wave/solve.ts';
import { openHighs } from '../../../runtime/highs.ts';

export type WaveTask = { wave: WaveInstance; seconds: number; gap: number };

const { wave, seconds, gap } = workerData as WaveTask;
parentPort?.postMessage(solveWave(wave, { solve: await openHighs(), now: () => performance.now(), seconds, gap }));
