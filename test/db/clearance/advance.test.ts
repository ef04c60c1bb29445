import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { advanceCampaign } from '../../../db/clearance/advance.ts';
import { approveCampaign } from '../../../db/clearance/approve.ts';
import { commandCampaign, type CampaignCommand } from '../../../db/clearance/commands.ts';
import { decideProposal } from '../../../db/clearance/propose.ts';
import { readReport } from '../../../db/clearance/read.ts';
import { endPromotion } from '../../../db/promotions/end.ts';
import { putPromotion } from '../../../db/promotions/put.ts';
import { StockWriter } from '../../../db/stock-writer.ts';
import type { Tx } from '../../../db/tx.ts';
import type { StagePlan } from '../../../domain/clearance/plan.ts';
import { Campaigns, readyForCampaigns, type Drafted } from '../../support/campaigns.ts';
import { World } from '../../support/world.ts';

let world: World;
let c: Campaigns;
let n = 0;
let t0: string;
beforeAll(async () => {
  world = await World.create({ skus: 100 });
  await readyForCampaigns(world);
  c = new Campaigns(world);
});
beforeEach(() => { t0 = c.day(0); });
afterEach(async () => { expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 }); });
afterAll(async () => { await world.close(); });

const sku = (): string => `SKU-${++n}`;
const pass = (days: number): void => { world.now = new Date(world.now.getTime() + days * 86_400_000); };
const look = (d: Drafted, writer: StockWriter = world.store.writer) => advanceCampaign({ ...world.store, writer }, d.uuid);
const command = (d: Drafted, what: CampaignCommand) => commandCampaign(world.store.writer, world.store.network, d.uuid, what, 'key:head');
const sell = (code: string, quantity: number, changes: object = {}) => world.capture({ lines: [{ sku: code, quantity, unitPrice: 1000 }], ...changes });
const count = async (text: string, ...values: unknown[]): Promise<number> => (await world.one<{ n: number }>(`select count(*)::int n from ${text}`, ...values)).n;

class Killed extends Error {}
/** Dies after so many commits, or inside the transaction that follows. */
function mortal(commits: number, inside: boolean): StockWriter {
  const writer = new StockWriter(world.store.pool, null, () => world.now, world.store.network);
  let left = commits;
  return Object.assign(Object.create(writer) as StockWriter, {
    change: async <T>(run: (tx: Tx) => Promise<T>): Promise<T> => {
      if (left-- > 0) return writer.change(run);
      if (!inside) throw new Killed();
      return writer.change(async (tx) => { await run(tx); throw new Killed(); });
    },
  });
}

test('killed after or inside any transaction of a stage change: whoever comes next has exactly one effect', async () => {
  for (let commits = 0; commits < 5; commits++) {
    for (const inside of [false, true]) {
      const d = await c.approved(c.plan([sku()], { endsAt: c.day(4), stages: [{ kind: 'staff', endsAt: c.day(1), percentOff: 40, group: 'STAFF', perPerson: 2 }, { kind: 'coupon', endsAt: c.day(2), percentOff: 30, segment: 'VIP', ways: ['sms'], template: 't' }, c.markdown(4)] }));
      await look(d);
      pass(1);
      await look(d, mortal(commits, inside)).catch((error: unknown) => { if (!(error instanceof Killed)) throw error; });
      await Promise.all([look(d), look(d), look(d)]);
      expect(await c.events(d)).toEqual(['drafted', 'approved', 'started', 'stage_opened', 'stage_closed', 'stage_opened', 'coupons_issued']);
      expect(await count('coupons x join promotions p on p.id = x.promotion_id where p.campaign_id = $1', d.uuid)).toBe(3);
      expect(await count(`messages m join coupons x on m.key = 'coupon:' || x.id join promotions p on p.id = x.promotion_id where p.campaign_id = $1`, d.uuid)).toBe(3);
      await command(d, { command: 'stop', reason: 'test' });
    }
  }
}, 180_000);

