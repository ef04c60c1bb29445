import { encodeId } from '../../domain/ids.ts';
import { checkPlan, type CampaignPlan, type PlanSku } from '../../domain/clearance/plan.ts';
import { Problem } from '../../domain/problem.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import type { Network } from '../network.ts';
import { askWorkflow } from '../outbox.ts';
import { markAlertCampaign } from '../slow-movers/alert.ts';
import { claimReference, storeAnswer } from '../stock/receipts.ts';
import { errorCode, type StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import { campaignEvent, campaignWorkflow } from './campaign.ts';

export type CampaignAnswer = { id: string; reference: string; status: 'draft' };
type Found = { skuId: number; listPrice: number; cost: number };

/** How long an order may take from its id to its commit: what is looked through for sales begins so much earlier. */
const OVERLAP_MS = 600_000;

/**
 * Drafts a campaign. Idempotent by reference: again with the same body, the same answer. Throws Problem with the field at fault, `conflict` with the other campaign where one has a SKU in that time;
 * nothing has changed then.
 */
export async function createCampaign(writer: StockWriter, network: Network, plan: CampaignPlan, actor: string): Promise<CampaignAnswer> {
  return onePerSku(() => writer.change(async (tx) => {
    const known = await claimReference<CampaignAnswer>(tx, 'campaign', plan.reference, plan);
    if (known) return known;
    const scope = scopeOf(network, plan);
    const skus = await skusOf(tx, plan);
    checkPlan(plan, skus, tx.now.toISOString());
    await checkStages(tx, plan);
    const [startsAt, endsAt] = [new Date(plan.startsAt), new Date(plan.endsAt)];
    await refuseOverlap(tx, null, skus.map((s) => s.skuId), startsAt, endsAt);
    const id = uuidv7();
    await tx.query(
      `insert into campaigns (id, reference, name, status, plan, currency, location_ids, channel_ids, starts_at, ends_at, alert_id, created_at, created_by, scanned_to, wake_at) values ($1, $2, $3, 'draft', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $11)`,
      [id, plan.reference, plan.name, JSON.stringify(plan), plan.currency, scope.locationIds, scope.channelIds, startsAt, endsAt, plan.alert ?? null, tx.now, actor, uuidAt(Date.now() - OVERLAP_MS)]);
    await tx.query(`insert into campaign_skus (campaign_id, sku_id, list_price, cost, span) select $1, t.s, t.p, t.c, tstzrange($2, $3) from unnest($4::int[], $5::bigint[], $6::bigint[]) as t(s, p, c) order by t.s`,
      [id, startsAt, endsAt, skus.map((s) => s.skuId), skus.map((s) => s.listPrice), skus.map((s) => s.cost)]);
    await tx.query('insert into campaign_stages (campaign_id, no, kind) select $1, i, k from unnest($2::text[]) with ordinality as t(k, i)', [id, plan.stages.map((s) => s.kind)]);
    await campaignEvent(tx, id, 'campaign.drafted', actor);
    if (plan.alert !== undefined) await markAlertCampaign(tx, plan.alert, encodeId('cmp', id), actor);
    await askWorkflow(tx, 'start', campaignWorkflow(id), startsAt);
    const answer: CampaignAnswer = { id: encodeId('cmp', id), reference: plan.reference, status: 'draft' };
    await storeAnswer(tx, 'campaign', plan.reference, answer);
    return answer;
  }));
}

/** The smallest UUIDv7 of a moment of the clock. */
export function uuidAt(ms: number): string {
  const time = Math.max(0, Math.floor(ms)).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`;
}

/** The constraint speaks where two came at once; whoever came first is told of by the question before. */
export async function onePerSku<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (errorCode(error) === '23P01') throw new Problem('conflict', 'another campaign has one of these SKUs in that time: it was taken at the same moment', '/skus');
    throw error;
  }
}

export async function refuseOverlap(tx: Tx, own: string | null, skuIds: readonly number[], startsAt: Date, endsAt: Date): Promise<void> {
  const other = await tx.one<{ id: string; reference: string; sku: string }>(
    `select c.id, c.reference, k.code sku from campaign_skus s join campaigns c on c.id = s.campaign_id join skus k on k.id = s.sku_id
     where s.live and s.sku_id = any($1::int[]) and s.span && tstzrange($2, $3) and ($4::uuid is null or c.id <> $4) order by k.code limit 1`, [skuIds, startsAt, endsAt, own]);
  if (other) throw new Problem('conflict', `campaign "${other.reference}" has SKU "${other.sku}" in that time: stop it, or take another time`, '/skus', { campaign: encodeId('cmp', other.id), sku: other.sku });
}

function scopeOf(network: Network, plan: CampaignPlan): { locationIds: number[] | null; channelIds: number[] | null } {
  const channel = (code: string, field: string): number => {
    const found = network.channels.get(code);
    if (!found?.active) throw new Problem('unknown_channel', `channel "${code}" is not known or not active`, field);
    if (found.currency !== plan.currency) throw new Problem('unprocessable', `channel "${code}" takes ${found.currency}, not ${plan.currency}`, field);
    return found.id;
  };
  const locationIds = plan.locations?.map((code, i) => {
    const location = network.locations.get(code);
    if (!location?.active) throw new Problem('unknown_location', `location "${code}" is not known or not active`, `/locations/${i}`);
    return location.id;
  }) ?? null;
  const channelIds = plan.channels?.map((code, i) => channel(code, `/channels/${i}`)) ?? null;
  for (const [i, stage] of plan.stages.entries()) {
    if (stage.kind !== 'live_stream') continue;
    channel(stage.channel, `/stages/${i}/channel`);
    if (plan.channels && !plan.channels.includes(stage.channel)) throw new Problem('unprocessable', `channel "${stage.channel}" is none of the campaign's`, `/stages/${i}/channel`);
  }
  return { locationIds, channelIds };
}

