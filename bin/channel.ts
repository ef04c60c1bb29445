import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { channelKinds } from '../channels/registry.ts';
import { checkChannel } from './channel/check.ts';
import { newChannel } from './channel/new.ts';
import { capabilityTable, withTable } from './channel/table.ts';

const usage = `npm run channel -- new NAME       lays out channels/NAME with its simulator, fixtures and contract test
npm run channel -- check NAME     runs the contract against its simulator and says what is missing (ends with 1 while anything is)
      --live FILE                 against a live shop instead: its settings as JSON; runs only what changes nothing there
      --order ID --sku SKU        (with --live, again and again) orders and SKUs to read; a SKU as ITEM/SKU where the platform wants its item
npm run channel -- table          writes the capability table of docs/channels.md anew
      --root FOLDER               the repository (default: this one)`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { live: { type: 'string' }, order: { type: 'string', multiple: true, default: [] }, sku: { type: 'string', multiple: true, default: [] }, root: { type: 'string', default: fileURLToPath(new URL('..', import.meta.url)) } },
});
const [command, name] = positionals;
const root = values.root.replace(/\/$/, '');
const say = (line: string): void => { console.log(line); };

async function run(): Promise<number> {
  if (command === 'table') {
    const page = join(root, 'docs/channels.md');
    await writeFile(page, withTable(await readFile(page, 'utf8'), capabilityTable(channelKinds)));
    return 0;
  }
  if (name === undefined || (command !== 'new' && command !== 'check')) {
    console.error(usage);
    return 2;
  }
  if (command === 'new') {
    for (const file of await newChannel(root, name)) say(`made ${file}`);
    say(`what is left to write: npm run channel -- check ${name}; how: docs/channels.md`);
    return 0;
  }
  const live = values.live === undefined ? {} : { live: { account: JSON.parse(await readFile(values.live, 'utf8')) as Record<string, unknown>, orders: values.order, skus: values.sku } };
  return (await checkChannel({ root, name, ...live }, say)).good ? 0 : 1;
}

run().then((code) => { process.exit(code); }, (error: unknown) => {
  console.error((error as Error).message);
  process.exit(2);
});
