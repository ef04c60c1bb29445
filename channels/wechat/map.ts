import type { SeenAddress, SeenAfterSale, SeenOrder, SeenStatus } from '../../domain/channel/seen-order.ts';
import { PartnerRefused } from '../../domain/http-port.ts';
import { bag, list, text, whole, type Bag } from '../safe-json.ts';
import type { WechatSettings } from './settings.ts';

/** 12: a gift that nobody has taken yet; it has no receiver. 200: nothing is left after its after-sales. */
const STATUS: Readonly<Record<string, SeenStatus>> = { '10': 'unpaid', '12': 'to_ship', '20': 'to_ship', '21': 'part_shipped', '30': 'shipped', '100': 'done', '200': 'cancelled', '250': 'cancelled' };
const AFTER_SALE: Readonly<Record<string, SeenAfterSale['status']>> = {
  USER_CANCELD: 'closed', MERCHANT_PROCESSING: 'requested', MERCHANT_REJECT_REFUND: 'refused', MERCHANT_REJECT_RETURN: 'refused', USER_WAIT_RETURN: 'agreed', RETURN_CLOSED: 'closed', MERCHANT_WAIT_RECEIPT: 'goods_sent',
  MERCHANT_OVERDUE_REFUND: 'agreed', MERCHANT_REFUND_SUCCESS: 'done', MERCHANT_RETURN_SUCCESS: 'done', PLATFORM_REFUNDING: 'agreed', PLATFORM_REFUND_FAIL: 'agreed', USER_WAIT_CONFIRM: 'requested', MERCHANT_REFUND_RETRY_FAIL: 'agreed',
  MERCHANT_FAIL: 'agreed', USER_WAIT_CONFIRM_UPDATE: 'requested', USER_WAIT_HANDLE_MERCHANT_AFTER_SALE: 'requested',
};
const KIND: Readonly<Record<string, SeenAfterSale['kind']>> = { REFUND: 'refund', RETURN: 'return', EXCHANGE: 'exchange' };

const seconds = (value: unknown): number | null => { const s = whole(value); return s === null || s <= 0 ? null : s * 1000; };
const fen = (value: unknown): number => whole(value) ?? 0;
const productsOf = (order: Bag): Bag[] => list(bag(order['order_detail'])['product_infos']).map(bag);

export const versionOf = (order: Bag): number => seconds(order['update_time']) ?? seconds(order['create_time']) ?? 0;
export const afterSaleIds = (order: Bag): string[] => list(bag(order['aftersale_detail'])['aftersale_order_list']).flatMap((a) => text(bag(a)['aftersale_order_id']) ?? text(bag(a)['after_sale_order_id']) ?? []);
export const afterSaleStatus = (claim: Bag): SeenAfterSale['status'] => AFTER_SALE[text(claim['status']) ?? ''] ?? 'requested';
export const waybills = (order: Bag): { carrier: string; number: string }[] => list(bag(bag(order['order_detail'])['delivery_info'])['delivery_product_info']).map(bag).flatMap((d) => {
  const number = text(d['waybill_id']);
  return number === null ? [] : [{ carrier: text(d['delivery_id']) ?? 'platform', number }];
});

/** Lines have no ids there: product, SKU, and for a SKU that stands there twice its place. */
export const lineIds = (order: Bag): string[] => {
  const seen = new Map<string, number>();
  return productsOf(order).map((p) => {
    const key = `${text(p['product_id']) ?? ''}/${text(p['sku_id']) ?? ''}`;
    const n = (seen.get(key) ?? 0) + 1;
    seen.set(key, n);
    return n === 1 ? key : `${key}/${n}`;
  });
};
export const productOf = (lineId: string): { product_id: string; sku_id: string } => { const [product, sku] = lineId.split('/'); return { product_id: product ?? '', sku_id: sku ?? '' }; };

