import { measure, type PriceStep } from '../../domain/clearance/elasticity.ts';
import { nextMarkdown, shareOut, type Markdown } from '../../domain/clearance/markdown.ts';
import { floorPrice } from '../../domain/clearance/plan.ts';
import { Problem } from '../../domain/problem.ts';
import type { Network } from '../network.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import { campaignEvent, lockCampaign, readSkus, readStages, stagePlan, wakeCampaign, type Campaign, type StageRow } from './campaign.ts';
import { readSold } from './sales.ts';
import { BASE_DAYS } from './start.ts';
import { TILL_SALES } from './till-sales.ts';
import { endWindow, notePrices, pricesOf, syncWindows } from './windows.ts';

const DAY_MS = 86_400_000;

/** The next markdown of an open markdown stage, from what its prices have sold so far: applied by rule, or written down for an operator. Where all prices stay, only the next look is dated. */
export async function propose(tx: Tx, network: Network, campaign: Campaign, stage: StageRow): Promise<void> {
  const plan = stagePlan(campaign, stage.no);
  if (plan.kind !== 'markdown') throw new Error(`stage ${stage.no} of campaign ${campaign.id} has no markdowns`);
  const next = new Date(Math.max(tx.now.getTime(), (stage.nextStepAt ?? tx.now).getTime()) + plan.everyS * 1000);
  stage.nextStepAt = next;
  await tx.query('update campaign_stages set next_step_at = $3 where campaign_id = $1 and no = $2', [campaign.id, stage.no, next]);
  const lines = await markdowns(tx, campaign, stage, plan);
  if (lines.every((l) => l.price === l.from)) return campaignEvent(tx, campaign.id, 'campaign.prices_kept', 'system', { stage: stage.no, lines });
  await supersede(tx, campaign.id);
  const byRule = plan.proposals === 'rule';
  const row = await tx.one<{ no: number }>(
    `insert into campaign_proposals (campaign_id, no, stage_no, at, lines, status, decided_at, decided_by)
     select $1, coalesce(max(no), 0) + 1, $2, $3, $4, $5, $6, $7 from campaign_proposals where campaign_id = $1 returning no`,
    [campaign.id, stage.no, tx.now, JSON.stringify(lines), byRule ? 'applied' : 'open', byRule ? tx.now : null, byRule ? 'rule' : null]);
  await campaignEvent(tx, campaign.id, 'campaign.markdown_proposed', 'system', { proposal: row?.no, stage: stage.no, rule: plan.proposals, lines });
  if (byRule) await applyPrices(tx, network, campaign, stage, lines);
}

async function markdowns(tx: Tx, campaign: Campaign, stage: StageRow, plan: { endsAt: string; mostPercentOff: number }): Promise<Markdown[]> {
  const skus = await readSkus(tx, campaign.id);
  const prices = new Map((await pricesOf(tx, campaign, stage)).map((p) => [p.sku, p.price]));
  const steps = await priceSteps(tx, campaign);
  const elasticities = measure(skus.map((s) => ({ sku: s.sku, category: s.category, steps: [{ ratio: 1, days: s.basePerDay > 0 ? BASE_DAYS : 0, units: s.basePerDay * BASE_DAYS }, ...(steps.get(s.skuId) ?? [])] })));
  const sold = new Map<number, number>();
  for (const row of await readSold(tx, campaign)) sold.set(row.skuId, (sold.get(row.skuId) ?? 0) + row.units);
  const total = [...sold.values()].reduce((sum, units) => sum + units, 0);
  const left = skus.map((s) => Math.max(0, s.stock - (sold.get(s.skuId) ?? 0)));
  const toSell = shareOut(Math.ceil((campaign.plan.target * campaign.stock) / 1000) - total, left);
  const daysLeft = (new Date(plan.endsAt).getTime() - tx.now.getTime()) / DAY_MS;
  return skus.map((s, i) => {
    const elasticity = elasticities.get(s.sku);
    if (!elasticity) throw new Error('every SKU was measured');
    return nextMarkdown({ sku: s.sku, listPrice: s.listPrice, cost: s.cost, price: prices.get(s.sku) ?? s.listPrice, toSell: toSell[i] ?? 0, daysLeft, elasticity },
      { floorMargin: campaign.plan.floorMargin, mostPercentOff: plan.mostPercentOff, roundTo: campaign.plan.roundTo ?? 1 });
  });
}

