import { Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { acceptMove, proposalUuid } from '../../db/redistribution/decide.ts';
import { readRedistributionState, requestMoves } from '../../db/redistribution/policy.ts';
import { listMoves } from '../../db/redistribution/read.ts';
import { putRule, readSlowMoverState, requestEvaluation } from '../../db/slow-movers/policy.ts';
import { listAlerts } from '../../db/slow-movers/read.ts';
import { planningQueue, REDISTRIBUTION_WORKFLOW_ID, SLOW_MOVERS_WORKFLOW_ID } from '../../workflows/contract/ids.ts';
import { demandDays } from '../support/demand-days.ts';
import { DAY, Scene } from '../support/scene.ts';

let s: Scene;
let planner: { worker: Worker; running: Promise<void> };
beforeAll(async () => { s = await Scene.open({ stock: 0, skus: 8 }); });
beforeEach(startPlanner);
afterEach(async () => {
  await stopPlanner();
  expect(await s.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
});
afterAll(async () => { await s.close(); });

async function startPlanner(): Promise<void> {
  const worker = await Worker.create({ connection: s.environment.nativeConnection, taskQueue: planningQueue(s.queue), activities: s.world.activities(s.environment) });
  planner = { worker, running: worker.run() };
}
async function stopPlanner(): Promise<void> {
  planner.worker.shutdown();
  await planner.running;
}
const iso = (daysAgo: number): string => new Date(s.world.now.getTime() - daysAgo * DAY).toISOString().slice(0, 10);
const alerts = async (sku: string) => (await listAlerts(s.world.store.pool, { status: null, severity: null, sku, category: null, country: null, region: null, before: null, limit: 50 })).map((a) => `${a.kind} ${a.triggers.map((t) => t.rule).join()}`);

test('slow movers: looked at when asked, and every day by its own clock; without a worker for a day it is made up for', async () => {
  const { writer, pool } = s.world.store;
  for (const kind of ['turnover', 'cover', 'age', 'selling_rate', 'outlook'] as const) await putRule(writer, { kind, category: null, enabled: false, params: {} }, 'key:test');
  const sku = s.sku();
  await s.world.setStock(sku, { 'L-1': 30 });
  await demandDays(s.world, sku, 'L-1', 'Shanghai', [[iso(60), iso(31), 9], [iso(30), iso(0), 2]]);
  await requestEvaluation(writer);
  await s.settleWorkflow(SLOW_MOVERS_WORKFLOW_ID);
  const first = (await readSlowMoverState(pool)).evaluatedAt;
  expect([first !== null, await alerts(sku)]).toEqual([true, ['sku trend']]);
  await s.skip(DAY + 2000);
  await s.settleWorkflow(SLOW_MOVERS_WORKFLOW_ID);
  const second = (await readSlowMoverState(pool)).evaluatedAt;
  expect([second!.getTime() - first!.getTime() >= DAY, await alerts(sku)]).toEqual([true, ['sku trend']]);
  // Nobody plans for a day, and meanwhile the cause goes.
  await stopPlanner();
  await pool.query('delete from daily_demand');
  await requestEvaluation(writer);
  await s.pump();
  await startPlanner();
  await s.settleWorkflow(SLOW_MOVERS_WORKFLOW_ID);
  expect(await alerts(sku)).toEqual([]);
});

test('redistribution: planned in a thread when asked; what nobody accepts lapses; an accepted move is a transfer with its workflow', async () => {
  const { writer, network, pool } = s.world.store;
  const sku = s.sku();
  await s.sync();
  await s.world.setStock(sku, { 'L-1': 60, 'L-2': 2 });
  await demandDays(s.world, sku, 'L-2', 'Beijing', [[iso(180), iso(1), 2]]);
  const moves = () => listMoves(pool, { status: 'proposed', from: null, to: null, category: null, before: null, limit: 50 });
  await requestMoves(writer);
  await s.settleWorkflow(REDISTRIBUTION_WORKFLOW_ID);
  const [p] = await moves();
  expect([p?.from, p?.to, p?.how, p?.lines.map((l) => l.sku)]).toEqual(['L-1', 'L-2', 'optimal', [sku]]);
  await s.skip(3 * DAY + 2000);
  await s.settleWorkflow(REDISTRIBUTION_WORKFLOW_ID);
  expect(await moves()).toEqual([]);
  await s.sync();
  await requestMoves(writer);
  await s.settleWorkflow(REDISTRIBUTION_WORKFLOW_ID);
  const [again] = await moves();
  await acceptMove(writer, network, proposalUuid(again!.id), 'key:test');
  const { transfer } = (await listMoves(pool, { status: 'accepted', from: null, to: null, category: null, before: null, limit: 1 }))[0]!;
  await s.settleWorkflow(`transfer/${transfer}`);
  expect((await s.environment.client.workflow.getHandle(`transfer/${transfer}`).describe()).status.name).toBe('RUNNING');
  expect((await readRedistributionState(pool)).outcome).toMatchObject({ proposals: 1 });
});