/** List prices: as the plan says, else of the price book, else of the SKU. */
async function skusOf(tx: Tx, plan: CampaignPlan): Promise<(PlanSku & Found)[]> {
  const rows = await tx.query<{ id: number; code: string; cost: number | null; listPrice: number | null; bundle: boolean }>(
    `select k.id, k.code, k.cost, coalesce((select p.price from sku_prices p where p.sku_id = k.id and p.currency = $2 and p.channel_id is null), k.list_price) "listPrice",
       exists (select 1 from bundle_components b where b.bundle_sku_id = k.id) bundle from skus k where k.code = any($1::text[]) and k.active`, [plan.skus.map((s) => s.sku), plan.currency]);
  const byCode = new Map(rows.map((r) => [r.code, r]));
  return plan.skus.map(({ sku, listPrice }, i) => {
    const row = byCode.get(sku);
    if (!row) throw new Problem('unknown_sku', `SKU "${sku}" is not known or not active`, `/skus/${i}/sku`);
    if (row.bundle) throw new Problem('unprocessable', `"${sku}" is a bundle and has no stock of its own: name its components`, `/skus/${i}/sku`);
    // Missing figures are for checkPlan to name, in the order of the plan.
    return { sku, skuId: row.id, listPrice: (listPrice ?? row.listPrice) as number, cost: row.cost as number };
  });
}

async function checkStages(tx: Tx, plan: CampaignPlan): Promise<void> {
  for (const [i, stage] of plan.stages.entries()) {
    const at = `/stages/${i}`;
    const known = async (codes: readonly string[], field: (j: number) => string): Promise<void> => {
      const rows = await tx.query<{ code: string }>('select code from skus where code = any($1::text[]) and active', [codes]);
      const missing = codes.findIndex((c) => !rows.some((r) => r.code === c));
      if (missing >= 0) throw new Problem('unknown_sku', `SKU "${codes[missing] ?? ''}" is not known or not active`, field(missing));
    };
    if (stage.kind === 'bundle') await known(stage.with, (j) => `${at}/with/${j}`);
    if (stage.kind === 'gift') await known([stage.gift], () => `${at}/gift`);
    if (stage.kind === 'coupon' && !await tx.one('select 1 from segments where code = $1', [stage.segment])) {
      throw new Problem('unprocessable', `segment "${stage.segment}" is not known: import its members first`, `${at}/segment`);
    }
    if (stage.kind === 'staff' && !await tx.one('select 1 from staff_members where staff_group = $1 and active limit 1', [stage.group])) {
      throw new Problem('unprocessable', `nobody of the staff is in the group "${stage.group}"`, `${at}/group`);
    }
  }
}
