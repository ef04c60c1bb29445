import { constants, getPriority, setPriority } from 'node:os';
import { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createCarrierTending } from '../activities/carriers/tend.ts';
import { createActivities } from '../activities/index.ts';
import { openStore } from '../db/store.ts';
import { loadConfig } from '../runtime/config.ts';
import { planningQueue } from '../workflows/contract/ids.ts';
import { createHttp, createRawHttp } from './http.ts';
import { createLogger } from '../runtime/logger.ts';
import { workflowBundle } from './bundle.ts';
import { startHousekeeping } from './housekeeping.ts';
import { startSender } from './messages/sender.ts';
import { StreamKeeper } from './streams/keeper.ts';
import { createSafePost } from '../runtime/safe-post.ts';
import { startWebhooks } from './webhooks/sender.ts';
import { freePort, startMetrics } from './metrics.ts';
import { OrdersUnderWay } from './under-way.ts';
import { Relay } from './relay.ts';

// Where API and worker share a machine, a push is acknowledged before the work that it makes: a platform gives up after seconds, work only waits. Threads that begin later have it from here.
setPriority(Math.min(constants.priority.PRIORITY_LOW, getPriority() + 10));

const config = loadConfig();
const logger = createLogger('worker', config.logLevel);
const sdkPort = await freePort();
Runtime.install({
  logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
    logger[level === 'ERROR' ? 'error' : 'warn']({ workflowId: meta?.['workflowId'], activity: meta?.['activityType'], err: meta?.['error'] }, message);
  }),
  // Signals are ours: the API and the relay stop before the worker does.
  shutdownSignals: [],
  telemetryOptions: { metrics: { prometheus: { bindAddress: `127.0.0.1:${sdkPort}` } } },
});

const store = await openStore({ url: config.databaseUrl, vaultKey: config.vaultKey, poolSize: config.dbPool, writerBatch: config.writerBatch });
const connection = await NativeConnection.connect({ address: config.temporalAddress });
const http = createHttp();
const raw = createRawHttp();
const underWay = new OrdersUnderWay();
const activities = createActivities({ writer: store.writer, network: store.network, vault: store.vault, http, capture: store.capture, raw });
// Each workflow says itself whether it stays with the version it began on (ADR 0011).
const versions = config.buildId === undefined ? {} : {
  workerDeploymentOptions: { useWorkerVersioning: true as const, version: { deploymentName: config.deploymentName, buildId: config.buildId }, defaultVersioningBehavior: 'AUTO_UPGRADE' as const },
};
const worker = await Worker.create({
  connection, namespace: config.temporalNamespace, taskQueue: config.taskQueue, workflowBundle: await workflowBundle(), activities,
  // Pollers hold slots, too. An eager start without a free slot falls back to the task queue, where it waits behind everybody: there must always be one.
  maxConcurrentWorkflowTaskExecutions: 200, workflowTaskPollerBehavior: { type: 'simple-maximum', maximum: 20 }, nonStickyToStickyPollRatio: 0.4,
  maxCachedWorkflows: config.maxCachedWorkflows, maxConcurrentActivityTaskExecutions: 100,
  maxConcurrentLocalActivityExecutions: 50, shutdownGraceTime: '10 seconds',
  interceptors: { activity: [underWay.interceptor] },
  ...versions,
});
// Heavy planning runs in threads and one at a time: it must leave orders their processor.
const planner = await Worker.create({
  connection, namespace: config.temporalNamespace, taskQueue: planningQueue(config.taskQueue), activities, maxConcurrentActivityTaskExecutions: 1, shutdownGraceTime: '5 seconds', ...versions,
});
const running = Promise.all([worker.run(), planner.run()]);
const metrics = await startMetrics(config.workerMetricsPort, sdkPort, async () => {
  await store.pool.query('select 1');
  return worker.getState() === 'RUNNING' && planner.getState() === 'RUNNING';
});
const relay = new Relay({
  pool: store.pool, url: config.databaseUrl, client: new Client({ connection, namespace: config.temporalNamespace }), taskQueue: config.taskQueue, logger,
  pollMs: config.relayPollMs,
  underWay,
  onHandled: (topic, outcome) => { metrics.relayed.inc({ topic, outcome }); },
});
await relay.start();
const housekeeping = startHousekeeping(store.writer, store.network, logger, createCarrierTending({ ...store, http, raw }, logger).all);
const messages = startSender({ store, http, raw, logger, onHandled: (outcome) => { metrics.messages.inc({ outcome }); } });
const streams = new StreamKeeper({ store, http, raw, logger, onMessage: (sender, outcome) => { metrics.streamed.inc({ sender, outcome }); } });
streams.start();
const webhooks = startWebhooks({ store, post: createSafePost(config.webhookNetwork), logger, onTried: (outcome) => { metrics.webhookTries.inc({ outcome }); } });
logger.info({ metricsPort: metrics.port, taskQueue: config.taskQueue }, 'worker ready');

let stopping: Promise<void> | null = null;
async function stop(): Promise<void> {
  await housekeeping.close();
  await messages.close();
  await webhooks.close();
  await streams.close();
  await relay.close();
  for (const w of [worker, planner]) if (w.getState() === 'RUNNING') w.shutdown();
  await running;
  metrics.server.close();
  await store.close();
  await connection.close();
  logger.info('worker stopped');
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => { stopping ??= stop(); });
// A worker that ends by itself has failed: the supervisor starts another.
running.then(() => { if (!stopping) process.exit(1); }, (error: unknown) => {
  logger.fatal({ err: error }, 'worker failed');
  process.exit(1);
});
