import { stagePromotions } from '../../domain/clearance/promotions.ts';
import { priceAfter } from '../../domain/clearance/plan.ts';
import { Problem } from '../../domain/problem.ts';
import type { PromotionInput } from '../../domain/promotion/model.ts';
import type { Network } from '../network.ts';
import { endPromotion } from '../promotions/end.ts';
import { revokeCoupons } from '../promotions/issue-coupons.ts';
import { putPromotion } from '../promotions/put.ts';
import type { Tx } from '../tx.ts';
import { setBudgets } from './budgets.ts';
import { campaignEvent, readSkus, stagePlan, type Campaign, type StageRow } from './campaign.ts';

/**
 * The promotions of a campaign as its plan wants them from now on: those of the open stage, and ahead of time those of the next one, so that prices change to the second whoever is up then.
 * Capture decides by their windows; nothing here is a timer. Again: nothing changes. What cannot be put (another promotion has the SKU then, somebody has ended it by hand, a channel is gone) throws Problem; in a step
 * that the campaign takes by itself (`byItself`) it goes on the timeline instead, and is tried again at each look: no stage waits for it.
 */
export async function syncWindows(tx: Tx, network: Network, campaign: Campaign, stages: readonly StageRow[], byItself = false): Promise<void> {
  if (campaign.status !== 'approved' && campaign.status !== 'running') return;
  const open = stages.find((s) => s.status === 'open');
  const next = stages.find((s) => s.status === 'planned' && new Date(stagePlan(campaign, s.no).endsAt) > tx.now);
  const put = (stage: StageRow, from: Date): Promise<void> => (byItself ? orNote(tx, campaign, stage, () => putWindow(tx, network, campaign, stage, from)) : putWindow(tx, network, campaign, stage, from));
  // The next one first: where the open one was extended, it must make room.
  if (next) {
    const plan = stagePlan(campaign, next.no);
    const soonest = open ? new Date(stagePlan(campaign, open.no).endsAt) : later(campaign.startsAt, tx.now);
    const from = plan.startsAt === undefined ? soonest : later(new Date(plan.startsAt), soonest);
    await put(next, from);
  }
  // What has begun keeps its begin; after a pause or a price step it begins now.
  if (open) await put(open, tx.now);
  await setBudgets(tx, campaign, stages);
}

async function orNote(tx: Tx, campaign: Campaign, stage: StageRow, run: () => Promise<void>): Promise<void> {
  await tx.query('savepoint window_of_stage');
  try {
    await run();
    await tx.query('release savepoint window_of_stage');
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    await tx.query('rollback to savepoint window_of_stage');
    const last = await tx.one<{ reason: string }>(`select data ->> 'reason' reason from campaign_events where campaign_id = $1 and type = 'campaign.prices_refused' and (data ->> 'stage')::int = $2 order by id desc limit 1`, [campaign.id, stage.no]);
    if (last?.reason !== error.message) await campaignEvent(tx, campaign.id, 'campaign.prices_refused', 'system', { stage: stage.no, reason: error.message });
  }
}

const later = (a: Date, b: Date): Date => (a > b ? a : b);

async function putWindow(tx: Tx, network: Network, campaign: Campaign, stage: StageRow, from: Date): Promise<void> {
  const plan = stagePlan(campaign, stage.no);
  const until = new Date(plan.endsAt);
  if (until <= tx.now || until <= from) return;
  const live = new Map((await tx.query<{ code: string; input: PromotionInput; from: Date }>(
    `select code, input, live_from "from" from promotions where campaign_id = $1 and stage = $2 and ended_at is null`, [campaign.id, String(stage.no)])).map((p) => [p.code, p]));
  // What is no longer sold has no price, and keeps none from the others.
  const prices = (await pricesOf(tx, campaign, stage)).filter((p) => p.active);
  if (prices.length === 0) return;
  const wanted = stagePromotions(campaign, plan, { no: stage.no, revision: stage.revision, from: from.toISOString(), until: until.toISOString() }, prices);
  for (const input of wanted) {
    const begun = live.get(input.code);
    // What customers may have seen keeps its prices and floors; its end follows the plan.
    await putPromotion(tx, network, begun && begun.from <= tx.now ? { ...begun.input, status: 'active', until: input.until } : input, 'system');
  }
}

/** What a unit of each SKU costs in a stage: as the last step set it, else as the plan says. */
export async function pricesOf(tx: Tx, campaign: Campaign, stage: StageRow): Promise<{ sku: string; skuId: number; price: number; cost: number; active: boolean }[]> {
  const plan = stagePlan(campaign, stage.no);
  const off = plan.kind === 'gift' ? 0 : plan.percentOff;
  const steps = new Map((await tx.query<{ skuId: number; price: number }>(
    'select distinct on (sku_id) sku_id "skuId", price from campaign_prices where campaign_id = $1 and stage_no = $2 order by sku_id, live_from desc', [campaign.id, stage.no])).map((r) => [r.skuId, r.price]));
  return (await readSkus(tx, campaign.id)).map((s) => ({ sku: s.sku, skuId: s.skuId, cost: s.cost, active: s.active, price: steps.get(s.skuId) ?? priceAfter(s.listPrice, off, campaign.plan.roundTo) }));
}

/**
 * Ends what a stage has live or planned, at a moment: later captures do not get it, coupons that nobody used are void. Its next revision may begin anew.
 */
export async function endWindow(tx: Tx, campaign: Campaign, stage: StageRow, at: Date, reason: string): Promise<void> {
  const rows = await tx.query<{ id: string; kind: string }>(`select id, kind from promotions where campaign_id = $1 and stage = $2 and ended_at is null and status <> 'withdrawn' order by id`, [campaign.id, String(stage.no)]);
  for (const { id, kind } of rows) {
    await endPromotion(tx, id, at, 'system', reason);
    if (kind === 'coupon') await revokeCoupons(tx, id);
  }
  await tx.query('update campaign_prices set live_until = greatest(live_from, $3) where campaign_id = $1 and stage_no = $2 and live_until is null', [campaign.id, stage.no, at]);
  stage.revision += 1;
  await tx.query('update campaign_stages set revision = $3 where campaign_id = $1 and no = $2', [campaign.id, stage.no, stage.revision]);
}

/** Notes public prices from a moment on. */
export async function notePrices(tx: Tx, campaign: Campaign, stage: StageRow, prices: readonly { skuId: number; price: number }[], from: Date): Promise<void> {
  await tx.query('update campaign_prices set live_until = greatest(live_from, $3) where campaign_id = $1 and sku_id = any($2::int[]) and live_until is null', [campaign.id, prices.map((p) => p.skuId), from]);
  await tx.query(`insert into campaign_prices (campaign_id, sku_id, stage_no, price, live_from) select $1, s, $2, p, $3 from unnest($4::int[], $5::bigint[]) as t(s, p)
    on conflict (campaign_id, sku_id, live_from) do update set price = excluded.price, live_until = null`, [campaign.id, stage.no, from, prices.map((p) => p.skuId), prices.map((p) => p.price)]);
}
