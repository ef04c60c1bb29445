import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commandLine, endProcess, isAlive, readJson, signal, tailOf, writeFileAtomic } from './process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** A child that ran this long before it ended is not in a crash loop: the pause begins small again. */
const steadyMs = 60_000;
const longestPauseMs = 10_000;

export interface ChildOptions {
  readonly name: string;
  /** A TypeScript file of the repository, `api/main.ts`. */
  readonly script: string;
  readonly env: Readonly<Record<string, string>>;
  /** `<name>.log` is appended there. */
  readonly logDirectory: string;
  /** `<name>.json` keeps the pid there, for a start after this process was killed. */
  readonly recordDirectory: string;
  readonly onMessage: (message: string) => void;
}

export interface SupervisedChild {
  readonly name: string;
  /** The running process, or undefined between a crash and the restart. */
  pid(): number | undefined;
  /** SIGTERM, waits, after 30 s SIGKILL; no restart any more. */
  stop(): Promise<void>;
  /** SIGKILL at once. */
  kill(): void;
}

/** What a log ends with: the error where there is one, for Node writes more after it, else its last three lines. */
function lastWords(log: string): string[] {
  const lines = log.trim().split('\n');
  const error = lines.findLast((line) => /^\w*Error\b.*: /.test(line));
  return error === undefined ? lines.slice(-3) : [error.slice(0, 500)];
}

/**
 * Keeps a program running: when it ends by itself it is started again, after a pause that doubles from 0.5 s to 10 s,
 * and the reason is told with the end of its log. Own process group: a Ctrl-C reaches us only, and we stop in order.
 */
export function supervise(options: ChildOptions): SupervisedChild {
  const logFile = join(options.logDirectory, `${options.name}.log`);
  const record = join(options.recordDirectory, `${options.name}.json`);
  mkdirSync(options.logDirectory, { recursive: true });
  let child: ChildProcess | undefined;
  let stopping = false;
  let failures = 0;
  let pause: NodeJS.Timeout | undefined;

  const launch = (): void => {
    const log = openSync(logFile, 'a', 0o600);
    const logFrom = statSync(logFile).size;
    const began = performance.now();
    const running = spawn(process.execPath, ['--import', 'tsx', options.script], {
      cwd: root, env: { ...process.env, ...options.env }, detached: true, stdio: ['ignore', log, log],
    });
    closeSync(log);
    child = running;
    if (running.pid !== undefined) writeFileAtomic(record, JSON.stringify({ pid: running.pid, script: options.script }));
    const ended = (how: string): void => {
      if (child !== running) return;
      child = undefined;
      rmSync(record, { force: true });
      if (stopping) return;
      failures = performance.now() - began > steadyMs ? 1 : failures + 1;
      const waitMs = Math.min(longestPauseMs, 500 * 2 ** (failures - 1));
      const last = lastWords(tailOf(logFile, logFrom)).join('\n    ');
      options.onMessage(`${options.name} ended (${how}); starting it again in ${waitMs / 1000} s${last === '' ? '' : `. Its log ends:\n    ${last}`}`);
      pause = setTimeout(launch, waitMs);
    };
    running.once('error', (error) => ended(error.message));
    running.once('exit', (code, by) => ended(by ?? `exit code ${code ?? '?'}`));
  };
  launch();

  return {
    name: options.name,
    pid: () => child?.pid,
    async stop() {
      stopping = true;
      clearTimeout(pause);
      if (child?.pid !== undefined) await endProcess(child.pid, 'SIGTERM', 30_000);
      rmSync(record, { force: true });
    },
    kill() {
      stopping = true;
      clearTimeout(pause);
      if (child?.pid !== undefined) signal(child.pid, 'SIGKILL');
    },
  };
}

/** Ends children of an earlier start that was killed: they would hold the ports and work beside the new ones. */
export async function stopOrphans(recordDirectory: string, tell: (message: string) => void): Promise<void> {
  mkdirSync(recordDirectory, { recursive: true });
  for (const file of readdirSync(recordDirectory).filter((name) => name.endsWith('.json'))) {
    const path = join(recordDirectory, file);
    const left = readJson<{ pid: number; script: string }>(path);
    if (left !== undefined && isAlive(left.pid) && commandLine(left.pid).includes(left.script)) {
      tell(`stopping ${left.script} of an earlier run (process ${left.pid})`);
      await endProcess(left.pid, 'SIGTERM', 15_000);
    }
    rmSync(path, { force: true });
  }
}