/** What each public price sold in its time, on the campaign's channels. */
async function priceSteps(tx: Tx, campaign: Campaign): Promise<Map<number, PriceStep[]>> {
  const rows = await tx.query<{ skuId: number; price: number; listPrice: number; from: Date; until: Date | null; units: number }>(
    `with tills as materialized (${TILL_SALES})
     select p.sku_id "skuId", p.price, k.list_price "listPrice", p.live_from "from", p.live_until until,
       (select coalesce(sum(l.quantity - l.cancelled_quantity), 0)::int from campaign_lines c join order_lines l on l.order_id = c.order_id and l.line_no = c.line_no
          where c.campaign_id = $1 and c.sku_id = p.sku_id and c.captured_at >= p.live_from and c.captured_at < coalesce(p.live_until, 'infinity') and ($2::smallint[] is null or c.channel_id = any($2)))
       + (select coalesce(sum(t.units), 0)::int from tills t where t.sku_id = p.sku_id and t.at >= p.live_from and t.at < coalesce(p.live_until, 'infinity') and ($2::smallint[] is null or t.channel_id = any($2))) units
     from campaign_prices p join campaign_skus k on k.campaign_id = p.campaign_id and k.sku_id = p.sku_id where p.campaign_id = $1 order by p.live_from`, [campaign.id, campaign.channelIds]);
  const steps = new Map<number, PriceStep[]>();
  for (const r of rows) {
    const days = ((r.until ?? tx.now).getTime() - r.from.getTime()) / DAY_MS;
    if (r.price > 0) steps.set(r.skuId, [...(steps.get(r.skuId) ?? []), { ratio: r.price / r.listPrice, days, units: r.units }]);
  }
  return steps;
}

async function supersede(tx: Tx, id: string): Promise<void> {
  await tx.query(`update campaign_proposals set status = 'superseded', decided_at = $2, decided_by = 'system' where campaign_id = $1 and status = 'open'`, [id, tx.now]);
}

/** New public prices from now on: the old ones end at the same moment. */
async function applyPrices(tx: Tx, network: Network, campaign: Campaign, stage: StageRow, lines: readonly { sku: string; price: number }[]): Promise<void> {
  const before = await pricesOf(tx, campaign, stage);
  const to = new Map(lines.map((l) => [l.sku, l.price]));
  await endWindow(tx, campaign, stage, tx.now, 'the next markdown');
  await notePrices(tx, campaign, stage, before.map((p) => ({ skuId: p.skuId, price: to.get(p.sku) ?? p.price })), tx.now);
  await syncWindows(tx, network, campaign, await readStages(tx, campaign.id));
}

export type Decision = { accept: boolean; prices?: { sku: string; price: number }[] };

/** An operator accepts a proposal (with prices of their own, if they like) or declines it. The same decision again changes nothing. Throws Problem. */
export async function decideProposal(writer: StockWriter, network: Network, uuid: string, no: number, decision: Decision, actor: string): Promise<void> {
  await writer.change(async (tx) => {
    const campaign = await lockCampaign(tx, uuid);
    const proposal = await tx.one<{ status: string; stageNo: number; lines: Markdown[] }>('select status, stage_no "stageNo", lines from campaign_proposals where campaign_id = $1 and no = $2', [uuid, no]);
    if (!proposal) throw new Problem('not_found', `there is no proposal ${no}`);
    const status = decision.accept ? 'applied' : 'declined';
    if (proposal.status === status) return;
    if (proposal.status !== 'open') throw new Problem('conflict', `proposal ${no} was ${proposal.status} already`);
    const stages = await readStages(tx, uuid);
    const stage = stages.find((s) => s.no === proposal.stageNo);
    if (campaign.status !== 'running' || stage?.status !== 'open' || new Date(stagePlan(campaign, stage.no).endsAt) <= tx.now) throw new Problem('conflict', 'its stage is not open: prices stay as they are');
    if (decision.accept) {
      const own = new Map((decision.prices ?? []).map((p) => [p.sku, p.price]));
      const skus = new Map((await readSkus(tx, uuid)).map((s) => [s.sku, s]));
      const now = new Map((await pricesOf(tx, campaign, stage)).map((p) => [p.sku, p.price]));
      for (const [i, { sku, price }] of (decision.prices ?? []).entries()) {
        const known = skus.get(sku);
        if (!known) throw new Problem('unknown_sku', `SKU "${sku}" is none of the campaign's`, `/prices/${i}/sku`);
        const floor = floorPrice(known.cost, campaign.plan.floorMargin);
        if (price < floor) throw new Problem('unprocessable', `${price} is below the floor of SKU "${sku}" (${floor})`, `/prices/${i}/price`, { floor });
        if (price > (now.get(sku) ?? price)) throw new Problem('unprocessable', `SKU "${sku}" costs ${now.get(sku) ?? price} now: a markdown is lower`, `/prices/${i}/price`);
      }
      await applyPrices(tx, network, campaign, stage, proposal.lines.map((l) => ({ sku: l.sku, price: own.get(l.sku) ?? l.price })));
    }
    await tx.query('update campaign_proposals set status = $3, decided_at = $4, decided_by = $5 where campaign_id = $1 and no = $2', [uuid, no, status, tx.now, actor]);
    await campaignEvent(tx, uuid, `campaign.proposal_${status}`, actor, { proposal: no, ...(decision.prices === undefined ? {} : { prices: decision.prices }) });
    await wakeCampaign(tx, uuid);
  });
}
