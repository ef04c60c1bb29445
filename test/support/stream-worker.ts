import { fileURLToPath } from 'node:url';
import { openStore } from '../../db/store.ts';
import { createLogger } from '../../runtime/logger.ts';
import { createHttp, createRawHttp } from '../../workers/http.ts';
import { StreamKeeper } from '../../workers/streams/keeper.ts';

/** A worker's keeper of streams as a process of its own, to be killed. Environment: DATABASE_URL, VAULT_KEY (hex), NOW (ISO 8601: the time it believes in). */
export const STREAM_WORKER = fileURLToPath(import.meta.url);

async function run({ DATABASE_URL = '', VAULT_KEY = '', NOW = '' }: NodeJS.ProcessEnv): Promise<void> {
  const store = await openStore({ url: DATABASE_URL, vaultKey: Buffer.from(VAULT_KEY, 'hex'), poolSize: 4, clock: () => new Date(NOW) });
  const keeper = new StreamKeeper({ store, http: createHttp(), raw: createRawHttp(), logger: createLogger('test', 'silent'), lookMs: 100, leaseS: 6, backOff: { firstMs: 5, mostMs: 50 } });
  keeper.start();
  process.on('SIGTERM', () => { void keeper.close().then(() => store.close()).then(() => process.exit(0)); });
}

if (process.argv[1] === STREAM_WORKER) await run(process.env);
