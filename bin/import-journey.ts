import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runAudit } from '../db/audit/run-audit.ts';
import { createPool } from '../db/pool.ts';
import { createClient } from './demo/client.ts';
import { System } from './embedded/system.ts';
import { readJourney, type Journey } from './journey/read.ts';
import { loadNetwork, sendBaskets, type Imported } from './journey/send.ts';

const usage = `npm run import:journey -- DIR [--baskets N] [--url API --key KEY]
  DIR          the folder of the complete-journey set
  --baskets N  how many baskets, in the order of time (default 2000)
  --url, --key an API that runs; without them a system of its own is started in a temporary folder, with partners at high speed`;

/** Nothing more happens to an order by itself. */
const FINAL = new Set(['delivered', 'closed', 'cancelled', 'rejected', 'expired', 'on_hold']);
const STILL_MS = 180_000;

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
  const system = new System({ dataDir, env: { SPEED: '1000000', LOG_LEVEL: 'warn', ...process.env, TRIBUTARY_DATA: dataDir, API_PORT: process.env['API_PORT'] ?? '0' }, tell: say });
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
  await loadNetwork(apiUrl, key, journey, partners, say);
  const imported = await sendBaskets(apiUrl, key, journey.baskets, say);
  say(`import: ${imported.captured} captured, ${imported.repeated} captured before, ${imported.failed} failed`);
  const counts = await untilStill(apiUrl, key);
  return report(journey, imported, counts, databaseUrl);
}

/** Waits until every order is in a final state, or nothing has moved for three minutes. */
async function untilStill(apiUrl: string, key: string): Promise<Record<string, number>> {
  const client = createClient(apiUrl, key);
  let last = '';
  let since = Date.now();
  for (;;) {
    const { counts } = (await client<{ counts: Record<string, number> }>('GET', '/v1/orders/summary')).body;
    const text = Object.entries(counts).map(([status, n]) => `${status} ${n}`).join(', ');
    if (Object.keys(counts).every((status) => FINAL.has(status))) return counts;
    if (text !== last) {
      say(text);
      last = text;
      since = Date.now();
    } else if (Date.now() - since > STILL_MS) return counts;
    await new Promise((resolve) => { setTimeout(resolve, 3_000); });
  }
}

/** Prints the account; 0 when every line and basket is accounted for and the audit is clean. */
async function report(j: Journey, imported: Imported, counts: Record<string, number>, databaseUrl: string | null): Promise<number> {
  say('\norders by state');
  for (const [status, n] of Object.entries(counts)) say(`  ${status.padEnd(20)} ${n}`);
  say('lines of the chosen baskets');
  const bad = [...j.bad.values()].reduce((sum, n) => sum + n, 0);
  say(`  read                 ${j.linesRead}\n  ordered              ${j.linesOrdered}\n  merged               ${j.linesMerged}\n  bad                  ${bad}`);
  for (const [reason, n] of j.bad) say(`    ${reason}: ${n}`);
  for (const [reason, n] of imported.errors) say(`  refused by the API: ${reason}: ${n}`);
  const linesMissing = j.linesRead - j.linesOrdered - j.linesMerged - bad;
  const orders = Object.values(counts).reduce((sum, n) => sum + n, 0);
  const basketsMissing = j.baskets.length - imported.captured - imported.repeated - imported.failed;
  say(`accounted for: ${count} baskets = ${imported.captured} captured + ${imported.repeated} repeated + ${imported.failed} failed + ${j.emptyBaskets} without a usable line; ${orders} orders in the system`);
  let violations = 0;
  if (databaseUrl !== null) {
    const pool = createPool(databaseUrl, 2);
    const audit = await runAudit(pool);
    await pool.end();
    for (const v of audit.violations) say(`${v.check}: ${v.detail}`);
    violations = audit.violations.length;
    say(`${violations} violations in ${audit.movements} movements, ${audit.orders} orders`);
  } else say('the audit of a running system: npm run audit');
  return violations > 0 || linesMissing !== 0 || basketsMissing !== 0 ? 1 : 0;
}