test('with nobody up, prices begin and end by their own windows; what was live is told afterwards as it was', async () => {
  const code = sku();
  const d = await c.approved(c.plan([code], { endsAt: c.day(6), stages: [{ kind: 'staff', endsAt: c.day(2), percentOff: 40, group: 'STAFF', perPerson: 2 }, { kind: 'live_stream', endsAt: c.day(4), percentOff: 30, channel: 'own', partner: 'P', share: 500 }, c.markdown(6)] }));
  await look(d);
  expect(await c.windows(d, t0)).toEqual([['staff_price', 0, 2], ['markdown', 2, 4]]);
  pass(3);
  await sell(code, 2);
  pass(2);
  await look(d);
  const view = await c.read(d);
  expect(view.stages.map((s) => [s.status, s.end, s.sold])).toEqual([['over', 'time', 0], ['over', 'time', 2], ['open', null, 0]]);
  // The third could not be known before the second was: it begins when somebody looks, and ends on its day.
  expect(await c.windows(d, t0)).toEqual([['staff_price', 0, 2], ['markdown', 2, 4], ['markdown', 5, 6]]);
  await command(d, { command: 'stop', reason: 'test' });
});

test('a whole campaign that nobody saw end: nothing stays discounted, its units are home', async () => {
  const d = await c.approved(c.plan([sku()], { endsAt: c.day(2), stages: [{ kind: 'live_stream', endsAt: c.day(2), percentOff: 30, channel: 'own', partner: 'P', share: 1000 }] }));
  await look(d);
  expect(await count(`stock_levels where allotment_id > 0 and on_hand > 0`)).toBe(3);
  pass(30);
  await look(d);
  expect(await c.read(d)).toMatchObject({ status: 'escalated', endReason: 'time', endedAt: new Date(Date.parse(t0) + 2 * 86_400_000).toISOString() });
  expect(await c.windows(d, t0)).toEqual([['markdown', 0, 2]]);
  expect(await count(`stock_levels where allotment_id > 0 and on_hand > 0`)).toBe(0);
});

test('pause ends prices and coupons at once, resume begins new ones; who has used a coupon gets no second', async () => {
  const d = await c.approved(c.plan([sku()], { stages: [{ kind: 'coupon', endsAt: c.day(7), percentOff: 30, segment: 'VIP', ways: ['sms'], template: 't' }, c.markdown(14)] }));
  await look(d);
  pass(1);
  await world.store.pool.query(`update coupons set status = 'used', order_id = id, used_at = $2 where id = (select x.id from coupons x join promotions p on p.id = x.promotion_id where p.campaign_id = $1 limit 1)`, [d.uuid, world.now]);
  await command(d, { command: 'pause' });
  await command(d, { command: 'pause' });
  expect(await c.windows(d, t0)).toEqual([['coupon', 0, 1]]);
  expect(await world.one(`select array_agg(x.status order by x.status) s from coupons x join promotions p on p.id = x.promotion_id where p.campaign_id = $1`, d.uuid)).toEqual({ s: ['revoked', 'revoked', 'used'] });
  pass(1);
  await look(d);
  expect((await c.read(d)).status).toBe('paused');
  await command(d, { command: 'resume' });
  await command(d, { command: 'resume' });
  await look(d);
  expect(await c.windows(d, t0)).toEqual([['coupon', 0, 1], ['coupon', 2, 7], ['markdown', 7, 14]]);
  expect(await world.one(`select array_agg(x.status order by x.status) s from coupons x join promotions p on p.id = x.promotion_id where p.campaign_id = $1`, d.uuid)).toEqual({ s: ['issued', 'issued', 'revoked', 'revoked', 'used'] });
  await command(d, { command: 'stop', reason: 'test' });
  expect(await world.one(`select array_agg(x.status order by x.status) s from coupons x join promotions p on p.id = x.promotion_id where p.campaign_id = $1`, d.uuid)).toEqual({ s: ['revoked', 'revoked', 'revoked', 'revoked', 'used'] });
});

