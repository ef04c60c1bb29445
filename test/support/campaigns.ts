import { approveCampaign } from '../../db/clearance/approve.ts';
import { createCampaign } from '../../db/clearance/create.ts';
import { readCampaign } from '../../db/clearance/read.ts';
import { importMembers } from '../../db/segments/import.ts';
import type { CampaignPlan, StagePlan } from '../../domain/clearance/plan.ts';
import { decodeId } from '../../domain/ids.ts';
import { toMember } from '../../domain/segment/member.ts';
import { clearanceWorkflowId } from '../../workflows/contract/ids.ts';
import type { Scene } from './scene.ts';
import type { World } from './world.ts';

export const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A world that campaigns can run in: SKUs with list price 1000 and cost 500, a member of the staff, a segment of three, a message template. */
export async function readyForCampaigns(world: World): Promise<void> {
  const { pool, vault, writer } = world.store;
  await pool.query('update skus set cost = 500, list_price = 1000');
  await pool.query(`insert into staff_members (staff_hash, staff_group) values ($1, 'STAFF')`, [vault.hash('staff', 'E-1')]);
  async function* members() {
    for (let i = 1; i <= 3; i++) yield await Promise.resolve(toMember(i, { id: `M-${i}`, name: `Member ${i}`, phone: `1000000010${i}`, consent: 'yes' }));
  }
  await importMembers(writer, vault, 'VIP', members());
  await world.store.network.reload();
}

export type Drafted = { id: string; uuid: string; workflowId: string };

/** Plans around a begin, `n` days from it. */
export class Campaigns {
  readonly world: World;
  #n = 0;

  constructor(world: World) { this.world = world; }

  day(n: number): string { return new Date(this.world.now.getTime() + n * DAY).toISOString(); }

  markdown(until: number, changes: Partial<StagePlan & { kind: 'markdown' }> = {}): StagePlan {
    return { kind: 'markdown', endsAt: this.day(until), percentOff: 20, mostPercentOff: 45, everyS: 86_400, proposals: 'rule', ...changes };
  }

  plan(skus: readonly string[], changes: Partial<CampaignPlan> = {}): CampaignPlan {
    return {
      reference: `C-${++this.#n}`, name: 'Winter', currency: 'CNY', skus: skus.map((sku) => ({ sku })), startsAt: this.day(0), endsAt: this.day(14), target: 800, floorMargin: 100, budget: 1_000_000, lookEveryS: 86_400,
      approval: 'anyone', stages: [this.markdown(14)], ...changes,
    };
  }

  async draft(plan: CampaignPlan, actor = 'key:buyer'): Promise<Drafted> {
    const { id } = await createCampaign(this.world.store.writer, this.world.store.network, plan, actor);
    return { id, uuid: decodeId('cmp', id) as string, workflowId: clearanceWorkflowId(id) };
  }

  async approved(plan: CampaignPlan): Promise<Drafted> {
    const drafted = await this.draft(plan);
    await approveCampaign(this.world.store.writer, this.world.store.network, drafted.uuid, 'key:head');
    return drafted;
  }

  read(drafted: Drafted) { return readCampaign(this.world.store.pool, drafted.uuid); }

  async events(drafted: Drafted): Promise<string[]> { return (await this.read(drafted)).events.map((e) => e.type.replace('campaign.', '')); }

  /** Windows of its promotions in the order of their begin: kind, days from `base` to the end that counts. */
  async windows(drafted: Drafted, base: string): Promise<[string, number, number][]> {
    const { rows } = await this.world.store.pool.query<{ kind: string; a: Date; z: Date }>(
      `select kind, live_from a, least(live_until, coalesce(ended_at, live_until)) z from promotions where campaign_id = $1 and least(live_until, coalesce(ended_at, live_until)) > live_from order by live_from, code`, [drafted.uuid]);
    const days = (at: Date): number => Math.round(((at.getTime() - Date.parse(base)) / DAY) * 100) / 100;
    return rows.map((r) => [r.kind, days(r.a), days(r.z)]);
  }
}

/** Time passes, then the campaign's workflow until it waits. */
export async function passes(s: Scene, { workflowId }: Drafted, days: number): Promise<void> {
  await s.skip(days * DAY);
  await s.settleWorkflow(workflowId);
}
