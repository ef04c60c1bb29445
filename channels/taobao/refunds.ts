import { PartnerRefused } from '../../domain/http-port.ts';
import { minorUnits } from '../money.ts';
import { bag, list, text, type Bag } from '../safe-json.ts';
import type { TaobaoClient } from './client.ts';
import { afterSaleStatus, isReturn } from './map.ts';
import type { TaobaoSettings } from './settings.ts';

const WORDS = 200;

/**
 * Tells what was decided of a refund as it was read: one that has changed meanwhile is refused by the platform. What is decided already, by an attempt whose answer was lost, is not decided again. Throws
 * PartnerRefused.
 */
export async function decide(client: TaobaoClient, s: TaobaoSettings, refund: Bag, { approved, reason }: { approved: boolean; reason: string }): Promise<void> {
  const status = afterSaleStatus(refund);
  if (approved ? status !== 'requested' && status !== 'refused' : status === 'refused' || status === 'closed') return;
  const field = (name: string): string | undefined => text(refund[name]) ?? undefined;
  const of = { refund_id: field('refund_id'), refund_phase: field('refund_phase'), refund_version: field('refund_version') };
  if (!approved) await client.call('taobao.refund.refuse', { ...of, refuse_message: reason.slice(0, WORDS).padEnd(2, '.'), tid: field('tid'), oid: field('oid') }, 'after_sale');
  else if (isReturn(refund)) await client.call('taobao.rp.returngoods.agree', { ...of, remark: reason.slice(0, WORDS), seller_address_id: s.returnAddressId }, 'after_sale');
  else {
    if (s.reviewer !== undefined) await client.call('taobao.rp.refund.review', { ...of, operator: s.reviewer, result: 'true', message: reason.slice(0, WORDS) }, 'after_sale');
    await payBack(client, refund);
  }
}

/** id, amount in fen, version and, on Tmall, phase in one text. */
async function payBack(client: TaobaoClient, refund: Bag): Promise<void> {
  const infos = [text(refund['refund_id']), String(minorUnits(refund['refund_fee'], 'CNY')), text(refund['refund_version']), text(refund['refund_phase'])].filter((x) => x !== null).join('|');
  const answer = await client.call('taobao.rp.refunds.agree', { refund_infos: infos }, 'after_sale');
  const result = bag(list(bag(answer['results'])['refund_mapping_result'])[0]);
  if (answer['succ'] !== true || result['succ'] === false) throw new PartnerRefused(200, `the refund was not paid back: ${text(result['message']) ?? text(answer['message']) ?? ''}`);
}
