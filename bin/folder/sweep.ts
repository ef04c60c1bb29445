import { mkdir, readdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What the API said of a file; `bad`: it goes where somebody looks at it, though it was answered well. */
export type Delivery = { status: number; body: string; bad?: boolean };
/**
 * `from`: where files are put; `work`: where they are moved to before they are delivered, so that nobody changes them meanwhile and two watchers do not take the same one (null: they stay); `done`, `failed`: where
 * they end. `sizes`: kept by the caller between two looks.
 */
export type Sweep = { from: string; work: string | null; done: string; failed: string; takes: (name: string) => boolean; deliver: (name: string, path: string) => Promise<Delivery>; sizes: Map<string, string> };

/**
 * Looks through a folder once: every file that has not changed since the last look is delivered and moved to `done`, or to `failed` when it is refused; the answer lies beside it as `NAME.json`. What could not be
 * delivered is tried again with the next look, also after the watcher was killed. Returns a line of report for each file.
 */
export async function sweepFolder(s: Sweep): Promise<string[]> {
  const still: string[] = [];
  for (const name of await filesOf(s.from, s.takes)) {
    const { size, mtimeMs } = await stat(join(s.from, name)).catch(gone);
    const seen = `${size} ${mtimeMs}`;
    if (size < 0) continue; // another watcher has it
    if (s.sizes.get(name) === seen) still.push(name);
    else s.sizes.set(name, seen); // perhaps still being written: looked at again
  }
  let ready = still;
  if (s.work !== null) {
    await mkdir(s.work, { recursive: true });
    for (const name of still) await rename(join(s.from, name), join(s.work, name)).catch(gone);
    ready = await filesOf(s.work, s.takes);
  }
  const said: string[] = [];
  for (const name of ready) said.push(await deliver(s, name));
  return said;
}

const gone = (error: NodeJS.ErrnoException): { size: number; mtimeMs: number } => {
  if (error.code === 'ENOENT') return { size: -1, mtimeMs: 0 };
  throw error;
};

async function filesOf(folder: string, takes: (name: string) => boolean): Promise<string[]> {
  return (await readdir(folder, { withFileTypes: true })).filter((e) => e.isFile() && takes(e.name)).map((e) => e.name).sort();
}

async function deliver(s: Sweep, name: string): Promise<string> {
  const path = join(s.work ?? s.from, name);
  let outcome: Delivery;
  try {
    outcome = await s.deliver(name, path);
  } catch (error) {
    return `${name}: not delivered (${error instanceof Error ? error.message : String(error)}); tried again`;
  }
  if (outcome.status >= 500 || outcome.status === 429) return `${name}: the API answered ${outcome.status}; tried again`;
  const good = outcome.status < 300 && outcome.bad !== true;
  const to = good ? s.done : s.failed;
  await mkdir(to, { recursive: true });
  await writeFile(join(to, `${name}.json`), `${outcome.body}\n`);
  await rename(path, join(to, name)).catch(gone); // another watcher of the same folder has delivered it, too: once is as good as twice
  s.sizes.delete(name);
  return `${name}: ${good ? 'done' : 'failed'} ${outcome.body}`;
}
