import type { SeenAddress, SeenAfterSale, SeenLine, SeenOrder, SeenStatus } from '../../domain/channel/seen-order.ts';
import { PartnerRefused } from '../../domain/http-port.ts';
import type { Discount } from '../../domain/order/intake.ts';
import { fromChinaTime } from '../china-time.ts';
import { minorUnits } from '../money.ts';
import { bag, list, text, whole, type Bag } from '../safe-json.ts';
import type { TaobaoSettings } from './settings.ts';

/** Paid, and not to be sent until the platform says so. */
const FORBIDDEN = 'PAID_FORBID_CONSIGN';
/** TRADE_CLOSED is a paid order whose money was given back; what had been shipped by then stays shipped. */
const STATUS: Readonly<Record<string, SeenStatus>> = {
  TRADE_NO_CREATE_PAY: 'unpaid', WAIT_BUYER_PAY: 'unpaid', PAY_PENDING: 'unpaid', WAIT_PRE_AUTH_CONFIRM: 'unpaid', WAIT_SELLER_SEND_GOODS: 'to_ship', [FORBIDDEN]: 'to_ship', SELLER_CONSIGNED_PART: 'part_shipped',
  WAIT_BUYER_CONFIRM_GOODS: 'shipped', TRADE_BUYER_SIGNED: 'shipped', TRADE_FINISHED: 'done', TRADE_CLOSED: 'cancelled', TRADE_CLOSED_BY_TAOBAO: 'cancelled',
};
const RANK: readonly SeenStatus[] = ['unpaid', 'to_ship', 'part_shipped', 'shipped', 'done', 'cancelled'];
const AFTER_SALE: Readonly<Record<string, SeenAfterSale['status']>> = {
  WAIT_SELLER_AGREE: 'requested', WAIT_BUYER_RETURN_GOODS: 'agreed', WAIT_SELLER_CONFIRM_GOODS: 'goods_sent', SELLER_REFUSE_BUYER: 'refused', CLOSED: 'closed', SUCCESS: 'done',
};
const CASH_ON_DELIVERY = 'cod';
/** Who ships a sub-order: CN is Cainiao's own warehouse, SC the merchant's. */
const CAINIAO = 'CN';

/** Yuan as decimal text, in fen; null where there is none. */
const fen = (value: unknown): number | null => { const t = text(value); return t === null ? null : minorUnits(t, 'CNY'); };
export const ordersOf = (trade: Bag): Bag[] => list(bag(trade['orders'])['order']).map(bag);
export const refundIds = (trade: Bag): string[] => [...new Set(ordersOf(trade).flatMap((o) => text(o['refund_id']) ?? []))];
export const isReturn = (refund: Bag): boolean => refund['has_good_return'] === true || refund['has_good_return'] === 'true';
export const afterSaleStatus = (refund: Bag): SeenAfterSale['status'] => AFTER_SALE[text(refund['status']) ?? ''] ?? 'requested';
export const waybills = (trade: Bag): { carrier: string; number: string }[] => [
  ...new Map(ordersOf(trade).flatMap((o) => { const number = text(o['invoice_no']); return number === null ? [] : [[number, { carrier: text(o['logistics_company']) ?? 'platform', number }] as const]; })).values()];

function statusOf(trade: Bag): SeenStatus | undefined {
  const status = STATUS[text(trade['status']) ?? ''];
  return status === 'cancelled' && isSent(trade) ? 'done' : status;
}
const isSent = (of: Bag): boolean => text(of['consign_time']) !== null;

/** Times are whole seconds: of two changes in one, how far the order is tells the later. */
export const versionOf = (trade: Bag): number => (fromChinaTime(trade['modified']) ?? fromChinaTime(trade['created']) ?? 0) + Math.max(0, RANK.indexOf(statusOf(trade) ?? 'unpaid'));

/** `trade` of taobao.trade.fullinfo.get with its refunds of taobao.refund.get. Throws PartnerRefused for a status that nobody knows. */
export function mapOrder(trade: Bag, refunds: readonly Bag[], s: TaobaoSettings): SeenOrder {
  const tid = text(trade['tid_str']) ?? text(trade['tid']) ?? '';
  const status = statusOf(trade);
  if (status === undefined) throw new PartnerRefused(200, `the platform says ${text(trade['status']) ?? 'nothing'}: there is nothing to be done with it yet; it is read again when that changes`);
  const orders = ordersOf(trade);
  const lines = orders.map((o) => line(o, refunds.filter((r) => text(r['oid']) === text(o['oid']))));
  const freight = fen(trade['post_fee']) ?? 0;
  return {
    externalId: tid, version: versionOf(trade), status, fulfilledBy: fulfilledBy(trade, orders, lines, s), currency: 'CNY',
    orderedAt: fromChinaTime(trade['created']) ?? versionOf(trade), paidAt: fromChinaTime(trade['pay_time']), shipBy: fromChinaTime(trade['est_con_time']),
    cashOnDelivery: trade['type'] === CASH_ON_DELIVERY && status !== 'unpaid' && text(trade['pay_time']) === null,
    buyer: { id: text(trade['buyer_open_uid']), name: null }, address: address(trade, tid), wantedAddress: null, lines, discounts: offWhole(trade, lines, freight), freight,
    buyerRemark: text(trade['buyer_message']), sellerRemark: text(trade['seller_memo']), session: null, afterSales: refunds.map((r) => afterSale(r, lines)), parcels: waybills(trade),
    keptBack: text(trade['status']) === FORBIDDEN ? `it is paid and must not be sent yet (${FORBIDDEN})` : null,
  };
}

