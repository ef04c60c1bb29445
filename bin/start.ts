import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { tryLock } from './embedded/process.ts';
import { StatusDisplay } from './embedded/status.ts';
import type { OrderCounts } from './embedded/status.ts';
import { Interrupted, System } from './embedded/system.ts';

const usage = `npm start -- [--empty] [--demo-orders N]
  --empty          no demo on an empty database
  --demo-orders N  how many orders the demo places (default 60)
Settings by environment: TRIBUTARY_DATA (default .data), API_PORT, TEMPORAL_UI_PORT, TEMPORAL_PORT, POSTGRES_PORT,
WORKER_METRICS_PORT, WMS_PORT, CARRIER_PORT, DOUYIN_PORT, KUAISHOU_PORT, SHOPIFY_PORT, DATABASE_URL, TEMPORAL_ADDRESS, VAULT_KEY, SPEED, SEED.`;

interface Arguments {
  readonly empty: boolean;
  readonly demoOrders: number;
}

function readArguments(): Arguments {
  const { values } = parseArgs({ options: { empty: { type: 'boolean', default: false }, 'demo-orders': { type: 'string', default: '60' } } });
  const demoOrders = Number(values['demo-orders']);
  if (!Number.isSafeInteger(demoOrders) || demoOrders < 0) throw new Error('--demo-orders wants a whole number');
  return { empty: values.empty, demoOrders };
}

const display = new StatusDisplay(process.stdout);
const tell = (message: string): void => {
  display.message(message);
};
const text = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The demo's data through the public API, and the partners that answer; a demo loaded before just goes on. */
async function runDemo(system: System, wanted: Arguments): Promise<void> {
  const fresh = system.isEmpty && !wanted.empty;
  if (system.demo === 'none' && !fresh) return;
  const partners = await system.startSimulators();
  if (system.demo === 'loaded') {
    // Should somebody else have taken a port meanwhile, shops and platforms must know each other's new address.
    const [{ connectPlatforms }, { createClient }] = await Promise.all([import('./demo/platforms.ts'), import('./demo/client.ts')]);
    return connectPlatforms(createClient(system.apiUrl, system.adminKey), system.apiUrl, partners.platformUrls);
  }
  system.demo = 'loading';
  tell('loading the demo');
  const { loadDemo } = await import('./demo/load-demo.ts');
  await loadDemo({
    apiUrl: system.apiUrl, adminKey: system.adminKey, ...partners, partnerSecret: system.partnerSecret, orders: wanted.demoOrders, onProgress: tell,
  });
  system.demo = 'loaded';
  tell('the demo is loaded');
}

async function orderCounts(system: System): Promise<OrderCounts> {
  try {
    const response = await fetch(`${system.apiUrl}/v1/orders/summary`, { headers: { authorization: `Bearer ${system.adminKey}` }, signal: AbortSignal.timeout(5000) });
    if (!response.ok) return { unknown: `the API answers ${response.status}` };
    return (await response.json()) as { counts: Record<string, number> };
  } catch (error) {
    return { unknown: `the API does not answer (${text(error)})` };
  }
}

async function main(): Promise<void> {
  const wanted = readArguments();
  const dataDir = resolve(process.env['TRIBUTARY_DATA'] || fileURLToPath(new URL('../.data', import.meta.url)));
  mkdirSync(dataDir, { recursive: true });
  const lock = tryLock(join(dataDir, 'start.lock'));
  if (typeof lock === 'number') throw new Error(`Tributary already runs on ${dataDir} (process ${lock})`);

  const system = new System({ dataDir, env: process.env, tell });
  let stopped: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => (stopped = resolve));
  let signals = 0;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      signals += 1;
      display.clear();
      if (signals === 1) {
        tell('stopping: API, worker, simulators, Temporal, PostgreSQL (once more: at once)');
        system.interrupt();
        stopped();
      } else {
        system.force();
        lock();
        process.exit(130);
      }
    });
  }

  let failure: Error | undefined;
  try {
    await system.start();
    const demo = runDemo(system, wanted).catch((error: unknown) => {
      if (signals === 0) tell(`the demo stopped: ${text(error)}`);
    });
    const facts = { docsUrl: `${system.apiUrl}/docs`, ...(system.uiUrl === undefined ? {} : { uiUrl: system.uiUrl }), apiKey: system.adminKey };
    while (signals === 0) {
      const counts = await orderCounts(system);
      if (signals === 0) display.show(facts, counts);
      await Promise.race([asked, new Promise((resolve) => setTimeout(resolve, 1000))]);
    }
    void demo; // its requests fail as soon as the API is gone
  } catch (error) {
    if (!(error instanceof Interrupted)) failure = error instanceof Error ? error : new Error(text(error));
  }
  try {
    await system.stop();
  } finally {
    lock();
  }
  if (failure !== undefined) throw failure;
  tell('stopped');
}

if (process.argv.includes('--help')) {
  process.stdout.write(`${usage}\n`);
} else {
  main().then(
    () => process.exit(0),
    (error: unknown) => {
      display.clear();
      process.stderr.write(`${text(error)}\n`);
      process.exit(1);
    },
  );
}
