import { execFileSync } from 'node:child_process';
import { closeSync, linkSync, mkdirSync, openSync, readFileSync, readSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Whether an error of Node's file or process functions carries this code (`ENOENT`, `ESRCH`, …). */
export const hasCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof Error && codes.includes(String((error as NodeJS.ErrnoException).code));

/** Whether a process runs. A zombie does not: in a container whose init reaps nobody it would stay "alive" for ever. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (hasCode(error, 'ESRCH')) return false;
    if (!hasCode(error, 'EPERM')) throw error;
  }
  if (process.platform !== 'linux') return true;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !/^[ZX]$/.test(stat.slice(stat.lastIndexOf(')') + 2).charAt(0));
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH')) return false;
    throw error;
  }
}

/** The command line of a process, or '' when it is gone or cannot be told: a pid of an old file may belong to somebody else now. */
export function commandLine(pid: number): string {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    if (process.platform === 'win32') return '';
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return ''; // gone in between: exactly what '' says
  }
}

/** Sends a signal; a process that is already gone is fine. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}

/** Polls until `done` answers true; false when `timeoutMs` passed first. */
export async function waitUntil(done: () => boolean | Promise<boolean>, timeoutMs: number, everyMs = 25): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    if (await done()) return true;
    if (performance.now() >= deadline) return false;
    await delay(everyMs);
  }
}

/** Asks a process to end by `first`, and after `timeoutMs` by SIGKILL; resolves when it is gone. */
export async function endProcess(pid: number, first: NodeJS.Signals, timeoutMs: number): Promise<void> {
  signal(pid, first);
  if (await waitUntil(() => !isAlive(pid), timeoutMs)) return;
  signal(pid, 'SIGKILL');
  if (!(await waitUntil(() => !isAlive(pid), 10_000))) throw new Error(`process ${pid} does not end`);
}

function listenOnce(port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => {
      if (hasCode(error, 'EADDRINUSE', 'EACCES')) resolve(undefined);
      else reject(error);
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address();
      server.close(() => {
        resolve(typeof address === 'object' && address !== null ? address.port : undefined);
      });
    });
  });
}

/** A TCP port of 127.0.0.1 nobody listens on: the preferred one when it is free. */
export async function freePort(preferred = 0): Promise<number> {
  const port = (preferred === 0 ? undefined : await listenOnce(preferred)) ?? (await listenOnce(0));
  if (port === undefined) throw new Error('no free TCP port on 127.0.0.1');
  return port;
}

/** Reads a JSON file; undefined when there is none. */
export function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw new Error(`cannot read ${path}`, { cause: error });
  }
}

/** Writes a file in one step (a crash leaves the old one), readable by its owner only unless told otherwise. */
export function writeFileAtomic(path: string, content: string, mode = 0o600): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, content, { mode });
  renameSync(temporary, path);
}

/** The text of a log file from byte `from` on, the last `max` bytes of it; '' when there is no file. */
export function tailOf(path: string, from = 0, max = 4000): string {
  let size: number;
  try {
    size = statSync(path).size;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return '';
    throw error;
  }
  const start = Math.max(from, size - max);
  const buffer = Buffer.alloc(Math.max(0, size - start));
  const file = openSync(path, 'r');
  try {
    const read = readSync(file, buffer, 0, buffer.length, start);
    return buffer.toString('utf8', 0, read);
  } finally {
    closeSync(file);
  }
}

/** Locks this process holds: its pid in a lock file that is not among them is left over from an earlier process. */
const held = new Set<string>();

/**
 * Takes a lock file that holds our pid; a lock whose process is gone is taken over.
 * @returns a function that gives the lock back, or the pid of its living owner.
 */
export function tryLock(path: string): (() => void) | number {
  if (held.has(path)) return process.pid;
  mkdirSync(dirname(path), { recursive: true });
  const mine = `${path}.${process.pid}`;
  writeFileSync(mine, `${process.pid}\n`, { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < 20; attempt += 1) {
      try {
        linkSync(mine, path); // appears with its content, or not at all
        held.add(path);
        return () => {
          rmSync(path, { force: true });
          held.delete(path);
        };
      } catch (error) {
        if (!hasCode(error, 'EEXIST')) throw error;
      }
      const text = readLock(path);
      const owner = Number(text);
      // After a reboot or in a new container the pid may be another program's: only a living node counts.
      if (text !== '' && Number.isInteger(owner) && owner !== process.pid && isAlive(owner) && isNode(owner)) return owner;
      dropStale(path, text);
    }
  } finally {
    rmSync(mine, { force: true });
  }
  throw new Error(`cannot take the lock ${path}`);
}

/** Removes a lock known to be stale, and puts back what somebody else may have written there since it was read. */
function dropStale(path: string, content: string): void {
  const moved = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, moved);
    if (readLock(moved) !== content) linkSync(moved, path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'EEXIST')) throw error;
  }
  rmSync(moved, { force: true });
}

function readLock(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return '';
    throw error;
  }
}

function isNode(pid: number): boolean {
  const command = commandLine(pid);
  return command === '' || /node|tsx|vitest|npm/.test(command);
}

/** Runs `work` while holding the lock file, waiting for another process that holds it. */
export async function withLock<T>(path: string, timeoutMs: number, work: () => Promise<T>, onWait?: (pid: number) => void): Promise<T> {
  let release: (() => void) | undefined;
  let told = false;
  const taken = await waitUntil(() => {
    const lock = tryLock(path);
    if (typeof lock === 'number') {
      if (!told) onWait?.(lock);
      told = true;
      return false;
    }
    release = lock;
    return true;
  }, timeoutMs, 100);
  if (!taken) throw new Error(`${path} is still locked after ${timeoutMs / 1000} s`);
  try {
    return await work();
  } finally {
    release?.();
  }
}
