import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { isAlive, signal, waitUntil } from '../../bin/embedded/process.ts';

export const repositoryRoot = fileURLToPath(new URL('../..', import.meta.url));

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A program under test that runs as a process of its own. */
export interface TestProcess {
  readonly pid: number;
  /** stdout and stderr so far */
  output(): string;
  readonly exited: Promise<Exit>;
  /** The first match in the output; rejects when the process ends or `timeoutMs` passes first, with the output. */
  waitForOutput(pattern: RegExp, timeoutMs?: number): Promise<RegExpMatchArray>;
  /** Until a GET answers 2xx; rejects like `waitForOutput`. */
  waitForHttp(url: string, timeoutMs?: number): Promise<void>;
  /** SIGTERM, then waits; rejects when it takes longer than `timeoutMs`. */
  stop(timeoutMs?: number): Promise<Exit>;
  /** kill -9, then waits. */
  kill(): Promise<Exit>;
}

export interface SpawnOptions {
  /** Added to this process's environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly args?: readonly string[];
}

const started = new Set<TestProcess>();

/** Runs a TypeScript file of the repository (`api/main.ts`) as `node --import tsx` does in production. */
export function startNode(script: string, options: SpawnOptions = {}): TestProcess {
  return startProgram(process.execPath, { ...options, args: ['--import', 'tsx', script, ...(options.args ?? [])] });
}

/** Runs any program from the repository's root and collects its output. */
export function startProgram(command: string, options: SpawnOptions = {}): TestProcess {
  const env: NodeJS.ProcessEnv = { ...process.env, ...options.env };
  const child = spawn(command, options.args ?? [], { cwd: repositoryRoot, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const { pid } = child;
  if (pid === undefined) throw new Error(`cannot start ${command}`);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  let exit: Exit | undefined;
  const exited = new Promise<Exit>((resolve) => {
    child.once('close', (code, by) => {
      exit = { code, signal: by };
      resolve(exit);
    });
  });
  const until = async (what: string, timeoutMs: number, done: () => boolean | Promise<boolean>): Promise<void> => {
    let met = false;
    await waitUntil(async () => (met = await done()) || exit !== undefined, timeoutMs);
    if (met || (await done())) return;
    throw new Error(`${what}: ${exit === undefined ? `not within ${timeoutMs} ms` : `the process ended (${exit.signal ?? String(exit.code)})`}\n${text}`);
  };
  const ended = async (name: NodeJS.Signals, timeoutMs: number): Promise<Exit> => {
    signal(pid, name);
    await until(`process ${pid} ends on ${name}`, timeoutMs, () => exit !== undefined);
    started.delete(self);
    return exited;
  };
  const self: TestProcess = {
    pid,
    exited,
    output: () => text,
    async waitForOutput(pattern, timeoutMs = 60_000) {
      await until(`output ${String(pattern)}`, timeoutMs, () => pattern.test(text));
      const match = text.match(pattern);
      if (match === null) throw new Error(`${String(pattern)} must not be global or sticky`);
      return match;
    },
    waitForHttp: (url, timeoutMs = 60_000) => until(`GET ${url}`, timeoutMs, () => answers(url)),
    stop: (timeoutMs = 30_000) => ended('SIGTERM', timeoutMs),
    kill: () => ended('SIGKILL', 10_000),
  };
  started.add(self);
  return self;
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false; // not listening yet: asked again until the time is up
  }
}

/** For `afterAll`: kills what a failed test left behind. */
export async function killStarted(): Promise<void> {
  await Promise.all([...started].map((child) => child.kill()));
}

/** The pids among these that still run; a clean end leaves none. */
export const stillRunning = (pids: readonly number[]): number[] => pids.filter(isAlive);
