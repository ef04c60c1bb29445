import { endStatus, type CampaignFacts, type EndReason } from '../../domain/clearance/flow.ts';
import { encodeId } from '../../domain/ids.ts';
import type { Network } from '../network.ts';
import { releaseAlerts } from '../slow-movers/alert.ts';
import type { Tx } from '../tx.ts';
import { campaignEvent, readStages, type Campaign } from './campaign.ts';
import { closeStage } from './stages.ts';
import { endWindow } from './windows.ts';

/**
 * A locked campaign is over: prices and stock are as they were before, coupons that nobody used are void, its SKUs are free for another one. One transaction. A missed target escalates, with the evidence
 * on the timeline.
 */
export async function endCampaign(tx: Tx, network: Network, campaign: Campaign, facts: CampaignFacts, reason: EndReason, actor: string, note: string | null = null): Promise<void> {
  const at = campaign.endsAt < tx.now ? campaign.endsAt : tx.now;
  const stages = await readStages(tx, campaign.id);
  for (const stage of stages) {
    if (stage.status === 'open') await closeStage(tx, network, campaign, stage, 'campaign');
    else if (stage.status === 'planned') await endWindow(tx, campaign, stage, at, 'the campaign is over');
  }
  const status = endStatus(reason, facts);
  Object.assign(campaign, { status, endedAt: at, endReason: reason, pausedAt: null });
  await tx.query('update campaigns set status = $2, ended_at = $3, end_reason = $4, paused_at = null where id = $1', [campaign.id, status, at, reason]);
  // Its alert is open again, where nothing was done about it.
  if (campaign.startedAt === null) await releaseAlerts(tx, encodeId('cmp', campaign.id));
  await tx.query('update campaign_skus set live = false where campaign_id = $1', [campaign.id]);
  await campaignEvent(tx, campaign.id, 'campaign.ended', actor, { reason, ...(note === null ? {} : { note }), sold: campaign.sold, stock: campaign.stock, spent: campaign.spent });
  if (status !== 'escalated') return;
  const last = await tx.one<{ lines: unknown }>('select lines from campaign_proposals where campaign_id = $1 order by no desc limit 1', [campaign.id]);
  await campaignEvent(tx, campaign.id, 'campaign.escalated', 'system', {
    reason, target: facts.target, sold: facts.sold, stock: facts.stock, missing: Math.max(0, Math.ceil((facts.target * facts.stock) / 1000) - facts.sold), spent: facts.spent, budget: facts.budget, lastProposal: last?.lines ?? null,
  });
}
