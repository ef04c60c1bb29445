import type { SeenAddress, SeenAfterSale, SeenLine, SeenOrder, SeenStatus } from '../../domain/channel/seen-order.ts';
import type { Discount } from '../../domain/order/intake.ts';
import { PartnerRefused } from '../../domain/http-port.ts';
import { bag, list, text, whole, type Bag } from '../safe-json.ts';

/** order_status, and main_status where it says more: 103 part paid, 21 refunded before it was shipped, 22 after, 39 after receipt. */
const STATUS: Readonly<Record<string, SeenStatus>> = { '1': 'unpaid', '103': 'unpaid', '105': 'to_ship', '2': 'to_ship', '101': 'part_shipped', '3': 'shipped', '4': 'cancelled', '5': 'done', '21': 'cancelled', '22': 'shipped', '39': 'done' };
const AFTER_SALE: Readonly<Record<string, SeenAfterSale['status']>> = {
  '6': 'requested', '27': 'refused', '7': 'agreed', '8': 'agreed', '11': 'goods_sent', '12': 'done', '13': 'agreed', '14': 'agreed', '28': 'closed', '29': 'refused', '51': 'closed', '53': 'done',
};
const KIND: Readonly<Record<string, SeenAfterSale['kind']>> = { '0': 'return', '1': 'refund', '2': 'refund', '3': 'exchange', '4': 'refund', '5': 'refund', '7': 'resend', '8': 'repair' };
/** aftersale_type */
const PRICE_PROTECTION = '6';
/** refund_status of a sub-order */
const REFUNDED = 3;
const CASH_ON_DELIVERY = 0;
/** reduce_stock_type: 1 on order, 2 on payment. */
const TAKEN_WHEN_PAID = 2;
export const afterSaleStatus = (status: unknown): SeenAfterSale['status'] => AFTER_SALE[text(status) ?? ''] ?? 'requested';

const seconds = (value: unknown): number | null => { const s = whole(value); return s === null || s <= 0 ? null : s * 1000; };
/** Amounts are whole fen. */
const fen = (value: unknown): number => whole(value) ?? 0;
const name = (value: unknown): string => text(bag(value)['name']) ?? text(value) ?? '';

/** `data.shop_order_detail` of /order/orderDetail, with the after-sales of /afterSale/List. Throws PartnerRefused for a status that nobody knows. */
export function mapOrder(detail: Bag, afterSales: readonly unknown[], topics: readonly string[], platformInventory: readonly string[]): SeenOrder {
  const main = text(detail['main_status']);
  const order = text(detail['order_status']);
  const status = (main === null ? undefined : STATUS[main]) ?? (order === null ? undefined : STATUS[order]);
  if (status === undefined) throw new PartnerRefused(200, `order_status ${order ?? '?'} is not known`);
  const skus = list(detail['sku_order_list']).map(bag);
  // A price that is made good takes no unit off the order.
  const claims = afterSales.filter((a) => text(bag(bag(a)['aftersale_info'])['aftersale_type']) !== PRICE_PROTECTION).map(afterSale);
  const updated = seconds(detail['update_time']) ?? seconds(detail['create_time']) ?? 0;
  return {
    externalId: text(detail['order_id']) ?? '', version: updated, status,
    fulfilledBy: skus.length > 0 && skus.every((l) => list(l['inventory_list']).some((i) => platformInventory.includes(text(bag(i)['inventory_type']) ?? ''))) ? 'platform' : 'us',
    currency: 'CNY', orderedAt: seconds(detail['create_time']) ?? updated, paidAt: seconds(detail['pay_time']), shipBy: seconds(detail['exp_ship_time']),
    cashOnDelivery: whole(detail['pay_type']) === CASH_ON_DELIVERY && status !== 'unpaid' && seconds(detail['pay_time']) === null,
    buyer: { id: text(detail['open_id']) ?? text(detail['doudian_open_id']), name: null }, address: address(detail),
    wantedAddress: topics.includes('111') && (status === 'to_ship' || status === 'unpaid') ? 'unseen' : null,
    lines: skus.map((l) => line(l, afterSales.length === 0 ? null : claims)), discounts: [], freight: fen(detail['post_amount']),
    buyerRemark: text(detail['buyer_words']), sellerRemark: text(detail['seller_words']), session: null,
    afterSales: claims, parcels: list(detail['logistics_info']).map(bag).flatMap((p) => { const number = text(p['tracking_no']); return number === null ? [] : [{ carrier: text(p['company']) ?? 'platform', number }]; }),
  };
}

