import type { SeenAddress, SeenAfterSale, SeenLine, SeenOrder, SeenStatus } from '../../domain/channel/seen-order.ts';
import type { Discount } from '../../domain/order/intake.ts';
import { PartnerRefused } from '../../domain/http-port.ts';
import { minorUnits } from '../money.ts';
import { bag, list, text, whole, type Bag } from '../safe-json.ts';
import type { PinduoduoSettings } from './settings.ts';

/** confirm_status: 0 not concluded (unpaid, or its group is still open), 2 cancelled; else order_status: 1 to ship, 2 shipped, 3 signed for. */
const CONFIRM: Readonly<Record<string, SeenStatus>> = { '0': 'unpaid', '2': 'cancelled' };
const STATUS: Readonly<Record<string, SeenStatus>> = { '1': 'to_ship', '2': 'shipped', '3': 'done' };
const KIND: Readonly<Record<string, SeenAfterSale['kind']>> = { '1': 'refund', '2': 'return', '3': 'exchange', '4': 'resend', '5': 'repair' };
const SEALED = ['receiver_name', 'receiver_phone', 'receiver_address'] as const;
/** part_after_sales_type: a number of pieces (2: a percentage, which takes no unit off) */
const PIECES = 1;
const PAUSED = 'ship_hold';

/** "yyyy-MM-dd HH:mm:ss" of Beijing, or seconds or milliseconds since 1970; null where there is none. */
export function time(value: unknown): number | null {
  const n = whole(value);
  if (n !== null) return n <= 0 ? null : n < 100_000_000_000 ? n * 1000 : n;
  const match = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)$/.exec(text(value) ?? '');
  return match ? Date.parse(`${match[1] ?? ''}T${match[2] ?? ''}+08:00`) : null;
}

/** Yuan in fen. Numbers are doubles there: what is off by less than a double can tell is no fraction of a fen. */
function fen(value: unknown): number {
  if (value === undefined || value === null || value === '') return 0;
  if (typeof value === 'number' && Math.abs(value * 100 - Math.round(value * 100)) < 1e-6) return Math.round(value * 100);
  return minorUnits(value, 'CNY');
}

export const versionOf = (order: Bag): number => time(order['updated_at']) ?? time(order['created_time']) ?? 0;
export const hasAfterSale = (order: Bag): boolean => (whole(order['after_sales_status']) ?? 0) !== 0;
/** The main waybill, and those of further parcels: 分包发货. */
export const waybills = (order: Bag): { carrier: string; number: string }[] => [order, ...list(order['extra_delivery_list']).map(bag)].flatMap((p) => {
  const number = text(p['tracking_number']);
  return number === null ? [] : [{ carrier: text(p['logistics_id']) ?? 'platform', number }];
});

/** An after-sale as it is listed (amounts in yuan) and in full (pieces). */
export type Claim = { listed: Bag; full: Bag };

/** `order_info` of pdd.order.information.get, with its after-sales. Throws PartnerRefused for a status that nobody knows. */
export function mapOrder(order: Bag, afterSales: readonly Claim[], s: PinduoduoSettings): SeenOrder {
  const [confirmed, sent] = [text(order['confirm_status']) ?? '1', text(order['order_status']) ?? '?'];
  const status = CONFIRM[confirmed] ?? STATUS[sent];
  if (status === undefined) throw new PartnerRefused(200, `confirm_status ${confirmed} with order_status ${sent} is not known`);
  const items = list(order['item_list']).map(bag);
  const goods = items.reduce((sum, l) => sum + fen(l['goods_price']) * (whole(l['goods_count']) ?? 0), 0);
  const freight = fen(order['postage']);
  const claims = afterSales.flatMap((a) => mapAfterSale(a, items, text(order['tracking_number']), s) ?? []);
  // Money back before anything has left is units that are no more to be shipped.
  const gone = status === 'unpaid' || status === 'to_ship' ? claims.filter((c) => c.kind === 'refund' && c.status === 'done').flatMap((c) => c.lines) : [];
  const updated = versionOf(order);
  return {
    externalId: text(order['order_sn']) ?? '', version: updated, status,
    fulfilledBy: s.platformDepots.includes(text(bag(order['order_depot_info'])['depot_code']) ?? '') ? 'platform' : 'us', keptBack: keptBack(order, status),
    currency: 'CNY', orderedAt: time(order['created_time']) ?? updated,
    // Paid is what is concluded: until its group is full the buyer's money goes back of itself.
    paidAt: status === 'unpaid' ? null : time(order['pay_time']) ?? time(order['confirm_time']), shipBy: time(order['last_ship_time']), cashOnDelivery: false,
    buyer: { id: null, name: null }, address: address(order), wantedAddress: null,
    lines: items.map((l) => line(l, gone)), discounts: discounts(order, goods + freight), freight,
    buyerRemark: text(order['buyer_memo']), sellerRemark: text(order['remark']), session: null, afterSales: claims, parcels: waybills(order),
  };
}

