import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { NAME } from './folders.ts';

/** Each file of a new channel, and the template of it. */
const FILES: readonly [string, string][] = [
  ['channels/NAME/index.ts', 'index'], ['channels/NAME/settings.ts', 'settings'], ['channels/NAME/connector.ts', 'connector'], ['channels/NAME/push.ts', 'push'], ['channels/NAME/map.ts', 'map'],
  ['channels/NAME/fixtures/README.md', 'fixtures'], ['simulators/NAME/protocol.ts', 'simulator'], ['simulators/NAME/main.ts', 'simulator-main'], ['simulators/NAME/account.json', 'account'],
  ['test/channels/NAME/contract.test.ts', 'test'],
];

const camel = (name: string): string => name.replace(/-(\w)/g, (_, c: string) => c.toUpperCase());
const pascal = (name: string): string => camel(name).replace(/^./, (c) => c.toUpperCase());

/**
 * Lays out a channel: its connector with every method to be written, its simulator, fixtures and contract test. Nothing that is there is written over.
 * Throws an Error that says why not. Returns the files made.
 */
export async function newChannel(root: string, name: string): Promise<string[]> {
  if (!NAME.test(name)) throw new Error(`"${name}" is no name of a channel: small letters, digits and single hyphens, a letter first (kuaishou, red-book)`);
  const files = FILES.map(([path, template]) => ({ path: path.replaceAll('NAME', name), template }));
  const there = files.find((f) => existsSync(join(root, f.path)));
  if (there) throw new Error(`${there.path} is there already: nothing was written`);
  for (const { path, template } of files) {
    const text = (await readFile(new URL(`template/${template}.txt`, import.meta.url), 'utf8')).replaceAll('__name__', name).replaceAll('__camel__', camel(name)).replaceAll('__Pascal__', pascal(name));
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text, { flag: 'wx' });
  }
  return files.map((f) => f.path);
}
