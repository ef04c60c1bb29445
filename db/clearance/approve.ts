import { Problem } from '../../domain/problem.ts';
import type { Network } from '../network.ts';
import type { StockWriter } from '../stock-writer.ts';
import { campaignEvent, lockCampaign, readStages, wakeCampaign } from './campaign.ts';
import { syncWindows } from './windows.ts';

/** Approves a draft: from its begin on its prices are live by time, whoever is up. Two at once are one approval. Throws Problem: `forbidden` for who drafted it, where another one must; `conflict` where it is over. */
export async function approveCampaign(writer: StockWriter, network: Network, uuid: string, actor: string): Promise<void> {
  await writer.change(async (tx) => {
    const campaign = await lockCampaign(tx, uuid);
    if (campaign.endedAt !== null) throw new Problem('conflict', `the campaign is over (${campaign.endReason ?? ''}): draft a new one`);
    if (campaign.plan.approval !== 'anyone' && campaign.createdBy === actor) throw new Problem('forbidden', 'whoever drafted a campaign does not approve it: another key does');
    if (campaign.status !== 'draft') return;
    if (campaign.endsAt <= tx.now) throw new Problem('conflict', `the campaign was to end at ${campaign.endsAt.toISOString()}: draft a new one`);
    campaign.status = 'approved';
    campaign.approvedAt = tx.now;
    await tx.query(`update campaigns set status = 'approved', approved_at = $2, approved_by = $3 where id = $1`, [uuid, tx.now, actor]);
    await syncWindows(tx, network, campaign, await readStages(tx, uuid));
    await campaignEvent(tx, uuid, 'campaign.approved', actor);
    await wakeCampaign(tx, uuid);
  });
}
