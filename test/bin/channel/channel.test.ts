import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { genericShop } from '../../../simulators/generic-shop/protocol.ts';
import { startPlatform } from '../../../simulators/platform/start-platform.ts';
import { accountOf } from '../../channels/support/platforms.ts';

const repository = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');
const run = promisify(execFile);
const root = mkdtempSync(join(tmpdir(), 'tributary-channel-'));

/** The command as `npm run channel` runs it; its exit code and what it said. */
async function channel(...words: string[]): Promise<{ code: number; said: string[] }> {
  const { code, stdout, stderr } = await run(process.execPath, ['--import', 'tsx', 'bin/channel.ts', ...words], { cwd: repository }).then((r) => ({ code: 0, ...r }), (e: { code: number; stdout: string; stderr: string }) => e);
  return { code, said: `${stdout}${stderr}`.split('\n').map((l) => l.trim()).filter((l) => l !== '') };
}

/** A repository to write into: everything is linked but the folders that get new ones. */
beforeAll(() => {
  for (const [folder, own] of [['', ['channels', 'simulators', 'test', 'docs']], ['channels', []], ['simulators', []], ['test', ['channels']], ['test/channels', []]] as const) {
    mkdirSync(join(root, folder), { recursive: true });
    for (const name of readdirSync(join(repository, folder)).filter((n) => !own.includes(n as never) && n !== '.git' && n !== '.data')) symlinkSync(join(repository, folder, name), join(root, folder, name));
  }
  cpSync(join(repository, 'docs'), join(root, 'docs'), { recursive: true });
});
afterAll(() => { rmSync(root, { recursive: true, force: true }); });

describe('a new channel', () => {
  test('is laid out once, passes types and lint, and its contract says what is left to write', async () => {
    const made = await channel('new', 'demo', '--root', root);
    expect([made.code, made.said.filter((l) => l.startsWith('made ')).length]).toEqual([0, 10]);
    // Without its test, whose types are those of half the repository.
    writeFileSync(join(root, 'tsconfig.demo.json'), JSON.stringify({ extends: './tsconfig.json', include: ['channels/demo', 'simulators/demo'] }));
    const eslint = new ESLint({ cwd: root, overrideConfigFile: join(repository, 'eslint.config.js'), overrideConfig: [tseslint.configs.disableTypeChecked] });
    const [types, lint, checked] = await Promise.all([
      run(process.execPath, [join(repository, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'tsconfig.demo.json')], { cwd: root }).then(() => '', (e: { stdout: string }) => e.stdout),
      eslint.lintFiles(['channels/demo', 'simulators/demo', 'test/channels/demo']).then((results) => results.flatMap((r) => r.messages.map((m) => `${r.filePath}: ${m.message}`))),
      channel('check', 'demo', '--root', root),
    ]);
    expect({ types, lint }).toEqual({ types: '', lint: [] });
    expect(checked.code).toBe(1);
    const from = checked.said.indexOf('left to write in channels/demo:');
    expect(checked.said.slice(from + 1).map((l) => l.split(':', 1)[0])).toEqual(['receive', 'fetchOrder', 'changedOrders', 'readStock', 'pushStock', 'cancelOrder', 'reportShipment']);
    expect(checked.said.filter((l) => l.startsWith('missing')).map((l) => l.replace(/^missing\s+/, '').split(':', 1)[0]))
      .toEqual([...Array.from({ length: 4 }, () => 'simulators/demo/protocol.ts'), 'channels/registry.ts']);
    expect(checked.said.at(from - 1)).toMatch(/^demo: \d+ of \d+ sentences of the contract are met; \d+ things are missing$/);
  }, 120_000);

  test('writes nothing over, and takes no name that is none', async () => {
    await channel('new', 'second', '--root', root);
    const before = readFileSync(join(root, 'channels/second/index.ts'), 'utf8');
    writeFileSync(join(root, 'channels/second/index.ts'), `${before}// mine\n`);
    const again = await channel('new', 'second', '--root', root);
    expect(again).toEqual({ code: 2, said: ['channels/second/index.ts is there already: nothing was written'] });
    expect(readFileSync(join(root, 'channels/second/index.ts'), 'utf8')).toBe(`${before}// mine\n`);
    const bad = await channel('new', '../up', '--root', root);
    expect([bad.code, bad.said[0]]).toEqual([2, '"../up" is no name of a channel: small letters, digits and single hyphens, a letter first (kuaishou, red-book)']);
  });

  test('is said to be none where there is none', async () => {
    const { code, said } = await channel('check', 'nowhere', '--root', root);
    expect([code, said[0]]).toEqual([1, 'missing  channels/nowhere/index.ts: there is no such channel; lay it out with: npm run channel -- new nowhere']);
  });
});

describe('a whole channel', () => {
  test('lacks nothing', async () => {
    const { code, said } = await channel('check', 'generic');
    expect({ code, wrong: said.filter((l) => /^(missing|to write)/.test(l)), end: said.find((l) => l.startsWith('generic:') && l.includes('met')) })
      .toEqual({ code: 0, wrong: [], end: expect.stringMatching(/^generic: (\d+) of \1 sentences of the contract are met; nothing is missing$/) as string });
  });

  test('is asked live without a change of anything there', async () => {
    const account = await accountOf('generic-shop');
    const platform = await startPlatform(genericShop, { settings: account, items: [{ sku: 'P-1', stock: 30 }] });
    try {
      const order = platform.shop.place({ lines: [{ sku: 'P-1', quantity: 1 }] });
      const file = join(root, 'live.json');
      writeFileSync(file, JSON.stringify({ ...account, baseUrl: platform.url }));
      const state = (): string => JSON.stringify([[...platform.shop.items.values()], [...platform.shop.orders.values()]]);
      const before = state();
      const good = await channel('check', 'generic', '--live', file, '--order', order?.id ?? '', '--sku', 'P-1');
      expect([good.code, good.said.filter((l) => l.startsWith('ok')).length, good.said.at(-1)]).toEqual([0, 7, 'generic: 7 of 7 sentences of the contract are met; nothing is missing']);
      expect(state()).toBe(before);
      writeFileSync(file, JSON.stringify({ ...account, baseUrl: platform.url, apiKey: 'wrong' }));
      const bad = await channel('check', 'generic', '--live', file);
      expect(bad.code).toBe(1);
      expect(bad.said.join('\n')).toContain('answered 401');
    } finally {
      await platform.close();
    }
  });
});
