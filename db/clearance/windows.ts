import { stagePromotions } from '../../domain/clearance/promotions.ts';
import { priceAfter } from '../../domain/clearance/plan.ts';
import type { PromotionInput } from '../../domain/promotion/model.ts';
import type { Network } from '../network.ts';
import { endPromotion } from '../promotions/end.ts';
import { revokeCoupons } from '../promotions/issue-coupons.ts';
import { putPromotion } from '../promotions/put.ts';
import type { Tx } from '../tx.ts';
import { readSkus, stagePlan, type Campaign, type StageRow } from './campaign.ts';
import { spentByStage } from './facts.ts';

/**
 * The promotions of a campaign as its plan wants them from now on: those of the open stage, and ahead of time those of the next one, so that prices change to the second whoever is up then.
 * Capture decides by their windows; nothing here is a timer. Again: nothing changes.
 */
export async function syncWindows(tx: Tx, network: Network, campaign: Campaign, stages: readonly StageRow[]): Promise<void> {
  if (campaign.status !== 'approved' && campaign.status !== 'running') return;
  const spent = await spentByStage(tx, campaign, stages);
  const left = campaign.plan.budget - [...spent.values()].reduce((sum, amount) => sum + amount, 0);
  const open = stages.find((s) => s.status === 'open');
  const next = stages.find((s) => s.status === 'planned' && new Date(stagePlan(campaign, s.no).endsAt) > tx.now);
  // The next one first: where the open one was extended, it must make room.
  if (next) {
    const plan = stagePlan(campaign, next.no);
    const soonest = open ? new Date(stagePlan(campaign, open.no).endsAt) : later(campaign.startsAt, tx.now);
    const from = plan.startsAt === undefined ? soonest : later(new Date(plan.startsAt), soonest);
    await putWindow(tx, network, campaign, next, from, Math.min(left - (plan.cost ?? 0), (plan.budget ?? Infinity) - (plan.cost ?? 0)));
  }
  // What has begun keeps its begin; after a pause or a price step it begins now.
  if (open) await putWindow(tx, network, campaign, open, tx.now, Math.min(left, (stagePlan(campaign, open.no).budget ?? Infinity) - (spent.get(open.no) ?? 0)) + await given(tx, campaign.id, open.no));
}

const later = (a: Date, b: Date): Date => (a > b ? a : b);

/** What customers have got of a stage's promotions that are live: a promotion's budget counts from its begin. */
async function given(tx: Tx, id: string, no: number): Promise<number> {
  const row = await tx.one<{ amount: number }>(
    `select coalesce(sum(r.amount), 0)::bigint amount from promotions p join promotion_redemptions r on r.promotion_id = p.id and r.given_back_at is null where p.campaign_id = $1 and p.stage = $2 and p.ended_at is null`, [id, String(no)]);
  return row?.amount ?? 0;
}

async function putWindow(tx: Tx, network: Network, campaign: Campaign, stage: StageRow, from: Date, budget: number): Promise<void> {
  const plan = stagePlan(campaign, stage.no);
  const until = new Date(plan.endsAt);
  if (until <= tx.now || until <= from || budget <= 0) return;
  const live = new Map((await tx.query<{ code: string; input: PromotionInput; from: Date }>(
    `select code, input, live_from "from" from promotions where campaign_id = $1 and stage = $2 and ended_at is null`, [campaign.id, String(stage.no)])).map((p) => [p.code, p]));
  const prices = await pricesOf(tx, campaign, stage);
  const wanted = stagePromotions(campaign, plan, { no: stage.no, revision: stage.revision, from: from.toISOString(), until: until.toISOString(), budget }, prices);
  for (const input of wanted) {
    const begun = live.get(input.code);
    // What customers may have seen keeps its prices and floors; its end and budget follow the plan.
    const next = begun && begun.from <= tx.now ? { ...begun.input, status: 'active' as const, until: input.until, budget } : input;
    // A gift is no discount: what bounds it is its stock.
    const { budget: _none, ...unbounded } = next;
    await putPromotion(tx, network, next.kind === 'gift' ? unbounded : next, 'system');
  }
}

/** What a unit of each SKU costs in a stage: as the last step set it, else as the plan says. */
export async function pricesOf(tx: Tx, campaign: Campaign, stage: StageRow): Promise<{ sku: string; skuId: number; price: number; cost: number }[]> {
  const plan = stagePlan(campaign, stage.no);
  const off = plan.kind === 'gift' ? 0 : plan.percentOff;
  const steps = new Map((await tx.query<{ skuId: number; price: number }>(
    'select distinct on (sku_id) sku_id "skuId", price from campaign_prices where campaign_id = $1 and stage_no = $2 order by sku_id, live_from desc', [campaign.id, stage.no])).map((r) => [r.skuId, r.price]));
  return (await readSkus(tx, campaign.id)).map((s) => ({ sku: s.sku, skuId: s.skuId, cost: s.cost, price: steps.get(s.skuId) ?? priceAfter(s.listPrice, off, campaign.plan.roundTo) }));
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
