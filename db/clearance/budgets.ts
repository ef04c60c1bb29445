import type { Tx } from '../tx.ts';
import { stagePlan, type Campaign, type StageRow } from './campaign.ts';

/**
 * Tells capture what the discounts of the stages that are not over may come to: their own budgets and the campaign's, less messages and fixed costs; a stage that has not opened leaves room for its own.
 * Capture counts against it under its lock, over all promotions and stages, so what begins by its window while nobody is up overdraws nothing. After the locks of promotions and coupons.
 */
export async function setBudgets(tx: Tx, campaign: Campaign, stages: readonly StageRow[]): Promise<void> {
  const { budget } = campaign.plan;
  const fixed = (stage: StageRow): number => stagePlan(campaign, stage.no).cost ?? 0;
  const costs = stages.reduce((sum, s) => sum + s.messageCost + (s.openedAt === null ? 0 : fixed(s)), 0);
  const open = stages.filter((s) => s.status !== 'over');
  const own = (s: StageRow): number | null => {
    const limit = stagePlan(campaign, s.no).budget;
    return limit === undefined ? null : Math.max(0, limit - fixed(s) - s.messageCost);
  };
  await tx.query(
    `insert into campaign_budgets as b (campaign_id, stage, budget, most) select $1::uuid, * from unnest($2::int[], $3::bigint[], $4::bigint[]) as t(s, b, m) order by 1
     on conflict (campaign_id, stage) do update set budget = excluded.budget, most = excluded.most`,
    [campaign.id, [0, ...open.map((s) => s.no)], [null, ...open.map(own)], [null, ...open.map((s) => Math.max(0, budget - costs - (s.openedAt === null ? fixed(s) : 0)))]]);
}
