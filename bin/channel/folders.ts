import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ChannelKind } from '../../channels/channel.ts';
import type { Protocol } from '../../simulators/platform/protocol.ts';

/** Where the parts of a channel lie; `root`: the repository. */
export type Folders = { root: string; name: string; connector: string; simulator: string; test: string };
/** A part that is missing: which file, and what to do about it. */
export type Gap = { part: string; words: string };
/** A simulator; `unwritten`: what of it is still the skeleton's, not the platform's. */
export type Simulator = { protocol: Protocol; account: Record<string, unknown>; unwritten: readonly string[] };

export const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

export function foldersOf(root: string, name: string): Folders {
  // The generic channel speaks to any shop system; its simulator is one of them.
  const simulator = existsSync(join(root, 'simulators', name)) || !existsSync(join(root, 'simulators', `${name}-shop`)) ? name : `${name}-shop`;
  return { root, name, connector: join(root, 'channels', name), simulator: join(root, 'simulators', simulator), test: join(root, 'test/channels', name) };
}

const found = async <T>(file: string, is: (value: Record<string, unknown>) => boolean): Promise<T | null> => {
  const module = await import(pathToFileURL(file).href) as Record<string, unknown>;
  return (Object.values(module).find((v) => typeof v === 'object' && v !== null && is(v as Record<string, unknown>)) ?? null) as T | null;
};

/** What `channels/NAME/index.ts` exports; a gap where it isn't there. */
export async function loadKind(f: Folders): Promise<ChannelKind | Gap> {
  const file = join(f.connector, 'index.ts');
  if (!existsSync(file)) return { part: `channels/${f.name}/index.ts`, words: `there is no such channel; lay it out with: npm run channel -- new ${f.name}` };
  const kind = await found<ChannelKind>(file, (v) => typeof v['connect'] === 'function' && 'capabilities' in v);
  if (!kind) return { part: `channels/${f.name}/index.ts`, words: 'export a ChannelKind (channels/channel.ts)' };
  return kind.platform === f.name ? kind : { part: `channels/${f.name}/index.ts`, words: `its platform is "${kind.platform}"; name it as its folder, "${f.name}"` };
}

/** The simulator and the account under which it knows us; a gap where a part isn't there. */
export async function loadSimulator(f: Folders): Promise<Simulator | Gap> {
  const folder = f.simulator.slice(f.root.length + 1);
  const files = { protocol: join(f.simulator, 'protocol.ts'), account: join(f.simulator, 'account.json') };
  for (const [part, file] of Object.entries(files)) if (!existsSync(file)) return { part: `${folder}/${part === 'account' ? 'account.json' : 'protocol.ts'}`, words: 'write the simulator: the platform as a server of its own, with signing code of its own' };
  const protocol = await found<Protocol>(files.protocol, (v) => typeof v['routes'] === 'function' && typeof v['push'] === 'function');
  if (!protocol) return { part: `${folder}/protocol.ts`, words: 'export a Protocol (simulators/platform/protocol.ts)' };
  const module = await import(pathToFileURL(files.protocol).href) as { unwritten?: readonly string[] };
  return { protocol, account: JSON.parse(await readFile(files.account, 'utf8')) as Record<string, unknown>, unwritten: module.unwritten ?? [] };
}

export const isGap = (value: object): value is Gap => 'words' in value && 'part' in value;

/** What lies around a connector and is missing: its test, its line in the registry, its row in the docs. */
export async function gapsAround(f: Folders, written: boolean): Promise<Gap[]> {
  const gaps: Gap[] = [];
  const text = async (path: string): Promise<string> => (existsSync(join(f.root, path)) ? readFile(join(f.root, path), 'utf8') : '');
  if (!(await text('channels/registry.ts')).includes(`'./${f.name}/index.ts'`)) {
    gaps.push({ part: 'channels/registry.ts', words: written ? `add its line: the contract is met` : 'it is not in the registry; its line comes last, when everything above is there' });
  } else {
    if (!(await text('test/channels/support/platforms.ts')).includes(`/${f.simulator.split('/').at(-1) ?? ''}/protocol.ts`)) gaps.push({ part: 'test/channels/support/platforms.ts', words: 'name its simulator, so that the tests over the registry have somebody to talk to' });
    if (!(await text('docs/channels.md')).includes(`| ${f.name} |`)) gaps.push({ part: 'docs/channels.md', words: 'its row in the table is missing: npm run channel -- table' });
  }
  return gaps;
}

/** Every folder of `channels/`. */
export const channelFolders = async (root: string): Promise<string[]> => (await readdir(join(root, 'channels'), { withFileTypes: true })).filter((e) => e.isDirectory()).map((e) => e.name).sort();
