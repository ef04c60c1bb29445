import { WorkflowUpdateFailedError } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Activities } from '../../activities/index.ts';
import { captureIntake } from '../../db/capture/capture-intake.ts';
import { approveCampaign } from '../../db/clearance/approve.ts';
import { answerEscalation, commandCampaign, type CampaignCommand } from '../../db/clearance/commands.ts';
import { readReport } from '../../db/clearance/read.ts';
import { tendCampaigns } from '../../db/clearance/tend.ts';
import { decodeId } from '../../domain/ids.ts';
import type { OrderIntake } from '../../domain/order/intake.ts';
import { Campaigns, passes, readyForCampaigns, type Drafted } from '../support/campaigns.ts';
import { Scene } from '../support/scene.ts';

let s: Scene;
let c: Campaigns;
// Without a cache no task waits on the queue of a worker that is gone.
const uncached = { maxCachedWorkflows: 0 };
/** The clock of the steps is the server's at the moment when each runs: while time is skipped it would stand still, and the workflow would look again and again at what is not yet due. */
function onTime(): Activities {
  const timed = Object.entries(s.world.activities(s.environment)).map(([name, run]: [string, (...args: never[]) => unknown]) => [name, async (...args: never[]) => { await s.sync(); return run(...args); }] as const);
  return Object.fromEntries(timed) as unknown as Activities;
}
beforeAll(async () => {
  s = await Scene.open({}, uncached);
  await s.stopWorker();
  await s.newWorker({ ...uncached, activities: onTime() });
  await readyForCampaigns(s.world);
  c = new Campaigns(s.world);
});
afterAll(async () => { await s.close(); });
afterEach(async () => { expect(await s.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 }); });

const command = (d: Drafted, what: CampaignCommand) => commandCampaign(s.world.store.writer, s.world.store.network, d.uuid, what, 'key:head');
/** Somebody buys: 30 units of the SKU are there at the beginning. */
const sell = async (sku: string, quantity: number): Promise<void> => {
  const id = await s.capture({ lines: [{ sku, quantity, unitPrice: 1000 }] });
  // No location answers in these tests: the order goes no further, its units are sold by its capture.
  await s.world.store.pool.query('delete from outbox where order_id = $1', [decodeId('ord', id)]);
};
const over = async (d: Drafted): Promise<void> => { await s.environment.client.workflow.getHandle(d.workflowId).result(); };

