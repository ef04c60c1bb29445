import { parseArgs } from 'node:util';
import { watch } from './folder/watch.ts';
import { createUpload, sweep } from './snapshots/folder.ts';

const usage = `npm run snapshots -- FOLDER --url API --key KEY [--every SECONDS] [--once]
Uploads the CSV files of a folder as stock snapshots and moves them to done/ or failed/, with the API's answer beside them.
  FOLDER   files named LOCATION_KIND_TAKENAT.csv (KIND full or delta, TAKENAT in UTC), e.g. W-01_full_20261123T020000Z.csv;
           columns sku, quantity and, where wanted, condition, unit, lot
  --url, --key  the API and a key with the scope stock:write; else API_URL and API_KEY of the environment
  --every  seconds between two looks (default 5); a file must lie unchanged for one of them
  --once   ends when all that is there has been looked at`;

const { values, positionals } = parseArgs({
  allowPositionals: true, options: { url: { type: 'string' }, key: { type: 'string' }, every: { type: 'string', default: '5' }, once: { type: 'boolean', default: false } },
});
const [folder] = positionals;
const url = values.url ?? process.env['API_URL'];
const key = values.key ?? process.env['API_KEY'];
const every = Number(values.every) * 1000;
if (folder === undefined || url === undefined || key === undefined || !(every > 0)) {
  console.error(usage);
  process.exit(2);
}

const upload = createUpload(url.replace(/\/$/, ''), key);
const sizes = new Map<string, string>();
await watch(() => sweep(folder, upload, sizes), every, values.once);
