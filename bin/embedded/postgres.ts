import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, closeSync, existsSync, lchownSync, mkdirSync, mkdtempSync, openSync, readFileSync, realpathSync, renameSync, rmSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import pg from 'pg';
import { findPostgres } from './postgres-binaries.ts';
import type { PostgresBinaries } from './postgres-binaries.ts';
import { canEnter, publicDirectory, readableBinaries, unprivilegedUser } from './postgres-user.ts';
import type { RunAs } from './postgres-user.ts';
import { commandLine, endProcess, freePort, hasCode, isAlive, signal, tailOf, waitUntil, withLock, writeFileAtomic } from './process.ts';

/** The superuser of the embedded cluster. */
const superuser = 'tributary';
const startTimeoutMs = 60_000;
const stopTimeoutMs = 60_000;

export interface PostgresOptions {
  /** Where the cluster lives; made when missing. The password and the log lie beside it (`<dataDir>.password`, `<dataDir>.log`). */
  readonly dataDir: string;
  /** Preferred port of 127.0.0.1; another one is taken when it is busy. 0 or none: any. */
  readonly port?: number;
  /** The database the url points to; made when missing. Default `tributary`. */
  readonly database?: string;
  /** false only for tests: a power failure may then destroy the cluster; kill -9 still loses nothing committed. */
  readonly fsync?: boolean;
  /** More server settings, `name: value`. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly onMessage?: (message: string) => void;
}

export interface RunningPostgres {
  /** postgres://user:password@127.0.0.1:port/database */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** True when it was already running. */
  readonly adopted: boolean;
  /** Fast shutdown; resolves when the server and its processes are gone. */
  stop(): Promise<void>;
}

interface Cluster {
  readonly dataDir: string;
  readonly passwordFile: string;
  readonly logFile: string;
  readonly user: RunAs | undefined;
}

/** The password of the cluster, kept beside it for its owner only. */
function password(cluster: Cluster): string {
  return readFileSync(cluster.passwordFile, 'utf8').trim();
}

function urlOf(cluster: Cluster, port: number, database: string): string {
  return `postgres://${superuser}:${password(cluster)}@127.0.0.1:${port}/${database}`;
}

/** Makes a new cluster; it appears under its name only when complete, so an interrupted initdb is simply repeated. */
function initialise(cluster: Cluster, binaries: PostgresBinaries, fsync: boolean): void {
  const staging = `${cluster.dataDir}.init`;
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true, mode: 0o700 });
  const data = join(staging, 'data');
  const secret = join(staging, 'password');
  mkdirSync(data, { mode: 0o700 });
  writeFileAtomic(cluster.passwordFile, `${randomBytes(24).toString('base64url')}\n`);
  writeFileSync(secret, password(cluster), { mode: 0o600 });
  if (cluster.user !== undefined) for (const path of [staging, data, secret]) chownSync(path, cluster.user.uid, cluster.user.gid);
  const made = spawnSync(binaries.initdb, [
    '-D', data, '-U', superuser, `--pwfile=${secret}`, '--auth=scram-sha-256', '--encoding=UTF8',
    '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-instructions', ...(fsync ? [] : ['--no-sync']),
  ], { ...cluster.user, cwd: staging, env: environment(), encoding: 'utf8' });
  if (made.status !== 0) {
    throw new Error(`initdb failed (${made.signal ?? made.status ?? 'not started'}): ${made.error?.message ?? ''}${made.stderr}`, { cause: made.error });
  }
  renameSync(data, cluster.dataDir);
  rmSync(staging, { recursive: true, force: true });
}

/** PG* variables of the caller must not reach the server or initdb. */
function environment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(([name]) => !/^(PG|LC_|LANG)/.test(name));
  return { ...Object.fromEntries(entries), LC_ALL: 'C', TZ: 'UTC' };
}

