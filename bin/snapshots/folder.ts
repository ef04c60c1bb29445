import { createReadStream } from 'node:fs';
import { mkdir, readdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';

/** What a file's name says: `LOCATION_KIND_TAKENAT.csv`, e.g. `W-01_full_20261123T020000Z.csv`. */
export type FileName = { location: string; kind: 'full' | 'delta'; takenAt: string; id: string };

const NAME = /^((.+)_(full|delta)_(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z)\.csv$/;

/** Null for a name that is none of a snapshot. The id is the name, so the same file sent twice is one snapshot. */
export function readName(name: string): FileName | null {
  const match = NAME.exec(name);
  if (!match) return null;
  const [, id = '', location = '', kind, year, month, day, hours, minutes, seconds] = match;
  const takenAt = `${year}-${month}-${day}T${hours}:${minutes}:${seconds}Z`;
  if (Number.isNaN(Date.parse(takenAt))) return null;
  return { location, kind: kind as FileName['kind'], takenAt, id };
}

export type Upload = (file: FileName, body: ReadableStream<Uint8Array>) => Promise<{ status: number; body: string }>;

/** Uploads to the API; a request that reaches nobody throws. */
export function createUpload(apiUrl: string, key: string): Upload {
  return async ({ location, kind, takenAt, id }, body) => {
    const query = new URLSearchParams({ location, id, kind, takenAt });
    const response = await fetch(`${apiUrl}/v1/snapshots/import?${query.toString()}`, {
      method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'text/csv' }, body, duplex: 'half',
    });
    return { status: response.status, body: await response.text() };
  };
}

/**
 * Looks through a folder once: every CSV that has not changed since the last look (`sizes`, kept by the caller) is uploaded and moved to `done/`, or to `failed/`
 * when the API refuses it or its name says nothing; the answer lies beside it as `NAME.json`. What could not be delivered stays for the next look.
 * Returns a line of report for each file.
 */
export async function sweep(folder: string, upload: Upload, sizes: Map<string, string>): Promise<string[]> {
  const said: string[] = [];
  for (const entry of (await readdir(folder, { withFileTypes: true })).filter((e) => e.isFile() && e.name.endsWith('.csv')).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    const { size, mtimeMs } = await stat(path);
    const seen = `${size} ${mtimeMs}`;
    if (sizes.get(entry.name) !== seen) {
      sizes.set(entry.name, seen); // perhaps still being written: looked at again
      continue;
    }
    const name = readName(entry.name);
    let outcome: { status: number; body: string };
    try {
      outcome = name === null ? { status: 400, body: JSON.stringify({ detail: 'name the file LOCATION_KIND_TAKENAT.csv, e.g. W-01_full_20261123T020000Z.csv' }) }
        : await upload(name, Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>);
    } catch (error) {
      said.push(`${entry.name}: not delivered (${error instanceof Error ? error.message : String(error)}); tried again`);
      continue;
    }
    if (outcome.status >= 500 || outcome.status === 429) {
      said.push(`${entry.name}: the API answered ${outcome.status}; tried again`);
      continue;
    }
    const to = join(folder, outcome.status < 300 ? 'done' : 'failed');
    await mkdir(to, { recursive: true });
    await writeFile(join(to, `${entry.name}.json`), `${outcome.body}\n`);
    await rename(path, join(to, entry.name));
    sizes.delete(entry.name);
    said.push(`${entry.name}: ${outcome.status < 300 ? 'done' : 'failed'} ${outcome.body}`);
  }
  return said;
}
