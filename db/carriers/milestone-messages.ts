import type pg from 'pg';
import type { Way } from '../../domain/messages/message.ts';
import type { Milestone } from '../../domain/order/milestone.ts';
import { enqueueMessage } from '../messages/enqueue.ts';
import type { Order } from '../orders/order.ts';
import type { Tx } from '../tx.ts';

/** Milestones that may be told, with the words that are used until somebody writes others (`PUT /v1/message-templates/parcel.{milestone}`). */
export const TOLD: Partial<Record<Milestone, string>> = {
  issued: '您的包裹已发出,{carrier} 运单号 {waybill}。', out_for_delivery: '您的包裹正在派送,{carrier} 运单号 {waybill}。', ready_for_pickup: '您的包裹已可自取,{carrier} 运单号 {waybill}。',
  attempt_failed: '您的包裹今天未能送达,{carrier} 运单号 {waybill}。', delivered: '您的包裹已签收,{carrier} 运单号 {waybill}。', lost: '您的包裹运输异常,我们正在处理,{carrier} 运单号 {waybill}。', returned: '您的包裹已退回,{carrier} 运单号 {waybill}。',
};
export const TOLD_MILESTONES = Object.keys(TOLD) as readonly Milestone[];
const template = (milestone: string): string => `parcel.${milestone}`;

/**
 * Tells a milestone to the parcel's receiver, in the transaction in which it is reached: one message however often and by whomever it is reached. Channels say which are told; an order of a
 * platform's shop is told by the platform, which hears of its parcels by the shop's reports, exactly once as well. False where it is not told. Call under the order's lock.
 */
export async function tellMilestone(tx: Tx, order: Pick<Order, 'id' | 'channelId' | 'personId' | 'contactId'>, parcel: { id: string; carrier: string; waybillNo: string }, milestone: Milestone): Promise<boolean> {
  if (TOLD[milestone] === undefined) return false;
  const rule = await tx.one<{ milestones: string[]; ways: Way[]; name: string | null }>(
    `select m.milestones, m.ways, (select name from carriers where code = $2) name from milestone_messages m where m.channel_id in ($1, 0)
       and not exists (select from channel_shops s where s.channel_id = $1) order by m.channel_id desc limit 1`, [order.channelId, parcel.carrier]);
  if (!rule?.milestones.includes(milestone)) return false;
  await enqueueMessage(tx, {
    key: `parcel:${parcel.id}:${milestone}`, person: { personId: order.personId, contactId: order.contactId }, template: template(milestone), params: { carrier: rule.name ?? parcel.carrier, waybill: parcel.waybillNo },
    purpose: 'service', ways: rule.ways, orderId: order.id,
  });
  return true;
}

export type MilestoneRule = { channel: string; milestones: Milestone[]; ways: Way[]; changedBy: string; changedAt: string };

export async function listMilestoneRules(pool: pg.Pool): Promise<MilestoneRule[]> {
  const { rows } = await pool.query<Omit<MilestoneRule, 'changedAt'> & { at: Date }>(
    `select coalesce(c.code, 'default') channel, m.milestones, m.ways, m.changed_by "changedBy", m.changed_at at from milestone_messages m left join channels c on c.id = m.channel_id order by m.channel_id`);
  return rows.map(({ at, ...r }) => ({ ...r, changedAt: at.toISOString() }));
}

/** `channelId` 0: every channel without a rule of its own. Words that nobody has written yet are put in. */
export async function putMilestoneRule(pool: pg.Pool, channelId: number, rule: { milestones: readonly Milestone[]; ways: readonly Way[] }, actor: string, now: Date): Promise<void> {
  await pool.query(
    `with words as (insert into message_templates (key, way, body) select * from unnest($6::text[], $7::text[], $8::text[]) on conflict do nothing)
     insert into milestone_messages (channel_id, milestones, ways, changed_by, changed_at) values ($1, $2, $3, $4, $5)
     on conflict (channel_id) do update set milestones = excluded.milestones, ways = excluded.ways, changed_by = excluded.changed_by, changed_at = excluded.changed_at`,
    [channelId, rule.milestones, rule.ways, actor, now, rule.milestones.map(template), rule.milestones.map(() => '*'), rule.milestones.map((m) => TOLD[m] ?? '')]);
}
