import { MILESTONES, type TrackingStatus } from '../../domain/order/milestone.ts';
import { jsonReply, type Account, type CarrierEvent, type Push, type Received } from '../carrier.ts';
import { bag, chinaTime, inverse, list, parseJson, same, text, textMap } from '../read.ts';
import { dataDigest } from './sign.ts';

const ACTIONS: Readonly<Record<string, TrackingStatus>> = {
  ACCEPT: 'picked_up', GOT: 'picked_up', TRANSPORT: 'in_transit', ARRIVAL: 'in_transit', DEPARTURE: 'in_transit', DELIVERING: 'out_for_delivery', SENT_SCAN: 'out_for_delivery', AGENT_SIGN: 'ready_for_pickup', STA_INBOUND: 'ready_for_pickup',
  FAILED: 'attempt_failed', REJECT: 'attempt_failed', EXCEPTION: 'exception', CC_HO: 'customs', RETURN: 'returning', RETURN_SIGN: 'returned', SIGN: 'delivered', STA_SIGN: 'delivered',
};
const bad = (errorCode: string, errorMsg: string) => jsonReply(200, { success: 'false', errorCode, errorMsg });

/** A tracking push: the same signed form as our own calls. */
export function receive(account: Account, push: Push): Received {
  const form = new URLSearchParams(push.body.toString('utf8'));
  const [content, digest, type] = [form.get('logistics_interface'), form.get('data_digest'), form.get('msg_type')];
  if (push.method !== 'POST' || content === null || digest === null) return { kind: 'rejected', reason: 'malformed', reply: bad('S01', 'logistics_interface and data_digest') };
  if (!same(digest, dataDigest(content, account.secrets['secret'] ?? ''))) return { kind: 'rejected', reason: 'signature', reply: bad('S02', 'data_digest') };
  if (type !== account.settings['pushType']) return { kind: 'probe', reply: jsonReply(200, { success: 'true' }) };
  const body = bag(parseJson(content));
  const waybillNo = text(body['mailNo']);
  if (waybillNo === null) return { kind: 'rejected', reason: 'malformed', reply: bad('S03', 'mailNo') };
  const carrier = inverse(textMap(account.settings['carriers']), text(body['cpCode']));
  const own = textMap(account.settings['actions']);
  const events = list(body['traceList']).map(bag).flatMap((t): CarrierEvent[] => {
    const [at, action, description, city] = [chinaTime(t['time']), text(t['action']), text(t['desc']), text(t['city'])];
    if (at === null || action === null) return [];
    const said = own[action];
    const status = said === undefined ? ACTIONS[action] ?? 'note' : MILESTONES.find((m) => m === said) ?? 'note';
    return [{ eventId: `${waybillNo}|${at}|${action}`, waybillNo, status, source: action, occurredAt: at, ...(carrier === null ? {} : { carrier }), ...(description === null ? {} : { description }), ...(city === null ? {} : { city }) }];
  });
  return { kind: 'events', events, reply: jsonReply(200, { success: 'true' }), failed: bad('S99', 'not kept') };
}
