import { adjusted, extended, type Adjustment, type Extension } from '../../domain/clearance/change.ts';
import { checkWindows, type CampaignPlan } from '../../domain/clearance/plan.ts';
import { refusal, type CampaignStatus } from '../../domain/clearance/flow.ts';
import { Problem } from '../../domain/problem.ts';
import type { Network } from '../network.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import { campaignEvent, lockCampaign, readSkus, readStages, stagePlan, wakeCampaign, type Campaign, type StageRow } from './campaign.ts';
import { onePerSku, refuseOverlap } from './create.ts';
import { endCampaign } from './end.ts';
import { lookAt, spentByStage } from './facts.ts';
import { collectSales } from './sales.ts';
import { markStage } from './stages.ts';
import { endWindow, notePrices, pricesOf, syncWindows } from './windows.ts';

export type CampaignCommand =
  | { command: 'pause' | 'resume' } | ({ command: 'extend' } & Extension) | ({ command: 'adjust' } & Adjustment) | { command: 'stop'; reason: string };

/**
 * A command to a campaign: committed here, then its workflow looks. Every command says how things are to be, so the second time the same changes nothing. Returns the status. Throws Problem, and then nothing has changed.
 */
export async function commandCampaign(writer: StockWriter, network: Network, uuid: string, command: CampaignCommand, actor: string): Promise<CampaignStatus> {
  return onePerSku(() => writer.change(async (tx) => {
    const campaign = await lockCampaign(tx, uuid);
    const no = refusal(command.command, campaign.status);
    if (no !== null) throw new Problem('conflict', no);
    if (command.command !== 'stop' && campaign.endsAt <= tx.now) throw new Problem('conflict', 'the campaign is over');
    const stages = await readStages(tx, uuid);
    if (await obey(tx, network, campaign, stages, command, actor)) await wakeCampaign(tx, uuid);
    return campaign.status;
  }));
}

/** Returns false where nothing was to be changed. */
async function obey(tx: Tx, network: Network, campaign: Campaign, stages: StageRow[], command: CampaignCommand, actor: string): Promise<boolean> {
  switch (command.command) {
    case 'pause': return pause(tx, campaign, stages, actor);
    case 'resume': return resume(tx, network, campaign, stages, actor);
    case 'extend': {
      const { command: _, ...change } = command;
      const plan = extended(campaign.plan, change, stages, tx.now.toISOString());
      const slot = change.stage === undefined ? undefined : stages.find((s) => s.no === change.stage?.no);
      if (slot?.declarationId != null) throw new Problem('conflict', `stage ${slot.no} is a live stream that has its slot: it keeps its end`, '/stage/no');
      return replan(tx, network, campaign, stages, plan, 'campaign.extended', change, actor);
    }
    case 'adjust': {
      const { command: _, ...change } = command;
      await collectSales(tx, campaign);
      const spent = [...(await spentByStage(tx, campaign, stages)).values()].reduce((sum, amount) => sum + amount, 0);
      const open = stages.find((s) => s.status === 'open');
      const prices = new Map(open === undefined ? [] : (await pricesOf(tx, campaign, open)).map((p) => [p.sku, p.price]));
      const plan = adjusted(campaign.plan, change, stages, spent, prices, await readSkus(tx, campaign.id), tx.now.toISOString());
      return replan(tx, network, campaign, stages, plan, 'campaign.adjusted', change, actor);
    }
    case 'stop': {
      if (campaign.endedAt !== null) return false;
      await collectSales(tx, campaign);
      await endCampaign(tx, network, campaign, await lookAt(tx, campaign, stages), 'stopped', actor, command.reason);
      return true;
    }
  }
}

