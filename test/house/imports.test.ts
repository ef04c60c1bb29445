import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
const config = join(root, '.dependency-cruiser.cjs');

type Summary = { summary: { violations: { from: string; to: string; rule: { name: string } }[] } };

/** What stands in for installed packages: their entry, and for a dev dependency the manifest below. */
const packages = ['pg', '@temporalio/workflow', '@temporalio/common', '@temporalio/client', 'undici', 'ajv', 'stray'];
const manifest = {
  name: 'planted', type: 'module',
  dependencies: { pg: '1', '@temporalio/workflow': '1', '@temporalio/common': '1', '@temporalio/client': '1', undici: '1' },
  devDependencies: { ajv: '1' },
};

let directory: string;

beforeEach(() => { directory = mkdtempSync(join(tmpdir(), 'imports-')); });
afterEach(() => { rmSync(directory, { recursive: true, force: true }); });

function write(path: string, text: string): void {
  mkdirSync(dirname(join(directory, path)), { recursive: true });
  writeFileSync(join(directory, path), text);
}

/** Plants files and returns the violations of the repository's rules as `rule: from → to`, sorted. */
async function cruise(files: Record<string, string>): Promise<string[]> {
  write('package.json', JSON.stringify(manifest));
  for (const name of packages) {
    write(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', type: 'module', exports: './index.js' }));
    write(`node_modules/${name}/index.js`, 'export const value = 1;\n');
  }
  for (const [path, text] of Object.entries(files)) write(path, text);
  const stdout = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, [cruiser, '--config', config, '--output-type', 'json', '.'], { cwd: directory, maxBuffer: 16e6 }, (error, out, err) => {
      // The JSON reporter answers 0 whatever it found; anything else is a broken configuration.
      if (error) reject(new Error(err, { cause: error }));
      else resolve(out);
    });
  });
  const { violations } = (JSON.parse(stdout) as Summary).summary;
  return violations.map(({ rule, from, to }) => (from === to ? `${rule.name}: ${from}` : `${rule.name}: ${from} → ${to}`)).sort();
}

/** A file that imports values of others, and exports one. */
const imports = (...specifiers: string[]) =>
  specifiers.map((s, i) => `import * as m${i} from '${s}';\nexport const x${i} = m${i};\n`).join('') + 'export const value = 1;\nexport type Value = number;\n';
const typesOf = (specifier: string) => `import type { Value } from '${specifier}';\nexport type T = Value;\n`;

/** The smallest tree in which every folder imports all it may. */
const clean = {
  'domain/order/flow.ts': imports('./status.ts'),
  'domain/order/status.ts': imports(),
  'domain/pricing.ts': imports(),
  'runtime/config.ts': imports('pg', 'node:fs'),
  'db/pool.ts': imports('pg', 'node:crypto', '../domain/pricing.ts', '../runtime/config.ts'),
  'channels/channel.ts': imports('../domain/pricing.ts'),
  'channels/tmall/index.ts': imports('../channel.ts', 'node:crypto'),
  'channels/registry.ts': imports('./tmall/index.ts'),
  'carriers/registry.ts': imports('../domain/pricing.ts'),
  'partners/registry.ts': imports('../domain/pricing.ts'),
  'workflows/contract/ids.ts': imports('../../domain/pricing.ts', '@temporalio/workflow', '@temporalio/common'),
  'workflows/order.ts': imports('../domain/order/flow.ts', './contract/ids.ts', '@temporalio/workflow')
    + typesOf('../activities/index.ts') + "import type { Value as Price } from '../domain/pricing.ts';\nexport type P = Price;\n",
  'workflows/index.ts': imports('./order.ts'),
  'activities/index.ts': imports('../domain/pricing.ts', '../db/pool.ts', '../channels/registry.ts', '../carriers/registry.ts', '../partners/registry.ts',
    '../workflows/contract/ids.ts', '../runtime/config.ts'),
  'api/main.ts': imports('../domain/pricing.ts', '../db/pool.ts', '../channels/registry.ts', '../carriers/registry.ts', '../partners/registry.ts',
    '../workflows/contract/ids.ts', '../runtime/config.ts', '@temporalio/client') + typesOf('../workflows/order.ts'),
  'workers/main.ts': imports('../activities/index.ts', '../db/pool.ts', '../channels/tmall/index.ts'),
  'simulators/carrier/main.ts': imports('node:http', 'pg'),
  'console/main.ts': imports(),
  'bin/start.ts': imports('../workers/main.ts', '../api/main.ts', '../simulators/carrier/main.ts'),
  'bench/run.ts': imports('../db/pool.ts', 'undici'),
  'test/pool.test.ts': imports('../db/pool.ts', '../bench/run.ts', 'ajv'),
};

test('what the table allows passes', async () => {
  expect(await cruise(clean)).toEqual([]);
});