test('a stage is over on its own target or budget, and the next begins that moment', async () => {
  const code = sku();
  const d = await c.approved(c.plan([code], {
    stages: [{ kind: 'staff', endsAt: c.day(5), percentOff: 40, group: 'STAFF', perPerson: 2, target: 100 }, { kind: 'live_stream', endsAt: c.day(9), percentOff: 30, channel: 'own', partner: 'P', share: 0, cost: 200, budget: 500 }, c.markdown(14)],
  }));
  await look(d);
  await sell(code, 3);
  pass(1);
  await look(d);
  expect(await c.windows(d, t0)).toEqual([['staff_price', 0, 1], ['markdown', 1, 9], ['markdown', 9, 14]]);
  const { id } = await world.one<{ id: string }>(`select id from promotions where campaign_id = $1 and stage = '2'`, d.uuid);
  const { o } = await world.one<{ o: string }>('select id o from orders order by id desc limit 1');
  await world.store.pool.query('insert into promotion_redemptions (order_id, promotion_id, units, amount, at) values ($1, $2, 1, 300, $3)', [o, id, world.now]);
  pass(1);
  await look(d);
  expect((await c.read(d)).stages.map((s) => [s.status, s.end, s.spent])).toEqual([['over', 'target', 0], ['over', 'budget', 500], ['open', null, 0]]);
  expect(await c.windows(d, t0)).toEqual([['staff_price', 0, 1], ['markdown', 1, 2], ['markdown', 2, 14]]);
  await command(d, { command: 'adjust', budget: 700 });
  // 200 of it are the slot's: what discounts may come to in all.
  expect(await world.one('select budget, most from campaign_budgets where campaign_id = $1 and stage = 3', d.uuid)).toEqual({ budget: null, most: 500 });
  await expect(command(d, { command: 'adjust', budget: 499 })).rejects.toThrow('500 have been spent already: a smaller budget would end the campaign; stop it instead');
  await command(d, { command: 'adjust', budget: 500 });
  await look(d);
  expect(await c.read(d)).toMatchObject({ status: 'escalated', endReason: 'budget', spent: 500 });
});

test('an operator accepts a proposal, with a price of their own, or declines it; the price steps follow one another without a gap', async () => {
  const code = sku();
  const d = await c.approved(c.plan([code], { stages: [c.markdown(14, { proposals: 'operator' })] }));
  const decide = (no: number, decision: Parameters<typeof decideProposal>[4]) => decideProposal(world.store.writer, world.store.network, d.uuid, no, decision, 'key:head');
  await look(d);
  await sell(code, 1);
  pass(1);
  await look(d);
  expect((await c.read(d)).proposals).toMatchObject([{ no: 1, status: 'open', lines: [{ sku: code, from: 800, price: 643 }] }]);
  expect(await c.windows(d, t0)).toEqual([['markdown', 0, 14]]);
  await expect(decide(1, { accept: true, prices: [{ sku: code, price: 555 }] })).rejects.toMatchObject({ code: 'unprocessable', field: '/prices/0/price', message: `555 is below the floor of SKU "${code}" (556)` });
  await expect(decide(1, { accept: true, prices: [{ sku: code, price: 801 }] })).rejects.toMatchObject({ message: `SKU "${code}" costs 800 now: a markdown is lower` });
  await expect(decide(7, { accept: true })).rejects.toMatchObject({ code: 'not_found' });
  pass(0.5);
  await Promise.all([decide(1, { accept: true, prices: [{ sku: code, price: 700 }] }), decide(1, { accept: true, prices: [{ sku: code, price: 700 }] })]);
  expect(await c.windows(d, t0)).toEqual([['markdown', 0, 1.5], ['markdown', 1.5, 14]]);
  expect((await c.read(d)).skus).toMatchObject([{ sku: code, price: 700 }]);
  pass(1);
  await look(d);
  await decide(2, { accept: false });
  await expect(decide(2, { accept: true })).rejects.toMatchObject({ code: 'conflict', message: 'proposal 2 was declined already' });
  expect((await c.read(d)).proposals.map((p) => [p.status, p.decidedBy])).toEqual([['applied', 'key:head'], ['declined', 'key:head']]);
  await command(d, { command: 'stop', reason: 'test' });
});

