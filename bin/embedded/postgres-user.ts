import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { hydrateSymlinks } from './postgres-binaries.ts';
import type { PostgresBinaries } from './postgres-binaries.ts';

/** Whom PostgreSQL runs as; it refuses root. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

function idOf(name: string, flag: '-u' | '-g'): number | undefined {
  const found = spawnSync('id', [flag, name], { encoding: 'utf8' });
  return found.status === 0 && /^\d+\s*$/.test(found.stdout) ? Number(found.stdout) : undefined;
}

/**
 * The unprivileged user PostgreSQL runs as when we are root: `TRIBUTARY_PG_USER`, or else `postgres`, or else `nobody`.
 * Undefined when we are not root: then it runs as ourselves.
 * @throws Error when we are root and there is no such user.
 */
export function unprivilegedUser(env: NodeJS.ProcessEnv = process.env): RunAs | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const wanted = env['TRIBUTARY_PG_USER'];
  const names = wanted === undefined || wanted === '' ? ['postgres', 'nobody'] : [wanted];
  for (const name of names) {
    const uid = idOf(name, '-u');
    const gid = idOf(name, '-g');
    if (uid !== undefined && uid !== 0 && gid !== undefined) return { uid, gid };
  }
  throw new Error(`PostgreSQL does not run as root, and there is no user ${names.join(' or ')} to run it as; set TRIBUTARY_PG_USER`);
}

/** Whether the user can go into a directory, through all that lies above it. */
export function canEnter(user: RunAs, directory: string): boolean {
  return spawnSync('/bin/sh', ['-c', 'cd -- "$1"', 'sh', directory], { ...user, stdio: 'ignore', cwd: '/' }).status === 0;
}

const canRun = (user: RunAs, program: string): boolean =>
  spawnSync(program, ['--version'], { ...user, stdio: 'ignore', cwd: '/' }).status === 0;

/** A directory of root's that everybody may enter and nobody else may write to, for what cannot lie below a closed home. */
export function publicDirectory(): string {
  const refused: string[] = [];
  for (const directory of ['/var/lib/tributary', join(tmpdir(), 'tributary-root')]) {
    try {
      mkdirSync(directory, { recursive: true, mode: 0o755 });
      const stat = statSync(directory);
      if (stat.uid !== 0 || (stat.mode & 0o022) !== 0) throw new Error('belongs to somebody else');
      chmodSync(directory, 0o755);
      return directory;
    } catch (error) {
      refused.push(`${directory}: ${(error as Error).message}`);
    }
  }
  throw new Error(`no place for files PostgreSQL's user can read: ${refused.join('; ')}`);
}

/** The binaries as the user can run them: where they are, or copied once to a public place when their directory is closed. */
export function readableBinaries(user: RunAs | undefined, binaries: PostgresBinaries): PostgresBinaries {
  if (user === undefined || (canRun(user, binaries.postgres) && canRun(user, binaries.initdb))) return binaries;
  const target = join(publicDirectory(), `postgres-${binaries.version}`);
  const copied: PostgresBinaries = {
    ...binaries,
    native: target,
    initdb: join(target, 'bin', basename(binaries.initdb)),
    postgres: join(target, 'bin', basename(binaries.postgres)),
    pgCtl: join(target, 'bin', basename(binaries.pgCtl)),
  };
  if (!existsSync(target)) {
    const partial = `${target}.${process.pid}`;
    mkdirSync(dirname(target), { recursive: true });
    cpSync(binaries.native, partial, { recursive: true, verbatimSymlinks: true });
    hydrateSymlinks(partial);
    try {
      renameSync(partial, target);
    } catch (error) {
      rmSync(partial, { recursive: true, force: true });
      if (!existsSync(target)) throw error; // else somebody else copied it at the same time
    }
  }
  if (!canRun(user, copied.postgres)) throw new Error(`user ${user.uid} cannot run ${copied.postgres}; set TRIBUTARY_PG_USER to one that can`);
  return copied;
}
