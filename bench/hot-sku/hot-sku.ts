import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startApi } from '../support/api.ts';
import { startGround } from '../support/ground.ts';
import { conditionalUpdate, unitRows } from './rivals.ts';

const run = promisify(execFile);
const CONNECTIONS = 96;
const BATCH_CONNECTIONS = 4;
const BATCH_ORDERS = 20;
const BATCH_LINES = 100;

/**
 * One SKU takes the whole load: single orders of one line; then wholesale orders of 100 lines, 20 a batch request (a reservation a line). Beside them, in the
 * same run, the two usual ways without group commit: one conditional UPDATE each, and a row for each unit with SKIP LOCKED.
 */
export async function hotSku(args: string[]): Promise<Record<string, unknown>> {
  const orders = Number(args[0] ?? 40_000);
  const batches = Number(args[1] ?? 100);
  const ground = await startGround({ locations: 17, skus: 1, stock: 10_000_000 });
  try {
    const api = await startApi(ground.env);
    type Load = { seconds: number; captured: number; p50: number; p99: number };
    const load = async (kind: 'single' | 'batch', connections: number, requests: number, first: number): Promise<Load> => {
      const { stdout } = await run(process.execPath, ['--import', 'tsx', fileURLToPath(new URL('load.ts', import.meta.url)),
        JSON.stringify([api.port, ground.key, ground.cities, kind, connections, requests, first, BATCH_ORDERS, kind === 'single' ? 1 : BATCH_LINES])], { maxBuffer: 1e8 });
      return JSON.parse(stdout.trim().split('\n').at(-1) as string) as Load;
    };
    await load('single', CONNECTIONS, Math.ceil(orders / 6), 1);
    const single = await load('single', CONNECTIONS, orders, 1_000_000);
    console.log(`single: ${single.captured} orders in ${single.seconds.toFixed(2)} s`);
    await load('batch', BATCH_CONNECTIONS, Math.ceil(batches / 6), 10_000_000);
    const batch = await load('batch', BATCH_CONNECTIONS, batches, 20_000_000);
    console.log(`batch: ${batch.captured} orders of ${BATCH_LINES} lines in ${batch.seconds.toFixed(2)} s`);
    await api.stop();
    const { rows: [row] } = await ground.pool.query<{ drift: number }>(
      `select (select sum(reserved) from stock_levels) - (select sum(quantity) from reservations where status in ('held', 'confirmed')) drift`);
    return {
      bench: 'hot-sku', ordersPerSecond: Math.round(single.captured / single.seconds), p50Ms: round(single.p50), p99Ms: round(single.p99),
      batchReservationsPerSecond: Math.round((batch.captured * BATCH_LINES) / batch.seconds), batchOrders: batch.captured, batchLines: BATCH_LINES, batchP99Ms: round(batch.p99),
      conditionalUpdatePerSecond: Math.round(await conditionalUpdate(ground.url, 8, 4)), conditionalUpdate90ConnectionsPerSecond: Math.round(await conditionalUpdate(ground.url, 90, 4)),
      skipLockedPerSecond: Math.round(await unitRows(ground.url, 8, 4)), reservedDrift: Number(row?.drift), calibration: ground.calibration,
    };
  } finally {
    await ground.stop();
  }
}

const round = (n: number): number => Math.round(n * 100) / 100;