test('two weeks in stages: each opens and closes to the second, and it stops by itself at 80 %', async () => {
  await s.sync();
  const sku = s.sku();
  const t0 = c.day(0);
  const d = await c.approved(c.plan([sku], {
    startsAt: c.day(1), endsAt: c.day(15),
    stages: [
      { kind: 'staff', endsAt: c.day(3), percentOff: 40, group: 'STAFF', perPerson: 2 },
      { kind: 'coupon', endsAt: c.day(6), percentOff: 30, segment: 'VIP', ways: ['sms'], template: 'clearance', messageCost: 5 },
      { kind: 'live_stream', startsAt: c.day(7), endsAt: c.day(8), percentOff: 35, channel: 'own', partner: 'P-1', share: 500, cost: 1_000 },
      { kind: 'bundle', endsAt: c.day(9), percentOff: 10, partner: 'Brand', with: [s.sku()], bearer: 'brand' },
      { kind: 'gift', endsAt: c.day(10), partner: 'Brand', gift: s.sku(), giftQuantity: 1, minimum: 2, bearer: 'brand' },
      c.markdown(15),
    ],
  }));
  await s.settleWorkflow(d.workflowId);
  expect(await c.read(d)).toMatchObject({ status: 'approved', stock: 0 });
  await passes(s, d, 1);
  expect(await c.read(d)).toMatchObject({ status: 'running', stock: 30, sold: 0, startedAt: new Date(Date.parse(t0) + 86_400_000).toISOString() });
  await sell(sku, 3);
  await passes(s, d, 2); // coupons
  await sell(sku, 3);
  const { rows: messages } = await s.world.store.pool.query(`select template, purpose, ways, status from messages where key like 'coupon:%'`);
  expect(messages).toEqual(Array.from({ length: 3 }, () => ({ template: 'clearance', purpose: 'marketing', ways: ['sms'], status: 'waiting' })));
  await passes(s, d, 4.5); // the live stream: half of the 24 free units are its own
  expect((await c.read(d)).stages[2]).toMatchObject({ status: 'open', session: expect.stringMatching(/^CLR-C-\d+-3$/) });
  const { units } = await s.world.one<{ units: number }>(`select sum(v.on_hand)::int units from stock_levels v join skus k on k.id = v.sku_id where k.code = $1 and v.allotment_id > 0`, sku);
  expect(units).toBe(12);
  await passes(s, d, 3); // bundle and gift are over
  await sell(sku, 10);
  await passes(s, d, 1);
  expect((await c.read(d)).status).toBe('running'); // 16 of 30
  await sell(sku, 8);
  await passes(s, d, 1);
  await over(d);
  const view = await c.read(d);
  expect(view).toMatchObject({ status: 'ended', endReason: 'target', sold: 24, sellThrough: 800 });
  expect(view.stages.map((x) => [x.kind, x.end, x.sold])).toEqual([['staff', 'time', 3], ['coupon', 'time', 3], ['live_stream', 'time', 0], ['bundle', 'time', 0], ['gift', 'time', 0], ['markdown', 'campaign', 18]]);
  // Day by day, as planned; the last one ended when the target was seen.
  const windows = await c.windows(d, t0);
  expect(windows.slice(0, 6)).toEqual([['staff_price', 1, 3], ['coupon', 3, 6], ['markdown', 7, 8], ['bundle', 8, 9], ['gift', 9, 10], ['markdown', 10, expect.any(Number)]]);
  for (const [i, [, from]] of windows.slice(6).entries()) expect(from).toBe(windows[i + 5]?.[2]);
  expect((await s.world.one<{ n: number }>('select count(*)::int n from promotions where campaign_id = $1 and ended_at is null and live_until > $2', d.uuid, s.world.now)).n).toBe(0);
  expect(await s.world.one(`select count(*) filter (where c.status = 'issued')::int open, count(*)::int "all" from coupons c join promotions p on p.id = c.promotion_id where p.campaign_id = $1`, d.uuid)).toEqual({ open: 0, all: 3 });
  expect((await s.world.one<{ units: number }>(`select coalesce(sum(v.on_hand), 0)::int units from stock_levels v join skus k on k.id = v.sku_id where k.code = $1 and v.allotment_id > 0`, sku)).units).toBe(0);
  const report = await readReport(s.world.store.pool, d.uuid);
  expect(report).toMatchObject({ status: 'ended', reason: 'target', sellThrough: 800, sold: 24, missing: 0, cost: 1_015 });
  expect(report.words[0]).toBe('80 % sold (24 of 30 units) against a target of 80 %; it ended because it reached its target.');
}, 180_000);

test('one that sells too little escalates with its evidence, and an operator answers', async () => {
  await s.sync();
  const sku = s.sku();
  const d = await c.approved(c.plan([sku], { endsAt: c.day(4), stages: [c.markdown(4)] }));
  await s.settleWorkflow(d.workflowId);
  await sell(sku, 2);
  for (let i = 0; i < 4; i++) await passes(s, d, 1);
  await over(d);
  const view = await c.read(d);
  expect(view).toMatchObject({ status: 'escalated', endReason: 'time', sold: 2, sellThrough: 66 });
  expect(view.events.find((e) => e.type === 'campaign.escalated')?.data).toMatchObject({ reason: 'time', target: 800, sold: 2, stock: 30, missing: 22 });
  // It went down as far as it may: 45 % off is 550, its floor 556.
  expect(view.proposals.at(-1)?.lines).toMatchObject([{ sku, price: 556, reachable: false, limit: 'floor' }]);
  await answerEscalation(s.world.store.writer, d.uuid, 'to the outlet', 'key:head');
  await answerEscalation(s.world.store.writer, d.uuid, 'again', 'key:head');
  expect(await c.read(d)).toMatchObject({ status: 'ended', answer: 'to the outlet' });
  expect((await c.events(d)).filter((e) => e === 'answered' || e === 'escalated')).toEqual(['escalated', 'answered']);
}, 180_000);

