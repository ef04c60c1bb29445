import { afterAll, beforeAll, expect, it } from 'vitest';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { bootstrapTemporal, searchAttributes } from '../../runtime/temporal-bootstrap.ts';
import { createTemporalClient } from '../../runtime/temporal-client.ts';
import { devServer, timeSkippingEnv } from './temporal.ts';

let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await timeSkippingEnv();
});
afterAll(() => env.teardown());

it('offers a time-skipping server whose clock jumps and which knows the search attributes', async () => {
  const before = await env.currentTimeMs();
  await env.sleep('30 days');
  expect(await env.currentTimeMs()).toBeGreaterThanOrEqual(before + 30 * 24 * 60 * 60 * 1000);
  const typedSearchAttributes = [
    { key: defineSearchAttributeKey('OrderStatus', SearchAttributeType.KEYWORD), value: 'captured' },
    { key: defineSearchAttributeKey('Location', SearchAttributeType.KEYWORD_LIST), value: ['SHOP-1'] },
  ];
  const handle = await env.client.workflow.start('nobody-runs-this', { workflowId: 'attributes', taskQueue: 'none', typedSearchAttributes });
  expect((await handle.describe()).typedSearchAttributes.getAll()).toEqual(typedSearchAttributes);
  await handle.terminate();
});

it('shares one bootstrapped dev server: 30 days retention, typed search attributes, repeatable', async () => {
  const [one, two] = await Promise.all([devServer(), devServer()]);
  expect(two).toEqual(one);
  await Promise.all([bootstrapTemporal(one.address, one.namespace), bootstrapTemporal(one.address, one.namespace)]);
  const { connection } = await createTemporalClient(one.address, one.namespace);
  try {
    const { config } = await connection.workflowService.describeNamespace({ namespace: one.namespace });
    expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(30 * 24 * 60 * 60);
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: one.namespace });
    expect(customAttributes).toMatchObject(searchAttributes);
  } finally {
    await connection.close();
  }
});

it('makes a new namespace usable at once', async () => {
  const { address } = await devServer();
  const namespace = `made-${process.pid}`;
  await bootstrapTemporal(address, namespace);
  const { connection } = await createTemporalClient(address, namespace);
  try {
    const { count } = await connection.workflowService.countWorkflowExecutions({ namespace, query: "Location = 'SHOP-1'" });
    expect(Number(count)).toBe(0);
  } finally {
    await connection.close();
  }
});
