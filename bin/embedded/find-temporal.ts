import { spawn, spawnSync } from 'node:child_process';
import { accessSync, chmodSync, constants, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { withLock } from './process.ts';

/** The newest tag that `go install` accepts; it carries server 1.29.1, which is for the loopback only. */
const goModule = 'github.com/temporalio/cli/cmd/temporal@v1.5.1';
const program = process.platform === 'win32' ? 'temporal.exe' : 'temporal';
const buildTimeoutMs = 20 * 60_000;

/** Either somebody else's running server, or a binary to start one with. */
export type FoundTemporal = { readonly kind: 'running'; readonly address: string } | { readonly kind: 'binary'; readonly path: string; readonly how: string };

export interface FindOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Looked at before the user's cache: `.data/bin`. */
  readonly localDirectory?: string;
  /** Where a download or build is kept. Default: `tributary` in the user's cache directory. */
  readonly cacheDirectory?: string;
  readonly onMessage?: (message: string) => void;
}

/** The user's cache directory, shared by all clones, so that the binary is made once per machine. */
export const defaultCacheDirectory = (env: NodeJS.ProcessEnv): string => join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'tributary');

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false; // not there or not ours: that is the answer
  }
}

function onPath(name: string, env: NodeJS.ProcessEnv): string | undefined {
  return (env['PATH'] ?? '').split(delimiter).filter((directory) => directory !== '').map((directory) => join(directory, name)).find(isExecutable);
}

/** The reason a binary is not usable, or undefined when it answers `--version` (a half-written or foreign one does not). */
function defect(path: string): string | undefined {
  const tried = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 20_000 });
  return tried.status === 0 ? undefined : (tried.error?.message ?? `${path} --version ended with ${tried.signal ?? String(tried.status)}`);
}

/** The SDK downloads the CLI to start a server of its own; we only keep the file. */
async function downloadWithSdk(cache: string): Promise<string> {
  const directory = mkdtempSync(join(cache, 'download-'));
  try {
    const { TestWorkflowEnvironment } = await import('@temporalio/testing');
    const server = await TestWorkflowEnvironment.createLocal({ server: { executable: { type: 'cached-download', downloadDir: directory } } });
    await server.teardown();
    const file = readdirSync(directory).map((name) => join(directory, name)).find(isExecutable);
    if (file === undefined) throw new Error('the download left no program');
    return keep(file, cache);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Builds the CLI from source: about 3 minutes on 2 cores, once. */
async function buildWithGo(cache: string, env: NodeJS.ProcessEnv, tell: (message: string) => void): Promise<string> {
  const go = onPath(process.platform === 'win32' ? 'go.exe' : 'go', env);
  if (go === undefined) throw new Error('no go on PATH');
  const directory = mkdtempSync(join(cache, 'build-'));
  tell('building the Temporal dev server from source with go (about 3 minutes, once)');
  const began = performance.now();
  const progress = setInterval(() => {
    tell(`still building the Temporal dev server: ${Math.round((performance.now() - began) / 1000)} s`);
  }, 15_000);
  try {
    await run(go, ['install', goModule], { ...env, GOBIN: directory });
    return keep(join(directory, program), cache);
  } finally {
    clearInterval(progress);
    rmSync(directory, { recursive: true, force: true });
  }
}

function run(command: string, args: string[], env: NodeJS.ProcessEnv): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: ['ignore', 'ignore', 'pipe'], timeout: buildTimeoutMs });
    let output = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (output = (output + chunk).slice(-2000)));
    child.once('error', reject);
    child.once('close', (code, by) => {
      if (code === 0) resolve();
      else reject(new Error(`${command} ${args.join(' ')} ended with ${by ?? String(code)}: ${output.trim()}`));
    });
  });
}

function keep(file: string, cache: string): string {
  const kept = join(cache, program);
  chmodSync(file, 0o755);
  renameSync(file, kept);
  return kept;
}

/**
 * Finds Temporal, in this order: `TEMPORAL_ADDRESS` (nothing is started), `temporal` on PATH, the cached binary, the SDK's
 * download, `go install`. The last two leave the binary in the cache; only one process does them at a time.
 * @throws Error naming all five ways and why each failed.
 */
export async function findTemporal(options: FindOptions = {}): Promise<FoundTemporal> {
  const env = options.env ?? process.env;
  const tell = options.onMessage ?? ((): void => undefined);
  const address = env['TEMPORAL_ADDRESS']?.trim();
  if (address !== undefined && address !== '') return { kind: 'running', address };
  const failed: string[] = ['TEMPORAL_ADDRESS: not set'];

  const usable = (path: string | undefined, how: string, absent: string): FoundTemporal | undefined => {
    const reason = path === undefined || !existsSync(path) ? absent : defect(path);
    if (reason === undefined && path !== undefined) return { kind: 'binary', path, how };
    failed.push(`${how}: ${reason ?? absent}`);
    return undefined;
  };
  const cache = options.cacheDirectory ?? defaultCacheDirectory(env);
  const cached = (): FoundTemporal | undefined => {
    const places = [...(options.localDirectory === undefined ? [] : [options.localDirectory]), cache].map((directory) => join(directory, program));
    return usable(places.find(isExecutable), 'the cached binary', `none at ${places.join(' or ')}`);
  };
  const ready = usable(onPath(program, env), '`temporal` on PATH', 'not there') ?? cached();
  if (ready !== undefined) return ready;

  mkdirSync(cache, { recursive: true });
  return withLock(join(cache, 'temporal.lock'), buildTimeoutMs, async () => {
    const meanwhile = join(cache, program);
    if (isExecutable(meanwhile) && defect(meanwhile) === undefined) return { kind: 'binary', path: meanwhile, how: 'the cached binary' };
    const ways: [string, () => Promise<string>][] = [
      ["the SDK's own download", () => downloadWithSdk(cache)],
      [`go install ${goModule}`, () => buildWithGo(cache, env, tell)],
    ];
    for (const [how, make] of ways) {
      try {
        const made = usable(await make(), how, 'left no program');
        if (made !== undefined) return made;
      } catch (error) {
        failed.push(`${how}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    throw new Error(`Temporal was found in none of five ways:\n${failed.map((line, index) => `  ${index + 1}. ${line}`).join('\n')}`);
  }, (pid) => {
    tell(`waiting for process ${pid}, which is fetching the Temporal dev server`);
  });
}