/** pid and port of `postmaster.pid`; undefined when there is none or it is being written. */
function postmaster(dataDir: string): { pid: number; port: number } | undefined {
  try {
    const lines = readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n');
    const [pid, port] = [Number(lines[0]), Number(lines[3])];
    return Number.isInteger(pid) && pid > 0 && Number.isInteger(port) ? { pid, port } : undefined;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Whether a server of this very cluster answers. 57P03: it is still starting, 53300: it is full (but alive). */
async function answers(cluster: Cluster, port: number): Promise<boolean> {
  const client = new pg.Client({ connectionString: urlOf(cluster, port, 'postgres'), connectionTimeoutMillis: 2000 });
  client.on('error', () => undefined); // a server that goes away is reported by the query
  try {
    await client.connect();
    const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory');
    return rows[0] !== undefined && realpathSync(rows[0].data_directory) === realpathSync(cluster.dataDir);
  } catch (error) {
    if (hasCode(error, '28P01', '28000')) return false; // somebody else's server
    if (hasCode(error, '57P03', '53300', 'ECONNREFUSED', 'ECONNRESET', '57P01') || /timeout|terminated/i.test(String(error))) return false;
    throw error;
  } finally {
    await client.end();
  }
}

/**
 * Looks at what an earlier run left: a server that answers is adopted; one that is starting is waited for; a stale
 * pid file whose number belongs to another program is removed (PostgreSQL itself would refuse to start).
 */
async function adopt(cluster: Cluster, wantedPort: number, tell: (message: string) => void): Promise<{ pid: number; port: number } | undefined> {
  const left = postmaster(cluster.dataDir);
  if (left === undefined) return undefined;
  if (!isAlive(left.pid)) return undefined; // PostgreSQL removes such a file itself, after checking its shared memory
  const command = commandLine(left.pid);
  if (command !== '' && !command.includes('postgres')) {
    tell(`removing a stale postmaster.pid: process ${left.pid} is not PostgreSQL`);
    unlinkSync(join(cluster.dataDir, 'postmaster.pid'));
    return undefined;
  }
  const ready = await waitUntil(async () => !isAlive(left.pid) || (await answers(cluster, left.port)), 30_000, 100);
  if (!isAlive(left.pid)) return undefined;
  if (ready && (wantedPort === 0 || wantedPort === left.port)) return left;
  tell(`stopping the PostgreSQL left by an earlier run (process ${left.pid}, port ${left.port})`);
  await endPostmaster(left.pid);
  return undefined;
}

/** SIGINT is PostgreSQL's fast shutdown; SIGQUIT the immediate one, safe but with recovery at the next start. Never SIGKILL. */
async function endPostmaster(pid: number): Promise<void> {
  signal(pid, 'SIGINT');
  if (await waitUntil(() => !isAlive(pid), stopTimeoutMs)) return;
  await endProcess(pid, 'SIGQUIT', 10_000);
}

/** A root-only home above the data directory keeps PostgreSQL's user out: the cluster then lies in a public place behind a link. */
function reachable(dataDir: string, user: RunAs | undefined, tell: (message: string) => void): string {
  const parent = dirname(dataDir);
  mkdirSync(parent, { recursive: true });
  if (existsSync(dataDir)) return realpathSync(dataDir);
  if (user === undefined || canEnter(user, parent)) return join(realpathSync(parent), dataDir.slice(parent.length + 1));
  const home = mkdtempSync(join(publicDirectory(), 'cluster-'));
  chmodSync(home, 0o755);
  rmSync(dataDir, { force: true }); // a link whose cluster is gone
  symlinkSync(join(home, 'data'), dataDir);
  lchownSync(dataDir, 0, 0);
  tell(`${parent} is closed to PostgreSQL's user ${user.uid}; the database lies in ${home}`);
  return join(home, 'data');
}

/** The user a cluster belongs to when it exists, else the one we choose. */
function ownerOf(dataDir: string): RunAs | undefined {
  if (process.getuid?.() !== 0 || !existsSync(join(dataDir, 'PG_VERSION'))) return unprivilegedUser();
  const { uid, gid } = statSync(join(dataDir, 'PG_VERSION'));
  if (uid === 0) throw new Error(`${dataDir} belongs to root, and PostgreSQL does not run as root`);
  return { uid, gid };
}

/** Starts the server and waits until it accepts connections; throws with the end of its log when it does not. */
async function launch(cluster: Cluster, binaries: PostgresBinaries, port: number, options: PostgresOptions): Promise<number> {
  const fsync = options.fsync ?? true;
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1', port: String(port), unix_socket_directories: '', timezone: 'UTC', log_timezone: 'UTC',
    logging_collector: 'off', autovacuum_naptime: '15s', fsync: fsync ? 'on' : 'off', ...(fsync ? {} : { full_page_writes: 'off' }),
    ...options.settings,
  };
  const log = openSync(cluster.logFile, 'a', 0o600);
  const logFrom = statSync(cluster.logFile).size;
  const child = spawn(binaries.postgres, ['-D', cluster.dataDir, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])], {
    ...cluster.user, cwd: cluster.dataDir, env: environment(), detached: true, stdio: ['ignore', log, log],
  });
  closeSync(log);
  let ended: string | undefined;
  child.once('error', (error) => (ended = error.message));
  child.once('exit', (code, by) => (ended = by ?? `exit code ${code ?? '?'}`));
  child.unref();
  const ready = await waitUntil(async () => ended !== undefined || (await answers(cluster, port)), startTimeoutMs, 50);
  if (ready && ended === undefined && child.pid !== undefined) return child.pid;
  if (child.pid !== undefined && ended === undefined) await endPostmaster(child.pid);
  throw new Error(`PostgreSQL did not start (${ended ?? `not ready after ${startTimeoutMs / 1000} s`}):\n${tailOf(cluster.logFile, logFrom)}`);
}

