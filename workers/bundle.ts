import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type Logger } from '@temporalio/worker';

const root = new URL('../', import.meta.url);
/** Everything a workflow can import; a change in any of it makes another bundle. */
const SOURCES = ['workflows/', 'domain/', 'package-lock.json'];

async function* files(path: URL): AsyncGenerator<URL> {
  if (!path.href.endsWith('/')) {
    yield path;
    return;
  }
  for (const entry of (await readdir(path, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    yield* files(new URL(entry.isDirectory() ? `${entry.name}/` : entry.name, path));
  }
}

/** The workflow bundle, built once for each state of the sources and kept, so that a restarted worker is back at once. */
export async function workflowBundle(logger?: Logger): Promise<{ codePath: string }> {
  const hash = createHash('sha256');
  for (const source of SOURCES) for await (const file of files(new URL(source, root))) hash.update(file.href.slice(root.href.length)).update(await readFile(file));
  const folder = new URL('node_modules/.cache/tributary/', root);
  const path = fileURLToPath(new URL(`workflows-${hash.digest('hex').slice(0, 16)}.js`, folder));
  try {
    await readFile(path);
  } catch {
    // Not built yet. Written aside and renamed: two workers may build at once.
    const { code } = await bundleWorkflowCode({ workflowsPath: fileURLToPath(new URL('workflows/index.ts', root)), ...(logger ? { logger } : {}) });
    await mkdir(folder, { recursive: true });
    const temporary = `${path}.${process.pid}`;
    await writeFile(temporary, code);
    await rename(temporary, path);
  }
  return { codePath: path };
}
