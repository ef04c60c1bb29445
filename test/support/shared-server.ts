import { existsSync, mkdirSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { withLock, writeFileAtomic } from '../../bin/embedded/process.ts';

/** The environment variable through which the test workers learn the run's directory from `global-setup.ts`. */
export const runDirectoryVariable = 'TRIBUTARY_TEST_RUN';

/** Downloads and builds that survive a run. */
export const cacheDirectory = (): string => join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'tributary');

/** The directory of this test run: servers shared by all test files keep their data and their record there. */
export function runDirectory(): string {
  const directory = process.env[runDirectoryVariable];
  if (directory === undefined) throw new Error('no test run: vitest.config.ts must name test/support/global-setup.ts');
  return directory;
}

const MEMORY = '/dev/shm';
const GIB = 1024 ** 3;

/** Where a run keeps its servers' data in memory, whether it does or not. */
export const memoryDirectory = (run: string): string => join(MEMORY, basename(run));

/** Whether data fits into memory: a database is a thousand files, and copying one for a test takes a disk twenty times as long. */
function fitsIntoMemory(): boolean {
  if (!existsSync(MEMORY)) return false;
  const { bavail, bsize } = statfsSync(MEMORY);
  return bavail * bsize >= 4 * GIB && process.availableMemory() >= 8 * GIB;
}

/** The directory of a shared server's data, gone with the run: in memory where there is room. */
export function dataDirectory(name: string): string {
  const parent = fitsIntoMemory() ? memoryDirectory(runDirectory()) : runDirectory();
  mkdirSync(parent, { recursive: true, mode: 0o711 }); // PostgreSQL's user must get through when we are root
  return join(parent, name);
}

/** What `global-setup.ts` needs to stop a shared server, and tests to use it. */
export interface ServerRecord {
  readonly pid?: number;
}

/**
 * Runs `start` once in the whole test run, whichever process asks first; all others wait and get its (JSON) answer.
 * A failure is kept too: trying again in every test file would only take long.
 */
export async function oncePerRun<T extends ServerRecord>(name: string, start: () => Promise<T>): Promise<T> {
  const directory = join(runDirectory(), 'servers');
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `${name}.json`);
  const failure = join(directory, `${name}.failed`);
  return withLock(join(directory, `${name}.lock`), 300_000, async () => {
    if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as T;
    if (existsSync(failure)) throw new Error(`the run's ${name} could not be started: ${readFileSync(failure, 'utf8')}`);
    try {
      const record = await start();
      writeFileAtomic(file, JSON.stringify(record));
      return record;
    } catch (error) {
      writeFileAtomic(failure, error instanceof Error ? (error.stack ?? error.message) : String(error));
      rmSync(file, { force: true });
      throw error;
    }
  });
}