test('a promotion of somebody else that has the SKU in a later stage, or a price ended by hand, holds no stage up: it is told, and put as soon as it can be', async () => {
  const code = sku();
  const { writer, network } = world.store;
  const stages = (): StagePlan[] => [c.markdown(2), { kind: 'live_stream', endsAt: c.day(4), percentOff: 30, channel: 'own', partner: 'P', share: 0 }, { kind: 'live_stream', endsAt: c.day(6), percentOff: 40, channel: 'own', partner: 'P', share: 0 }];
  const d = await c.approved(c.plan([code], { endsAt: c.day(6), stages: stages() }));
  const other = await writer.change((tx) => putPromotion(tx, network, { code: 'OTHER', name: 'other', kind: 'markdown', terms: { percentOff: 5 }, skus: [{ sku: code }], currency: 'CNY', from: c.day(4), until: c.day(9), bearer: 'shop', status: 'active' }, 'key:test'));
  await look(d);
  pass(2);
  await look(d);
  await look(d);
  expect((await c.read(d)).stages.map((s) => s.status)).toEqual(['over', 'open', 'planned']);
  const told = async () => (await c.read(d)).events.filter((e) => e.type === 'campaign.prices_refused').map((e) => e.data);
  expect(await told()).toEqual([{ stage: 3, reason: expect.stringMatching(/^promotion "OTHER" .* is active for the same SKU at the same time: end one of them first$/) }]);
  pass(2);
  await look(d);
  expect((await c.read(d)).stages.map((s) => s.status)).toEqual(['over', 'over', 'open']);
  expect((await c.windows(d, t0)).length).toBe(2);
  await writer.change((tx) => endPromotion(tx, other.id, tx.now, 'key:test'));
  pass(0.25);
  await look(d);
  expect(await c.windows(d, t0)).toEqual([['markdown', 0, 2], ['markdown', 2, 4], ['markdown', 4.25, 6]]);
  // Ended by hand it stays ended; the campaign goes on.
  const { id } = await world.one<{ id: string }>(`select id from promotions where campaign_id = $1 and stage = '3'`, d.uuid);
  await writer.change((tx) => endPromotion(tx, id, tx.now, 'key:test'));
  pass(0.25);
  await look(d);
  expect([await c.windows(d, t0), (await told()).at(-1)]).toEqual([[['markdown', 0, 2], ['markdown', 2, 4]], { stage: 3, reason: `promotion "CLR:${(await c.read(d)).reference}:3.0" is over: take a new code` }]);
  await command(d, { command: 'stop', reason: 'test' });
});

test('what the report says of neighbours: expected from before, by the trend of everything else', async () => {
  const [code, near, far] = [sku(), sku(), sku()];
  await world.store.pool.query(`update skus set category = case when code = $3 then 'hats' else 'coats' end where code = any($1::text[]) or code = $2`, [[code, near], far, far]);
  const demand = (day: number, of: string, units: number, channel = 'own') => world.store.pool.query(
    `insert into daily_demand select $1::date, k.id, 1, c.id, 'CN', 'Shanghai', $2::int, $2::int * 1000, 0, 0, 0 from skus k, channels c where k.code = $3 and c.code = $4`, [c.day(day), units, of, channel]);
  for (let day = -28; day < 0; day++) for (const [of, units] of [[code, 1], [near, 4], [far, 10]] as const) await demand(day, of, units);
  const d = await c.approved(c.plan([code], { endsAt: c.day(8), stages: [c.markdown(8)], channels: ['own'] }));
  await look(d);
  expect((await world.one<{ b: number }>('select base_per_day b from campaign_skus where campaign_id = $1', d.uuid)).b).toBe(1);
  for (let day = 0; day <= 8; day++) for (const [of, units] of [[near, 2], [far, 10]] as const) await demand(day, of, units);
  await sell(code, 24);
  pass(8);
  await look(d);
  const report = await readReport(world.store.pool, d.uuid);
  expect(report.trend).toBe(1);
  expect(report.cannibalised).toEqual({ units: 16, margin: 8_000, lines: [{ scope: 'category', name: near, expected: 32, units: 16, lost: 16, certain: true }] });
  expect(report.stages[0]).toMatchObject({ units: 24, baseUnits: 8, extraUnits: 16 });
});

test('approval: not by who drafted it, not when it is over; prices that another promotion holds are named', async () => {
  const { writer, network } = world.store;
  const code = sku();
  const d = await c.draft(c.plan([code], { approval: 'other', endsAt: c.day(2), stages: [c.markdown(2)] }), 'key:buyer');
  await expect(approveCampaign(writer, network, d.uuid, 'key:buyer')).rejects.toMatchObject({ code: 'forbidden' });
  await expect(command(d, { command: 'pause' })).rejects.toMatchObject({ code: 'conflict', message: 'the campaign is not approved yet: it cannot be paused' });
  expect((await c.read(d)).status).toBe('draft');
  pass(2);
  await expect(approveCampaign(writer, network, d.uuid, 'key:head')).rejects.toMatchObject({ code: 'conflict' });
  expect(await count('promotions where campaign_id = $1', d.uuid)).toBe(0);
});
