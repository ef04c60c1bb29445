import { mkdtemp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDealerApi, lookAtDealer, mediaTypeOf, type DealerApi } from '../../../bin/dealers/folder.ts';
import { DealerScene } from '../../channels/dealer/dealer-scene.ts';

let folder: string;
beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'dealer-')); });
afterEach(() => rm(folder, { recursive: true, force: true }));
const list = async (name: string): Promise<string[]> => readdir(join(folder, name)).then((names) => names.sort(), () => []);
const put = async (name: string, text: string): Promise<void> => {
  await mkdir(join(folder, 'in'), { recursive: true });
  await writeFile(join(folder, 'in', name), text);
};

describe("a dealer's folder", () => {
  it('files go in, answers come out', async () => {
    const s = await DealerScene.open();
    try {
      const url = await s.app.listen({ host: '127.0.0.1', port: 0 });
      const api = createDealerApi(url, s.key, s.code);
      const sizes = new Map<string, string>();
      const rows = 'orderNo,sku,quantity,unitPrice,name,phone,city,street\nA,SKU-1,1,10,Shop,1,Shanghai,Road\n';
      await put('good.csv', rows);
      await put('bad.csv', `${rows.replace('\nA,', '\nB,')}C,SKU-1,0,10,Shop,1,Shanghai,Road\n`);
      await put('none.csv', 'hello\n');
      await put('.hidden.csv', rows);
      await put('half.csv.part', rows);
      expect(await lookAtDealer(folder, api, sizes)).toEqual([]); // perhaps still being written
      expect((await lookAtDealer(folder, api, sizes)).map((l) => l.slice(0, 16))).toEqual(['bad.csv: failed ', 'good.csv: done {', 'none.csv: failed']);
      expect(await Promise.all(['in', 'work', 'done', 'bad', 'out'].map(list))).toEqual([
        ['.hidden.csv', 'half.csv.part'], [], ['good.csv', 'good.csv.json'], ['bad.csv', 'bad.csv.json', 'none.csv', 'none.csv.json'], ['bad.csv.result.csv', 'none.csv.result.csv']]);
      expect(await readFile(join(folder, 'out', 'bad.csv.result.csv'), 'utf8')).toContain('3,C,,,fault');
      await s.sync();
      const said = await lookAtDealer(folder, api, sizes);
      expect(said.length).toBe(2);
      const written = (await list('out')).filter((n) => n.endsWith('-response.csv'));
      expect(written).toEqual(['dealer-1-000000001-response.csv', 'dealer-1-000000002-response.csv']);
      expect(await lookAtDealer(folder, api, sizes)).toEqual([]);
      // The same file under another name has no second effect.
      await put('again.csv', rows);
      await lookAtDealer(folder, api, sizes);
      await lookAtDealer(folder, api, sizes);
      expect((JSON.parse(await readFile(join(folder, 'done', 'again.csv.json'), 'utf8')) as { repeatedNow: boolean }).repeatedNow).toBe(true);
      expect(await s.count('dealer_orders')).toBe(2);
    } finally {
      await s.close();
    }
  });

  it('killed or cut off, it goes on where it was: nothing is lost, nothing is there half', async () => {
    let up = false;
    let deliveries = 0;
    const open = [{ id: 1, name: 'a.edi' }];
    const api: DealerApi = {
      upload: () => (up ? Promise.resolve({ status: 201, body: '{}' }) : Promise.reject(new Error('no connection'))),
      open: () => Promise.resolve([...open]), download: () => Promise.resolve(Buffer.from('ISA')),
      delivered: () => { deliveries += 1; if (!up) return Promise.reject(new Error('killed')); open.pop(); return Promise.resolve(); },
    };
    await put('x.csv', 'a');
    const sizes = new Map<string, string>();
    await lookAtDealer(folder, api, sizes);
    expect(await lookAtDealer(folder, api, sizes)).toEqual(['x.csv: not delivered (no connection); tried again', 'documents not fetched (killed); tried again']);
    expect([await list('in'), await list('work'), await list('out')]).toEqual([[], ['x.csv'], ['a.edi']]);
    up = true;
    // Another process: it has not seen the file before.
    await lookAtDealer(folder, api, new Map());
    expect([await list('work'), await list('done'), await list('out'), deliveries]).toEqual([[], ['x.csv', 'x.csv.json'], ['a.edi'], 3]);
  });

  it('two watchers of one folder take each file once', async () => {
    const taken: string[] = [];
    const api: DealerApi = { upload: (name) => { taken.push(name); return Promise.resolve({ status: 201, body: '{}' }); }, open: () => Promise.resolve([]), download: () => Promise.resolve(Buffer.alloc(0)), delivered: () => Promise.resolve() };
    await put('x.csv', 'a');
    const [a, b] = [new Map<string, string>(), new Map<string, string>()];
    await lookAtDealer(folder, api, a);
    await lookAtDealer(folder, api, b);
    await lookAtDealer(folder, api, a);
    await lookAtDealer(folder, api, b);
    expect(taken).toEqual(['x.csv']);
  });

  it('media types by the ending', () => { expect(['a.CSV', 'b.xlsx', 'c.edi', 'd'].map(mediaTypeOf)).toEqual(['text/csv', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', 'application/octet-stream', 'application/octet-stream']); });
});
