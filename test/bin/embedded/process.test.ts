import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { freePort, isAlive, tryLock, withLock } from '../../../bin/embedded/process.ts';
import { startProgram } from '../../support/processes.ts';
import { runDirectory } from '../../support/shared-server.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(runDirectory(), 'process-'));
});
afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

it('gives a lock to one at a time, also within one process', async () => {
  const path = join(home, 'lock');
  const steps: string[] = [];
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const first = withLock(path, 10_000, async () => {
    steps.push('first in');
    await gate;
    steps.push('first out');
  });
  const second = withLock(path, 10_000, () => Promise.resolve(steps.push('second')), (pid) => {
    expect(pid).toBe(process.pid);
    open();
  });
  await Promise.all([first, second]);
  expect(steps).toEqual(['first in', 'first out', 'second']);
});

it('names the living owner, and takes over from a dead one or from another program', async () => {
  const path = join(home, 'lock');
  const node = startProgram(process.execPath, { args: ['-e', 'setInterval(() => {}, 1000)'] });
  writeFileSync(path, `${node.pid}\n`);
  expect(tryLock(path)).toBe(node.pid);
  await node.kill();
  expect(isAlive(node.pid)).toBe(false);
  const release = tryLock(path);
  expect(readFileSync(path, 'utf8')).toBe(`${process.pid}\n`);
  if (typeof release === 'number') throw new Error('not taken');
  release();
  const sleep = startProgram('sleep', { args: ['600'] });
  writeFileSync(path, `${sleep.pid}\n`);
  expect(typeof tryLock(path)).toBe('function');
  await sleep.kill();
});

it('prefers a port, and takes another when it is busy', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const busy = typeof address === 'object' && address !== null ? address.port : 0;
  const other = await freePort(busy);
  expect(other).not.toBe(busy);
  await new Promise((resolve) => server.close(resolve));
  expect(await freePort(busy)).toBe(busy);
});