function keptBack(order: Bag, status: SeenStatus): string | null {
  if (status !== 'to_ship') return null;
  if (whole(order['risk_control_status']) === 1) return 'it is under review (风控审核中)';
  return list(order['order_tag_list']).map(bag).some((t) => t['name'] === PAUSED && whole(t['value']) === 1) ? 'shipping is paused (暂停发货)' : null;
}

/** What the buyer pays is said for the whole order; what it lacks to prices and freight the platform has given as far as it says so, the shop the rest. */
function discounts(order: Bag, all: number): Discount[] {
  if (order['pay_amount'] === undefined || order['pay_amount'] === null) return [];
  const off = all - fen(order['pay_amount']);
  const platform = Math.min(Math.max(0, off), fen(order['platform_discount']));
  return [
    ...(platform > 0 ? [{ bearer: 'platform' as const, code: 'platform_discount', amount: platform }] : []), ...(off - platform > 0 ? [{ bearer: 'shop' as const, code: 'seller_discount', amount: off - platform }] : []),
  ];
}

/** Personal data comes encrypted while the order waits to be shipped, and stays so; under review, and once it has left, there is none. `open_address_id` names buyer and address together. */
function address(order: Bag): SeenAddress | null {
  const sealed = Object.fromEntries(SEALED.flatMap((field) => { const value = text(order[field]); return value === null ? [] : [[field, value]]; }));
  if (Object.keys(sealed).length === 0) return null;
  const token = text(order['open_address_id']);
  const town = text(order['town']);
  return {
    name: text(order['receiver_name_mask']) ?? '***', phone: text(order['receiver_phone_mask']) ?? '***', country: 'CN', province: text(order['province']) ?? '', city: text(order['city']) ?? '',
    ...(town === null ? {} : { district: town }), street: text(order['receiver_address_mask']) ?? '***', sealed, ...(token === null ? {} : { token }),
  };
}

/** Lines have no ids: an order holds a SKU once. */
function line(item: Bag, gone: readonly { lineId: string; quantity: number }[]): SeenLine {
  const quantity = whole(item['goods_count']) ?? 0;
  const sku = text(item['sku_id']) ?? '';
  const unitPrice = fen(item['goods_price']);
  return {
    lineId: sku, itemId: text(item['goods_id']), platformSku: sku, merchantCode: text(item['outer_id']) ?? text(item['outer_goods_id']), title: [text(item['goods_name']), text(item['goods_spec'])].filter((x) => x !== null).join(' '),
    quantity, cancelled: Math.min(quantity, gone.filter((g) => g.lineId === sku).reduce((sum, g) => sum + g.quantity, 0)), unitPrice, discounts: [], gift: unitPrice === 0,
  };
}

function mapAfterSale({ listed, full }: Claim, items: readonly Bag[], sentUnder: string | null, s: PinduoduoSettings): SeenAfterSale | null {
  const id = text(listed['id']);
  const status = s.afterSaleStatus[text(full['after_sales_status']) ?? text(listed['after_sales_status']) ?? ''];
  if (id === null || status === undefined) return null;
  const kind = KIND[text(full['after_sales_type']) ?? ''] ?? 'refund';
  const number = text(full['express_no']);
  const back = number === sentUnder ? null : number;
  const sku = text(full['sku_id']) ?? text(listed['sku_id']);
  const pieces = kind === 'return' && whole(full['part_after_sales_type']) === PIECES ? whole(full['part_after_sales_value']) : null;
  const of = items.filter((l) => sku === null || text(l['sku_id']) === sku);
  return {
    // A return that has its waybill is on its way, whatever the status says of who is to act next.
    id, kind, status: back !== null && kind !== 'refund' && (status === 'requested' || status === 'agreed') ? 'goods_sent' : status,
    lines: of.map((l) => ({ lineId: text(l['sku_id']) ?? '', quantity: (sku === null ? null : pieces ?? whole(full['goods_number'])) ?? whole(l['goods_count']) ?? 1 })),
    amount: text(listed['refund_amount']) === null ? null : fen(listed['refund_amount']), reason: text(full['after_sales_reason']) ?? text(listed['after_sale_reason']) ?? '',
    waybill: back === null ? null : { carrier: text(full['shipping_name']) ?? '', number: back }, version: time(listed['updated_time']) ?? time(full['updated_time']) ?? 0,
  };
}
