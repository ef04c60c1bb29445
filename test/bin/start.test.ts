import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { commandLine, isAlive, signal, waitUntil } from '../../bin/embedded/process.ts';
import { killStarted, startNode, stillRunning } from '../support/processes.ts';
import type { TestProcess } from '../support/processes.ts';
import { runDirectory } from '../support/shared-server.ts';

let data: string;
const anyPort = { API_PORT: '0', TEMPORAL_UI_PORT: '0', TEMPORAL_PORT: '0', POSTGRES_PORT: '0', WORKER_METRICS_PORT: '0', WMS_PORT: '0', CARRIER_PORT: '0' };

const start = (): TestProcess =>
  startNode('bin/start.ts', { args: ['--empty'], env: { ...anyPort, TRIBUTARY_DATA: data, DATABASE_URL: undefined, TEMPORAL_ADDRESS: undefined, VAULT_KEY: undefined } });

const pidIn = (file: string): number => (JSON.parse(readFileSync(join(data, file), 'utf8')) as { pid: number }).pid;
const postgresPid = (): number => Number(readFileSync(join(data, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]);
/** API, worker, Temporal, PostgreSQL */
const everybody = (): number[] => [pidIn('children/api.json'), pidIn('children/worker.json'), pidIn('temporal/temporal.json'), postgresPid()];

async function ready(process: TestProcess): Promise<{ docs: string; ui: string; key: string }> {
  await process.waitForOutput(/^Orders: none yet$/m, 150_000);
  const [, docs = '', ui = '', key = ''] = await process.waitForOutput(/^API docs: (\S+)\nTemporal UI: (\S+)\nAPI key: (\S+)$/m);
  return { docs, ui, key };
}

beforeEach(() => {
  data = mkdtempSync(join(runDirectory(), 'start-'));
  chmodSync(data, 0o711);
});
afterEach(async () => {
  await killStarted();
  // A failed test may leave servers behind: they have our directory on their command line.
  for (const read of [...['children/api.json', 'children/worker.json', 'temporal/temporal.json'].map((file) => () => pidIn(file)), postgresPid]) {
    let pid: number;
    try {
      pid = read();
    } catch {
      continue; // it has taken its record away, as it should
    }
    if (/node|temporal|postgres/.test(commandLine(pid))) signal(pid, 'SIGKILL');
    await waitUntil(() => !isAlive(pid), 10_000);
  }
  rmSync(data, { recursive: true, force: true });
});

it('brings the whole system up, and down again in order, leaving nothing', async () => {
  const process = start();
  const { docs, ui, key } = await ready(process);
  expect((await fetch(docs)).status).toBe(200);
  expect((await fetch(ui)).status).toBe(200);
  const summary = await fetch(new URL('/v1/orders/summary', docs), { headers: { authorization: `Bearer ${key}` } });
  expect(summary.status).toBe(200);
  expect([statSync(join(data, 'keys.json')).mode & 0o777, statSync(join(data, 'vault.key')).mode & 0o777]).toEqual([0o600, 0o600]);
  const pids = everybody();

  const second = start();
  expect(await second.exited).toEqual({ code: 1, signal: null });
  expect(second.output()).toContain(`Tributary already runs on ${data} (process ${process.pid})`);

  signal(process.pid, 'SIGINT');
  expect(await process.exited).toEqual({ code: 0, signal: null });
  expect(stillRunning(pids)).toEqual([]);
  expect(process.output()).toMatch(/stopping: API, worker, simulators, Temporal, PostgreSQL .*\nstopped\n$/);
}, 240_000);

it('goes on after kill -9: adopts the servers, replaces API and worker, keeps ports and keys', async () => {
  const first = start();
  const before = await ready(first);
  const [api, worker, temporal, postgres] = everybody();
  await first.kill();

  const second = start();
  expect(await ready(second)).toEqual(before);
  const after = everybody();
  expect(after.slice(2)).toEqual([temporal, postgres]);
  expect(stillRunning([api ?? 0, worker ?? 0])).toEqual([]);
  expect(await second.stop(60_000)).toEqual({ code: 0, signal: null });
  expect(stillRunning(after)).toEqual([]);
}, 240_000);
