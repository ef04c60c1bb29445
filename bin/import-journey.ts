import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runAudit } from '../db/audit/run-audit.ts';
import { createPool } from '../db/pool.ts';
import { createClient, type Client } from './demo/client.ts';
import { System } from './embedded/system.ts';
import { accountFor, readOrders, type Head } from './journey/account.ts';
import { readJourney, type Journey } from './journey/read.ts';
import { CHANNEL, loadNetwork, sendBaskets, type Imported } from './journey/send.ts';

const usage = `npm run import:journey -- DIR [--baskets N] [--url API --key KEY]
  DIR          the folder of the complete-journey set
  --baskets N  how many baskets, in the order of time (default 2000)
  --url, --key an API that runs; without them a system of its own is started in a temporary folder, with partners at high speed`;

/** Nothing more happens to an order by itself; one on hold waits for an operator. */
const FINAL: ReadonlySet<string> = new Set(['delivered', 'closed', 'cancelled', 'rejected', 'expired', 'on_hold']);
const STILL_MS = 180_000;
/** Any free port: a system of the user's own may run beside ours. */
const ANY_PORT = { API_PORT: '0', TEMPORAL_UI_PORT: '0', TEMPORAL_PORT: '0', POSTGRES_PORT: '0', WORKER_METRICS_PORT: '0', WMS_PORT: '0', CARRIER_PORT: '0' };

const say = (message: string): void => { console.log(message); };

const { values, positionals } = parseArgs({ allowPositionals: true, options: { baskets: { type: 'string', default: '2000' }, url: { type: 'string' }, key: { type: 'string' } } });
const [directory] = positionals;
const count = Number(values.baskets);
if (directory === undefined || !Number.isSafeInteger(count) || count < 1 || (values.url === undefined) !== (values.key === undefined)) {
  console.error(usage);
  process.exit(2);
}

const journey = await readJourney(directory, count, say);
say(`${journey.baskets.length} baskets with ${journey.linesOrdered} lines to order; ${journey.emptyBaskets} baskets have no usable line`);
process.exitCode = values.url !== undefined && values.key !== undefined ? await run(values.url, values.key, null, null) : await onOwnSystem();

async function onOwnSystem(): Promise<number> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tributary-journey-'));
  chmodSync(dataDir, 0o711); // PostgreSQL's user must get through when we are root, or the database lies elsewhere and stays
  // Always a database and a Temporal of its own: the account and the audit are of this import alone.
  const { DATABASE_URL: _database, TEMPORAL_ADDRESS: _temporal, ...env } = process.env;
  const system = new System({ dataDir, env: { ...ANY_PORT, SPEED: '1000000', LOG_LEVEL: 'warn', ...env, TRIBUTARY_DATA: dataDir }, tell: say });
  const stopped = (): void => { void system.stop().finally(() => process.exit(130)); };
  process.once('SIGINT', stopped).once('SIGTERM', stopped);
  try {
    await system.start();
    const partners = await system.startSimulators();
    return await run(system.apiUrl, system.adminKey, { ...partners, partnerSecret: system.partnerSecret }, system.databaseUrl);
  } finally {
    await system.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function run(apiUrl: string, key: string, partners: Parameters<typeof loadNetwork>[3], databaseUrl: string | null): Promise<number> {
  const client = createClient(apiUrl, key);
  await loadNetwork(apiUrl, key, journey, partners, say);
  const imported = await sendBaskets(apiUrl, key, journey.baskets, say);
  say(`import: ${imported.captured} captured, ${imported.repeated} captured before, ${imported.failed} failed`);
  await untilStill(client);
  const orders = await readOrders(client);
  const accounted = report(journey, imported, orders);
  return (databaseUrl === null ? auditHint() : await audit(databaseUrl)) && accounted ? 0 : 1;
}

/** Waits until every order of the channel is in a final state, or nothing has moved for three minutes. */
async function untilStill(client: Client): Promise<void> {
  let last = '';
  let since = Date.now();
  for (;;) {
    const { counts } = (await client<{ counts: Record<string, number> }>('GET', '/v1/orders/summary')).body;
    const there = Object.entries(counts).filter(([, n]) => n > 0);
    // The summary is of the whole system: others' orders may be open in it for ever.
    const open = await Promise.all(there.filter(([status]) => !FINAL.has(status)).map(async ([status]) =>
      (await client<{ orders: unknown[] }>('GET', `/v1/orders?channel=${CHANNEL}&status=${status}&limit=1`)).body.orders.length));
    const text = there.map(([status, n]) => `${status} ${n}`).join(', ');
    if (text !== last) {
      say(text);
      last = text;
      since = Date.now();
    }
    if (open.every((n) => n === 0) || Date.now() - since > STILL_MS) return;
    await new Promise((resolve) => { setTimeout(resolve, 3_000); });
  }
}

/** Prints where orders and lines are; true when every line is accounted for and no order is stuck on its way. */
function report(j: Journey, imported: Imported, orders: ReadonlyMap<string, Head>): boolean {
  const account = accountFor(j, imported, orders);
  const states = new Map<string, number>();
  for (const basket of j.baskets) {
    const status = orders.get(basket.id)?.status;
    if (status !== undefined) states.set(status, (states.get(status) ?? 0) + 1);
  }
  say('\norders by state');
  for (const [status, n] of states) say(`  ${status.padEnd(20)} ${n}`);
  say(`baskets: ${j.baskets.length + j.emptyBaskets} chosen = ${imported.captured} captured + ${imported.repeated} captured before + ${imported.failed} refused + ${j.emptyBaskets} without a usable line`);
  say(`lines: ${account.linesRead} read = ${account.ordered} ordered + ${account.merged} merged + ${account.bad} bad + ${account.refused} refused${account.lost === 0 ? '' : ` + ${account.lost} LOST`}`);
  for (const [reason, n] of j.bad) say(`  bad: ${reason}: ${n} lines`);
  for (const [reason, n] of imported.errors) say(`  refused: ${reason}: ${n} baskets`);
  for (const fault of account.faults.slice(0, 20)) say(`  ${fault}`);
  // Without stock an order stays backordered: parked, and known to be.
  const stuck = [...states].filter(([status]) => !FINAL.has(status) && status !== 'backordered');
  for (const [status, n] of stuck) say(`stuck: ${n} orders are ${status} and nothing moves`);
  return account.lost === 0 && account.faults.length === 0 && stuck.length === 0;
}

function auditHint(): true {
  say('the audit of a running system: npm run audit');
  return true;
}

async function audit(databaseUrl: string): Promise<boolean> {
  const pool = createPool(databaseUrl, 2);
  try {
    const { violations, movements, orders } = await runAudit(pool);
    for (const v of violations) say(`${v.check}: ${v.detail}`);
    say(`${violations.length} violations in ${movements} movements, ${orders} orders`);
    return violations.length === 0;
  } finally {
    await pool.end();
  }
}
