import type { StageEnd } from '../../domain/clearance/flow.ts';
import { Problem } from '../../domain/problem.ts';
import type { StagePlan } from '../../domain/clearance/plan.ts';
import { declareIn } from '../declarations/declare.ts';
import { endEarlyIn } from '../declarations/end.ts';
import { markPromoted } from '../demand/promoted.ts';
import type { Network } from '../network.ts';
import type { Tx } from '../tx.ts';
import { campaignEvent, readSkus, readStages, stagePlan, type Campaign, type StageRow } from './campaign.ts';
import { endWindow, notePrices, pricesOf, syncWindows } from './windows.ts';

/** A planned stage of a locked running campaign opens: as of when its prices began, where those were put ahead of time. Returns the allotment of its session, which other processes are to be shown. */
export async function openStage(tx: Tx, network: Network, campaign: Campaign, stage: StageRow): Promise<number | null> {
  const plan = stagePlan(campaign, stage.no);
  const ahead = await liveSince(tx, campaign.id, stage.no);
  const openedAt = ahead !== null && ahead <= tx.now ? ahead : tx.now;
  const nextStepAt = plan.kind === 'markdown' ? new Date(openedAt.getTime() + plan.everyS * 1000) : null;
  Object.assign(stage, { status: 'open', openedAt, nextStepAt });
  await tx.query(`update campaign_stages set status = 'open', opened_at = $3, next_step_at = $4 where campaign_id = $1 and no = $2`, [campaign.id, stage.no, openedAt, nextStepAt]);
  const session = plan.kind === 'live_stream' ? await declareSession(tx, network, campaign, stage, plan) : null;
  await syncWindows(tx, network, campaign, await readStages(tx, campaign.id), true);
  if (plan.kind === 'markdown') await notePrices(tx, campaign, stage, await pricesOf(tx, campaign, stage), openedAt);
  await markStage(tx, campaign, stage, new Date(plan.endsAt));
  await campaignEvent(tx, campaign.id, 'campaign.stage_opened', 'system', { stage: stage.no, kind: stage.kind, until: plan.endsAt, ...(session === null ? {} : { session: session.code, units: session.units }) });
  return session?.allotmentId ?? null;
}

async function liveSince(tx: Tx, id: string, no: number): Promise<Date | null> {
  return (await tx.one<{ at: Date | null }>('select min(live_from) at from promotions where campaign_id = $1 and stage = $2 and ended_at is null', [id, String(no)]))?.at ?? null;
}

/** Sets a share of what is free apart for the session, whole units a location. What is not enough for one, or moves away meanwhile, leaves the slot without units of its own: it sells the shared stock. */
async function declareSession(tx: Tx, network: Network, campaign: Campaign, stage: StageRow, plan: StagePlan & { kind: 'live_stream' }): Promise<{ allotmentId: number; code: string; units: number } | null> {
  const rows = await tx.query<{ sku: string; location: string; units: number }>(
    `select k.code sku, l.code location, floor(greatest(0, sum(v.on_hand - v.reserved - v.buffer)) * $3::bigint / 1000)::int units from stock_levels v join campaign_skus c on c.campaign_id = $1 and c.sku_id = v.sku_id
       join skus k on k.id = v.sku_id join locations l on l.id = v.location_id and l.active
     where v.allotment_id = 0 and v.supply_id = 0 and v.condition = 'sellable' and ($2::int[] is null or v.location_id = any($2)) group by 1, 2 order by 1, 2`, [campaign.id, campaign.locationIds, plan.share]);
  const bySku = new Map<string, { location: string; units: number }[]>();
  for (const { sku, location, units } of rows) if (units > 0) bySku.set(sku, [...(bySku.get(sku) ?? []), { location, units }]);
  const code = `CLR-${campaign.plan.reference}-${stage.no}`;
  const none = async (detail: string): Promise<null> => {
    await campaignEvent(tx, campaign.id, 'campaign.session_without_units', 'system', { stage: stage.no, detail });
    return null;
  };
  if (bySku.size === 0) return none('nothing is free to be set apart');
  await tx.query('savepoint session');
  try {
    const { allotmentId, contract } = await declareIn(tx, network, {
      code, kind: 'live_stream', partner: plan.partner, channel: plan.channel, startsAt: (stage.openedAt ?? tx.now).toISOString(), endsAt: plan.endsAt, lines: [...bySku].map(([sku, sources]) => ({ sku, sources })),
    }, 'system');
    const row = await tx.one<{ id: string }>('update campaign_stages set declaration_id = (select id from declarations where code = $3) where campaign_id = $1 and no = $2 returning declaration_id id', [campaign.id, stage.no, code]);
    stage.declarationId = row?.id ?? null;
    return { allotmentId, code, units: contract.firm };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    await tx.query('rollback to savepoint session');
    return none(error.message);
  }
}

