import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { sweepFolder } from '../folder/sweep.ts';

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

/** One look at a folder of snapshots (bin/folder/sweep.ts): `done/` and `failed/` lie in it. */
export async function sweep(folder: string, upload: Upload, sizes: Map<string, string>): Promise<string[]> {
  return sweepFolder({
    from: folder, work: null, done: join(folder, 'done'), failed: join(folder, 'failed'), takes: (name) => name.endsWith('.csv'), sizes,
    deliver: async (file, path) => {
      const name = readName(file);
      return name === null ? { status: 400, body: JSON.stringify({ detail: 'name the file LOCATION_KIND_TAKENAT.csv, e.g. W-01_full_20261123T020000Z.csv' }) }
        : upload(name, Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>);
    },
  });
}
