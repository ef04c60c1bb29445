import { createHmac, timingSafeEqual } from 'node:crypto';
import { textReply, type Hint, type Push, type Received } from '../channel.ts';
import { bag, list, parseSafe, text, type Bag } from '../safe-json.ts';

/** Base64 of HMAC-SHA256 over the raw body, by the app's client secret. */
export const signBody = (secret: string, body: Buffer): string => createHmac('sha256', secret).update(body).digest('base64');

/** Topics of which the order stands under `order_id`, not `id`. */
const OF_ORDER = /^(refunds|fulfillments|returns)\//;

/** Webhooks under their older header names (X-Shopify-…) and their newer ones (shopify-…). */
export function receive(push: Push, secret: string): Received {
  const header = (name: string): string => push.headers[`x-shopify-${name}`] ?? push.headers[`shopify-${name}`] ?? '';
  const given = Buffer.from(header('hmac-sha256'));
  const right = Buffer.from(signBody(secret, push.body));
  if (push.method !== 'POST' || given.length !== right.length || !timingSafeEqual(given, right)) return { kind: 'rejected', reason: 'signature', reply: textReply(401, 'the signature is wrong') };
  let body: Bag;
  try {
    body = bag(parseSafe(push.body.toString('utf8')));
  } catch {
    return { kind: 'rejected', reason: 'malformed', reply: textReply(400, 'no JSON') };
  }
  const hints = read(header('topic'), body, header('event-id') || header('webhook-id'));
  return hints.length === 0 ? { kind: 'probe', reply: textReply(200, '') } : { kind: 'hints', hints, reply: textReply(200, ''), failed: textReply(503, '') };
}

function read(topic: string, body: Bag, eventId: string): Hint[] {
  if (topic === 'customers/redact') return list(body['orders_to_redact']).flatMap((id) => { const externalId = text(id); return externalId === null ? [] : [{ subject: 'privacy' as const, topic, externalId, key: `${topic}:${externalId}`, version: null }]; });
  if (topic === 'inventory_levels/update') { const item = text(body['inventory_item_id']); return item === null ? [] : [{ subject: 'stock', topic, externalId: item, key: `${topic}:${item}:${text(body['updated_at']) ?? eventId}`, version: null }]; }
  if (!/^(orders|refunds|fulfillments|returns|fulfillment_orders)\//.test(topic)) return [];
  const externalId = OF_ORDER.test(topic) ? text(body['order_id']) : text(body['id']);
  const updated = text(body['updated_at']) ?? text(body['processed_at']);
  const version = updated === null ? Number.NaN : Date.parse(updated);
  return externalId === null ? [] : [{ subject: 'order', topic, externalId, key: `${topic}:${text(body['id']) ?? ''}:${updated ?? eventId}`, version: Number.isNaN(version) ? null : version }];
}