/** `order` of order/get, with the after-sales of aftersale/getaftersaleorder. Throws PartnerRefused for a status that nobody knows. */
export function mapOrder(order: Bag, claims: readonly Bag[], s: WechatSettings): SeenOrder {
  const code = text(order['status']) ?? '?';
  const status = STATUS[code] ?? s.statuses[code];
  if (status === undefined) throw new PartnerRefused(200, `status ${code} is not known: name it in the setting "statuses"`);
  const detail = bag(order['order_detail']);
  const price = bag(detail['price_info']);
  const products = productsOf(order);
  const ids = lineIds(order);
  const goods = products.reduce((sum, p) => sum + fen(p['sale_price']) * (whole(p['sku_cnt']) ?? 0), 0);
  const off = price['order_price'] === undefined ? fen(price['discounted_price']) : goods + fen(price['freight']) - fen(price['order_price']);
  const open = status === 'unpaid' || status === 'to_ship' || status === 'part_shipped';
  return {
    externalId: text(order['order_id']) ?? '', version: versionOf(order), status, fulfilledBy: 'us', currency: 'CNY', orderedAt: seconds(order['create_time']) ?? versionOf(order),
    paidAt: seconds(bag(detail['pay_info'])['pay_time']), shipBy: seconds(bag(detail['delivery_info'])['predict_delivery_time']), cashOnDelivery: false, buyer: { id: text(order['openid']), name: null },
    address: address(bag(bag(detail['delivery_info'])['address_info']), text(order['order_id']) ?? '', s.encodeSensitive), wantedAddress: null,
    lines: products.map((p, i) => ({
      lineId: ids[i] ?? '', itemId: text(p['product_id']), platformSku: text(p['sku_id']) ?? '', merchantCode: text(p['sku_code']) ?? text(p['out_sku_id']), title: text(p['title']) ?? '', quantity: whole(p['sku_cnt']) ?? 0,
      cancelled: open ? neverSent(p, detail, claims) : 0, unitPrice: fen(p['sale_price']), discounts: [], gift: fen(p['sale_price']) === 0,
    })),
    discounts: off > 0 ? [{ bearer: 'shop', code: 'discounted_price', amount: off }] : [], freight: fen(price['freight']),
    buyerRemark: text(bag(detail['ext_info'])['customer_notes']), sellerRemark: text(bag(detail['ext_info'])['merchant_notes']), session: text(bag(detail['ext_info'])['live_id']),
    afterSales: claims.map((c) => afterSale(c, products, ids)), parcels: waybills(order),
  };
}

/** Units of finished after-sales that had not left: a return is of what has, and no more are left than were not sent. */
function neverSent(p: Bag, detail: Bag, claims: readonly Bag[]): number {
  const same = (x: Bag): boolean => text(x['product_id']) === text(p['product_id']) && text(x['sku_id']) === text(p['sku_id']);
  const sent = list(bag(detail['delivery_info'])['delivery_product_info']).flatMap((d) => list(bag(d)['product_infos'])).map(bag).filter(same).reduce((sum, x) => sum + (whole(x['product_cnt']) ?? 0), 0);
  const returned = claims.filter((c) => text(c['type']) === 'RETURN' && afterSaleStatus(c) === 'done' && same(bag(c['product_info']))).reduce((sum, c) => sum + (whole(bag(c['product_info'])['count']) ?? 1), 0);
  return Math.max(0, Math.min((whole(p['sku_cnt']) ?? 0) - sent, (whole(p['finish_aftersale_sku_cnt']) ?? 0) - returned));
}

/** Encoded fields stay so, with the order that opens them; in the clear they go the way of every address. */
function address(a: Bag, orderId: string, encoded: boolean): SeenAddress | null {
  const province = text(a['province_name']) ?? '';
  if (province === '' && text(a['user_name']) === null) return null;
  const district = text(a['county_name']) ?? '';
  const postcode = text(a['postal_code']);
  const token = text(a['hash_code']);
  const sealed = Object.fromEntries(['user_name', 'tel_number', 'detail_info', 'house_number'].flatMap((f) => { const value = text(a[f]); return value === null ? [] : [[f, value]]; }));
  return {
    ...(encoded ? { name: '***', phone: '***', street: '***', sealed: { ...sealed, order_id: orderId } }
      : { name: text(a['user_name']) ?? '', phone: text(a['tel_number']) ?? '', street: [text(a['detail_info']), text(a['house_number'])].filter((x) => x !== null).join(' ') }),
    country: 'CN', province, city: text(a['city_name']) ?? '', ...(district === '' ? {} : { district }), ...(postcode === null ? {} : { postcode }), ...(token === null ? {} : { token }),
  };
}

function afterSale(claim: Bag, products: readonly Bag[], ids: readonly string[]): SeenAfterSale {
  const product = bag(claim['product_info']);
  const back = bag(claim['return_info']);
  const number = text(back['waybill_id']);
  const lineId = ids[products.findIndex((p) => text(p['product_id']) === text(product['product_id']) && text(p['sku_id']) === text(product['sku_id']))];
  return {
    id: text(claim['after_sale_order_id']) ?? '', kind: KIND[text(claim['type']) ?? ''] ?? 'refund', status: afterSaleStatus(claim), lines: lineId === undefined ? [] : [{ lineId, quantity: whole(product['count']) ?? 1 }],
    amount: whole(bag(claim['refund_info'])['amount']), reason: text(bag(claim['details'])['desc']) ?? text(claim['reason']) ?? '', waybill: number === null ? null : { carrier: text(back['delivery_id']) ?? '', number },
    version: seconds(claim['update_time']) ?? 0,
  };
}
