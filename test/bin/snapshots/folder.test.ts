import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createUpload, readName, sweep, type Upload } from '../../../bin/snapshots/folder.ts';
import { TestApi } from '../../support/api.ts';
import { Counts } from '../../support/counts.ts';

let api: TestApi;
let folder: string;
let upload: Upload;
beforeAll(async () => {
  api = await TestApi.open({ skus: 4, stock: 0 });
  await api.app.listen({ host: '127.0.0.1', port: 0 });
  const address = api.app.server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  upload = createUpload(`http://127.0.0.1:${address.port}`, await api.key('folder', ['stock:write']));
  folder = mkdtempSync(join(tmpdir(), 'snapshots-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await api.close();
});

test('a name says location, kind and time', () => {
  expect(readName('W_01_full_20261123T020000Z.csv')).toEqual({ location: 'W_01', kind: 'full', takenAt: '2026-11-23T02:00:00Z', id: 'W_01_full_20261123T020000Z' });
  for (const name of ['W-01_20261123T020000Z.csv', 'W-01_half_20261123T020000Z.csv', 'W-01_full_20261323T020000Z.csv', 'W-01_full_2026.csv', 'a.csv']) expect(readName(name)).toBe(null);
});

test('files that lie still are uploaded and moved; what cannot be delivered stays', async () => {
  const stamp = new Counts(api.world).ago(1).toISOString().replace(/[-:]|\.\d+/g, '');
  const good = `L-1_delta_${stamp}.csv`;
  const refused = `L-9_delta_${stamp}.csv`;
  writeFileSync(join(folder, good), 'sku,quantity\nSKU-1,0\nSKU-2,-1\n');
  writeFileSync(join(folder, refused), 'sku,quantity\nSKU-1,0\n');
  writeFileSync(join(folder, 'notes.csv'), 'sku,quantity\n');
  writeFileSync(join(folder, 'readme.txt'), 'left alone');
  const sizes = new Map<string, string>();
  expect(await sweep(folder, upload, sizes)).toEqual([]);
  utimesSync(join(folder, good), 1, 1); // written on
  expect((await sweep(folder, upload, sizes)).map((l) => l.slice(0, l.indexOf('{')))).toEqual([`${refused}: failed `, 'notes.csv: failed ']);
  const down: Upload = () => Promise.reject(new Error('fetch failed'));
  expect(await sweep(folder, down, sizes)).toEqual([`${good}: not delivered (fetch failed); tried again`]);
  expect(await sweep(folder, () => Promise.resolve({ status: 503, body: '' }), sizes)).toEqual([`${good}: the API answered 503; tried again`]);
  expect(await sweep(folder, upload, sizes)).toHaveLength(1);
  expect(await sweep(folder, upload, sizes)).toEqual([]);
  expect([readdirSync(folder).sort(), readdirSync(join(folder, 'done')).sort(), readdirSync(join(folder, 'failed')).sort()]).toEqual([
    ['done', 'failed', 'readme.txt'], [good, `${good}.json`], [refused, `${refused}.json`, 'notes.csv', 'notes.csv.json']]);
  expect(JSON.parse(readFileSync(join(folder, 'done', `${good}.json`), 'utf8'))).toMatchObject({
    location: 'L-1', id: good.replace('.csv', ''), lines: 1, badLines: 1, errors: [{ line: 3, reason: 'quantity must be a whole number from 0 to 1000000000' }] });
});
