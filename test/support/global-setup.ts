import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findTemporal } from '../../bin/embedded/find-temporal.ts';
import { commandLine, endProcess, isAlive, readJson } from '../../bin/embedded/process.ts';
import { memoryDirectory, runDirectoryVariable } from './shared-server.ts';
import type { ServerRecord } from './shared-server.ts';

const prefix = 'tributary-test-';

/** Stops what a run has started (SIGINT is PostgreSQL's fast shutdown and fine for Temporal) and removes its directory. */
async function cleanUp(directory: string): Promise<void> {
  const servers = join(directory, 'servers');
  for (const file of existsSync(servers) ? readdirSync(servers) : []) {
    if (!file.endsWith('.json')) continue;
    const pid = readJson<ServerRecord>(join(servers, file))?.pid;
    if (pid !== undefined && isAlive(pid) && /postgres|temporal/.test(commandLine(pid))) await endProcess(pid, 'SIGINT', 15_000);
  }
  for (const data of [memoryDirectory(directory), directory]) rmSync(data, { recursive: true, force: true, maxRetries: 3 });
}

/** Runs that were killed could not clean up after themselves; the next run does. */
async function sweep(): Promise<void> {
  for (const name of readdirSync(tmpdir())) {
    const owner = name.startsWith(prefix) ? Number(name.slice(prefix.length).split('-')[0]) : Number.NaN;
    if (Number.isInteger(owner) && !isAlive(owner)) await cleanUp(join(tmpdir(), name));
  }
}

/**
 * On a machine that never ran it, Temporal's binary may have to be built for minutes, longer than a hook may take; so a
 * full run gets it first. Without it the tests that need it fail by themselves, and name the reason.
 */
async function fetchTemporal(): Promise<void> {
  const tell = (message: string): void => void process.stdout.write(`${message}\n`);
  try {
    await findTemporal({ onMessage: tell });
  } catch (error) {
    tell(String(error));
  }
}

/** Gives the run a directory. Servers start in it when the first test asks (`databases.ts`, `temporal.ts`), and stop here. */
export default async function setup(): Promise<() => Promise<void>> {
  await sweep();
  const directory = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`));
  chmodSync(directory, 0o711); // PostgreSQL's user must get through when we are root
  process.env[runDirectoryVariable] = directory;
  const isFullRun = process.argv.slice(2).every((word) => word === 'run' || word.startsWith('-')); // no file was named
  if (isFullRun) await fetchTemporal();
  return () => cleanUp(directory);
}
