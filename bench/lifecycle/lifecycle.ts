import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { orderWorkflowId } from '../../workflows/contract/ids.ts';
import { orderBody } from '../seed.ts';
import { calibrate } from '../support/calibration.ts';
import { cpuMs } from '../support/cpu.ts';
import { seeded } from '../support/random.ts';
import { NAMESPACE, startStack, waitFor, type Stack } from '../support/stack.ts';

const SKUS = 100;

/** Orders over the API, through two simulators, to closed; CPU of Temporal, worker and PostgreSQL per order over that of an empty workflow. */
export async function lifecycle(args: string[]): Promise<Record<string, unknown>> {
  const orders = Number(args[0] ?? 400);
  const stack = await startStack({ locations: 6, skus: SKUS, stock: 10_000, returnWindowS: 0, speed: 500_000 });
  try {
    const calibration = await calibrate(stack.postgres.url);
    const floor = await emptyWorkflows(stack, orders);
    const worker = await stack.startWorker();
    const workerPid = worker.process.pid ?? 0;
    await run(stack, Math.min(100, orders), 0);
    // The state of a database in use: without it the plans of the first minute are those of empty tables.
    await stack.pool.query('analyze');
    const before = { temporal: cpuMs(stack.temporal.pid), worker: cpuMs(workerPid), database: cpuMs(stack.postgres.pid), api: cpuMs(stack.api.process.pid ?? 0) };
    const started = performance.now();
    const ids = await run(stack, orders, 1_000_000);
    const seconds = (performance.now() - started) / 1000;
    const cpu = {
      temporal: cpuMs(stack.temporal.pid) - before.temporal, worker: cpuMs(workerPid) - before.worker, database: cpuMs(stack.postgres.pid) - before.database,
    };
    const api = cpuMs(stack.api.process.pid ?? 0) - before.api;
    const perOrder = (cpu.temporal + cpu.worker + cpu.database) / orders;
    const events = await historyEvents(stack, ids.slice(0, 25));
    const round = (n: number): number => Math.round(n * 100) / 100;
    return {
      bench: 'lifecycle', orders, cpuRatio: round(perOrder / floor), cpuRatioWithApi: round((perOrder + api / orders) / floor), historyEvents: Math.max(...events),
      ordersPerSecond: round(orders / seconds), cpuMsPerOrder: round(perOrder), emptyWorkflowCpuMs: round(floor),
      split: { temporal: round(cpu.temporal / orders), worker: round(cpu.worker / orders), database: round(cpu.database / orders), api: round(api / orders) }, calibration,
    };
  } finally {
    await stack.stop();
  }
}

/** Submits orders, sixteen at a time, and waits until all are closed. Returns their ids. */
async function run(stack: Stack, count: number, first: number): Promise<string[]> {
  const random = seeded(first);
  const closed = (await stack.pool.query<{ n: number }>(`select count(*) n from orders where status = 'closed'`)).rows[0]?.n ?? 0;
  const ids: string[] = [];
  let next = 0;
  await Promise.all(Array.from({ length: 16 }, async () => {
    while (next < count) {
      const body = { ...orderBody(first + next++, SKUS, stack.cities, random) };
      const answer = await fetch(`http://127.0.0.1:${stack.api.port}/v1/orders`, {
        method: 'POST', headers: { authorization: `Bearer ${stack.key}`, 'content-type': 'application/json' }, body: JSON.stringify(body),
      });
      if (answer.status !== 201) throw new Error(`order refused: ${await answer.text()}`);
      ids.push(((await answer.json()) as { id: string }).id);
    }
  }));
  await waitFor(stack.pool, `select count(*) n from orders where status = 'closed'`, closed + count, (n) => { console.log(`closed: ${n - closed} of ${count}`); });
  return ids;
}

/** CPU ms of Temporal and worker for one empty workflow. */
async function emptyWorkflows(stack: Stack, count: number): Promise<number> {
  const child = fork(fileURLToPath(new URL('empty-worker.ts', import.meta.url)), { env: { ...process.env, ...stack.env }, execArgv: ['--import', 'tsx'], silent: true });
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => { if (chunk.toString().includes('ready on')) resolve(); });
    child.once('exit', (code) => { reject(new Error(`the empty worker ended with ${code}`)); });
  });
  const round = (n: number): Promise<void> => new Promise((resolve) => {
    child.once('message', () => { resolve(); });
    child.send(n);
  });
  await round(100);
  const before = cpuMs(stack.temporal.pid) + cpuMs(child.pid ?? 0);
  await round(count);
  const each = (cpuMs(stack.temporal.pid) + cpuMs(child.pid ?? 0) - before) / count;
  const ended = new Promise((resolve) => { child.once('exit', resolve); });
  child.kill('SIGTERM');
  await ended;
  return each;
}

async function historyEvents(stack: Stack, ids: readonly string[]): Promise<number[]> {
  const connection = await Connection.connect({ address: stack.temporal.address });
  const client = new Client({ connection, namespace: NAMESPACE });
  const counts: number[] = [];
  for (const id of ids) {
    const description = await client.workflow.getHandle(orderWorkflowId(id)).describe();
    counts.push(Number(description.historyLength));
  }
  await connection.close();
  return counts;
}