/** An open stage is over: its prices end, unused coupons are void, what its session has left goes home. On time means at its time, also when that is noticed later. */
export async function closeStage(tx: Tx, network: Network, campaign: Campaign, stage: StageRow, reason: StageEnd): Promise<void> {
  const planned = new Date(stagePlan(campaign, stage.no).endsAt);
  const at = planned < tx.now ? planned : tx.now;
  await endWindow(tx, campaign, stage, at, reason);
  if (stage.declarationId !== null) await endEarlyIn(tx, { id: stage.declarationId }, 'its stage of the campaign is over');
  await tx.query(`update campaign_proposals set status = 'superseded', decided_at = $2, decided_by = 'system' where campaign_id = $1 and status = 'open'`, [campaign.id, tx.now]);
  Object.assign(stage, { status: 'over', closedAt: at, endReason: reason });
  await tx.query(`update campaign_stages set status = 'over', closed_at = $3, end_reason = $4, next_step_at = null where campaign_id = $1 and no = $2`, [campaign.id, stage.no, at, reason]);
  await markStage(tx, campaign, stage, at);
  await campaignEvent(tx, campaign.id, 'campaign.stage_closed', 'system', { stage: stage.no, reason });
  if (reason !== 'campaign') await syncWindows(tx, network, campaign, await readStages(tx, campaign.id), true);
}

/** Demand of its days is not read as plain: while the stage is open until its planned end, afterwards until it ended. */
export async function markStage(tx: Tx, campaign: Campaign, stage: StageRow, until: Date): Promise<void> {
  if (stage.openedAt === null) return;
  const [from, plan] = [stage.openedAt, stagePlan(campaign, stage.no)];
  const session = plan.kind === 'live_stream' ? await tx.one<{ id: number }>('select id from channels where code = $1', [plan.channel]) : null;
  const channels: (number | null)[] = session ? [session.id] : campaign.channelIds ?? [null];
  const skus = await readSkus(tx, campaign.id);
  await markPromoted(tx.client, `campaign:${campaign.id}:${stage.no}`, skus.flatMap((s) => channels.map((channelId) => ({ skuId: s.skuId, locationId: null, channelId, from, to: until }))));
}

/** Its time was over before anybody could open it. Prices that were put ahead of time were live all the same: then it was open, and is over on time. */
export async function missStage(tx: Tx, network: Network, campaign: Campaign, stage: StageRow): Promise<void> {
  const since = await liveSince(tx, campaign.id, stage.no);
  if (since !== null && since <= tx.now) {
    Object.assign(stage, { status: 'open', openedAt: since });
    await tx.query(`update campaign_stages set status = 'open', opened_at = $3 where campaign_id = $1 and no = $2`, [campaign.id, stage.no, since]);
    return closeStage(tx, network, campaign, stage, 'time');
  }
  await endWindow(tx, campaign, stage, tx.now, 'missed');
  await tx.query(`update campaign_stages set status = 'over', end_reason = 'missed' where campaign_id = $1 and no = $2`, [campaign.id, stage.no]);
  await campaignEvent(tx, campaign.id, 'campaign.stage_missed', 'system', { stage: stage.no });
}
