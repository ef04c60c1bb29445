import { randomUUID } from 'node:crypto';
import { Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Activities } from '../../activities/index.ts';
import { putLanes, putReorderRules, putVendor } from '../../db/replenishment/catalog.ts';
import { putScope } from '../../db/replenishment/scopes.ts';
import { receiveTransfer } from '../../db/transfers/receive.ts';
import { listTransfers } from '../../db/transfers/read.ts';
import { shipTransfer } from '../../db/transfers/ship.ts';
import { decodeId, encodeId } from '../../domain/ids.ts';
import type { ScopePolicy } from '../../domain/replenishment/scope-model.ts';
import { planningQueue, replenishmentWorkflowId, transferWorkflowId } from '../../workflows/contract/ids.ts';
import { DAY, Scene } from '../support/scene.ts';

const WHO = { actor: 'key:test', onlyLocation: null };
const POLICY: ScopePolicy = {
  service: { kind: 'cycle', share: 0.95 }, reviewDays: 7, leadDays: 3, nearDays: 2, mostOverLevel: 4, budget: null, approve: { transferUnits: 100, purchaseCost: 0, sendPurchases: false },
};
const workflowId = replenishmentWorkflowId('shops');
// Without a cache no task waits on the queue of a worker that is gone.
const uncached = { maxCachedWorkflows: 0 };
let s: Scene;
let planner: Worker;
let planning: Promise<void>;

beforeAll(async () => {
  s = await Scene.open({ stock: 0 }, uncached);
  planner = await Worker.create({ connection: s.environment.nativeConnection, taskQueue: planningQueue(s.queue), activities: s.world.activities(s.environment), identity: `planner-${randomUUID()}` });
  planning = planner.run();
  const { writer, network, pool } = s.world.store;
  await pool.query(`update channels set supply_horizon_s = 1209600 where code = 'own'`);
  await network.reload();
  await putLanes(writer, network, [{ from: 'L-2', to: 'L-1', perUnit: 20, days: 1 }, { from: 'L-3', to: 'L-1', perUnit: 90, days: 2 }]);
  await s.sync();
  await putScope(writer, network, 'shops', { locations: ['L-1', 'L-2', 'L-3'], policy: POLICY });
  await s.settleWorkflow(workflowId);
});
afterAll(async () => {
  planner.shutdown();
  await planning;
  await s.close();
});
afterEach(async () => { expect(await s.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 }); });

const transfers = () => listTransfers(s.world.store.pool, { status: null, from: null, to: null, orderId: null, before: null, limit: 50, onlyLocation: null });
async function rule(sku: string, reorderPoint: number, level: number): Promise<void> {
  await putReorderRules(s.world.store.writer, s.world.store.network, s.world.locationId('L-1'), [{ sku, reorderPoint, level }]);
  await s.settleWorkflow(workflowId);
}
/** What an order of the own site could take now, of what is there and what comes. */
const sellable = async (sku: string) => (await s.world.one<{ n: number }>(
  `select coalesce(sum(on_hand - reserved), 0)::int n from stock_levels v join skus k on k.id = v.sku_id where k.code = $1 and v.location_id = $2 and v.condition = 'sellable'`, sku, s.world.locationId('L-1'))).n;

test('no surplus near: an order to the vendor, once, at its cadence too, until the rule lets it be sent', async () => {
  const sku = s.sku();
  const { writer, network, pool } = s.world.store;
  await putVendor(writer, network, 'V-1', { name: 'Mill', leadDays: 5, terms: [{ sku, unitCost: 300, pack: 6, minimum: 12 }] });
  await s.world.setStock(sku, { 'L-1': 3, 'L-2': 0, 'L-3': 0 });
  await rule(sku, 5, 20);
  const orders = async () => (await pool.query<{ status: string; cost: number; quantity: number }>(
    'select p.status, p.cost, n.quantity from purchase_orders p join purchase_order_lines n on n.purchase_id = p.id join skus k on k.id = n.sku_id where k.code = $1', [sku])).rows;
  expect(await orders()).toEqual([{ status: 'proposed', cost: 18 * 300, quantity: 18 }]);
  await s.skip(8 * DAY);
  await s.settleWorkflow(workflowId);
  expect((await orders()).length).toBe(1);
  const plans = await s.world.one<{ n: number }>(`select count(*)::int n from replenishment_plans where cause = 'cadence'`);
  expect(plans.n).toBeGreaterThanOrEqual(2);
});