test('the worker is killed at a stage change, after its commit and before it was reported: the next worker goes on, nothing is done twice', async () => {
  await s.sync();
  const t0 = c.day(0);
  const d = await c.approved(c.plan([s.sku()], { stages: [{ kind: 'staff', endsAt: c.day(2), percentOff: 40, group: 'STAFF', perPerson: 2 }, { kind: 'coupon', endsAt: c.day(4), percentOff: 30, segment: 'VIP', ways: ['sms'], template: 'clearance' }, c.markdown(14)] }));
  await s.settleWorkflow(d.workflowId);
  await s.stopWorker();
  const steps = onTime();
  const gone: Promise<void>[] = [];
  await s.newWorker({ ...uncached, activities: { ...steps, advanceCampaign: async (ref: { campaign: string }) => {
    const done = await steps.advanceCampaign(ref);
    if (gone.length > 0 || (await c.read(d)).stages[1]?.status !== 'open') return done;
    gone.push(s.stopWorker());
    throw new Error('the process was killed here');
  } } });
  await s.skip(2 * 86_400_000);
  for (const end = Date.now() + 20_000; gone.length === 0 && Date.now() < end;) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(gone).toHaveLength(1);
  await Promise.all(gone);
  await s.newWorker({ ...uncached, activities: onTime() });
  await s.settleWorkflow(d.workflowId);
  expect((await c.read(d)).stages.map((x) => [x.status, x.end, x.messages])).toEqual([['over', 'time', 0], ['open', null, 3], ['planned', null, 0]]);
  expect(await c.windows(d, t0)).toEqual([['staff_price', 0, 2], ['coupon', 2, 4], ['markdown', 4, 14]]);
  expect((await c.events(d)).filter((e) => e.startsWith('stage') || e.startsWith('coupons'))).toEqual(['stage_opened', 'stage_closed', 'stage_opened', 'coupons_issued']);
  expect((await s.world.one<{ n: number }>('select count(*)::int n from coupons c join promotions p on p.id = c.promotion_id where p.campaign_id = $1', d.uuid)).n).toBe(3);
  await command(d, { command: 'stop', reason: 'test' });
  await s.settleWorkflow(d.workflowId);
  await over(d);
}, 180_000);

/** An order as a client sends it, by the real intake: what it pays. */
async function pays(sku: string, changes: Partial<OrderIntake> = {}, at: string | null = null): Promise<number> {
  const { store } = s.world;
  if (at === null) await s.sync();
  else s.world.now = new Date(at);
  await store.network.loadSkus([sku]);
  const outcome = await captureIntake(store, s.world.intake({ freight: 0, lines: [{ sku, quantity: 1 }], ...changes }), { apiKeyId: 1, idempotencyKey: null, actor: 'key:test', locationId: null });
  if ('problem' in outcome) throw outcome.problem;
  await store.pool.query('delete from outbox where order_id = $1', [decodeId('ord', outcome.answer.id)]);
  return outcome.answer.total;
}

