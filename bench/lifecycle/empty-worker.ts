import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { NativeConnection, Runtime, Worker } from '@temporalio/worker';

/** Runs N empty workflows, started eagerly on the worker's own connection as the relay starts orders; prints when each batch is through. */
Runtime.install({ shutdownSignals: [] });
const connection = await NativeConnection.connect({ address: process.env['TEMPORAL_ADDRESS'] ?? '' });
const namespace = process.env['TEMPORAL_NAMESPACE'] ?? '';
const worker = await Worker.create({ connection, namespace, taskQueue: 'empty', workflowsPath: fileURLToPath(new URL('empty-workflow.ts', import.meta.url)), maxConcurrentWorkflowTaskExecutions: 40 });
const client = new Client({ connection, namespace });
const running = worker.run();
let number = 0;
console.log('ready on :1');
process.on('message', (count: number) => {
  void (async () => {
    let left = count;
    await Promise.all(Array.from({ length: 20 }, async () => {
      while (left-- > 0) {
        const handle = await client.workflow.start('empty', { workflowId: `empty/${number++}`, taskQueue: 'empty', requestEagerStart: true });
        await handle.result();
      }
    }));
    process.send?.('done');
  })();
});
process.on('SIGTERM', () => { worker.shutdown(); void running.then(() => connection.close()).then(() => process.exit(0)); });
