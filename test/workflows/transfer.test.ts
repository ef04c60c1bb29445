import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createTransfer } from '../../db/transfers/create.ts';
import { approveTransfer } from '../../db/transfers/approve.ts';
import { cancelTransfer } from '../../db/transfers/cancel.ts';
import { readTransfer } from '../../db/transfers/read.ts';
import { receiveTransfer } from '../../db/transfers/receive.ts';
import { shipTransfer } from '../../db/transfers/ship.ts';
import { decodeId } from '../../domain/ids.ts';
import { transferWorkflowId } from '../../workflows/contract/ids.ts';
import { DAY, Scene } from '../support/scene.ts';

const WHO = { actor: 'key:test', onlyLocation: null };
let s: Scene;
let n = 0;
beforeAll(async () => { s = await Scene.open(); });
afterAll(async () => { await s.close(); });
afterEach(async () => { expect(await s.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 }); });

const FREE = { 'L-1': [10, 0], 'L-2': [10, 0], 'L-3': [10, 0] };
async function transfer(approve: boolean): Promise<{ sku: string; uuid: string; workflowId: string }> {
  const sku = s.sku();
  await s.sync();
  const { writer, network } = s.world.store;
  const { id } = await createTransfer(writer, network, { reference: `T-${++n}`, reason: 'replenishment', from: 'L-2', to: 'L-1', lines: [{ sku, quantity: 4 }], approve }, WHO);
  const workflowId = transferWorkflowId(id);
  await s.settleWorkflow(workflowId);
  return { sku, uuid: decodeId('trf', id)!, workflowId };
}
const view = (uuid: string) => readTransfer(s.world.store.pool, uuid, null);
const types = async (uuid: string) => (await view(uuid)).events.map((e) => e.type.replace('transfer.', ''));
const over = async (workflowId: string): Promise<void> => { await s.environment.client.workflow.getHandle(workflowId).result(); };
const passes = async (workflowId: string, days: number): Promise<void> => {
  await s.skip(days * DAY);
  await s.settleWorkflow(workflowId);
};

test('late at the sender and overdue on its way are told once each; closed when it has come, with what is missing', async () => {
  const { sku, uuid, workflowId } = await transfer(true);
  expect(await s.world.stock(sku)).toEqual(FREE); // set aside, still there
  await passes(workflowId, 2);
  expect(await types(uuid)).toEqual(['proposed', 'approved', 'late']);
  await shipTransfer(s.world.store.writer, uuid, {}, WHO);
  await s.settleWorkflow(workflowId);
  await passes(workflowId, 5);
  expect([(await view(uuid)).overdue, await types(uuid)]).toEqual([true, ['proposed', 'approved', 'late', 'shipped', 'overdue']]);
  await receiveTransfer(s.world.store.writer, s.world.store.network, uuid, { reference: 'R', final: true, lines: [{ sku, quantity: 3 }] }, WHO);
  await s.settleWorkflow(workflowId);
  await over(workflowId);
  expect((await view(uuid)).status).toBe('closed');
  expect((await types(uuid)).slice(5)).toEqual(['receipt', 'received', 'closed']);
  expect(await s.world.stock(sku)).toEqual({ ...FREE, 'L-1': [13, 0], 'L-2': [6, 0] });
});

test('nobody approves it: it lapses; nobody sends it: its units are free again', async () => {
  const proposed = await transfer(false);
  const approved = await transfer(true);
  await passes(proposed.workflowId, 8);
  await s.settleWorkflow(approved.workflowId);
  for (const { uuid, workflowId, sku } of [proposed, approved]) {
    await over(workflowId);
    expect((await view(uuid)).status).toBe('cancelled');
    expect(await s.world.stock(sku)).toEqual(FREE);
  }
  const aside = await s.world.one<{ units: number }>('select coalesce(sum(on_hand), 0)::int units from stock_levels where allotment_id = -1');
  expect(aside.units).toBe(0);
  expect(await types(approved.uuid)).toEqual(['proposed', 'approved', 'late', 'cancelled']);
});

test('cancelled: the workflow ends', async () => {
  const { sku, uuid, workflowId } = await transfer(true);
  await cancelTransfer(s.world.store.writer, uuid, 'no van', WHO);
  await s.settleWorkflow(workflowId);
  await over(workflowId);
  expect(await s.world.stock(sku)).toEqual(FREE);
});

test('killed half-way: without a worker it is approved, sent and received; the next worker closes it, nothing is booked twice', async () => {
  // Without a cache no task waits on the queue of the worker that is gone.
  const uncached = { maxCachedWorkflows: 0 };
  await s.close();
  s = await Scene.open({}, uncached);
  const { sku, uuid, workflowId } = await transfer(false);
  await s.stopWorker();
  const { writer, network } = s.world.store;
  await approveTransfer(writer, uuid, WHO);
  const sent = await Promise.all([shipTransfer(writer, uuid, {}, WHO), shipTransfer(writer, uuid, {}, WHO)]);
  expect(sent[1]).toEqual(sent[0]);
  const receipt = { reference: 'R', lines: [{ sku, quantity: 4 }] };
  await receiveTransfer(writer, network, uuid, receipt, WHO);
  await s.newWorker(uncached);
  await s.settleWorkflow(workflowId);
  await over(workflowId);
  await receiveTransfer(writer, network, uuid, receipt, WHO);
  expect((await view(uuid)).status).toBe('closed');
  expect(await s.world.stock(sku)).toEqual({ ...FREE, 'L-1': [14, 0], 'L-2': [6, 0] });
});
