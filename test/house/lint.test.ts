import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';
import { describe, expect, test } from 'vitest';

// Planted files don't exist, so the rules that need types are left to `npm run lint`.
const eslint = new ESLint({
  cwd: fileURLToPath(new URL('../..', import.meta.url)),
  overrideConfig: [tseslint.configs.disableTypeChecked],
});

/** The rules that a file of this path and text breaks, in order of their place. */
async function broken(filePath: string, text: string): Promise<string[]> {
  const [result] = await eslint.lintText(text, { filePath });
  return (result?.messages ?? []).map((m) => m.ruleId ?? m.message);
}

describe('domain', () => {
  test.each([
    ['const t = Date.now();', 'no-restricted-properties'],
    ['const r = Math.random();', 'no-restricted-properties'],
    ['const p = globalThis.process;', 'no-restricted-properties'],
    ['const d = new Date();', 'no-restricted-syntax'],
    ['const d = Date();', 'no-restricted-syntax'],
    ["const p = await import('./other.ts');", 'no-restricted-syntax'],
    ["const e = process.env['HOME'];", 'no-restricted-globals'],
    ["const b = Buffer.from('a');", 'no-restricted-globals'],
    ["import { readFileSync } from 'node:fs';", 'no-restricted-imports'],
    ["import { readFileSync } from 'fs';", 'no-restricted-imports'],
    ["import pg from 'pg';", 'no-restricted-imports'],
  ])('refuses %s', async (text, rule) => {
    expect(new Set(await broken('domain/planted.ts', `${text}\n`))).toEqual(new Set([rule]));
  });

  test('takes time as an argument', async () => {
    expect(await broken('domain/planted.ts', "import { x } from './x.ts';\nexport const next = (at: Date): Date => new Date(at.getTime() + x);\n")).toEqual([]);
    expect(await broken('db/planted.ts', "import pg from 'pg';\nexport const now = (): Date => new Date(pg.now + Date.now() * Math.random());\n")).toEqual([]);
  });
});

test('workflows use nothing of Node', async () => {
  expect(await broken('workflows/planted.ts', "import { createHash } from 'node:crypto';\nexport const h = createHash(process.version);\n"))
    .toEqual(['no-restricted-imports', 'no-restricted-globals']);
  expect(await broken('workflows/planted.ts', "import { sleep } from '@temporalio/workflow';\nexport const nap = (): Promise<void> => sleep(Date.now());\n")).toEqual([]);
});

test('connectors do not fetch', async () => {
  for (const folder of ['channels', 'carriers', 'partners']) expect(await broken(`${folder}/planted/index.ts`, "export const f = fetch('x');\n")).toEqual(['no-restricted-globals']);
  expect(await broken('bench/planted.ts', "export const f = fetch('x');\n")).toEqual([]);
});

test('errors are not swallowed', async () => {
  expect(await broken('db/planted.ts', 'export function f(g: () => void): void { try { g(); } catch {} }\n')).toEqual(['no-empty']);
  expect(await broken('db/planted.ts', 'export const f = (p: Promise<void>): Promise<void> => p.catch(() => {});\n')).toEqual(['no-restricted-syntax']);
});

test('inner files of packages, any, loose equality and side effects of type imports are refused', async () => {
  expect(await broken('db/planted.ts', "import u from 'pg/lib/utils.js';\nexport const x = u;\n")).toEqual(['no-restricted-imports']);
  expect(await broken('db/planted.ts', "import u from '@temporalio/client/lib/helpers.js';\nexport const x = u;\n")).toEqual(['no-restricted-imports']);
  expect(await broken('db/planted.ts', "import { Value } from '@sinclair/typebox/value';\nexport const x = Value;\n")).toEqual([]);
  expect(await broken('db/planted.ts', 'export const x: any = 1;\n')).toEqual(['@typescript-eslint/no-explicit-any']);
  expect(await broken('db/planted.ts', 'export const same = (a: unknown, b: unknown): boolean => a == b;\n')).toEqual(['eqeqeq']);
  expect(await broken('db/planted.ts', "import { type A } from './a.ts';\nexport type B = A;\n")).toEqual(['@typescript-eslint/no-import-type-side-effects']);
});

test('the console is for programs with a terminal', async () => {
  const text = "console.log('a');\n";
  expect(await broken('db/planted.ts', text)).toEqual(['no-console']);
  for (const folder of ['bin', 'bench', 'simulators']) expect(await broken(`${folder}/planted.ts`, text)).toEqual([]);
});

test('a file has at most 300 lines of code; tests and benchmarks may be longer', async () => {
  const lines = (count: number): string => 'let a = 1;\n// why\n\n' + 'a += 1;\n'.repeat(count - 1);
  expect(await broken('db/planted.ts', lines(300))).toEqual([]);
  expect(await broken('db/planted.ts', lines(301))).toEqual(['max-lines']);
  expect(await broken('test/planted.test.ts', lines(301))).toEqual([]);
  expect(await broken('bench/planted.ts', lines(301))).toEqual([]);
});
