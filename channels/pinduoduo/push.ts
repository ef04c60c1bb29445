import type { Frame, Hint } from '../channel.ts';
import { bag, long, longJson, parseSafe, text, whole, type Bag } from '../safe-json.ts';

const MALFORMED: Frame = { kind: 'rejected', reason: 'malformed' };

/** Our sign of life. */
export const heartbeat = (now: number): string => JSON.stringify({ id: now, commandType: 'HeartBeat', time: now });

/**
 * A frame of the message service. Its form is known from clients of the community only: `Common` carries a message, anything else is a sign of life. Nothing of it is signed: the connection
 * is its proof. The same message may come again under another id, so the fact is named, never the message.
 */
export function readFrame(frame: string, now: number): Frame {
  let body: Bag;
  let content: Bag;
  try {
    const parsed = parseSafe(frame);
    body = bag(parsed);
    if (text(body['commandType']) === null) return MALFORMED;
    if (body['commandType'] !== 'Common') return { kind: 'idle' };
    const inner = bag(body['message'])['content'];
    content = bag(typeof inner === 'string' ? parseSafe(inner) : inner);
  } catch {
    return MALFORMED;
  }
  const message = bag(body['message']);
  const [id, type, owner] = [text(body['id']), text(message['type']), text(message['mallID'])];
  if (id === null || type === null || owner === null) return MALFORMED;
  const inside = text(content['mall_id']);
  if (inside !== null && inside !== owner) return MALFORMED;
  const sent = whole(body['sendTime']);
  const ack = longJson({ id: long(id), commandType: 'Ack', time: now, ...(sent === null ? {} : { sendTime: sent }), type, mallID: long(owner) });
  const one = hint(type, content, sent);
  return { kind: 'hints', owner, hints: one ? [one] : [], ack };
}

/** `modified` tells one state of an after-sale from the next; a trade's messages carry no time of their own, there the time of sending does. */
function hint(type: string, content: Bag, sent: number | null): Hint | null {
  const modified = whole(content['modified']);
  const version = String(modified ?? sent ?? '');
  if (type.startsWith('pdd_goods_')) {
    const item = text(content['goods_id']);
    return item === null ? null : { subject: 'product', topic: type, externalId: item, key: `${type}:${item}:${version}`, version: null };
  }
  const order = text(content['tid']) ?? text(content['order_sn']);
  if (order === null) return null;
  const parts = [type, order, text(content['refund_id']), text(content['operation']), version];
  return { subject: 'order', topic: type, externalId: order, key: parts.filter((p) => p !== null).join(':'), version: modified };
}
