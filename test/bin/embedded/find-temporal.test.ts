import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { findTemporal } from '../../../bin/embedded/find-temporal.ts';
import { runDirectory } from '../../support/shared-server.ts';

// The SDK's download is a network call: here it fails as it does without internet.
vi.mock('@temporalio/testing', () => ({ TestWorkflowEnvironment: { createLocal: () => Promise.reject(new Error('no internet')) } }));

let home: string;
const path = (...parts: string[]): string => join(home, ...parts);

function program(file: string, script: string): void {
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

const search = (env: NodeJS.ProcessEnv = {}, messages: string[] = []) =>
  findTemporal({ env: { PATH: path('path'), ...env }, localDirectory: path('local'), cacheDirectory: path('cache'), onMessage: (message) => messages.push(message) });

beforeEach(() => {
  home = mkdtempSync(join(runDirectory(), 'find-'));
});
afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

it('looks at the address, PATH, then the caches', async () => {
  program(path('cache', 'temporal'), 'exit 0');
  expect(await search()).toEqual({ kind: 'binary', path: path('cache', 'temporal'), how: 'the cached binary' });
  program(path('local', 'temporal'), 'exit 0');
  expect(await search()).toMatchObject({ path: path('local', 'temporal') });
  program(path('path', 'temporal'), 'exit 0');
  expect(await search()).toEqual({ kind: 'binary', path: path('path', 'temporal'), how: '`temporal` on PATH' });
  expect(await search({ TEMPORAL_ADDRESS: 'temporal.example:7233' })).toEqual({ kind: 'running', address: 'temporal.example:7233' });
});

it('builds with go when all else fails, once, and keeps the binary', async () => {
  program(path('path', 'go'), `echo "$@" >> ${path('calls')}; printf '#!/bin/sh\\nexit 0\\n' > "$GOBIN/temporal"; /bin/chmod 755 "$GOBIN/temporal"`);
  const messages: string[] = [];
  const found = await Promise.all([search({}, messages), search({}, messages)]);
  expect(found.map((one) => one.kind === 'binary' && one.path)).toEqual([path('cache', 'temporal'), path('cache', 'temporal')]);
  expect(messages.filter((message) => message.startsWith('building'))).toEqual(['building the Temporal dev server from source with go (about 3 minutes, once)']);
});

it('names all five ways when there is none', async () => {
  program(path('path', 'go'), 'echo "go: no such module" >&2; exit 1');
  program(path('path', 'temporal'), 'exit 4');
  const failure = await search().then(() => '', (error: unknown) => (error as Error).message);
  expect(failure.split('\n')).toEqual([
    'Temporal was found in none of five ways:',
    '  1. TEMPORAL_ADDRESS: not set',
    `  2. \`temporal\` on PATH: ${path('path', 'temporal')} --version ended with 4`,
    `  3. the cached binary: none at ${path('local', 'temporal')} or ${path('cache', 'temporal')}`,
    "  4. the SDK's own download: no internet",
    `  5. go install github.com/temporalio/cli/cmd/temporal@v1.5.1: ${path('path', 'go')} install github.com/temporalio/cli/cmd/temporal@v1.5.1 ended with 1: go: no such module`,
  ]);
});
