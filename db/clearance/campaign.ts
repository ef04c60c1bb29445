import { decodeId, encodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import type { CampaignStatus, EndReason, StageEnd } from '../../domain/clearance/flow.ts';
import type { CampaignPlan, PlanSku, StageKind } from '../../domain/clearance/plan.ts';
import { askWorkflow, type WorkflowRef } from '../outbox.ts';
import type { Tx } from '../tx.ts';

export type Campaign = {
  id: string; reference: string; name: string; status: CampaignStatus; plan: CampaignPlan; currency: string; locationIds: number[] | null; channelIds: number[] | null; startsAt: Date; endsAt: Date;
  alertId: string | null; createdBy: string; approvedAt: Date | null; startedAt: Date | null; pausedAt: Date | null; endedAt: Date | null; endReason: EndReason | null;
  stock: number; sold: number; spent: number; scannedTo: string; reportedAt: Date | null; answeredAt: Date | null;
};
const CAMPAIGN = `id, reference, name, status, plan, currency, location_ids "locationIds", channel_ids "channelIds", starts_at "startsAt", ends_at "endsAt", alert_id "alertId", created_by "createdBy",
  approved_at "approvedAt", started_at "startedAt", paused_at "pausedAt", ended_at "endedAt", end_reason "endReason", stock, sold, spent, scanned_to "scannedTo", reported_at "reportedAt", answered_at "answeredAt"`;
export type StageRow = {
  no: number; kind: StageKind; status: 'planned' | 'open' | 'over'; revision: number; openedAt: Date | null; closedAt: Date | null; endReason: StageEnd | null; nextStepAt: Date | null; declarationId: string | null;
  issued: boolean; messages: number; messageCost: number;
};
/** `price` null: not part of the plan's prices. Money in minor units. */
export type CampaignSku = PlanSku & { skuId: number; listPrice: number; cost: number; category: string | null; stock: number; basePerDay: number; active: boolean };

/** The UUID of a campaign as a client names it. Throws Problem not_found. */
export function campaignUuid(id: string): string {
  const uuid = decodeId('cmp', id);
  if (uuid === null) throw noSuchCampaign(id);
  return uuid;
}

export function noSuchCampaign(id: string): Problem { return new Problem('not_found', `campaign "${id}" does not exist`); }

/** Locks a campaign: the first lock of every command on it. Throws Problem not_found. */
export async function lockCampaign(tx: Tx, uuid: string): Promise<Campaign> {
  const row = await tx.one<Campaign>(`select ${CAMPAIGN} from campaigns where id = $1 for no key update`, [uuid]);
  if (!row) throw noSuchCampaign(encodeId('cmp', uuid));
  return row;
}

export async function readStages(tx: Tx, id: string): Promise<StageRow[]> {
  return tx.query<StageRow>(
    `select no, kind, status, revision, opened_at "openedAt", closed_at "closedAt", end_reason "endReason", next_step_at "nextStepAt", declaration_id "declarationId", issued, messages, message_cost "messageCost"
     from campaign_stages where campaign_id = $1 order by no`, [id]);
}

export async function readSkus(tx: Tx, id: string): Promise<CampaignSku[]> {
  return tx.query<CampaignSku>(
    `select c.sku_id "skuId", k.code sku, k.category, c.list_price "listPrice", c.cost, c.stock, c.base_per_day "basePerDay", k.active from campaign_skus c join skus k on k.id = c.sku_id where c.campaign_id = $1 order by k.code`, [id]);
}

export async function campaignEvent(tx: Tx, id: string, type: string, actor: string, data: Record<string, unknown> | null = null): Promise<void> {
  await tx.query('insert into campaign_events (campaign_id, type, at, actor, data) values ($1, $2, $3, $4, $5)', [id, type, tx.now, actor, data === null ? null : JSON.stringify(data)]);
}

/** Its workflow: `clearance/<id>`; the name and the input stand in workflows/contract. */
export function campaignWorkflow(uuid: string): WorkflowRef {
  const campaign = encodeId('cmp', uuid);
  return { type: 'clearance', id: `clearance/${campaign}`, input: { v: 1, campaign } };
}

/** The workflow looks at the facts again. */
export async function wakeCampaign(tx: Tx, uuid: string): Promise<void> {
  await wakeAt(tx, uuid, tx.now);
  await askWorkflow(tx, 'look', campaignWorkflow(uuid));
}

/** Notes when somebody is to look at it next: where nobody does, housekeeping asks again. */
export async function wakeAt(tx: Tx, uuid: string, at: Date): Promise<void> { await tx.query('update campaigns set wake_at = $2 where id = $1', [uuid, at]); }

/** `no` of a stage's plan; stages are numbered from 1. */
export function stagePlan(campaign: Campaign, no: number): CampaignPlan['stages'][number] {
  const stage = campaign.plan.stages[no - 1];
  if (!stage) throw new Error(`campaign ${campaign.id} has no stage ${no}`);
  return stage;
}
