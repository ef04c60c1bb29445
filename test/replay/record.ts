// Records the histories that replay.test.ts replays: `node --import tsx test/replay/record.ts`, after a change of workflows/ that is
// meant to break replays (it must be patched or pinned otherwise), or to add a way that no history takes yet. Names of histories as arguments: only those are written.
import { writeFile } from 'node:fs/promises';
import protos from '@temporalio/proto';
import { Worker } from '@temporalio/worker';
import { wakeChannels } from '../../db/channels/wake.ts';
import { declare } from '../../db/declarations/declare.ts';
import { endEarly } from '../../db/declarations/end.ts';
import { cancelOrder } from '../../db/orders/cancel-order.ts';
import type { Channel } from '../../db/network.ts';
import { handOut } from '../../db/pickup/hand-out.ts';
import { putLadder } from '../../db/promise/ladders.ts';
import { inspectReturn, receiveReturn, requestReturn } from '../../db/returns/returns.ts';
import { requestMoves } from '../../db/redistribution/policy.ts';
import { rollBackCanary } from '../../db/routing/canary/end.ts';
import { readCanary } from '../../db/routing/canary/read.ts';
import { startCanary } from '../../db/routing/canary/start.ts';
import { gatherWave } from '../../db/routing/wave/gather.ts';
import { listWaves } from '../../db/routing/wave/read.ts';
import { draftPolicy } from '../../db/routing/policies.ts';
import { requestSimulation } from '../../db/simulation/request.ts';
import { putLanes, putReorderRules } from '../../db/replenishment/catalog.ts';
import { putScope } from '../../db/replenishment/scopes.ts';
import { requestEvaluation } from '../../db/slow-movers/policy.ts';
import { createTransfer } from '../../db/transfers/create.ts';
import { receiveTransfer } from '../../db/transfers/receive.ts';
import { shipTransfer } from '../../db/transfers/ship.ts';
import { decodeId, encodeId } from '../../domain/ids.ts';
import {
  canaryWorkflowId, channelSyncWorkflowId, declarationWorkflowId, orderWorkflowId, planningQueue, reconciliationWorkflowId, REDISTRIBUTION_WORKFLOW_ID, replenishmentWorkflowId, returnWorkflowId, simulationWorkflowId, SLOW_MOVERS_WORKFLOW_ID, transferWorkflowId, waveWorkflowId,
} from '../../workflows/contract/ids.ts';
import { Campaigns, passes, readyForCampaigns } from '../support/campaigns.ts';
import { Counts } from '../support/counts.ts';
import setup from '../support/global-setup.ts';
import { MINUTE, Scene } from '../support/scene.ts';
import { connectShop } from '../support/shop-account.ts';
import { defaultAnswer } from '../support/world.ts';

/** A file of histories/. */
export type Stored = { workflowId: string; history: { events: { workflowExecutionStartedEventAttributes?: { workflowType: { name: string } } }[] } };

const cleanUp = await setup();
const s = await Scene.open();
const uuid = (id: string): string => decodeId('ord', id) as string;

/** Worker identities name a process and a machine; nothing in a replay reads them. */
function withoutMachine(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutMachine);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, v]) => {
    if (key === 'identity') return [key, 'recorded'];
    if (key === 'taskQueue') return [key, { name: 'orders' }];
    return [key, withoutMachine(v)];
  }));
}

const only = new Set(process.argv.slice(2));
async function keep(name: string, workflowId: string): Promise<void> {
  if (only.size > 0 && !only.has(name)) return;
  const history = await s.environment.client.workflow.getHandle(workflowId).fetchHistory();
  // Not historyToJSON: it fails where npm has installed protobufjs more than once.
  const { History } = protos.temporal.api.history.v1;
  const json = withoutMachine(History.toObject(History.fromObject(history), { longs: String, bytes: String, enums: String }));
  await writeFile(new URL(`histories/${name}.json`, import.meta.url), `${JSON.stringify({ workflowId, history: json }, null, 1)}\n`);
}

