import { jsonReply, textReply, type Hint, type Push, type Received, type RejectReason } from '../channel.ts';
import { bag, parseSafe, text, whole, type Bag } from '../safe-json.ts';
import { open, sameSignature, signature } from './crypto.ts';
import { readXml } from './xml.ts';

const GOOD = textReply(200, 'success');
/** Numbers of WXBizMsgCrypt; anything but `success` has the platform push again. */
const ERRORS: Record<RejectReason, [status: number, errcode: number, errmsg: string]> = {
  signature: [403, -40001, 'the signature is wrong'], stale: [403, -40001, 'signed too long ago'], malformed: [400, -40008, 'the body is not what it should be'], unknown_app: [403, -40005, 'the message is for another app'],
};
const rejected = (reason: RejectReason): Received => { const [status, errcode, errmsg] = ERRORS[reason]; return { kind: 'rejected', reason, reply: jsonReply(status, { errcode, errmsg }) }; };

/** An address check answers its `echostr`; an event is encrypted in JSON (or XML) and signed by `msg_signature`, never by `signature`. */
export function receive(push: Push, account: { appId: string; token: string; encodingAesKey: string; windowS: number }): Received {
  const { query } = push;
  const [timestamp, nonce] = [query.get('timestamp') ?? '', query.get('nonce') ?? ''];
  if (!/^\d{1,12}$/.test(timestamp)) return rejected('malformed');
  const late = Math.abs(push.now / 1000 - Number(timestamp)) > account.windowS;
  if (push.method === 'GET') {
    if (!sameSignature(query.get('signature'), signature(account.token, timestamp, nonce))) return rejected('signature');
    return late ? rejected('stale') : { kind: 'probe', reply: textReply(200, query.get('echostr') ?? '') };
  }
  let encrypted: string | null;
  try {
    encrypted = text(parse(push.body.toString('utf8'))['Encrypt']);
  } catch {
    encrypted = null;
  }
  if (encrypted === null) return rejected('malformed');
  if (!sameSignature(query.get('msg_signature'), signature(account.token, timestamp, nonce, encrypted))) return rejected('signature');
  if (late) return rejected('stale');
  try {
    const { message, appId } = open(encrypted, account.encodingAesKey);
    if (appId !== account.appId) return rejected('unknown_app');
    const one = hint(parse(message));
    return { kind: 'hints', hints: one ? [one] : [], reply: GOOD, failed: textReply(500, 'not kept: push again') };
  } catch {
    return rejected('malformed');
  }
}

const parse = (body: string): Bag => { const parsed = body.trimStart().startsWith('<') ? readXml(body) : bag(parseSafe(body)); return parsed['xml'] === undefined ? parsed : bag(parsed['xml']); };

function hint(message: Bag): Hint | null {
  const topic = text(message['Event']) ?? '';
  const created = text(message['CreateTime']) ?? '';
  const version = (whole(message['CreateTime']) ?? 0) * 1000 || null;
  const claim = bag(message['finder_shop_aftersale_status_update']);
  const order = text(bag(message['order_info'])['order_id']) ?? text(claim['order_id']);
  const id = text(claim['after_sale_order_id']);
  if (order !== null) {
    // What tells one change of a kind from the next within a second.
    const more = ['pay_time', 'cancel_type', 'finish_delivery', 'confirm_type', 'settle_time', 'type'].flatMap((f) => text(bag(message['order_info'])[f]) ?? []);
    return { subject: 'order', topic, externalId: order, key: [topic, order, ...(id === null ? [] : [id, text(claim['status']) ?? '']), ...more, created].join(':'), version };
  }
  if (id !== null) return { subject: 'after_sale', topic, externalId: id, key: [topic, id, text(claim['status']) ?? '', created].join(':'), version };
  const product = text(message['product_id']) ?? text(bag(message['ProductSpuListing'])['product_id']) ?? text(bag(message['ProductSpuUpdate'])['product_id']) ?? text(bag(message['ProductSpuAudit'])['product_id']);
  if (topic === 'channels_ec_stock_no_enough') {
    const sku = text(message['sku_id']) ?? product;
    return sku === null ? null : { subject: 'stock', topic, externalId: sku, key: [topic, sku, created].join(':'), version: null };
  }
  return product === null ? null : { subject: 'product', topic, externalId: product, key: [topic, product, created].join(':'), version: null };
}
