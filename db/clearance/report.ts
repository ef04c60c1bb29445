import { report, type CampaignReport, type Neighbour } from '../../domain/clearance/report.ts';
import type { Tx } from '../tx.ts';
import { campaignEvent, readSkus, stagePlan, type Campaign, type CampaignSku, type StageRow } from './campaign.ts';
import { spentByStage } from './facts.ts';
import { readPartnerCosts, readSold } from './sales.ts';
import { BASE_DAYS } from './start.ts';

/** Writes the report of a locked campaign that is over, once; sales that come in afterwards (payments, returns) are not in it. */
export async function writeReport(tx: Tx, campaign: Campaign, stages: readonly StageRow[]): Promise<void> {
  const skus = await readSkus(tx, campaign.id);
  const sold = await readSold(tx, campaign);
  const endedAt = campaign.endedAt ?? tx.now;
  const [spent, partnerCosts] = [await spentByStage(tx, campaign, stages), await readPartnerCosts(tx, campaign.id)];
  const { neighbours, elsewhere } = campaign.startedAt === null ? { neighbours: [], elsewhere: { basePerDay: 0, units: 0 } } : await around(tx, campaign, skus, campaign.startedAt, endedAt);
  const made: CampaignReport = report({
    status: campaign.status === 'escalated' ? 'escalated' : 'ended', reason: campaign.endReason ?? 'stopped', startsAt: campaign.startsAt.toISOString(), startedAt: campaign.startedAt?.toISOString() ?? null,
    endedAt: endedAt.toISOString(), plannedEnd: campaign.endsAt.toISOString(), target: campaign.plan.target, budget: campaign.plan.budget, spent: [...spent.values()].reduce((sum, amount) => sum + amount, 0),
    skus: skus.map((s) => ({ sku: s.sku, stock: s.stock, listPrice: s.listPrice, cost: s.cost, basePerDay: s.basePerDay, soldElsewhere: sold.filter((r) => r.skuId === s.skuId && !r.own).reduce((sum, r) => sum + r.units, 0) })),
    stages: stages.map((s) => ({
      no: s.no, kind: s.kind, openedAt: s.openedAt?.toISOString() ?? null, closedAt: s.closedAt?.toISOString() ?? null, end: s.endReason, fixedCost: s.openedAt === null ? 0 : stagePlan(campaign, s.no).cost ?? 0,
      messages: s.messages, messageCost: s.messageCost, partnerCost: partnerCosts.get(s.no) ?? 0,
    })),
    sales: sold.filter((r) => r.own), neighbours, elsewhere,
  });
  campaign.reportedAt = tx.now;
  await tx.query('update campaigns set report = $2, reported_at = $3, sold = $4, looked_at = $3 where id = $1', [campaign.id, JSON.stringify(made), tx.now, made.sold]);
  await campaignEvent(tx, campaign.id, 'campaign.reported', 'system', { sellThrough: made.sellThrough, margin: made.margin });
}

type Group = { scope: 'category' | 'channel' | 'elsewhere'; name: string; before: number; during: number; margin: number; days: number };

/**
 * Demand next to the campaign, before and while it ran, by whole business days: other SKUs of its categories, its SKUs on channels that it does not cover, and everything else, which says how trade went.
 * The first and the last day are left out where there are others: they belong to it in part.
 */
async function around(tx: Tx, campaign: Campaign, skus: readonly CampaignSku[], startedAt: Date, endedAt: Date): Promise<{ neighbours: Neighbour[]; elsewhere: { basePerDay: number; units: number } }> {
  const rows = await tx.query<Group>(
    `with span as (select case when $3::date - $2::date >= 3 then $2::date + 1 else $2::date end a, case when $3::date - $2::date >= 3 then $3::date - 1 else $3::date end z),
       rows as (select d.day, d.units - d.cancelled units, k.code, k.cost, d.revenue, d.units all_units,
         case when c.sku_id is not null then case when $5::smallint[] is not null and not d.channel_id = any($5) then 'channel' end when k.category = any($6::text[]) then 'category' else 'elsewhere' end scope
         from daily_demand d join skus k on k.id = d.sku_id left join campaign_skus c on c.campaign_id = $1 and c.sku_id = d.sku_id
         where d.day >= $2::date - $4::int and d.day <= $3::date and d.units <> 0)
     select scope, case when scope = 'elsewhere' then '' else code end as name, coalesce(sum(units) filter (where day < $2::date), 0)::int before, coalesce(sum(units) filter (where day between span.a and span.z), 0)::int during,
       coalesce((sum(revenue) filter (where day < $2::date))::float8 / nullif(sum(all_units) filter (where day < $2::date), 0) - coalesce(min(cost), 0), 0)::float8 margin, (span.z - span.a + 1)::int days
     from rows cross join span where scope is not null group by 1, 2, span.a, span.z order by 1, 2`,
    [campaign.id, startedAt, endedAt, BASE_DAYS, campaign.channelIds, [...new Set(skus.flatMap((s) => (s.category === null ? [] : [s.category])))]]);
  // What whole days sold, stretched to the time it ran.
  const ran = (endedAt.getTime() - startedAt.getTime()) / 86_400_000;
  const units = (g: Group): number => Math.round((g.during * ran) / g.days);
  const rest = rows.find((g) => g.scope === 'elsewhere');
  return {
    neighbours: rows.flatMap((g): Neighbour[] => (g.scope === 'elsewhere' ? [] : [{ scope: g.scope, name: g.name, basePerDay: g.before / BASE_DAYS, units: units(g), marginPerUnit: Math.max(0, g.margin) }])),
    elsewhere: rest === undefined ? { basePerDay: 0, units: 0 } : { basePerDay: rest.before / BASE_DAYS, units: units(rest) },
  };
}