test('only 5 left in the shop: a transfer from near surplus, sellable on its way, received', async () => {
  const sku = s.sku();
  await s.world.setStock(sku, { 'L-1': 8, 'L-2': 30, 'L-3': 100 });
  await rule(sku, 5, 20);
  expect(await transfers()).toEqual([]);
  // Three are sold in the shop: five are left.
  const order = { lines: [{ sku, quantity: 3, unitPrice: 1000 }] };
  expect((await s.world.capture(order)).reserved).toEqual([{ line: 1, location: 'L-1', quantity: 3 }]);
  await s.settleWorkflow(workflowId);
  const [made, ...more] = await transfers();
  expect([more, made?.reason, made?.from, made?.to, made?.units, made?.status]).toEqual([[], 'replenishment', 'L-2', 'L-1', 15, 'approved']);
  // What is under way counts: the next sale asks for nothing more.
  await s.world.capture({ lines: [{ sku, quantity: 1, unitPrice: 1000 }] });
  await s.settleWorkflow(workflowId);
  expect((await transfers()).length).toBe(1);
  const uuid = decodeId('trf', made?.id ?? '')!;
  await shipTransfer(s.world.store.writer, uuid, {}, WHO);
  expect(await sellable(sku)).toBe(4 + 15);
  // With nothing anywhere else a customer gets what is on the shelf, and the rest of what is on the road.
  await s.world.setStock(sku, { 'L-2': 0, 'L-3': 0 });
  const sold = await s.world.capture({ lines: [{ sku, quantity: 10, unitPrice: 1000 }] });
  const onTheRoad = async () => (await s.world.one<{ n: number }>('select coalesce(sum(r.quantity), 0)::int n from reservations r join stock_levels v on v.id = r.level_id where r.order_id = $1 and v.supply_id > 0', decodeId('ord', sold.id))).n;
  expect(await onTheRoad()).toBe(6);
  await s.settleWorkflow(transferWorkflowId(made?.id ?? ''));
  await receiveTransfer(s.world.store.writer, s.world.store.network, uuid, { reference: `R-${sku}`, final: true, lines: [{ sku, quantity: 15 }] }, WHO);
  await s.settleWorkflow(transferWorkflowId(made?.id ?? ''));
  expect((await transfers())[0]?.status).toBe('closed');
  expect((await s.world.stock(sku))['L-1']).toEqual([23, 14]);
  expect(await onTheRoad()).toBe(0);
});

test('its workers are killed after the plan is committed, after the transfer is made and as it begins, before they could say so: one transfer, and it goes its way', async () => {
  const sku = s.sku();
  await s.world.setStock(sku, { 'L-1': 8, 'L-2': 30, 'L-3': 0 });
  await rule(sku, 5, 20);
  await s.stopWorker();
  planner.shutdown();
  await planning;
  const real = s.world.activities(s.environment);
  const killed: string[] = [];
  const gone: Promise<void>[] = [];
  /** The first time that an activity of this name has committed, its process is gone before it answers. */
  const once = <K extends 'planStock' | 'carryOutPlans' | 'advanceTransfer'>(name: K, stop: () => Promise<void>): Pick<Activities, K> => ({ [name]: async (input: never) => {
    const done = await (real[name] as (input: never) => Promise<unknown>)(input);
    if (killed.includes(name)) return done;
    killed.push(name);
    gone.push(stop());
    throw new Error('the process was killed here');
  } } as unknown as Pick<Activities, K>);
  const startPlanner = async (activities: object): Promise<void> => {
    planner = await Worker.create({ connection: s.environment.nativeConnection, taskQueue: planningQueue(s.queue), activities, identity: `planner-${randomUUID()}` });
    planning = planner.run();
  };
  const died = async (name: string): Promise<void> => {
    for (const end = Date.now() + 20_000; !killed.includes(name) && Date.now() < end;) {
      await s.pump();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(killed).toContain(name);
    await Promise.all(gone);
  };
  await startPlanner({ ...real, ...once('planStock', async () => { planner.shutdown(); await planning; }) });
  await s.newWorker({ ...uncached, activities: { ...real, ...once('carryOutPlans', () => s.stopWorker()) } });
  await s.world.capture({ lines: [{ sku, quantity: 3, unitPrice: 1000 }] });
  await died('planStock');
  await startPlanner(real);
  await died('carryOutPlans');
  await s.newWorker({ ...uncached, activities: { ...real, ...once('advanceTransfer', () => s.stopWorker()) } });
  await died('advanceTransfer');
  await s.newWorker(uncached);
  await s.settleWorkflow(workflowId);
  const { rows } = await s.world.store.pool.query<{ id: string }>('select t.id from transfers t join transfer_lines n on n.transfer_id = t.id join skus k on k.id = n.sku_id where k.code = $1', [sku]);
  const made = (await transfers()).filter((t) => rows.some((r) => encodeId('trf', r.id) === t.id));
  expect(made.map((t) => [t.from, t.to, t.units, t.status])).toEqual([['L-2', 'L-1', 15, 'approved']]);
  await s.settleWorkflow(transferWorkflowId(made[0]!.id));
  const uuid = decodeId('trf', made[0]!.id)!;
  await shipTransfer(s.world.store.writer, uuid, {}, WHO);
  await receiveTransfer(s.world.store.writer, s.world.store.network, uuid, { reference: `R-${sku}`, final: true, lines: [{ sku, quantity: 15 }] }, WHO);
  await s.settleWorkflow(transferWorkflowId(made[0]!.id));
  expect((await s.world.stock(sku))['L-1']).toEqual([23, 3]);
}, 120_000);

test('a scope that is no longer active ends its workflow', async () => {
  await putScope(s.world.store.writer, s.world.store.network, 'shops', { locations: ['L-1', 'L-2', 'L-3'], policy: POLICY, active: false });
  await s.settleWorkflow(workflowId);
  await s.environment.client.workflow.getHandle(workflowId).result();
});
