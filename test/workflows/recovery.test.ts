import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { cancelOrder } from '../../db/orders/cancel-order.ts';
import { findTemporal } from '../../bin/embedded/find-temporal.ts';
import { PartnerUnavailable } from '../../domain/http-port.ts';
import { decodeId } from '../../domain/ids.ts';
import { orderWorkflowId, ORDER_WORKFLOW } from '../../workflows/contract/ids.ts';
import { addSearchAttributes } from '../../runtime/temporal-bootstrap.ts';
import { Scene } from '../support/scene.ts';
import { defaultAnswer } from '../support/world.ts';

let s: Scene;
// Without a cache each task is replayed from its history, and none waits on the queue of a worker that is gone.
const uncached = { maxCachedWorkflows: 0 };
beforeAll(async () => { s = await Scene.open({}, uncached); });
afterAll(async () => { await s.close(); });
afterEach(async () => {
  s.world.partners.answer = defaultAnswer;
  expect(await s.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
});

async function real(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 20_000; !(await holds());) {
    if (Date.now() > end) throw new Error('what was waited for did not come');
    await delay(5);
  }
}

test('a worker that goes while a location is called: the next one repeats the call under the same key', async () => {
  const id = await s.capture();
  const gone: Promise<void>[] = [];
  s.world.partners.answer = (request) => {
    if (!request.url.endsWith('/v1/fulfillment-orders') || gone.length > 0) return defaultAnswer(request);
    // The location has it; its answer is lost with the worker.
    gone.push(s.stopWorker());
    throw new PartnerUnavailable('the connection broke');
  };
  await s.pump();
  await real(() => gone.length > 0);
  await Promise.all(gone);
  expect((await s.living(id)).status).toBe('releasing');
  await s.newWorker(uncached);
  await s.settle(id);
  expect((await s.living(id)).status).toBe('released');
  const calls = s.world.partners.requests.filter((r) => (r.body as { orderId?: string }).orderId === id);
  expect(calls).toHaveLength(2);
  expect(calls[1]).toEqual(calls[0]);
  expect(s.world.partners.requests.filter((r) => r.url.endsWith('/v1/waybills'))).toHaveLength(1);
  expect((await s.world.events(id)).filter((e) => e === 'fulfillment.released')).toHaveLength(1);
});

test('a worker that goes after a step has committed and before it was reported: the step is repeated without effect', async () => {
  const lines = s.lines();
  const id = await s.capture({ lines });
  await s.stopWorker();
  const steps = s.world.activities(s.environment);
  const gone: Promise<void>[] = [];
  await s.newWorker({ ...uncached, activities: { ...steps, route: async (ref: { orderId: string }) => {
    await steps.route(ref);
    gone.push(s.stopWorker());
    throw new Error('the process was killed here');
  } } });
  await s.environment.client.workflow.start(ORDER_WORKFLOW, { workflowId: orderWorkflowId(id), taskQueue: s.queue, args: [{ v: 1, orderId: id }], workflowTaskTimeout: '2s' });
  await real(() => gone.length > 0);
  await Promise.all(gone);
  await s.newWorker(uncached);
  await s.settle(id);
  expect(await s.world.fulfillments(id)).toHaveLength(1);
  expect((await s.living(id)).status).toBe('released');
  expect(await s.world.stock(lines[1]!.sku)).toMatchObject({ 'L-1': [10, 2] });
  const events = await s.world.events(id);
  expect(new Set(events).size).toBe(events.length);
});

test('commands while no worker runs: obeyed when one comes', async () => {
  const id = await s.order();
  const f = await s.living(id);
  await s.stopWorker();
  expect(await cancelOrder(s.world.store.writer, decodeId('ord', id) as string, 'no', 'key:test')).toBe('asked');
  await s.pump();
  await s.newWorker(uncached);
  await s.settle(id);
  expect(await s.world.status(id)).toBe('cancelled');
  expect(s.world.partners.to(`/fulfillment-orders/${f.id}/cancel`)).toHaveLength(1);
});

test('a workflow started for an order that is over ends at once and changes nothing', async () => {
  const id = await s.delivered();
  await s.closes(id);
  const before = await s.world.events(id);
  // As after the retention time, when Temporal has forgotten the first run.
  const again = await s.world.start(s.environment, s.queue, id);
  await again.result();
  expect(await s.world.events(id)).toEqual(before);
  expect((await again.fetchHistory()).events?.length).toBeLessThanOrEqual(12);
});

test('300 looks at once: one order stays below 1,000 events and goes on', async () => {
  const id = await s.order();
  const handle = s.environment.client.workflow.getHandle(orderWorkflowId(id));
  await Promise.all(Array.from({ length: 300 }, () => handle.signal('look')));
  await s.settle(id);
  expect(await s.historyLength(id)).toBeLessThanOrEqual(1000);
  await s.issue(id);
  expect(await s.world.status(id)).toBe('shipped');
});

test('a long history continues as new and the order goes on', async () => {
  const found = await findTemporal();
  if (found.kind === 'running') throw new Error('this test needs a dev server of its own: unset TEMPORAL_ADDRESS');
  const environment = await TestWorkflowEnvironment.createLocal({ server: {
    executable: { type: 'existing-path', path: found.path }, extraArgs: ['--dynamic-config-value', 'limit.historyCount.suggestContinueAsNew=40'],
  } });
  try {
    await addSearchAttributes(environment.connection, environment.namespace ?? 'default');
    const worker = await s.world.worker(environment, 'long');
    await worker.runUntil(async () => {
      const id = (await s.world.capture({ lines: s.lines() })).id;
      const handle = await s.world.start(environment, 'long', id);
      const first = handle.firstExecutionRunId;
      await real(async () => (await s.world.fulfillments(id))[0]?.status === 'released');
      const runId = async (): Promise<string> => (await environment.client.workflow.getHandle(orderWorkflowId(id)).describe()).runId;
      await real(async () => {
        await s.world.look(environment, id);
        return (await runId()) !== first;
      });
      const f = await s.living(id);
      expect(await s.world.issue(f)).toEqual({ ok: true, handOver: 'allowed' });
      await s.world.look(environment, id);
      await s.world.carrier(f.waybillNo ?? '', 'delivered');
      await s.world.look(environment, id);
      await real(async () => (await environment.client.workflow.getHandle(orderWorkflowId(id)).describe()).historyLength > 5);
      expect(await s.world.status(id)).toBe('delivered');
      expect((await s.world.events(id)).filter((e) => e === 'order.validated')).toHaveLength(1);
      await environment.client.workflow.getHandle(orderWorkflowId(id)).terminate('the test is over');
    });
  } finally {
    await environment.teardown();
  }
});
