import { timingSafeEqual } from 'node:crypto';
import { jsonReply, type Hint, type Push, type Received } from '../channel.ts';
import { bag, list, parseSafe, text, whole, type Bag } from '../safe-json.ts';
import { signPush } from './sign.ts';

const GOOD = jsonReply(200, { code: 0, msg: 'success' });
const BAD = jsonReply(200, { code: 40041, msg: 'the push could not be verified' });
const FAILED = jsonReply(200, { code: 50000, msg: 'not kept: push again' });
const PROBE = '0';
/** Times that a message may carry; the latest of them tells one state from the next. */
const TIMES = ['update_time', 'modify_time', 'success_time', 'complete_time', 'cancel_time', 'pay_time', 'apply_time', 'create_time', 'operate_time'] as const;

/** An array of messages (or one alone), `data` as text or as it is, signed by `event-sign`. */
export function receive(push: Push, appKey: string, secret: string): Received {
  const given = Buffer.from(push.headers['event-sign'] ?? '');
  const right = Buffer.from(signPush(appKey, push.body, secret));
  if (push.method !== 'POST' || given.length !== right.length || !timingSafeEqual(given, right)) return { kind: 'rejected', reason: 'signature', reply: BAD };
  if (push.headers['app-id'] !== undefined && push.headers['app-id'] !== appKey) return { kind: 'rejected', reason: 'unknown_app', reply: BAD };
  let messages: Bag[];
  try {
    const body = parseSafe(push.body.toString('utf8'));
    messages = (Array.isArray(body) ? list(body) : [body]).map(bag);
    const events = messages.filter((m) => !isProbe(m));
    const hints = events.flatMap((m) => hint(m) ?? []);
    if (events.length < messages.length && hints.length === 0) return { kind: 'probe', reply: GOOD };
    return { kind: 'hints', hints, reply: GOOD, failed: FAILED };
  } catch {
    return { kind: 'rejected', reason: 'malformed', reply: BAD };
  }
}

/** Tag 0 without an order; its data is a bare time, no JSON. Some samples show an unpaid order under the same tag. */
function isProbe(message: Bag): boolean {
  const { data } = message;
  return text(message['tag']) === PROBE && !(typeof data === 'string' ? /^\s*\{/.test(data) : text(bag(data)['p_id']) !== null);
}

function hint(message: Bag): Hint | null {
  const tag = text(message['tag']) ?? '';
  const id = text(message['msg_id']) ?? text(message['msgId']) ?? '';
  const data = bag(typeof message['data'] === 'string' ? parseSafe(message['data']) : message['data']);
  const product = text(data['product_id']);
  if (tag === '400' || tag === '417') return product === null ? null : { subject: 'product', topic: tag, externalId: product, key: `${tag}:${product}:${whole(data['update_time']) ?? id}`, version: null };
  const order = text(data['p_id']);
  if (order === null) return null;
  const time = Math.max(0, ...TIMES.map((t) => whole(data[t]) ?? 0));
  const parts = [tag, order, text(data['aftersale_id']), text(data['aftersale_status']), text(data['order_status']), time > 0 ? String(time) : id];
  return { subject: 'order', topic: tag, externalId: order, key: parts.filter((p) => p !== null).join(':'), version: time > 0 ? time * 1000 : null };
}