test('each folder is held to its row of the table', async () => {
  expect(await cruise({
    ...clean,
    'bin/planted.ts': imports('../domain/bad.ts', '../runtime/bad.ts', '../db/bad.ts', '../channels/bad.ts', '../carriers/bad.ts', '../partners/bad.ts',
      '../workflows/contract/bad.ts', '../workflows/bad.ts', '../activities/bad.ts', '../api/bad.ts', '../simulators/bad.ts', '../console/main.ts'),
    'domain/bad.ts': imports('../runtime/config.ts', 'pg', 'node:fs'),
    'runtime/bad.ts': imports('../domain/pricing.ts'),
    'db/bad.ts': imports('../channels/registry.ts', '../workflows/contract/ids.ts'),
    'channels/bad.ts': imports('../db/pool.ts'),
    'carriers/bad.ts': imports('../runtime/config.ts'),
    'partners/bad.ts': imports('../carriers/registry.ts'),
    'workflows/contract/bad.ts': imports('../order.ts', '../../db/pool.ts', 'pg', 'node:fs'),
    'workflows/bad.ts': imports('../activities/index.ts', '../domain/pricing.ts', '../db/pool.ts', '@temporalio/client', 'node:fs'),
    'activities/bad.ts': imports('../api/main.ts', '../workflows/order.ts'),
    'api/bad.ts': imports('../workflows/order.ts', '../activities/index.ts', '../workers/main.ts'),
    'simulators/bad.ts': imports('../carriers/registry.ts', '../domain/pricing.ts'),
  })).toEqual([
    'activities-imports: activities/bad.ts → api/main.ts',
    'activities-imports: activities/bad.ts → workflows/order.ts',
    'api-imports: api/bad.ts → activities/index.ts',
    'api-imports: api/bad.ts → workers/main.ts',
    'api-types-only: api/bad.ts → workflows/order.ts',
    'carriers-imports: carriers/bad.ts → runtime/config.ts',
    'channels-imports: channels/bad.ts → db/pool.ts',
    'contract-imports: workflows/contract/bad.ts → db/pool.ts',
    'contract-imports: workflows/contract/bad.ts → workflows/order.ts',
    'contract-libraries: workflows/contract/bad.ts → fs',
    'contract-libraries: workflows/contract/bad.ts → node_modules/pg/index.js',
    'db-imports: db/bad.ts → channels/registry.ts',
    'db-imports: db/bad.ts → workflows/contract/ids.ts',
    'domain-imports: domain/bad.ts → runtime/config.ts',
    'domain-pure: domain/bad.ts → fs',
    'domain-pure: domain/bad.ts → node_modules/pg/index.js',
    'not-to-console: bin/planted.ts → console/main.ts',
    'partners-imports: partners/bad.ts → carriers/registry.ts',
    'runtime-imports: runtime/bad.ts → domain/pricing.ts',
    'simulators-imports: simulators/bad.ts → carriers/registry.ts',
    'simulators-imports: simulators/bad.ts → domain/pricing.ts',
    'workflows-imports: workflows/bad.ts → db/pool.ts',
    'workflows-libraries: workflows/bad.ts → fs',
    'workflows-libraries: workflows/bad.ts → node_modules/@temporalio/client/index.js',
    'workflows-state-machines: workflows/bad.ts → domain/pricing.ts',
    'workflows-types-only: workflows/bad.ts → activities/index.ts',
  ]);
});

test('connectors stay behind their registry, apart from each other and from the network', async () => {
  expect(await cruise({
    ...clean,
    'carriers/sf/index.ts': imports('node:https', 'undici'),
    'carriers/zto/index.ts': imports('../sf/index.ts'),
    'carriers/registry.ts': imports('../domain/pricing.ts', './zto/index.ts'),
    'api/main.ts': imports('../carriers/sf/index.ts'),
  })).toEqual([
    'connectors-apart: carriers/zto/index.ts → carriers/sf/index.ts',
    'connectors-by-registry: api/main.ts → carriers/sf/index.ts',
    'connectors-http-injected: carriers/sf/index.ts → https',
    'connectors-http-injected: carriers/sf/index.ts → node_modules/undici/index.js',
  ]);
});

test('a cycle is found, and one of types alone', async () => {
  const found = await cruise({
    ...clean,
    'domain/order/flow.ts': imports('./status.ts'),
    'domain/order/status.ts': imports('./flow.ts'),
    'db/pool.ts': imports('pg', '../domain/pricing.ts', '../runtime/config.ts') + typesOf('./tx.ts'),
    'db/tx.ts': typesOf('./pool.ts'),
  });
  expect(found).toEqual([
    'no-cycles: db/pool.ts → db/tx.ts',
    'no-cycles: domain/order/flow.ts → domain/order/status.ts',
  ]);
});

test('dead modules, missing modules, dev and undeclared packages, and tests as a dependency are found', async () => {
  expect(await cruise({
    ...clean,
    'db/unused.ts': imports(),
    'db/only-tested.ts': imports('pg'),
    'test/support/unused.ts': imports('pg'),
    'test/only-tested.test.ts': imports('../db/only-tested.ts'),
    'runtime/config.ts': imports('ajv', 'stray', './absent.ts', '../test/support/helper.ts'),
    'test/support/helper.ts': imports('pg'),
  })).toEqual([
    'no-unused-modules: db/only-tested.ts',
    'no-unused-modules: db/unused.ts',
    'no-unused-support: test/support/unused.ts',
    'not-to-dev-dep: runtime/config.ts → node_modules/ajv/index.js',
    'not-to-test: runtime/config.ts → test/support/helper.ts',
    'not-to-undeclared: runtime/config.ts → node_modules/stray/index.js',
    'not-to-unresolvable: runtime/config.ts → ./absent.ts',
    'runtime-imports: runtime/config.ts → test/support/helper.ts',
  ]);
});
