import type { MessageRequest } from '../messages/enqueue.ts';
import { enqueueMessages } from '../messages/enqueue.ts';
import { issueCoupons } from '../promotions/issue-coupons.ts';
import type { Tx } from '../tx.ts';
import type { Vault } from '../vault.ts';
import { campaignEvent, stagePlan, type Campaign, type StageRow } from './campaign.ts';

const BATCH = 500;

/**
 * Codes for the next members of the segment, and the messages that tell them, in one transaction: killed half-way, nobody has two and nobody none. After a pause those that have not used theirs get new
 * ones. Sets `issued` when everybody has one.
 */
export async function issueNext(tx: Tx, vault: Vault, campaign: Campaign, stage: StageRow): Promise<void> {
  const plan = stagePlan(campaign, stage.no);
  if (plan.kind !== 'coupon') throw new Error(`stage ${stage.no} of campaign ${campaign.id} has no coupons`);
  const promotion = await tx.one<{ id: string }>(`select id from promotions where campaign_id = $1 and stage = $2 and ended_at is null and status = 'active'`, [campaign.id, String(stage.no)]);
  const members = promotion === null ? [] : await tx.query<{ personId: string; contactId: string }>(
    `select m.person_id "personId", m.contact_id "contactId" from segment_members m join segments s on s.id = m.segment_id join persons p on p.id = m.person_id and p.erased_at is null
     where s.code = $1 and not exists (select from coupons c join promotions q on q.id = c.promotion_id where q.campaign_id = $2 and q.stage = $3 and c.person_id = m.person_id and (q.id = $4 or c.status = 'used'))
     order by m.person_id limit ${BATCH}`, [plan.segment, campaign.id, String(stage.no), promotion.id]);
  if (promotion === null || members.length === 0) {
    stage.issued = true;
    await tx.query('update campaign_stages set issued = true where campaign_id = $1 and no = $2', [campaign.id, stage.no]);
    await campaignEvent(tx, campaign.id, 'campaign.coupons_issued', 'system', { stage: stage.no, members: stage.messages });
    return;
  }
  const contacts = new Map(members.map((m) => [m.personId, m]));
  const coupons = await issueCoupons(tx, vault, promotion.id, { batch: `${members[0]?.personId ?? ''}`, persons: members.map((m) => m.personId) });
  await enqueueMessages(tx, coupons.flatMap((coupon): MessageRequest[] => {
    const member = coupon.personId === null ? undefined : contacts.get(coupon.personId);
    return member === undefined ? [] : [{
      key: `coupon:${coupon.id}`, person: member, template: plan.template, params: { coupon: { couponCode: coupon.id }, campaign: campaign.name, percentOff: plan.percentOff, until: plan.endsAt }, purpose: 'marketing',
      ways: plan.ways, expiresAt: new Date(plan.endsAt),
    }];
  }));
  stage.messages += coupons.length;
  stage.messageCost += coupons.length * (plan.messageCost ?? 0);
  await tx.query('update campaign_stages set messages = $3, message_cost = $4 where campaign_id = $1 and no = $2', [campaign.id, stage.no, stage.messages, stage.messageCost]);
}
