import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startApi } from '../support/api.ts';
import { startGround, type Ground } from '../support/ground.ts';
import { fill } from './fill.ts';

const run = promisify(execFile);
const CONNECTIONS = 96;
const SKUS = 200;
const ORDERS = 30_000;
const TURNS = 5;
type Load = { seconds: number };

/** Capture over HTTP on empty tables, then on tables with millions of orders and movements, in the same run; the rate on empty tables is taken before and after. */
export async function growth(args: string[]): Promise<Record<string, unknown>> {
  const orders = Number(args[0] ?? 2_000_000);
  const movements = Number(args[1] ?? 20_000_000);
  const options = { locations: 17, skus: SKUS, stock: 1_000_000 };
  const empty = await startGround(options);
  let full: Ground | null = null;
  try {
    full = await startGround(options);
    await fill(full.pool, orders, movements, (text) => { console.log(text); });
    const rates: Record<'empty' | 'full', number[]> = { empty: [], full: [] };
    let first = 1;
    // Turn by turn: what the machine does meanwhile hits both.
    for (const name of Array.from({ length: TURNS }, () => ['empty', 'full'] as const).flat()) {
      const ground = name === 'empty' ? empty : full;
      const api = await startApi(ground.env);
      const load = async (count: number): Promise<Load> => {
        const { stdout } = await run(process.execPath, ['--import', 'tsx', fileURLToPath(new URL('../capture/load.ts', import.meta.url)),
          JSON.stringify([[api.port], ground.key, CONNECTIONS, count, first, SKUS, ground.cities])], { maxBuffer: 1e8 });
        first += count;
        return JSON.parse(stdout.trim().split('\n').at(-1) as string) as Load;
      };
      await load(5_000);
      rates[name].push(ORDERS / (await load(ORDERS)).seconds);
      await api.stop();
    }
    const middle = { empty: median(rates.empty), full: median(rates.full) };
    const { rows: [size] } = await full.pool.query<{ orders: number; movements: number; gb: number }>(
      'select (select count(*) from orders) orders, (select count(*) from stock_movements) movements, pg_database_size(current_database()) / 1e9 gb');
    return {
      bench: 'growth', orders: Number(size?.orders), movements: Number(size?.movements), databaseGb: Math.round(Number(size?.gb) * 10) / 10, emptyPerSecond: Math.round(middle.empty), fullPerSecond: Math.round(middle.full),
      rateRatio: Math.round((middle.full / middle.empty) * 1000) / 1000, runs: { empty: rates.empty.map(Math.round), full: rates.full.map(Math.round) }, calibration: empty.calibration,
    };
  } finally {
    await full?.stop();
    await empty.stop();
  }
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
