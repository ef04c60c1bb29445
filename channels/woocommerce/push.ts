import { createHmac, timingSafeEqual } from 'node:crypto';
import { textReply, type Push, type Received } from '../channel.ts';
import { bag, parseSafe, text, type Bag } from '../safe-json.ts';

/** Base64 of HMAC-SHA256 over the raw body. */
export const signBody = (secret: string, body: Buffer): string => createHmac('sha256', secret).update(body).digest('base64');

/** The first delivery to a new address is a form with nothing but its number, unsigned; a webhook that isn't answered 2xx five times in a row is disabled. */
const PING = /^webhook_id=\d+$/;

/** Webhooks of orders. Those of other resources are answered and passed over. */
export function receive(push: Push, secret: string): Received {
  if (push.method === 'POST' && PING.test(push.body.subarray(0, 64).toString('latin1'))) return { kind: 'probe', reply: textReply(200, '') };
  const given = Buffer.from(push.headers['x-wc-webhook-signature'] ?? '');
  const right = Buffer.from(signBody(secret, push.body));
  if (push.method !== 'POST' || given.length !== right.length || !timingSafeEqual(given, right)) return { kind: 'rejected', reason: 'signature', reply: textReply(401, 'the signature is wrong') };
  let order: Bag;
  try {
    order = bag(parseSafe(push.body.toString('utf8')));
  } catch {
    return { kind: 'rejected', reason: 'malformed', reply: textReply(400, 'no JSON') };
  }
  const topic = push.headers['x-wc-webhook-topic'] ?? '';
  const externalId = text(order['id']);
  if (!topic.startsWith('order.') || externalId === null) return { kind: 'probe', reply: textReply(200, '') };
  const modified = text(order['date_modified_gmt']);
  const version = modified === null ? Number.NaN : Date.parse(`${modified}Z`);
  // Times are whole seconds: two changes in one are told apart by the status.
  const state = modified === null ? push.headers['x-wc-webhook-delivery-id'] ?? '' : `${modified}:${text(order['status']) ?? ''}`;
  return {
    kind: 'hints', reply: textReply(200, ''), failed: textReply(503, ''),
    hints: [{ subject: 'order', topic, externalId, key: `${topic}:${externalId}:${state}`, version: Number.isNaN(version) ? null : version }],
  };
}
