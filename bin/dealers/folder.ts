import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sweepFolder, type Delivery } from '../folder/sweep.ts';

/** The API as a dealer's folder needs it; a request that reaches nobody throws. */
export type DealerApi = {
  upload(name: string, body: Buffer): Promise<Delivery>;
  /** What nobody has taken to the dealer yet, the oldest first. */
  open(): Promise<{ id: number; name: string }[]>;
  download(path: string): Promise<Buffer>;
  delivered(id: number): Promise<void>;
};

const MEDIA: Readonly<Record<string, string>> = { csv: 'text/csv', txt: 'text/csv', xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet' };
/** By the ending of the name; anything else by its first bytes. */
export const mediaTypeOf = (name: string): string => MEDIA[name.toLowerCase().split('.').at(-1) ?? ''] ?? 'application/octet-stream';

export function createDealerApi(apiUrl: string, key: string, channel: string): DealerApi {
  const headers = { authorization: `Bearer ${key}` };
  const ask = async (path: string, method = 'GET'): Promise<Response> => {
    const response = await fetch(`${apiUrl}${path}`, { method, headers });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  };
  return {
    async upload(name, body) {
      const query = new URLSearchParams({ channel, name });
      const response = await fetch(`${apiUrl}/v1/dealer-files?${query.toString()}`, { method: 'POST', headers: { ...headers, 'content-type': mediaTypeOf(name) }, body: new Uint8Array(body) });
      const text = await response.text();
      return { status: response.status, body: text, bad: response.ok && (JSON.parse(text) as { faults: number }).faults > 0 };
    },
    open: async () => ((await (await ask(`/v1/dealer-documents?${new URLSearchParams({ channel, open: 'true', limit: '1000' }).toString()}`)).json()) as { items: { id: number; name: string }[] }).items,
    download: async (path) => Buffer.from(await (await ask(path)).arrayBuffer()),
    async delivered(id) { await ask(`/v1/dealer-documents/${id}/delivered`, 'PUT'); },
  };
}

/** A name that is still being written: hidden, or with the ending that uploads use until they are whole. */
const isWhole = (name: string): boolean => !name.startsWith('.') && !/\.(tmp|part|filepart|json)$/i.test(name);

/**
 * One look at a dealer's folder: what lies in `in/` is sent (and moved to `done/`, or to `bad/` where something of it is wrong, its answer beside it), what was written for the dealer comes to `out/`, whole
 * (by rename) and in order. Killed half-way, a document comes once more under the same name with the same bytes.
 */
export async function lookAtDealer(folder: string, api: DealerApi, sizes: Map<string, string>): Promise<string[]> {
  const at = (name: string): string => join(folder, name);
  for (const name of ['in', 'out']) await mkdir(at(name), { recursive: true });
  const said = await sweepFolder({
    from: at('in'), work: at('work'), done: at('done'), failed: at('bad'), takes: isWhole, sizes,
    deliver: async (name, path) => {
      const answer = await api.upload(name, await readFile(path));
      if (answer.bad === true) await put(at('out'), `${name}.result.csv`, await api.download(`/v1/dealer-files/${(JSON.parse(answer.body) as { id: string }).id}/result`));
      return answer;
    },
  });
  try {
    for (let open = await api.open(); open.length > 0; open = await api.open()) {
      for (const { id, name } of open) {
        await put(at('out'), name, await api.download(`/v1/dealer-documents/${id}`));
        await api.delivered(id);
        said.push(`${name}: written to out/`);
      }
    }
  } catch (error) {
    said.push(`documents not fetched (${error instanceof Error ? error.message : String(error)}); tried again`);
  }
  return said;
}

async function put(folder: string, name: string, body: Buffer): Promise<void> {
  const hidden = join(folder, `.${name}.tmp`);
  await writeFile(hidden, body);
  await rename(hidden, join(folder, name));
}
