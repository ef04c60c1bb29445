import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { connectTemporal } from '../../runtime/temporal-client.ts';
import { commandLine, endProcess, freePort, isAlive, readJson, tailOf, waitUntil, withLock, writeFileAtomic } from './process.ts';

export { findTemporal } from './find-temporal.ts';

const startTimeoutMs = 60_000;

export interface TemporalOptions {
  /** The dev server's binary, from `findTemporal()`. */
  readonly binary: string;
  /** Its database, log and record lie here: `temporal.db`, `temporal.log`, `temporal.json`. */
  readonly dataDir: string;
  /** Preferred ports of 127.0.0.1; others are taken when they are busy. */
  readonly port?: number;
  readonly uiPort?: number;
  /** false: no web UI. */
  readonly ui?: boolean;
  readonly onMessage?: (message: string) => void;
}

export interface RunningTemporal {
  readonly address: string;
  readonly uiUrl?: string;
  readonly pid: number;
  readonly adopted: boolean;
  /** Resolves when the server is gone. */
  stop(): Promise<void>;
}

interface Running {
  readonly pid: number;
  readonly port: number;
  readonly uiPort: number;
}

/** The defaults protect a shared cluster; one machine's own server may be asked more often. */
const dynamicConfig = {
  'frontend.namespaceRPS': 20_000,
  'frontend.namespaceRPS.visibility': 100,
  'frontend.globalNamespaceRPS.visibility': 100,
  'system.enableEagerWorkflowStart': true,
  // An activity that a workflow task schedules comes back with its answer, instead of by way of the task queue.
  'system.enableActivityEagerExecution': true,
};

const isReachable = async (port: number): Promise<boolean> => {
  try {
    const connection = await connectTemporal(`127.0.0.1:${port}`, 0);
    await connection.close();
    return true;
  } catch {
    return false; // not (yet) there: what we want to know
  }
};

/** Our dev server of an earlier run, told from any other process of that number by the database on its command line. */
async function adopt(record: string, database: string, tell: (message: string) => void): Promise<Running | undefined> {
  const left = readJson<Running>(record);
  if (left === undefined || !isAlive(left.pid)) return undefined;
  const command = commandLine(left.pid);
  if (command !== '' && !command.includes(database)) return undefined;
  if (await waitUntil(() => isReachable(left.port), 5000, 100)) return left;
  tell(`stopping a Temporal dev server left by an earlier run (process ${left.pid}), it does not answer`);
  await endProcess(left.pid, 'SIGINT', 10_000);
  return undefined;
}

async function launch(options: TemporalOptions, database: string, logFile: string): Promise<Running> {
  const port = await freePort(options.port ?? 0);
  const uiPort = options.ui === false ? 0 : await freePort(options.uiPort ?? 0);
  const log = openSync(logFile, 'a', 0o600);
  const logFrom = statSync(logFile).size;
  const child = spawn(options.binary, [
    'server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), ...(uiPort === 0 ? ['--headless'] : ['--ui-ip', '127.0.0.1', '--ui-port', String(uiPort)]),
    '--db-filename', database, '--log-format', 'json', '--log-level', 'error',
    ...Object.entries(dynamicConfig).flatMap(([key, value]) => ['--dynamic-config-value', `${key}=${JSON.stringify(value)}`]),
  ], { detached: true, stdio: ['ignore', log, log], cwd: options.dataDir });
  closeSync(log);
  let ended: string | undefined;
  child.once('error', (error) => (ended = error.message));
  child.once('exit', (code, by) => (ended = by ?? `exit code ${code ?? '?'}`));
  child.unref();
  await waitUntil(async () => ended !== undefined || (await isReachable(port)), startTimeoutMs, 100);
  if (ended === undefined && child.pid !== undefined && (await isReachable(port))) return { pid: child.pid, port, uiPort };
  if (ended === undefined && child.pid !== undefined) await endProcess(child.pid, 'SIGINT', 10_000);
  throw new Error(`the Temporal dev server did not start (${ended ?? `no answer within ${startTimeoutMs / 1000} s`}):\n${tailOf(logFile, logFrom)}`);
}

/**
 * Starts Temporal's dev server on a file, bound to 127.0.0.1, or adopts the one an earlier run left; it outlives this
 * process until `stop()`.
 * @throws Error when it does not come up, with the end of its log.
 */
export async function startTemporal(options: TemporalOptions): Promise<RunningTemporal> {
  const tell = options.onMessage ?? ((): void => undefined);
  const dataDir = resolve(options.dataDir);
  mkdirSync(dataDir, { recursive: true });
  const database = join(dataDir, 'temporal.db');
  const record = join(dataDir, 'temporal.json');
  return withLock(join(dataDir, 'temporal.lock'), startTimeoutMs, async () => {
    const adopted = await adopt(record, database, tell);
    const running = adopted ?? (await launch({ ...options, dataDir }, database, join(dataDir, 'temporal.log')));
    writeFileAtomic(record, JSON.stringify(running));
    return {
      address: `127.0.0.1:${running.port}`,
      ...(running.uiPort === 0 ? {} : { uiUrl: `http://localhost:${running.uiPort}` }),
      pid: running.pid,
      adopted: adopted !== undefined,
      async stop() {
        await endProcess(running.pid, 'SIGINT', 30_000);
        rmSync(record, { force: true });
      },
    };
  });
}