async function pause(tx: Tx, campaign: Campaign, stages: readonly StageRow[], actor: string): Promise<boolean> {
  if (campaign.status === 'paused') return false;
  for (const stage of stages) if (stage.status !== 'over') await endWindow(tx, campaign, stage, tx.now, 'the campaign is paused');
  campaign.status = 'paused';
  await tx.query(`update campaigns set status = 'paused', paused_at = $2 where id = $1`, [campaign.id, tx.now]);
  await campaignEvent(tx, campaign.id, 'campaign.paused', actor);
  return true;
}

/** Its dates stay: what the pause has taken is lost unless it is extended. Who has not used a coupon gets a new one. */
async function resume(tx: Tx, network: Network, campaign: Campaign, stages: StageRow[], actor: string): Promise<boolean> {
  if (campaign.status === 'running') return false;
  campaign.status = 'running';
  await tx.query(`update campaigns set status = 'running', paused_at = null where id = $1`, [campaign.id]);
  const open = stages.find((s) => s.status === 'open');
  await syncWindows(tx, network, campaign, stages);
  if (open) {
    const plan = stagePlan(campaign, open.no);
    if (plan.kind === 'coupon') await tx.query('update campaign_stages set issued = false where campaign_id = $1 and no = $2', [campaign.id, open.no]);
    if (plan.kind === 'markdown' && new Date(plan.endsAt) > tx.now) {
      await notePrices(tx, campaign, open, await pricesOf(tx, campaign, open), tx.now);
      await tx.query('update campaign_stages set next_step_at = greatest(next_step_at, $3) where campaign_id = $1 and no = $2', [campaign.id, open.no, new Date(tx.now.getTime() + plan.everyS * 1000)]);
    }
  }
  await campaignEvent(tx, campaign.id, 'campaign.resumed', actor);
  return true;
}

async function replan(tx: Tx, network: Network, campaign: Campaign, stages: StageRow[], plan: CampaignPlan, type: string, change: Record<string, unknown>, actor: string): Promise<boolean> {
  if (JSON.stringify(plan) === JSON.stringify(campaign.plan)) return false;
  const endsAt = new Date(plan.endsAt);
  checkWindows(plan, campaign.startsAt.getTime(), endsAt.getTime());
  const skuIds = (await readSkus(tx, campaign.id)).map((s) => s.skuId);
  if (endsAt > campaign.endsAt) await refuseOverlap(tx, campaign.id, skuIds, campaign.startsAt, endsAt);
  Object.assign(campaign, { plan, endsAt });
  await tx.query('update campaigns set plan = $2, ends_at = $3 where id = $1', [campaign.id, JSON.stringify(plan), endsAt]);
  await tx.query('update campaign_skus set span = tstzrange($2, $3) where campaign_id = $1', [campaign.id, campaign.startsAt, endsAt]);
  const open = stages.find((s) => s.status === 'open');
  const every = open === undefined ? null : stagePlan(campaign, open.no);
  if (open && every) await markStage(tx, campaign, open, new Date(every.endsAt));
  if (open && every?.kind === 'markdown') {
    await tx.query('update campaign_stages set next_step_at = least(next_step_at, $3) where campaign_id = $1 and no = $2', [campaign.id, open.no, new Date(tx.now.getTime() + every.everyS * 1000)]);
  }
  await syncWindows(tx, network, campaign, stages);
  await campaignEvent(tx, campaign.id, type, actor, change);
  return true;
}

/** An operator answers an escalation: it is `ended` from then on. Again: no change. Throws Problem. */
export async function answerEscalation(writer: StockWriter, uuid: string, answer: string, actor: string): Promise<void> {
  await writer.change(async (tx) => {
    const campaign = await lockCampaign(tx, uuid);
    if (campaign.answeredAt !== null) return;
    if (campaign.status !== 'escalated') throw new Problem('conflict', 'the campaign is not escalated: there is nothing to answer');
    await tx.query(`update campaigns set status = 'ended', answered_at = $2, answered_by = $3, answer = $4 where id = $1`, [uuid, tx.now, actor, answer]);
    await campaignEvent(tx, uuid, 'campaign.answered', actor, { answer });
  });
}
