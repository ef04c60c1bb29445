import { randomUUID } from 'node:crypto';
import { Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { putLanes, putReorderRules, putVendor } from '../../db/replenishment/catalog.ts';
import { putScope } from '../../db/replenishment/scopes.ts';
import { receiveTransfer } from '../../db/transfers/receive.ts';
import { listTransfers } from '../../db/transfers/read.ts';
import { shipTransfer } from '../../db/transfers/ship.ts';
import { decodeId } from '../../domain/ids.ts';
import type { ScopePolicy } from '../../domain/replenishment/scope-model.ts';
import { planningQueue, replenishmentWorkflowId, transferWorkflowId } from '../../workflows/contract/ids.ts';
import { DAY, Scene } from '../support/scene.ts';

const WHO = { actor: 'key:test', onlyLocation: null };
const POLICY: ScopePolicy = {
  service: { kind: 'cycle', share: 0.95 }, reviewDays: 7, leadDays: 3, nearDays: 2, mostOverLevel: 4, budget: null, approve: { transferUnits: 100, purchaseCost: 0, sendPurchases: false },
};
const workflowId = replenishmentWorkflowId('shops');
let s: Scene;
let planner: Worker;
let planning: Promise<void>;

beforeAll(async () => {
  s = await Scene.open({ stock: 0 });
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
  await s.settleWorkflow(transferWorkflowId(made?.id ?? ''));
  await receiveTransfer(s.world.store.writer, s.world.store.network, uuid, { reference: `R-${sku}`, final: true, lines: [{ sku, quantity: 15 }] }, WHO);
  await s.settleWorkflow(transferWorkflowId(made?.id ?? ''));
  expect((await transfers())[0]?.status).toBe('closed');
  expect((await s.world.stock(sku))['L-1']).toEqual([23, 4]);
});

test('a scope that is no longer active ends its workflow', async () => {
  await putScope(s.world.store.writer, s.world.store.network, 'shops', { locations: ['L-1', 'L-2', 'L-3'], policy: POLICY, active: false });
  await s.settleWorkflow(workflowId);
  await s.environment.client.workflow.getHandle(workflowId).result();
});
