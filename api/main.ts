import { createKnex } from '../db/pool.ts';
import { openStore } from '../db/store.ts';
import { loadConfig } from '../runtime/config.ts';
import { createLogger } from '../runtime/logger.ts';
import { buildApp } from './app.ts';

/** Connections that may wait to be accepted: with the usual 511 a rush of new clients waits a second for TCP's next try, while the process is idle. */
const BACKLOG = 4_096;

const config = loadConfig();
const logger = createLogger('api', config.logLevel);
const store = await openStore({ url: config.databaseUrl, vaultKey: config.vaultKey, poolSize: config.dbPool, writerBatch: config.writerBatch });
const knex = createKnex(config.databaseUrl);
const app = await buildApp({ store, knex, logger, bodyLimit: config.bodyLimit, webhookNetwork: config.webhookNetwork });
const address = await app.listen({ host: config.apiHost, port: config.apiPort, backlog: BACKLOG });
logger.info({ url: address }, 'api ready');

let stopping: Promise<void> | null = null;
async function stop(): Promise<void> {
  await app.close();
  await knex.destroy();
  await store.close();
  logger.info('api stopped');
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => { stopping ??= stop(); });