async function returned(id: string, rma: string): Promise<void> {
  await s.run(id, () => receiveReturn(s.world.store.writer, rma, [{ line: 1, quantity: 1 }], null, 'key:test'));
  await s.run(id, () => inspectReturn(s.world.store.writer, rma, [{ line: 1, disposition: 'restock', accepted: 1 }], null, 'key:test'));
}
const ask = (id: string, goodwill: boolean): Promise<string> =>
  requestReturn(s.world.store.writer, uuid(id), { kind: 'refund', reason: 'recorded', method: 'label', goodwill, lines: [{ line: 1, quantity: 1 }] }, null, 'key:test');

try {
  const happy = await s.delivered();
  await s.closes(happy);
  await keep('order-happy', orderWorkflowId(happy));

  const late = await ask(happy, true);
  await s.settleWorkflow(returnWorkflowId(late));
  await returned(happy, late);
  await s.settleWorkflow(returnWorkflowId(late));
  await keep('late-return', returnWorkflowId(late));

  const rerouted = await s.order();
  await s.tell(rerouted, await s.living(rerouted), { type: 'rejected', reason: 'damaged' });
  await s.skip(25 * MINUTE, rerouted); // the second is silent: reminded, then re-routed
  await s.issue(rerouted);
  await s.carrier(rerouted, 'delivered');
  await s.closes(rerouted);
  await keep('order-reroute', orderWorkflowId(rerouted));

  const reminded = await s.order();
  await s.skip(11 * MINUTE, reminded);
  await s.tell(reminded, await s.living(reminded), { type: 'accepted' });
  await s.issue(reminded);
  await s.carrier(reminded, 'delivered');
  await s.closes(reminded);
  await keep('order-remind', orderWorkflowId(reminded));

  const back = await s.delivered();
  await returned(back, await s.run(back, () => ask(back, false)));
  await s.closes(back);
  await keep('order-return', orderWorkflowId(back));

  const lines = s.lines();
  await s.world.setStock(lines[1]!.sku, { 'L-1': 0, 'L-2': 0, 'L-3': 0 });
  const backordered = await s.order({ lines, channel: 'douyin' });
  await s.skip(60 * MINUTE, backordered);
  await s.run(backordered, () => s.world.setStock(lines[1]!.sku, { 'L-2': 5 }));
  await s.issue(backordered);
  await s.carrier(backordered, 'delivered');
  await s.closes(backordered);
  await keep('order-backorder', orderWorkflowId(backordered));

  await putLadder(s.world.store.writer, s.world.store.network.channels.get('douyin') as Channel, { atRiskMinutes: 60, ask: { options: ['wait', 'cancel'], answerMinutes: 120, otherwise: 'cancel' } }, 'key:test');
  await s.world.store.network.reload();
  const tooLate = s.lines();
  await s.world.setStock(tooLate[1]!.sku, { 'L-1': 0, 'L-2': 0, 'L-3': 0 });
  const asked = await s.order({ lines: tooLate, channel: 'douyin' });
  await s.skip(121 * MINUTE, asked);
  await keep('order-promise', orderWorkflowId(asked));
  await putLadder(s.world.store.writer, s.world.store.network.channels.get('douyin') as Channel, null, 'key:test');
  await s.world.store.network.reload();

  const fetched = await s.order({ pickup: { location: 'L-2', way: 'pickup' } });
  await s.skip(150 * MINUTE, fetched); // reminded, and late
  await s.tell(fetched, await s.living(fetched), { type: 'packed', parcels: [] });
  await s.skip(49 * 60 * MINUTE, fetched); // a reminder
  await s.run(fetched, async () => handOut(s.world.store.writer, s.world.store.vault, decodeId('ful', (await s.living(fetched)).id) as string, { override: 'recorded' }, null, 'key:test'));
  await s.closes(fetched);
  await keep('order-pickup', orderWorkflowId(fetched));

  const cancelled = await s.order({ scheduled: { from: new Date(s.world.now.getTime() + 30 * MINUTE).toISOString() } });
  await s.skip(31 * MINUTE, cancelled);
  await s.run(cancelled, () => cancelOrder(s.world.store.writer, uuid(cancelled), 'recorded', 'key:test'));
  await keep('order-cancel', orderWorkflowId(cancelled));

  const counts = new Counts(s.world);
  await s.sync();
  s.world.partners.answer = (request) => (request.url.includes('/v1/stock?') ? { status: 200, body: { takenAt: s.world.now.toISOString(), items: [{ sku: 'SKU-1', quantity: 1 }], next: null } } : defaultAnswer(request));
  await counts.rule({ pullEveryS: 3600 });
  await counts.stage([{ sku: 'SKU-1', quantity: 1 }], { id: 'recorded', takenAt: counts.ago(5) });
  await s.settleWorkflow(reconciliationWorkflowId('L-1'));
  await s.skip(61 * MINUTE);
  await s.settleWorkflow(reconciliationWorkflowId('L-1'));
  await keep('reconciliation', reconciliationWorkflowId('L-1'));

  await s.sync();
  const at = (minutes: number): string => new Date(s.world.now.getTime() + minutes * MINUTE).toISOString();
  const sku = s.sku();
  await declare(s.world.store.writer, s.world.store.network, { code: 'RECORDED', kind: 'live_stream', partner: 'P-1', channel: 'own', startsAt: at(10), endsAt: at(70), lines: [{ sku, sources: [{ location: 'L-2', units: 8 }] }] }, 'key:test');
  const session = declarationWorkflowId(encodeId('dec', (await s.world.one<{ id: string }>(`select id from declarations where code = 'RECORDED'`)).id));
  await s.settleWorkflow(session);
  await s.skip(11 * MINUTE);
  await s.settleWorkflow(session);
  const sold = await s.order({ session: 'RECORDED', lines: [{ sku, quantity: 2, unitPrice: 100 }] });
  await endEarly(s.world.store.writer, 'RECORDED', 'recorded');
  await s.settleWorkflow(session);
  await s.issue(sold);
  await s.skip(11 * MINUTE);
  await s.settleWorkflow(session);
  await keep('declaration', session);

  await s.sync();
  const moved = s.sku();
  const { writer, network } = s.world.store;
  const anybody = { actor: 'key:test', onlyLocation: null };
  const sent = await createTransfer(writer, network, { reference: 'RECORDED', reason: 'manual', from: 'L-2', to: 'L-1', lines: [{ sku: moved, quantity: 2 }], approve: true }, anybody);
  const transferId = transferWorkflowId(sent.id);
  await s.settleWorkflow(transferId);
  await s.skip(25 * 60 * MINUTE); // late at the sender
  await s.settleWorkflow(transferId);
  await shipTransfer(writer, decodeId('trf', sent.id) as string, {}, anybody);
  await s.settleWorkflow(transferId);
  await receiveTransfer(writer, network, decodeId('trf', sent.id) as string, { reference: 'RECORDED', lines: [{ sku: moved, quantity: 2 }] }, anybody);
  await s.settleWorkflow(transferId);
  await keep('transfer', transferId);

  const shop = await connectShop(s, 'recorded-shop');
  const shopId = channelSyncWorkflowId('recorded-shop');
  await s.settleWorkflow(shopId);
  shop.shop.place({ lines: [{ sku: 'P-1', quantity: 1 }] });
  await s.skip(6 * MINUTE); // asked by its own clock
  await s.settleWorkflow(shopId);
  await wakeChannels(s.world.store.pool, ['recorded-shop'], s.world.now);
  await s.settleWorkflow(shopId);
  await keep('channel-sync', shopId);
  await shop.close();

  await s.sync();
  const planner = await Worker.create({ connection: s.environment.nativeConnection, taskQueue: planningQueue(s.queue), activities: s.world.activities(s.environment) });
  const planning = planner.run();
  const simulated = await requestSimulation(writer, { reference: 'RECORDED', from: new Date(s.world.now.getTime() - 30 * 24 * 60 * MINUTE).toISOString(), to: s.world.now.toISOString(), policies: [{ code: 'default', version: 1 }] }, 'key:test');
  await s.pump();
  await s.environment.client.workflow.getHandle(simulationWorkflowId(simulated.id)).result();
  await keep('simulation', simulationWorkflowId(simulated.id));

  const stockId = replenishmentWorkflowId('recorded');
  const low = s.sku();
  await s.world.setStock(low, { 'L-1': 6, 'L-2': 30, 'L-3': 0 });
  await putLanes(writer, network, [{ from: 'L-2', to: 'L-1', perUnit: 10, days: 1 }]);
  await putScope(writer, network, 'recorded', {
    locations: ['L-1', 'L-2'], policy: { service: { kind: 'fill', share: 0.95 }, reviewDays: 7, leadDays: 3, nearDays: 2, mostOverLevel: 4, budget: null, approve: { transferUnits: 50, purchaseCost: 0, sendPurchases: false } },
  });
  await s.settleWorkflow(stockId);
  await putReorderRules(writer, network, s.world.locationId('L-1'), [{ sku: low, reorderPoint: 5, level: 15 }]);
  await s.settleWorkflow(stockId);
  await s.world.capture({ lines: [{ sku: low, quantity: 2, unitPrice: 1000 }] });
  await s.settleWorkflow(stockId);
  await keep('replenishment', stockId);

  const gathered = [await s.order({ channel: 'merging' }), await s.order({ channel: 'merging' })];
  await s.skip(14.6 * MINUTE);
  await gatherWave(writer);
  await s.pump();
  const waveId = waveWorkflowId((await listWaves(s.world.store.pool, 1))[0]?.id ?? '');
  await s.environment.client.workflow.getHandle(waveId).result();
  for (const id of gathered) await s.settle(id);
  await keep('wave', waveId);
  await requestEvaluation(writer);
  await s.settleWorkflow(SLOW_MOVERS_WORKFLOW_ID);
  await requestMoves(writer);
  await s.settleWorkflow(REDISTRIBUTION_WORKFLOW_ID);
  await s.skip(25 * 60 * MINUTE); // looked at by its own clock
  await s.settleWorkflow(SLOW_MOVERS_WORKFLOW_ID);
  await requestMoves(writer);
  await s.settleWorkflow(REDISTRIBUTION_WORKFLOW_ID);
  await keep('slow-movers', SLOW_MOVERS_WORKFLOW_ID);
  await keep('redistribution', REDISTRIBUTION_WORKFLOW_ID);
  planner.shutdown();
  await planning;

  const { policy } = network.policyAt(s.world.now);
  await draftPolicy(writer, { policy: { ...policy, code: 'recorded', version: 1 } }, 'key:test');
  await startCanary(writer, network, 'recorded', 1, { share: 500, endsAt: new Date(s.world.now.getTime() + 48 * 60 * MINUTE).toISOString(), guard: { minOrders: 5, costWorse: 0, lateWorse: 0, confidence: 950 } }, 'key:test');
  const canaryId = canaryWorkflowId((await readCanary(s.world.store.pool, 'recorded', 1, s.world.now)).id);
  await s.settleWorkflow(canaryId);
  await s.skip(61 * MINUTE);
  await s.settleWorkflow(canaryId);
  await rollBackCanary(writer, 'recorded', 1, 'recorded', 'key:test');
  await s.settleWorkflow(canaryId);
  await keep('canary', canaryId);

  await s.sync();
  await readyForCampaigns(s.world);
  const campaigns = new Campaigns(s.world);
  const campaign = await campaigns.approved(campaigns.plan([s.sku()], { endsAt: campaigns.day(3), stages: [{ kind: 'staff', endsAt: campaigns.day(1), percentOff: 40, group: 'STAFF', perPerson: 2 }, campaigns.markdown(3)] }));
  await s.settleWorkflow(campaign.workflowId);
  await s.environment.client.workflow.getHandle(campaign.workflowId).executeUpdate<string, [object]>('adjust', { args: [{ v: 1, target: 700 }] });
  for (let day = 0; day < 3; day++) await passes(s, campaign, 1);
  await s.environment.client.workflow.getHandle(campaign.workflowId).result();
  await keep('clearance', campaign.workflowId);

  const open = await s.order();
  await keep('order-open', orderWorkflowId(open)); // still running: what a deployment meets
} finally {
  await s.close();
  await cleanUp();
}
