import { jsonReply, type Hint, type Push, type Received } from '../channel.ts';
import { bag, parseSafe, text, whole, type Bag } from '../safe-json.ts';
import { openPush } from './sign.ts';

const GOOD = jsonReply(200, { result: 1 });
const bad = (why: string) => jsonReply(200, { result: 0, error_msg: why });

/** One message, encrypted whole: that it opens under our key and names our app is all the proof there is. `test` is the heartbeat, and the probe of a new address. */
export function receive(push: Push, appKey: string, messageKey: string): Received {
  if (push.method !== 'POST') return { kind: 'rejected', reason: 'malformed', reply: bad('POST a message') };
  let message: Bag;
  try {
    message = bag(parseSafe(openPush(push.body, messageKey)));
  } catch {
    return { kind: 'rejected', reason: 'signature', reply: bad('the message does not open') };
  }
  if (message['test'] === true) return { kind: 'probe', reply: GOOD };
  if (text(message['appKey']) !== appKey) return { kind: 'rejected', reason: 'unknown_app', reply: bad('the message is for another app') };
  try {
    const one = hint(message);
    return { kind: 'hints', hints: one ? [one] : [], reply: GOOD, failed: bad('not kept: push again') };
  } catch {
    return { kind: 'rejected', reason: 'malformed', reply: bad('info is no JSON') };
  }
}

function hint(message: Bag): Hint | null {
  const event = text(message['event']) ?? '';
  const info = bag(typeof message['info'] === 'string' ? parseSafe(message['info']) : message['info']);
  const time = whole(info['updateTime']) ?? whole(message['updateTime']) ?? whole(info['createTime']) ?? whole(message['createTime']);
  const version = String(time ?? text(message['eventId']) ?? '');
  if (event.startsWith('kwaishop_item_')) {
    const item = text(info['itemId']) ?? text(message['bizId']);
    return item === null ? null : { subject: 'product', topic: event, externalId: item, key: `${event}:${item}:${version}`, version: null };
  }
  const order = text(info['oid']) ?? text(info['orderId']);
  const parts = [event, order, text(info['refundId']), text(info['status']), version];
  if (order !== null) return { subject: 'order', topic: event, externalId: order, key: parts.filter((p) => p !== null).join(':'), version: time };
  const refund = text(info['refundId']);
  return refund === null ? null : { subject: 'after_sale', topic: event, externalId: refund, key: parts.filter((p) => p !== null).join(':'), version: time };
}