/** An order of which only a part is Cainiao's to ship cannot be told to our locations as a whole. */
function fulfilledBy(trade: Bag, orders: readonly Bag[], lines: readonly SeenLine[], s: TaobaoSettings): SeenOrder['fulfilledBy'] {
  const infos = list(bag(trade['logistics_infos'])['logistics_info']).map(bag);
  const open = orders.filter((_o, i) => (lines[i]?.cancelled ?? 0) < (lines[i]?.quantity ?? 0));
  const theirs = open.filter((o) => s.platformWarehouses.includes(text(o['store_code']) ?? '') || infos.some((i) => text(i['sub_trade_id']) === text(o['oid']) && i['consign_type'] === CAINIAO));
  if (theirs.length > 0 && theirs.length < open.length) throw new PartnerRefused(200, 'a part of the order is shipped by Cainiao and a part by us: split it there');
  return theirs.length > 0 ? 'platform' : 'us';
}

/** Personal data comes masked; `oaid` opens it for the platform's own waybill service, and is another one when the address is. */
function address(trade: Bag, tid: string): SeenAddress | null {
  const province = text(trade['receiver_state']) ?? '';
  const oaid = text(trade['oaid']);
  if (province === '' && oaid === null) return null;
  const district = text(trade['receiver_district']);
  const city = text(trade['receiver_city']);
  const postcode = text(trade['receiver_zip']);
  return {
    name: text(trade['receiver_name']) ?? '***', phone: text(trade['receiver_mobile']) ?? text(trade['receiver_phone']) ?? '***', country: 'CN', province,
    // Counties that answer to their province alone have no city.
    city: city ?? district ?? '', ...(district === null || city === null ? {} : { district }), street: [text(trade['receiver_town']) ?? '', text(trade['receiver_address']) ?? '***'].filter((x) => x !== '').join(' '),
    ...(postcode === null ? {} : { postcode }), ...(oaid === null ? {} : { sealed: { oaid, tid }, token: oaid }),
  };
}

function line(o: Bag, refunds: readonly Bag[]): SeenLine {
  const quantity = whole(o['num']);
  const item = text(o['num_iid']);
  const sku = text(o['sku_id']);
  const lineId = text(o['oid']);
  if (lineId === null || (sku ?? item) === null || quantity === null || quantity < 1) throw new PartnerRefused(200, 'a sub-order has no oid, item or whole quantity');
  const price = fen(o['price']) ?? 0;
  // Whatever was taken off, by the sub-order's own discount and by its share of the order's, or put on by hand.
  const due = fen(o['divide_order_fee']) ?? fen(o['total_fee']) ?? price * quantity;
  const unitPrice = due > price * quantity ? Math.ceil(due / quantity) : price;
  const off = unitPrice * quantity - due;
  const discounts: Discount[] = off > 0 ? [{ bearer: 'shop', code: 'discount_fee', amount: off }] : [];
  return {
    lineId, itemId: sku === null ? null : item, platformSku: sku ?? item ?? '', merchantCode: text(o['outer_sku_id']) ?? text(o['outer_iid']), title: text(o['title']) ?? '', quantity, cancelled: gone(o, refunds, quantity), unitPrice,
    discounts, gift: price === 0 && due === 0,
  };
}

/** Units that were given back before they left. */
function gone(o: Bag, refunds: readonly Bag[], quantity: number): number {
  if (isSent(o)) return 0;
  if (STATUS[text(o['status']) ?? ''] === 'cancelled') return quantity;
  return Math.min(quantity, refunds.reduce((sum, r) => sum + (afterSaleStatus(r) === 'done' && !isReturn(r) ? whole(r['num']) ?? quantity : 0), 0));
}

/** What the whole order lacks to its sub-orders and freight; not to be told where a sub-order is closed. */
function offWhole(trade: Bag, lines: readonly SeenLine[], freight: number): Discount[] {
  const payment = fen(trade['payment']);
  if (payment === null || lines.some((l) => l.cancelled > 0)) return [];
  const off = lines.reduce((sum, l) => sum + l.unitPrice * l.quantity - l.discounts.reduce((d, x) => d + x.amount, 0), freight) - payment;
  return off > 0 ? [{ bearer: 'shop', code: 'payment', amount: off }] : [];
}

function afterSale(r: Bag, lines: readonly SeenLine[]): SeenAfterSale {
  const lineId = text(r['oid']) ?? text(r['tid']) ?? '';
  const number = text(r['sid']);
  return {
    id: text(r['refund_id']) ?? '', kind: isReturn(r) ? 'return' : 'refund', status: afterSaleStatus(r), lines: [{ lineId, quantity: whole(r['num']) ?? lines.find((l) => l.lineId === lineId)?.quantity ?? 1 }],
    amount: fen(r['refund_fee']), reason: text(r['reason']) ?? text(r['desc']) ?? '', waybill: number === null ? null : { carrier: text(r['company_name']) ?? '', number }, version: fromChinaTime(r['modified']) ?? 0,
  };
}
