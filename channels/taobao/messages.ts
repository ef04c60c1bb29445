import type { Hint } from '../channel.ts';
import { fromChinaTime } from '../china-time.ts';
import { bag, parseSafe, text, whole, type Bag } from '../safe-json.ts';

const STOCK = new Set(['taobao_item_ItemStockChanged', 'taobao_item_ItemSkuZeroStock', 'taobao_item_ItemZeroStock']);
const ORDER = /^taobao_(?:trade|refund)_/;

/**
 * What a message of the queue (TMC) points at; null where it is nothing of orders or stock. Its time is that of its publication: the same message, delivered again, keeps it. Who bought, and for how much, is in
 * it, too, and stays there.
 */
export function hintOf(message: Bag): Hint | null {
  const topic = text(message['topic']) ?? '';
  let content: Bag;
  try {
    content = bag(typeof message['content'] === 'string' ? parseSafe(message['content']) : message['content']);
  } catch {
    return null; // the poll finds what it was about
  }
  const published = text(message['pub_time']);
  if (STOCK.has(topic)) {
    const sku = text(content['sku_id']) ?? text(content['num_iid']);
    return sku === null ? null : { subject: 'stock', topic, externalId: sku, key: `${topic}:${sku}:${published ?? ''}`, version: null };
  }
  const tid = text(content['tid']);
  if (!ORDER.test(topic) || tid === null) return null;
  const modified = text(content['modified']) ?? published;
  const parts = [topic, tid, text(content['oid']), text(content['refund_id']), text(content['status']), modified];
  return { subject: 'order', topic, externalId: tid, key: parts.filter((p) => p !== null).join(':'), version: whole(modified) ?? fromChinaTime(modified) };
}
