import { Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { draftPolicy } from '../../db/routing/policies.ts';
import { cancelSimulation, requestSimulation } from '../../db/simulation/request.ts';
import { readSimulation } from '../../db/simulation/read.ts';
import { keepResult, prepareSimulation } from '../../db/simulation/run.ts';
import { decodeId } from '../../domain/ids.ts';
import type { InstancePolicy } from '../../domain/routing/model.ts';
import { planningQueue, simulationWorkflowId } from '../../workflows/contract/ids.ts';
import { MINUTE, Scene, SECOND } from '../support/scene.ts';

let s: Scene;
let from: string;
let planner: { worker: Worker; running: Promise<void> } | null = null;
let next = 0;
beforeAll(async () => {
  s = await Scene.open();
  from = new Date(s.world.now.getTime() - MINUTE).toISOString();
  await draftPolicy(s.world.store.writer, { policy: CHEAP }, 'key:test');
});
afterEach(async () => {
  await stop();
  expect(await s.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
});
afterAll(async () => { await s.close(); });

const CHEAP: InstancePolicy = {
  code: 'one-parcel', version: 1, kinds: ['warehouse', 'third_party', 'store', 'vendor', 'dealer'], maxShipments: 1, lineMaySplit: false, minShipmentValue: 0, dealers: 'equal',
  weights: { shipping: 1000, handling: 1000, splitPenalty: 0, latenessPerDay: 0, loadBalance: 0, opportunity: 0, slowCredit: 0, settlement: 1000 },
};
const NAMES = [{ code: 'default', version: 1 }, { code: 'one-parcel', version: 1 }];

async function plan(activities?: object): Promise<void> {
  const worker = await Worker.create({ connection: s.environment.nativeConnection, taskQueue: planningQueue(s.queue), activities: activities ?? s.world.activities(s.environment), shutdownGraceTime: '100 ms', shutdownForceTime: '1 second' });
  planner = { worker, running: worker.run() };
}
async function stop(): Promise<void> {
  if (!planner) return;
  planner.worker.shutdown();
  await planner.running.catch(() => undefined); // an activity that hangs is left behind, as by a killed process
  planner = null;
}
async function ask(policies = NAMES): Promise<{ id: string; uuid: string; workflowId: string }> {
  await s.sync();
  const { id } = await requestSimulation(s.world.store.writer, { reference: `sim-${++next}`, from, to: s.world.now.toISOString(), policies }, 'key:test');
  await s.pump();
  return { id, uuid: decodeId('sim', id) as string, workflowId: simulationWorkflowId(id) };
}
const over = async (workflowId: string): Promise<void> => { await s.environment.client.workflow.getHandle(workflowId).result(); };
const view = (uuid: string) => readSimulation(s.world.store.pool, uuid);

test('under the policy that ruled, the same figures as what happened; the other beside it', async () => {
  const lines = s.lines();
  await s.world.setStock(lines[0]!.sku, { 'L-1': 2, 'L-2': 1, 'L-3': 0 });
  await s.world.setStock(lines[1]!.sku, { 'L-1': 2, 'L-2': 0, 'L-3': 4 });
  // The first takes all of L-1; the second has to be split.
  for (const quantity of [2, 1]) await s.order({ lines: [{ ...lines[0]!, quantity }, { ...lines[1]!, quantity: 2 }] });
  await plan();
  const { uuid, workflowId } = await ask();
  await over(workflowId);
  const { actual, policies: [ruled, other], ...head } = await view(uuid);
  expect(head).toMatchObject({ status: 'done', progress: 100, orders: 2, error: null });
  expect(actual?.total).toMatchObject({ orders: 2, complete: 2, shipments: 3, promised: 2, stockOuts: { orders: 0 } });
  expect(ruled).toMatchObject({ code: 'default', simulated: 2, result: actual });
  expect(other?.result?.total).toMatchObject({ orders: 2, complete: 1, shipments: 2, stockOuts: { orders: 1, lines: 1, units: 1 } });
  expect((await s.world.one<{ kept: boolean }>('select input is not null kept from simulations where id = $1', uuid)).kept).toBe(false);
});

test('a worker that is killed half-way: another one goes on with what is left, and what is there stays', async () => {
  await s.order();
  let began = 0;
  const { writer, network } = s.world.store;
  await plan({
    async runSimulation({ simulation }: { simulation: string }) {
      began++;
      const id = decodeId('sim', simulation) as string;
      const prepared = await prepareSimulation(writer, network, id);
      await keepResult(writer, id, 0, 777, { total: { orders: 777 }, regions: {} } as never); // told apart by its number
      expect(prepared?.open.map((o) => o.position)).toEqual([0, 1]);
      await new Promise(() => undefined);
    },
  });
  const { uuid, workflowId } = await ask();
  for (const end = Date.now() + 20_000; (await view(uuid)).policies[0]?.result == null;) {
    if (Date.now() > end) throw new Error('the first worker did not come so far');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(await view(uuid)).toMatchObject({ status: 'running', policies: [{ result: { total: { orders: 777 } } }, { result: null }] });
  await stop();
  await plan();
  await s.skip(40 * SECOND);
  await over(workflowId);
  expect(began).toBe(1);
  const done = await view(uuid);
  expect(done).toMatchObject({ status: 'done', policies: [{ simulated: 777, result: { total: { orders: 777 } } }, { result: { total: { orders: done.orders } } }] });
  // Late words of the first worker change nothing.
  await keepResult(writer, uuid, 1, 1, { total: {}, regions: {} } as never);
  expect(await view(uuid)).toEqual(done);
});

test('cancelled before a worker comes to it: nothing is read, the workflow ends; again it stays so', async () => {
  const { uuid, workflowId } = await ask();
  await cancelSimulation(s.world.store.writer, uuid);
  await cancelSimulation(s.world.store.writer, uuid);
  await plan();
  await over(workflowId);
  expect(await view(uuid)).toMatchObject({ status: 'cancelled', actual: null, startedAt: null, policies: [{ result: null }, { result: null }] });
  await expect(keepResult(s.world.store.writer, uuid, 0, 1, { total: {}, regions: {} } as never)).resolves.toBeUndefined();
  expect((await view(uuid)).policies[0]?.result).toBeNull();
});

test('what a lost network cannot read fails with the reason after its attempts', async () => {
  const { uuid, workflowId } = await ask();
  await s.world.store.pool.query(`update simulations set input = '\\x00', status = 'running', orders = 1 where id = $1`, [uuid]);
  await plan();
  await over(workflowId);
  expect(await view(uuid)).toMatchObject({ status: 'failed', policies: [{ result: null }, { result: null }] });
  expect((await view(uuid)).error).toBeTruthy();
});
