import type pg from 'pg';
import type { CampaignStatus, EndReason, StageEnd } from '../../domain/clearance/flow.ts';
import { share } from '../../domain/clearance/flow.ts';
import type { CampaignPlan, StageKind } from '../../domain/clearance/plan.ts';
import type { CampaignReport } from '../../domain/clearance/report.ts';
import { inWords } from '../../domain/clearance/words.ts';
import { encodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import { noSuchCampaign } from './campaign.ts';
import { readDiscounts, readSold } from './sales.ts';

/** Times ISO 8601, money in minor units. `sellThrough` and `target` per mille; `asOf`: when its figures were last brought up to date. */
export type CampaignView = {
  id: string; reference: string; name: string; status: CampaignStatus; startsAt: string; endsAt: string; target: number; sellThrough: number; stock: number; sold: number; budget: number; spent: number; asOf: string | null;
  createdAt: string; createdBy: string; approvedAt: string | null; approvedBy: string | null; startedAt: string | null; pausedAt: string | null; endedAt: string | null; endReason: EndReason | null; alert: string | null;
  reportedAt: string | null; answeredAt: string | null; answer: string | null;
};
export type CampaignDetail = CampaignView & {
  plan: CampaignPlan;
  stages: { no: number; kind: StageKind; status: 'planned' | 'open' | 'over'; openedAt: string | null; closedAt: string | null; endsAt: string; end: StageEnd | null; sold: number; spent: number; messages: number; nextStepAt: string | null; session: string | null }[];
  skus: { sku: string; listPrice: number; cost: number; price: number | null; stock: number; sold: number }[];
  proposals: { no: number; stage: number; at: string; status: string; decidedAt: string | null; decidedBy: string | null; lines: unknown }[];
  events: { type: string; at: string; actor: string; data: unknown }[];
};
type Row = {
  id: string; reference: string; name: string; status: CampaignStatus; plan: CampaignPlan; starts_at: Date; ends_at: Date; stock: number; sold: number; spent: number; looked_at: Date | null; created_at: Date; created_by: string;
  approved_at: Date | null; approved_by: string | null; started_at: Date | null; paused_at: Date | null; ended_at: Date | null; end_reason: EndReason | null; alert_id: string | null; reported_at: Date | null;
  answered_at: Date | null; answer: string | null; location_ids: number[] | null; channel_ids: number[] | null; report: CampaignReport | null; currency: string;
};
const at = (date: Date | null): string | null => date?.toISOString() ?? null;

function view(r: Row): CampaignView {
  return {
    id: encodeId('cmp', r.id), reference: r.reference, name: r.name, status: r.status, startsAt: r.starts_at.toISOString(), endsAt: r.ends_at.toISOString(), target: r.plan.target,
    sellThrough: r.started_at === null ? 0 : share(r.sold, r.stock), stock: r.stock, sold: r.sold, budget: r.plan.budget, spent: r.spent, asOf: at(r.looked_at), createdAt: r.created_at.toISOString(), createdBy: r.created_by,
    approvedAt: at(r.approved_at), approvedBy: r.approved_by, startedAt: at(r.started_at), pausedAt: at(r.paused_at), endedAt: at(r.ended_at), endReason: r.end_reason, alert: r.alert_id, reportedAt: at(r.reported_at),
    answeredAt: at(r.answered_at), answer: r.answer,
  };
}

/** The newest first. Those that are `escalated` wait for an operator. */
export async function listCampaigns(pool: pg.Pool, filter: { status: CampaignStatus | null; sku: string | null; before: string | null; limit: number }): Promise<CampaignView[]> {
  const { rows } = await pool.query<Row>(
    `select c.* from campaigns c where ($1::text is null or c.status = $1) and ($2::uuid is null or c.id < $2)
       and ($3::text is null or exists (select from campaign_skus s join skus k on k.id = s.sku_id where s.campaign_id = c.id and k.code = $3)) order by c.id desc limit $4`, [filter.status, filter.before, filter.sku, filter.limit]);
  return rows.map(view);
}

async function find(pool: pg.Pool, uuid: string): Promise<Row> {
  const { rows: [row] } = await pool.query<Row>('select * from campaigns where id = $1', [uuid]);
  if (!row) throw noSuchCampaign(encodeId('cmp', uuid));
  return row;
}

/** How it stands: stages, prices of now, proposals, timeline. Throws Problem not_found. */
export async function readCampaign(pool: pg.Pool, uuid: string): Promise<CampaignDetail> {
  const row = await find(pool, uuid);
  const ask = { query: async <T extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<T[]> => (await pool.query<T>(text, values)).rows };
  const [sold, discounts, stages, skus, proposals, events] = await Promise.all([
    readSold(ask, { id: uuid, locationIds: row.location_ids, channelIds: row.channel_ids }), readDiscounts(ask, uuid),
    ask.query<{ no: number; kind: StageKind; status: 'planned' | 'open' | 'over'; opened_at: Date | null; closed_at: Date | null; end_reason: StageEnd | null; messages: number; message_cost: number; next_step_at: Date | null; session: string | null }>(
      'select s.*, d.code session from campaign_stages s left join declarations d on d.id = s.declaration_id where campaign_id = $1 order by no', [uuid]),
    ask.query<{ sku: string; listPrice: number; cost: number; price: number | null; stock: number }>(
      `select k.code sku, c.list_price "listPrice", c.cost, c.stock, (select p.price from campaign_prices p where p.campaign_id = c.campaign_id and p.sku_id = c.sku_id and p.live_until is null) price
       from campaign_skus c join skus k on k.id = c.sku_id where c.campaign_id = $1 order by 1`, [uuid]),
    ask.query<{ no: number; stage: number; at: Date; status: string; decidedAt: Date | null; decidedBy: string | null; lines: unknown }>(
      'select no, stage_no stage, at, status, decided_at "decidedAt", decided_by "decidedBy", lines from campaign_proposals where campaign_id = $1 order by no', [uuid]),
    ask.query<{ type: string; at: Date; actor: string; data: unknown }>('select type, at, actor, data from campaign_events where campaign_id = $1 order by id', [uuid]),
  ]);
  const units = (rows: typeof sold): number => rows.reduce((sum, r) => sum + r.units, 0);
  return {
    ...view(row), plan: row.plan,
    stages: stages.map((s) => ({
      no: s.no, kind: s.kind, status: s.status, openedAt: at(s.opened_at), closedAt: at(s.closed_at), endsAt: row.plan.stages[s.no - 1]?.endsAt ?? row.ends_at.toISOString(), end: s.end_reason,
      sold: units(sold.filter((r) => r.stage === s.no)), spent: (discounts.get(s.no) ?? 0) + s.message_cost + (s.opened_at === null ? 0 : row.plan.stages[s.no - 1]?.cost ?? 0), messages: s.messages, nextStepAt: at(s.next_step_at), session: s.session,
    })),
    skus: skus.map((s) => ({ ...s, sold: units(sold.filter((r) => r.sku === s.sku)) })),
    proposals: proposals.map((p) => ({ ...p, at: p.at.toISOString(), decidedAt: at(p.decidedAt) })),
    events: events.map((e) => ({ ...e, at: e.at.toISOString() })),
  };
}

/** The report, in figures and in words. Throws Problem: not_found, `conflict` while it is not over. */
export async function readReport(pool: pg.Pool, uuid: string): Promise<CampaignReport & { id: string; currency: string; reportedAt: string | null; words: string[] }> {
  const row = await find(pool, uuid);
  if (row.report === null) throw new Problem('conflict', row.ended_at === null ? 'the campaign is not over: its progress is with the campaign itself' : 'the report is being written: ask again in a moment');
  // Minor units of a currency: as many as its locale-free default has.
  const digits = new Intl.NumberFormat('en', { style: 'currency', currency: row.currency }).resolvedOptions().maximumFractionDigits ?? 2;
  const words = inWords(row.report, (minor) => `${(minor / 10 ** digits).toFixed(digits)} ${row.currency}`);
  return { id: encodeId('cmp', uuid), currency: row.currency, reportedAt: at(row.reported_at), ...row.report, words };
}