/** After kill -9 of the server its children need a moment to notice and to let go of the shared memory and the port; until it is reaped, its own pid still counts as running. */
async function launchPatiently(cluster: Cluster, binaries: PostgresBinaries, options: PostgresOptions): Promise<{ pid: number; port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort(options.port ?? 0);
    try {
      return { pid: await launch(cluster, binaries, port, options), port };
    } catch (error) {
      if (attempt === 20 || !/pre-existing shared memory|Address already in use|lock file "postmaster.pid" already exists/.test(String(error))) throw error;
      await waitUntil(() => false, 500);
    }
  }
}

async function ensureDatabase(cluster: Cluster, port: number, database: string): Promise<void> {
  const client = new pg.Client({ connectionString: urlOf(cluster, port, 'postgres') });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [database]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${pg.escapeIdentifier(database)}`);
  } finally {
    await client.end();
  }
}

/**
 * Starts the embedded PostgreSQL, or adopts the one an earlier run left; it outlives this process until `stop()`.
 * @throws Error when its binaries are missing, no user can run it, or it does not come up (with the end of its log).
 */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const tell = options.onMessage ?? ((): void => undefined);
  const wanted = resolve(options.dataDir);
  const database = options.database ?? 'tributary';
  return withLock(`${wanted}.lock`, startTimeoutMs, async () => {
    const user = ownerOf(wanted);
    const cluster: Cluster = { dataDir: reachable(wanted, user, tell), passwordFile: `${wanted}.password`, logFile: `${wanted}.log`, user };
    const isNew = !existsSync(join(cluster.dataDir, 'PG_VERSION'));
    const adopted = isNew ? undefined : await adopt(cluster, options.port ?? 0, tell);
    let running = adopted;
    if (running === undefined) {
      const binaries = readableBinaries(user, findPostgres());
      if (isNew) {
        tell(`making a new PostgreSQL cluster in ${cluster.dataDir}`);
        initialise(cluster, binaries, options.fsync ?? true);
      }
      running = await launchPatiently(cluster, binaries, options);
    }
    const { pid, port } = running;
    await ensureDatabase(cluster, port, database);
    return { url: urlOf(cluster, port, database), port, pid, adopted: adopted !== undefined, stop: () => endPostmaster(pid) };
  });
}
