import type { CampaignFacts } from '../../domain/clearance/flow.ts';
import type { Tx } from '../tx.ts';
import { readSkus, stagePlan, type Campaign, type StageRow } from './campaign.ts';
import { readDiscounts, readSold } from './sales.ts';
import { pricesOf } from './windows.ts';

const LOOK_EVERY_S = 300;

/** What stages have cost so far: discounts that orders got, messages, and what was fixed when they opened. By number of the stage; minor units. */
export async function spentByStage(tx: Pick<Tx, 'query'>, campaign: Campaign, stages: readonly StageRow[]): Promise<Map<number, number>> {
  const discounts = await readDiscounts(tx, campaign.id);
  return new Map(stages.map((s) => [s.no, (discounts.get(s.no) ?? 0) + s.messageCost + (s.openedAt === null ? 0 : stagePlan(campaign, s.no).cost ?? 0)]));
}

/** The figures as of now, noted with the campaign, and what the state machine decides by. */
export async function lookAt(tx: Tx, campaign: Campaign, stages: readonly StageRow[]): Promise<CampaignFacts> {
  const spent = await spentByStage(tx, campaign, stages);
  if (campaign.startedAt !== null && campaign.endedAt === null) {
    campaign.sold = (await readSold(tx, campaign)).reduce((sum, r) => sum + r.units, 0);
    campaign.spent = [...spent.values()].reduce((sum, amount) => sum + amount, 0);
    await tx.query('update campaigns set sold = $2, spent = $3, looked_at = $4 where id = $1', [campaign.id, campaign.sold, campaign.spent, tx.now]);
  }
  const open = stages.find((s) => s.status === 'open');
  const next = stages.find((s) => s.status === 'planned');
  const { plan } = campaign;
  return {
    status: campaign.status, startsAt: campaign.startsAt.toISOString(), endsAt: campaign.endsAt.toISOString(), lookEveryS: plan.lookEveryS ?? LOOK_EVERY_S,
    stock: campaign.stock, sold: campaign.sold, target: plan.target, spent: campaign.spent, budget: plan.budget,
    stage: open === undefined ? null : {
      no: open.no, endsAt: iso(stagePlan(campaign, open.no).endsAt), target: stagePlan(campaign, open.no).target ?? null, budget: stagePlan(campaign, open.no).budget ?? null, spent: spent.get(open.no) ?? 0, least: await leastDiscount(tx, campaign, open),
      unsent: open.kind === 'coupon' && !open.issued, nextStepAt: open.nextStepAt?.toISOString() ?? null,
    },
    next: next === undefined ? null : { no: next.no, startsAt: stagePlan(campaign, next.no).startsAt ?? null, endsAt: iso(stagePlan(campaign, next.no).endsAt) },
    lastEnd: stages.filter((s) => s.status === 'over').at(-1)?.endReason ?? null,
    reported: campaign.reportedAt !== null,
  };
}

/** Off one unit of the SKU that gets least; 0 where the stage takes nothing off. */
async function leastDiscount(tx: Tx, campaign: Campaign, stage: StageRow): Promise<number> {
  if (stage.kind === 'gift') return 0;
  const lists = new Map((await readSkus(tx, campaign.id)).map((s) => [s.skuId, s.listPrice]));
  const off = (await pricesOf(tx, campaign, stage)).map((p) => (lists.get(p.skuId) ?? p.price) - p.price).filter((d) => d > 0);
  return off.length === 0 ? 0 : Math.min(...off);
}

const iso = (text: string): string => new Date(text).toISOString();
