import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { carryOut } from '../../../db/replenishment/carry-out.ts';
import { putLanes, putReorderRules } from '../../../db/replenishment/catalog.ts';
import { scopeStep } from '../../../db/replenishment/due.ts';
import { markForecast } from '../../../db/replenishment/forecasts.ts';
import { runPlan } from '../../../db/replenishment/run-plan.ts';
import { putScope, readScope, tendReplenishment, tendScopes } from '../../../db/replenishment/scopes.ts';
import { StockWriter } from '../../../db/stock-writer.ts';
import type { Tx } from '../../../db/tx.ts';
import { encodeId } from '../../../domain/ids.ts';
import type { ScopePolicy } from '../../../domain/replenishment/scope-model.ts';
import { planScope } from '../../../domain/replenishment/scope-plan.ts';
import { mondayOf } from '../../../domain/replenishment/weeks.ts';
import { World } from '../../support/world.ts';

const POLICY: ScopePolicy = {
  service: { kind: 'cycle', share: 0.95 }, reviewDays: 7, leadDays: 3, nearDays: 2, mostOverLevel: 4, budget: null, approve: { transferUnits: 100, purchaseCost: 0, sendPurchases: false },
};
let world: World;
let n = 0;
beforeAll(async () => {
  world = await World.create({ skus: 40, stock: 0 });
  const { writer, network } = world.store;
  await putLanes(writer, network, [{ from: 'L-2', to: 'L-1', perUnit: 20, days: 1 }]);
  await putScope(writer, network, 'shops', { locations: ['L-1', 'L-2'], policy: POLICY });
  await markForecast(writer, (await readScope(writer.pool, 'shops'))!, mondayOf(world.now.toISOString().slice(0, 10)));
  await work(writer);
});
afterEach(async () => { expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 }); });
afterAll(async () => { await world.close(); });

class Killed extends Error {}
/** A process that dies at its `point`-th step: before a transaction, inside it, or before a statement of its own. */
function mortal(point: number): StockWriter {
  const { pool, network } = world.store;
  const writer = new StockWriter(pool, null, () => world.now, network);
  let left = point;
  const alive = (): void => { if (left-- <= 0) throw new Killed(); };
  const mortalPool = Object.assign(Object.create(pool) as typeof pool, { connect: pool.connect.bind(pool), query: ((...args: Parameters<typeof pool.query>) => { alive(); return pool.query(...args); }) as unknown as typeof pool.query });
  return Object.defineProperty(Object.assign(Object.create(writer) as StockWriter, {
    change: async <T>(run: (tx: Tx) => Promise<T>): Promise<T> => {
      alive();
      return writer.change(async (tx) => { const result = await run(tx); alive(); return result; });
    },
  }), 'pool', { value: mortalPool });
}
/** What the workflow of the scope does until it waits. */
async function work(writer: StockWriter): Promise<void> {
  for (let step = await scopeStep(writer, 'shops'); step.do !== 'wait'; step = await scopeStep(writer, 'shops')) {
    if (step.do === 'plan') await runPlan(writer, 'shops', step.cause, (input) => Promise.resolve(planScope(input)));
    else if (step.do === 'carry_out') await carryOut(writer, world.store.network, 'shops');
    else throw new Error(step.do);
  }
}
const transfers = async (sku: string) => (await world.store.pool.query<{ id: string; from: string; to: string; units: number; status: string }>(
  `select t.id, f.code "from", d.code "to", n.quantity units, t.status from transfers t join transfer_lines n on n.transfer_id = t.id join skus k on k.id = n.sku_id join locations f on f.id = t.from_location_id
     join locations d on d.id = t.to_location_id where k.code = $1 order by t.id`, [sku])).rows;
const outbox = async (what: string): Promise<number> => (await world.one<{ n: number }>('select count(*)::int n from outbox where workflow_id like $1', what)).n;
/** Five are left where three were sold of eight: the point is crossed in the sale's own transaction. */
async function fiveLeft(): Promise<string> {
  const sku = `SKU-${++n}`;
  await world.setStock(sku, { 'L-1': 8, 'L-2': 60 });
  await putReorderRules(world.store.writer, world.store.network, world.locationId('L-1'), [{ sku, reorderPoint: 5, level: 20 }]);
  await work(world.store.writer);
  await world.store.pool.query('delete from outbox');
  await world.capture({ lines: [{ sku, quantity: 3, unitPrice: 1000 }] });
  return sku;
}

test('killed at any step between the crossing of the reorder point, the plan and the transfer: exactly one transfer, whoever goes on, and however many', async () => {
  let died = 0;
  for (let point = 0; point < 40; point++) {
    const sku = await fiveLeft();
    const killed = await work(mortal(point)).then(() => false, (error: unknown) => { if (!(error instanceof Killed)) throw error; return true; });
    await Promise.all([work(world.store.writer), work(world.store.writer), work(world.store.writer)]);
    expect([point, (await transfers(sku)).map((t) => [t.from, t.to, t.units, t.status])]).toEqual([point, [['L-2', 'L-1', 15, 'approved']]]);
    const [made] = await transfers(sku);
    expect([point, await outbox(`transfer/${encodeId('trf', made?.id ?? '')}`)]).toEqual([point, 1]);
    expect((await world.one<{ n: number }>(`select count(*)::int n from replenishment_orders where status <> 'done'`)).n).toBe(0);
    if (!killed) break;
    died++;
  }
  expect(died).toBeGreaterThanOrEqual(8); // every step was died at: the last round came through
}, 120_000);

test('a wish that was lost is asked for again; so is a scope whose plan by cadence is late', async () => {
  const sku = await fiveLeft();
  expect(await outbox('replenishment/shops')).toBe(1);
  await world.store.pool.query('delete from outbox');
  await world.store.pool.query(`update replenishment_dirty set at = now() - interval '3 seconds'`);
  expect([await tendReplenishment(world.store.writer), await tendReplenishment(world.store.writer), await outbox('replenishment/shops')]).toEqual([1, 0, 1]);
  await work(world.store.writer);
  expect((await transfers(sku)).length).toBe(1);
  await world.store.pool.query('delete from outbox');
  expect(await tendScopes(world.store.writer)).toBe(0);
  world.now = new Date(world.now.getTime() + 7 * 86_400_000 + 601_000);
  expect([await tendScopes(world.store.writer), await tendScopes(world.store.writer)]).toEqual([1, 0]);
});