test('the worker is restarted inside a stage, and down over the change to the next: orders pay what the windows say all the while, and each sale is in its stage', async () => {
  await s.sync();
  const sku = s.sku();
  await s.world.store.pool.query(`insert into sku_prices (sku_id, currency, price) select id, 'CNY', 1000 from skus where code = $1`, [sku]);
  const change = c.day(2);
  const d = await c.approved(c.plan([sku], { endsAt: c.day(6), stages: [c.markdown(2, { percentOff: 40, everyS: 8 * 86_400 }), c.markdown(4, { everyS: 8 * 86_400 })] }));
  await s.settleWorkflow(d.workflowId);
  expect(await pays(sku)).toBe(600);
  await s.stopWorker();
  expect(await pays(sku)).toBe(600);
  await s.newWorker({ ...uncached, activities: onTime() });
  await passes(s, d, 1);
  expect(await pays(sku)).toBe(600);
  await s.stopWorker();
  // Without a worker the server skips to no timer, so the orders' clock alone goes on.
  expect([await pays(sku, {}, new Date(Date.parse(change) - 1).toISOString()), await pays(sku, {}, change)]).toEqual([600, 800]);
  expect((await c.read(d)).stages.map((x) => x.status)).toEqual(['open', 'planned']); // nobody has seen it
  await s.newWorker({ ...uncached, activities: onTime() });
  await passes(s, d, 1.5);
  expect((await c.read(d)).stages.map((x) => [x.status, x.end, x.sold])).toEqual([['over', 'time', 4], ['open', null, 1]]);
  await passes(s, d, 2);
  expect(await pays(sku)).toBe(1000);
  await over(d);
  expect((await readReport(s.world.store.pool, d.uuid)).stages.map((x) => [x.units, x.revenue, x.discount])).toEqual([[4, 2400, 1600], [1, 800, 200]]);
}, 180_000);

test('housekeeping asks again for a campaign whose wish was lost, and for one whose workflow an operator has terminated; not for one that is looked at', async () => {
  await s.sync();
  const { writer, pool } = s.world.store;
  const d = await c.approved(c.plan([s.sku()], { endsAt: c.day(4), stages: [c.markdown(2)] }));
  await pool.query('delete from outbox where workflow_id = $1', [d.workflowId]); // never came to Temporal
  expect(await tendCampaigns(writer)).toBe(0);
  await s.skip(61_000);
  expect([await tendCampaigns(writer), await tendCampaigns(writer)]).toEqual([1, 0]);
  await s.settleWorkflow(d.workflowId);
  expect((await c.read(d)).stages.map((x) => x.status)).toEqual(['open']);
  await s.skip(3_600_000);
  expect(await tendCampaigns(writer)).toBe(0); // its next look is in a day
  await s.environment.client.workflow.getHandle(d.workflowId).terminate('an operator');
  await s.skip(2 * 86_400_000);
  expect((await c.read(d)).stages.map((x) => x.status)).toEqual(['open']);
  expect((await Promise.all([tendCampaigns(writer), tendCampaigns(writer), tendCampaigns(writer)])).reduce((a, b) => a + b)).toBe(1);
  await s.settleWorkflow(d.workflowId);
  await over(d);
  expect(await c.read(d)).toMatchObject({ status: 'escalated', endReason: 'stages', reportedAt: expect.any(String) });
  await s.skip(86_400_000);
  expect(await tendCampaigns(writer)).toBe(0);
  // The sole one that was late: the others of this file are over and reported.
  expect((await s.world.one<{ n: number }>('select count(*)::int n from campaigns where reported_at is null')).n).toBe(0);
}, 180_000);

test('two approvals at once are one', async () => {
  await s.sync();
  const d = await c.draft(c.plan([s.sku()]));
  const { writer, network } = s.world.store;
  await Promise.all([approveCampaign(writer, network, d.uuid, 'key:a'), approveCampaign(writer, network, d.uuid, 'key:b'), approveCampaign(writer, network, d.uuid, 'key:a')]);
  await s.settleWorkflow(d.workflowId);
  expect((await c.events(d)).filter((e) => e === 'approved' || e === 'started')).toEqual(['approved', 'started']);
  expect((await s.world.one<{ n: number }>('select count(*)::int n from promotions where campaign_id = $1', d.uuid)).n).toBe(1);
  await command(d, { command: 'stop', reason: 'test' });
  await s.settleWorkflow(d.workflowId);
  await over(d);
}, 180_000);

