import { createHmac, timingSafeEqual } from 'node:crypto';
import { textReply, type Hint, type Push, type Received } from '../channel.ts';
import { bag, list, parseSafe, text, type Bag } from '../safe-json.ts';
import { tail } from './client.ts';

/** Base64 of HMAC-SHA256 over the raw body, by the app's client secret. */
export const signBody = (secret: string, body: Buffer): string => createHmac('sha256', secret).update(body).digest('base64');

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
  const topic = header('topic');
  const hints = read(topic, body, header('event-id') || header('webhook-id'));
  if (hints === null) return { kind: 'rejected', reason: 'malformed', reply: textReply(400, `no order is named by ${topic.slice(0, 60)}`) };
  return hints.length === 0 ? { kind: 'probe', reply: textReply(200, '') } : { kind: 'hints', hints, reply: textReply(200, ''), failed: textReply(503, '') };
}

/** Null: a topic of ours of which nothing can be read; it must not be lost without a word. `eventId`: two events of one second are two. */
function read(topic: string, body: Bag, eventId: string): Hint[] | null {
  if (/^(customers|shop)\//.test(topic)) return privacy(topic, body, eventId);
  if (topic === 'inventory_levels/update') { const item = text(body['inventory_item_id']); return item === null ? null : [{ subject: 'stock', topic, externalId: item, key: [topic, item, text(body['updated_at']) ?? '', eventId].join(':'), version: null }]; }
  if (!/^(orders|refunds|fulfillments|returns|fulfillment_orders)\//.test(topic)) return [];
  const named = orderOf(topic, body);
  if (named === null) return null;
  const updated = text(body['updated_at']) ?? text(body['processed_at']) ?? text(bag(body['order_edit'])['created_at']);
  const version = updated === null ? Number.NaN : Date.parse(updated);
  return [{ ...named, topic, key: [topic, named.externalId, text(body['id']) ?? '', updated ?? '', eventId].join(':'), version: Number.isNaN(version) ? null : version }];
}

/** Each family names its order elsewhere. What names only itself is asked which order it is of when it is read (`orderOfAfterSale`): a fulfillment order never says, and one that was moved or merged stands under other names. */
function orderOf(topic: string, body: Bag): { subject: 'order' | 'after_sale'; externalId: string } | null {
  const [family] = topic.split('/');
  const one = bag(body['fulfillment_order']);
  const id = family === 'returns' ? text(bag(body['order'])['id']) ?? text(body['order_id'])
    : family === 'fulfillment_orders' ? text(one['order_id'])
      : topic === 'orders/edited' ? text(bag(body['order_edit'])['order_id'])
        : family === 'orders' ? text(body['id']) : text(body['order_id']);
  const order = tail(id);
  if (order !== null) return { subject: 'order', externalId: order };
  const own = family === 'returns' ? tail(body['id']) : family === 'fulfillment_orders' ? /gid:\/\/shopify\/FulfillmentOrder\/(\d+)/.exec(JSON.stringify(body))?.[1] ?? tail(one['id']) : null;
  return own === null ? null : { subject: 'after_sale', externalId: `${family === 'returns' ? 'Return' : 'FulfillmentOrder'}/${own}` };
}

/** Topics that every app must answer for: each order named is one thing to do. A request that names none stands for itself. */
function privacy(topic: string, body: Bag, eventId: string): Hint[] {
  const of = (externalId: string, about: string): Hint => ({ subject: 'privacy', topic, externalId, key: [topic, externalId, about].join(':'), version: null });
  const ids = (value: unknown): string[] => list(value).flatMap((id) => text(id) ?? []);
  const shop = text(body['shop_id']) ?? '';
  if (topic === 'customers/redact') return ids(body['orders_to_redact']).map((id) => of(id, ''));
  if (topic === 'customers/data_request') {
    const request = text(bag(body['data_request'])['id']) ?? '';
    const orders = ids(body['orders_requested']);
    return orders.length > 0 ? orders.map((id) => of(id, request)) : [of(`request ${request}`, request)];
  }
  return topic === 'shop/redact' ? [of(`shop ${shop}`, eventId)] : [];
}