/** Personal data comes encrypted: it stays so, beside what the platform shows of it. `open_address_id` names buyer and address together. */
function address(detail: Bag): SeenAddress | null {
  const post = bag(detail['post_addr']);
  const sealed = { encrypt_post_receiver: text(detail['encrypt_post_receiver']), encrypt_post_tel: text(detail['encrypt_post_tel']), encrypt_detail: text(post['encrypt_detail']) };
  const given = Object.fromEntries(Object.entries(sealed).flatMap(([k, v]) => (v === null ? [] : [[k, v]])));
  const province = name(post['province']);
  if (province === '' && Object.keys(given).length === 0) return null;
  const masked = bag(detail['mask_post_addr']);
  const token = text(detail['open_address_id']);
  const district = name(post['town']) || name(post['district']);
  return {
    name: text(detail['mask_post_receiver']) ?? '***', phone: text(detail['mask_post_tel']) ?? '***', country: 'CN', province, city: name(post['city']), ...(district === '' ? {} : { district }),
    street: [name(post['street']), text(masked['detail']) ?? text(post['detail']) ?? '***'].filter((x) => x !== '').join(' '), ...(Object.keys(given).length > 0 ? { sealed: given } : {}), ...(token === null ? {} : { token }),
  };
}

function line(l: Bag, claims: readonly SeenAfterSale[] | null): SeenLine {
  const quantity = whole(l['item_num']) ?? 0;
  const unitPrice = fen(l['origin_amount']);
  const all = unitPrice * quantity - (l['pay_amount'] === undefined ? unitPrice * quantity : fen(l['pay_amount']));
  const discounts: Discount[] = ([['platform', 'promotion_platform_amount'], ['influencer', 'promotion_talent_amount']] as const).flatMap(([bearer, field]) => (fen(l[field]) > 0 ? [{ bearer, code: field, amount: fen(l[field]) }] : []));
  const rest = all - discounts.reduce((sum, d) => sum + d.amount, 0);
  if (rest > 0) discounts.push({ bearer: 'shop', code: 'promotion_shop_amount', amount: rest });
  const lineId = text(l['order_id']) ?? '';
  const over = text(l['order_status']) === '4' || text(l['order_status']) === '21';
  // Its units were paid back before they left; the sub-order itself does not say how many.
  const before = whole(bag(l['after_sale_info'])['refund_status']) === REFUNDED && text(l['order_status']) === '2';
  const units = claims === null ? quantity : claims.filter((c) => c.kind === 'refund' && c.status === 'done').flatMap((c) => c.lines).reduce((sum, x) => sum + (x.lineId === lineId ? x.quantity : 0), 0);
  return {
    lineId, itemId: text(l['product_id']), platformSku: text(l['sku_id']) ?? '', merchantCode: text(l['code']) ?? text(l['out_sku_id']), title: text(l['product_name']) ?? '', quantity,
    cancelled: over ? quantity : before ? Math.min(quantity, units) : 0, unitPrice, discounts, gift: whole(l['given_product_type']) === 1,
    ...(whole(l['reduce_stock_type']) === TAKEN_WHEN_PAID ? { takenWhenPaid: true } : {}),
  };
}

function afterSale(item: unknown): SeenAfterSale {
  const info = bag(bag(item)['aftersale_info']);
  const related = list(bag(bag(item)['order_info'])['related_order_info']).map(bag);
  const tracking = text(info['return_logistics_code']);
  return {
    id: text(info['aftersale_id']) ?? '', kind: KIND[text(info['aftersale_type']) ?? ''] ?? 'refund', status: afterSaleStatus(info['aftersale_status']),
    lines: related.flatMap((r) => { const lineId = text(r['sku_order_id']); return lineId === null ? [] : [{ lineId, quantity: whole(r['aftersale_item_num']) ?? whole(r['item_num']) ?? 1 }]; }),
    amount: whole(info['refund_amount']), reason: text(info['reason_text']) ?? text(info['reason']) ?? '', waybill: tracking === null ? null : { carrier: text(info['return_logistics_company_name']) ?? '', number: tracking },
    version: seconds(info['update_time']) ?? 0,
  };
}