test('Updates pause, resume, extend, adjust and stop; a refused one changes nothing', async () => {
  await s.sync();
  const t0 = c.day(0);
  const d = await c.approved(c.plan([s.sku()], { endsAt: c.day(10), stages: [c.markdown(5), c.markdown(10, { percentOff: 30 })] }));
  await s.settleWorkflow(d.workflowId);
  const handle = s.environment.client.workflow.getHandle(d.workflowId);
  const update = async (name: string, args: object = {}): Promise<string> => {
    await s.sync();
    const status = await handle.executeUpdate<string, [object]>(name, { args: [{ v: 1, ...args }] });
    await s.settleWorkflow(d.workflowId);
    return status;
  };
  const refused = async (name: string, args: object = {}): Promise<string> => {
    const before = JSON.stringify(await c.read(d));
    const error = await update(name, args).then(() => null, (e: unknown) => e);
    expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
    const { asOf: _, ...rest } = JSON.parse(before) as Record<string, unknown>;
    expect(await c.read(d)).toMatchObject(rest);
    return ((error as WorkflowUpdateFailedError).cause as Error).message;
  };
  expect(await refused('extend')).toBe('say endsAt, stage or both');
  expect(await refused('extend', { endsAt: c.day(1) })).toMatch(/^the campaign ends at .*: an extension is later$/);
  expect(await refused('adjust', { floorMargin: 400 })).toBe('20 % off makes SKU "' + (await c.read(d)).skus[0]!.sku + '" cost 800, below its floor of 834');
  expect(await refused('adjust', { stages: [{ no: 1, percentOff: 25 }] })).toBe('stage 1 is open: its percentOff stays; end it, or set prices by a proposal');
  expect(await refused('stop')).toBe('say why it is stopped: reason');
  await s.skip(43_200_000);
  expect(await update('pause')).toBe('paused');
  expect(await update('pause')).toBe('paused');
  await s.skip(86_400_000);
  expect(await update('resume')).toBe('running');
  expect(await update('extend', { endsAt: new Date(Date.parse(t0) + 12 * 86_400_000).toISOString() })).toBe('running');
  expect(await update('adjust', { target: 900, stages: [{ no: 2, percentOff: 35 }] })).toBe('running');
  expect(await c.read(d)).toMatchObject({ target: 900, endsAt: new Date(Date.parse(t0) + 12 * 86_400_000).toISOString(), plan: { stages: [{}, { percentOff: 35 }] } });
  const windows = await c.windows(d, t0);
  expect(windows[0]).toEqual(['markdown', 0, expect.closeTo(0.5, 1)]);
  expect(windows.at(-1)).toEqual(['markdown', 5, 12]);
  expect(await update('stop', { reason: 'sold to the outlet' })).toBe('ended');
  await over(d);
  expect(await c.events(d)).toEqual(['drafted', 'approved', 'started', 'stage_opened', 'paused', 'resumed', 'extended', 'adjusted', 'stage_closed', 'ended', 'reported']);
  expect(await readReport(s.world.store.pool, d.uuid)).toMatchObject({ status: 'ended', reason: 'stopped' });
}, 180_000);

test('a draft that nobody approves lapses', async () => {
  await s.sync();
  const d = await c.draft(c.plan([s.sku()], { endsAt: c.day(2), stages: [c.markdown(2)] }));
  await s.settleWorkflow(d.workflowId);
  await passes(s, d, 2);
  await over(d);
  expect(await c.read(d)).toMatchObject({ status: 'ended', endReason: 'lapsed', stock: 0 });
});
