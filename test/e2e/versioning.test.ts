import { afterAll, beforeAll, expect, test } from 'vitest';
import { randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import { startWorker, type Started } from '../../bench/support/api.ts';
import { cancelOrder } from '../../db/orders/cancel-order.ts';
import { connectTemporal } from '../../runtime/temporal-client.ts';
import { decodeId } from '../../domain/ids.ts';
import { orderWorkflowId } from '../../workflows/contract/ids.ts';
import { prepareOrder } from '../../db/capture/prepare.ts';
import { devServer } from '../support/temporal.ts';
import { startNode } from '../support/processes.ts';
import { VAULT_KEY, World } from '../support/world.ts';

let world: World;
let client: Client;
let env: Record<string, string>;
const workers: Started[] = [];
const deployment = `test-${randomUUID()}`;

beforeAll(async () => {
  const temporal = await devServer();
  world = await World.create();
  client = new Client({ connection: await connectTemporal(temporal.address), namespace: temporal.namespace });
  env = {
    DATABASE_URL: world.database.url, VAULT_KEY: VAULT_KEY.toString('base64'), TEMPORAL_ADDRESS: temporal.address, TEMPORAL_NAMESPACE: temporal.namespace,
    TASK_QUEUE: `versions-${randomUUID()}`, DEPLOYMENT_NAME: deployment, LOG_LEVEL: 'info',
  };
});
afterAll(async () => {
  for (const worker of workers) await worker.stop();
  await client.connection.close();
  await world.close();
});

async function promote(buildId: string): Promise<string> {
  const run = startNode('bin/promote.ts', { env, args: [buildId] });
  const { code } = await run.exited;
  return `${code} ${run.output().trim().split('\n').at(-1) ?? ''}`;
}

/** The version that has done the workflow's last task. */
async function versionOf(workflowId: string): Promise<string | undefined> {
  const { raw } = await client.workflow.getHandle(workflowId).describe();
  return raw.workflowExecutionInfo?.versioningInfo?.deploymentVersion?.buildId ?? undefined;
}

test('an open order goes on with the version that was promoted after it began', async () => {
  workers.push(await startWorker({ ...env, BUILD_ID: 'v1' }));
  expect(await promote('v1')).toBe(`0 ${deployment}: v1 is the current version now`);
  expect(await promote('v1')).toBe(`0 ${deployment}: v1 is the current version already`);
  const intake = world.intake({ payment: { status: 'unpaid' } });
  await world.store.network.loadSkus(intake.lines.map((l) => l.sku));
  const outcome = await world.store.capture.submit(prepareOrder(intake, world.store.network, world.store.vault, new Date(), { apiKeyId: 1, idempotencyKey: null, actor: 'key:test', locationId: null }));
  if ('problem' in outcome) throw outcome.problem;
  const workflowId = orderWorkflowId(outcome.answer.id);
  await expect.poll(() => versionOf(workflowId).catch(() => 'not started'), { timeout: 30_000, interval: 200 }).toBe('v1');

  workers.push(await startWorker({ ...env, BUILD_ID: 'v2' }));
  expect(await promote('v2')).toBe(`0 ${deployment}: v2 is the current version now, it was v1`);
  await workers.shift()?.stop();
  await cancelOrder(world.store.writer, decodeId('ord', outcome.answer.id) as string, 'changed my mind', 'key:test');
  await client.workflow.getHandle(workflowId).result();
  expect(await versionOf(workflowId)).toBe('v2');
  expect((await world.events(outcome.answer.id)).at(-1)).toBe('order.cancelled');
}, 180_000);

test('a version that nobody runs is not promoted, and the message says what to do', async () => {
  const run = startNode('bin/promote.ts', { env: { ...env, PROMOTE_WAIT_MS: '1500' }, args: ['v9'] });
  expect((await run.exited).code).toBe(1);
  expect(run.output()).toContain(`no worker of build v9 asks deployment ${deployment} for tasks (waited 1.5 s): start one with BUILD_ID=v9, then promote again`);
});
