import { parseArgs } from 'node:util';
import { createDealerApi, lookAtDealer } from './dealers/folder.ts';
import { watch } from './folder/watch.ts';

const usage = `npm run dealer-files -- FOLDER --channel CODE --url API --key KEY [--every SECONDS] [--once]
Sends what a dealer puts into FOLDER/in (CSV, .xlsx, X12, EDIFACT) and writes what it is answered to FOLDER/out.
  FOLDER     in/ is read; files end in done/, or in bad/ where something of them is wrong, with the API's answer beside them
  --channel  the dealer's channel
  --url, --key  the API and a key with the scopes orders:write and orders:read; else API_URL and API_KEY of the environment
  --every    seconds between two looks (default 5); a file must lie unchanged for one of them. Names that begin with a dot or end in .tmp or .part are left alone
  --once     ends when all that is there has been looked at`;

const { values, positionals } = parseArgs({
  allowPositionals: true, options: { channel: { type: 'string' }, url: { type: 'string' }, key: { type: 'string' }, every: { type: 'string', default: '5' }, once: { type: 'boolean', default: false } },
});
const [folder] = positionals;
const url = values.url ?? process.env['API_URL'];
const key = values.key ?? process.env['API_KEY'];
const every = Number(values.every) * 1000;
if (folder === undefined || values.channel === undefined || url === undefined || key === undefined || !(every > 0)) {
  console.error(usage);
  process.exit(2);
}

const api = createDealerApi(url.replace(/\/$/, ''), key, values.channel);
const sizes = new Map<string, string>();
await watch(() => lookAtDealer(folder, api, sizes), every, values.once);
