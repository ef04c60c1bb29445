import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startApi } from '../support/api.ts';
import { residentMb } from '../support/cpu.ts';
import { startGround } from '../support/ground.ts';
import { fill } from './fill.ts';

const run = promisify(execFile);
const PER_REQUEST = 100;
const LEVELS_PER_SKU = 50;
const CONNECTIONS = 2;
const LOOKUPS = 24_000; // a second, paced: latency is told at this load
const CHANGES = 2_000;
const SETTLE_MS = 4_000;

/**
 * `GET /v1/availability` of one API process while 2,000 levels a second change: SKUs asked about (100 a request, each with all its levels and sharing rules at a
 * tenth of the locations), latency, and the lag from the commit of a change to the answer that shows it. Arguments: SKUs, locations, seconds of each load.
 */
export async function availability(args: string[]): Promise<Record<string, unknown>> {
  const skus = Number(args[0] ?? 100_000);
  const locations = Number(args[1] ?? 500);
  const seconds = Number(args[2] ?? 30);
  const levels = skus * Math.min(LEVELS_PER_SKU, locations);
  let stopApi = (): Promise<void> => Promise.resolve();
  const ground = await startGround({ locations: Math.min(6, locations), skus: 1, stock: 0 });
  try {
    await fill(ground.url, skus, locations, levels, (text) => { console.log(text); });
    await ground.pool.query(
      `insert into sharing_rules (location_id, mode, value) select id, case when id % 20 = 0 then 'cap' else 'percent' end, 50 from locations where id % 10 = 0`);
    const { rows: [marker] } = await ground.pool.query<{ id: number; count: number }>('select max(id) id, count(*) count from stock_levels where on_hand > 0');
    if (!marker) throw new Error('no level was written');
    const starting = performance.now();
    const api = await startApi(ground.env);
    stopApi = () => api.stop();
    const startSeconds = (performance.now() - starting) / 1000;
    const pid = api.process.pid ?? 0;
    console.log(`API started in ${startSeconds.toFixed(1)} s with ${residentMb(pid)} MB`);
    type Load = { seconds: number; requests: number; failed: number; p50: number; p99: number; max: number };
    const load = async (requests: number, rate: number, seed: number): Promise<Load> => {
      const { stdout } = await run(process.execPath, ['--import', 'tsx', fileURLToPath(new URL('load.ts', import.meta.url)),
        JSON.stringify([api.port, ground.key, skus, PER_REQUEST, CONNECTIONS, requests, rate, seed])], { maxBuffer: 1e8 });
      return JSON.parse(stdout.trim().split('\n').at(-1) as string) as Load;
    };
    await load(Math.ceil(skus / PER_REQUEST), 0, 0);
    await load(2_000, 0, 1);
    const changing = run(process.execPath, ['--import', 'tsx', fileURLToPath(new URL('changes.ts', import.meta.url)),
      JSON.stringify([ground.url, api.port, ground.key, marker.id, 'MARKER', marker.id - 1, CHANGES, 2 * seconds + 15])], { maxBuffer: 1e8 });
    changing.catch(() => undefined); // told below
    await delay(SETTLE_MS); // a process that starts takes the cores from the others
    const paced = await load((LOOKUPS / PER_REQUEST) * seconds, LOOKUPS, 2);
    console.log(`paced: ${paced.requests} requests in ${paced.seconds.toFixed(1)} s, p99 ${paced.p99.toFixed(1)} ms, slowest ${paced.max.toFixed(1)} ms`);
    const most = await load((LOOKUPS / PER_REQUEST) * seconds, 0, 3);
    console.log(`as fast as it goes: ${most.requests} requests in ${most.seconds.toFixed(1)} s, p99 ${most.p99.toFixed(1)} ms`);
    const changes = JSON.parse((await changing).stdout.trim().split('\n').at(-1) as string) as { changesPerSecond: number; probes: number; p50: number; max: number };
    const rssMb = residentMb(pid);
    await stopApi();
    return {
      bench: 'availability', skus, locations, levels: Number(marker.count), skusPerRequest: PER_REQUEST,
      lookupsPerSecond: Math.round((paced.requests * PER_REQUEST) / paced.seconds), requestsPerSecond: Math.round(paced.requests / paced.seconds), p50Ms: round(paced.p50), p99Ms: round(paced.p99),
      slowestMs: round(paced.max), mostLookupsPerSecond: Math.round((most.requests * PER_REQUEST) / most.seconds), mostP99Ms: round(most.p99), failed: paced.failed + most.failed,
      lagMs: Math.round(changes.max), lagP50Ms: Math.round(changes.p50), lagProbes: changes.probes, changesPerSecond: Math.round(changes.changesPerSecond), rssMb, startSeconds: round(startSeconds),
      calibration: ground.calibration,
    };
  } finally {
    await stopApi();
    await ground.stop();
  }
}

const round = (n: number): number => Math.round(n * 100) / 100;
