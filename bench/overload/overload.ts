import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startApi } from '../support/api.ts';
import { startGround } from '../support/ground.ts';

const run = promisify(execFile);
const SKUS = 200;
const CONNECTIONS = 200;
const SECONDS = 8;
type Load = { perSecond: number; offered: number; refused: number; p99: number; refusalP99: number; refusalMax: number };

/** Orders captured a second at the load that gives the peak (200 connections, each sending as soon as it is answered), and at ten times as many connections, all opened beforehand. */
export async function overload(args: string[]): Promise<Record<string, unknown>> {
  const connections = Number(args[0] ?? CONNECTIONS);
  const ground = await startGround({ locations: 17, skus: SKUS, stock: 100_000 });
  try {
    const api = await startApi(ground.env);
    const load = async (count: number, seconds: number, first: number): Promise<Load> => {
      const { stdout } = await run(process.execPath, ['--import', 'tsx', fileURLToPath(new URL('load.ts', import.meta.url)), JSON.stringify([api.port, ground.key, ground.cities, SKUS, count, seconds, first])], { maxBuffer: 1e8 });
      return JSON.parse(stdout.trim().split('\n').at(-1) as string) as Load;
    };
    await load(connections, 3, 1);
    // Peak before and after, so that a machine that slows down meanwhile is not taken for overload.
    const before = await load(connections, SECONDS, 1_000_000);
    const over = await load(connections * 10, SECONDS, 10_000_000);
    const after = await load(connections, SECONDS, 20_000_000);
    await api.stop();
    const peak = (before.perSecond + after.perSecond) / 2;
    return {
      bench: 'overload', connections, peakPerSecond: Math.round(peak), peaks: [Math.round(before.perSecond), Math.round(after.perSecond)], goodputPerSecond: Math.round(over.perSecond),
      goodputRatio: Math.round((over.perSecond / peak) * 1000) / 1000, offeredPerSecond: Math.round(over.offered), refused: over.refused, refusalP99Ms: Math.round(over.refusalP99 * 10) / 10,
      refusalMaxMs: Math.round(over.refusalMax), capturedP99Ms: Math.round(over.p99), peakP99Ms: Math.round(before.p99), calibration: ground.calibration,
    };
  } finally {
    await ground.stop();
  }
}
