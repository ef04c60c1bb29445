import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { isAlive, signal, waitUntil } from '../../../bin/embedded/process.ts';
import { stopOrphans, supervise } from '../../../bin/embedded/supervisor.ts';
import type { SupervisedChild } from '../../../bin/embedded/supervisor.ts';
import { runDirectory } from '../../support/shared-server.ts';

let home: string;
let child: SupervisedChild | undefined;
let messages: string[];

function start(source: string): SupervisedChild {
  const script = join(home, 'child.mjs');
  writeFileSync(script, source);
  child = supervise({ name: 'worker', script, env: { GREETING: 'hello' }, logDirectory: join(home, 'logs'), recordDirectory: join(home, 'children'), onMessage: (message) => messages.push(message) });
  return child;
}

const log = (): string => (existsSync(join(home, 'logs', 'worker.log')) ? readFileSync(join(home, 'logs', 'worker.log'), 'utf8') : '');
const steady = `console.log(process.env.GREETING); process.on('SIGTERM', () => { console.log('bye'); process.exit(0); }); setInterval(() => {}, 1000);`;

beforeEach(() => {
  home = mkdtempSync(join(runDirectory(), 'supervisor-'));
  messages = [];
});
afterEach(async () => {
  await child?.stop();
  child = undefined;
  rmSync(home, { recursive: true, force: true });
});

it('starts a killed child again and says why', async () => {
  const supervised = start(steady);
  expect(await waitUntil(() => log() === 'hello\n', 20_000)).toBe(true);
  const first = supervised.pid();
  if (first === undefined) throw new Error('not running');
  signal(first, 'SIGKILL');
  expect(await waitUntil(() => log() === 'hello\nhello\n', 20_000)).toBe(true);
  expect(messages).toEqual(['worker ended (SIGKILL); starting it again in 0.5 s. Its log ends:\n    hello']);
  const second = supervised.pid();
  expect(second).not.toBe(first);
  await supervised.stop();
  expect(log()).toBe('hello\nhello\nbye\n');
  expect(second !== undefined && isAlive(second)).toBe(false);
});

it('waits longer each time a child fails at once, and shows the end of its log', async () => {
  start(`console.error('no database'); process.exit(7);`);
  expect(await waitUntil(() => messages.length === 2, 20_000)).toBe(true);
  expect(messages).toEqual([
    'worker ended (exit code 7); starting it again in 0.5 s. Its log ends:\n    no database',
    'worker ended (exit code 7); starting it again in 1 s. Its log ends:\n    no database',
  ]);
});

it('tells the error that ended a program, not the lines after it', async () => {
  start(`throw Object.assign(new Error('no database'), { code: 'ENODB' });`);
  expect(await waitUntil(() => messages.length === 1, 20_000)).toBe(true);
  expect(messages).toEqual(['worker ended (exit code 1); starting it again in 0.5 s. Its log ends:\n    Error: no database']);
});

it('ends the children of a start that was killed', async () => {
  const supervised = start(steady);
  expect(await waitUntil(() => log() === 'hello\n', 20_000)).toBe(true);
  const pid = supervised.pid();
  if (pid === undefined) throw new Error('not running');
  const told: string[] = [];
  // As seen by the next start: only the record is left. Our own supervisor would restart the child after a while, so it is stopped right after.
  const orphans = join(home, 'orphans');
  mkdirSync(orphans);
  writeFileSync(join(orphans, 'worker.json'), readFileSync(join(home, 'children', 'worker.json'), 'utf8'));
  await stopOrphans(orphans, (message) => told.push(message));
  await supervised.stop();
  expect(isAlive(pid)).toBe(false);
  expect(told).toEqual([`stopping ${join(home, 'child.mjs')} of an earlier run (process ${pid})`]);
  expect(existsSync(join(orphans, 'worker.json'))).toBe(false);
});
