import { createHash } from 'node:crypto';
import type { AfterSale, Item, Line, Order, ShopEvent } from '../platform/order.ts';

/** Ids go out as bare JSON numbers; those of the shared shop that are words stay words. */
export const bare = (value: unknown): string => JSON.stringify(value).replace(/"@(\d+)"/g, '$1').replace(/"@([^"]*)"/g, '"$1"');
export const beijing = (ms: number): string => new Date(ms + 28_800_000).toISOString().replace('T', ' ').slice(0, 19);
export const yuan = (fen: number): string => (fen / 100).toFixed(2);

const STATUS: Record<Order['status'], string> = {
  unpaid: 'WAIT_BUYER_PAY', to_ship: 'WAIT_SELLER_SEND_GOODS', part_shipped: 'SELLER_CONSIGNED_PART', shipped: 'WAIT_BUYER_CONFIRM_GOODS', done: 'TRADE_FINISHED', cancelled: 'TRADE_CLOSED',
};
export const tradeStatus = (order: Order): string => (order.paused && order.status === 'to_ship' ? 'PAID_FORBID_CONSIGN' : order.status === 'cancelled' && order.paidAt === null ? 'TRADE_CLOSED_BY_TAOBAO' : STATUS[order.status]);

/** A refund without goods is paid back as soon as the shop agrees. */
export function refundStatus(a: AfterSale): string {
  const agreed = a.kind === 'return' ? 'WAIT_BUYER_RETURN_GOODS' : 'SUCCESS';
  return { requested: 'WAIT_SELLER_AGREE', agreed, goods_sent: 'WAIT_SELLER_CONFIRM_GOODS', done: 'SUCCESS', refused: 'SELLER_REFUSE_BUYER', closed: 'CLOSED' }[a.status];
}
export const ofLine = (order: Order, line: Line): AfterSale | undefined => order.afterSales.filter((a) => a.lines[0]?.lineId === line.lineId).at(-1);
export const phase = (order: Order): string => (order.parcels.length > 0 ? 'aftersale' : 'onsale');

export function brief(order: Order): Record<string, unknown> {
  return { tid: `@${order.id}`, status: tradeStatus(order), created: beijing(order.createdAt), modified: beijing(order.updatedAt), ...(order.parcels.length > 0 ? { consign_time: beijing(order.updatedAt) } : {}) };
}

export function trade(order: Order): Record<string, unknown> {
  const goods = order.lines.reduce((sum, l) => sum + l.unitPrice * l.quantity, 0);
  const { address: a } = order;
  return {
    ...brief(order), tid_str: order.id, type: 'fixed', payment: yuan(goods + order.freight - order.discount), post_fee: yuan(order.freight), total_fee: yuan(goods), discount_fee: yuan(order.discount),
    ...(order.paidAt === null ? {} : { pay_time: beijing(order.paidAt) }), buyer_nick: 'd**', buyer_open_uid: order.buyerId, buyer_message: order.remark, est_con_time: beijing(order.createdAt + 172_800_000),
    receiver_name: `${a.name.slice(0, 1)}**`, receiver_mobile: '138********', receiver_state: a.province, receiver_city: a.city, receiver_district: a.district, receiver_address: '***', receiver_zip: '000000',
    oaid: createHash('sha1').update(`${order.id}|${JSON.stringify(a)}`).digest('base64'),
    ...(order.fulfilledBy === 'platform' ? { logistics_infos: { logistics_info: order.lines.map((l) => ({ trade_id: `@${order.id}`, sub_trade_id: `@${l.lineId}`, store_code: 'CN-HZ', consign_type: 'CN', need_consign_num: l.quantity })) } } : {}),
    orders: { order: order.lines.map((l) => subOrder(order, l)) },
  };
}

function subOrder(order: Order, l: Line): Record<string, unknown> {
  const claim = ofLine(order, l);
  const parcel = order.parcels.filter((p) => p.lines.some((x) => x.lineId === l.lineId)).at(-1);
  const refunded = claim !== undefined && claim.kind === 'refund' && refundStatus(claim) === 'SUCCESS' && (claim.lines[0]?.quantity ?? 0) >= l.quantity;
  const status = order.status === 'cancelled' ? tradeStatus(order) : refunded ? 'TRADE_CLOSED' : l.shipped > 0 ? (order.status === 'done' ? 'TRADE_FINISHED' : 'WAIT_BUYER_CONFIRM_GOODS') : order.status === 'unpaid' ? 'WAIT_BUYER_PAY' : 'WAIT_SELLER_SEND_GOODS';
  return {
    oid: `@${l.lineId}`, status, num_iid: `@${l.itemId}`, ...(l.sku === l.itemId ? {} : { sku_id: l.sku }), outer_sku_id: l.merchantCode, title: l.title, num: l.quantity, price: yuan(l.unitPrice), total_fee: yuan(l.unitPrice * l.quantity),
    payment: yuan(l.unitPrice * l.quantity), discount_fee: '0.00', adjust_fee: '0.00', refund_status: claim ? refundStatus(claim) : 'NO_REFUND', ...(claim ? { refund_id: `@${claim.id}` } : {}),
    ...(parcel ? { invoice_no: parcel.number, logistics_company: parcel.carrier, consign_time: beijing(order.updatedAt) } : {}),
  };
}

export function refund(order: Order, a: AfterSale): Record<string, unknown> {
  return {
    refund_id: `@${a.id}`, tid: `@${order.id}`, oid: `@${a.lines[0]?.lineId ?? order.id}`, status: refundStatus(a), has_good_return: a.kind === 'return', refund_fee: yuan(a.amount), num: a.lines[0]?.quantity ?? 1, reason: a.reason,
    created: beijing(a.updatedAt), modified: beijing(a.updatedAt), refund_phase: phase(order), refund_version: a.updatedAt, buyer_nick: 'd**',
  };
}

/** Where stock falls with the payment, what is ordered and unpaid is still in the figure. */
export const sku = (i: Item): Record<string, unknown> => ({ sku_id: i.sku, num_iid: `@${i.itemId}`, quantity: i.stock + i.held, with_hold_quantity: i.held, outer_id: i.merchantCode });

const TRADE_TOPIC = { created: 'TradeCreate', paid: 'TradeBuyerPay', cancelled: 'TradeClose', shipped: 'TradeSellerShip', done: 'TradeSuccess', address: 'TradeLogisticsAddressChanged' } as const;
const REFUND_TOPIC: Record<string, string> = {
  WAIT_SELLER_AGREE: 'RefundCreated', WAIT_BUYER_RETURN_GOODS: 'RefundSellerAgreeAgreement', WAIT_SELLER_CONFIRM_GOODS: 'RefundBuyerReturnGoods', SELLER_REFUSE_BUYER: 'RefundSellerRefuseAgreement', CLOSED: 'RefundClosed', SUCCESS: 'RefundSuccess',
};

/** A message's topic and content (JSON in text); null: nobody is told of it. */
export function messageOf({ kind, order, afterSale, at }: ShopEvent): { topic: string; content: string; pub_time: string } | null {
  if (!order || kind === 'stock') return null;
  const who = { buyer_nick: 'd**', seller_nick: 'simulated', tid: `@${order.id}` };
  if (afterSale) {
    const content = { ...who, oid: `@${afterSale.lines[0]?.lineId ?? order.id}`, refund_id: `@${afterSale.id}`, refund_fee: yuan(afterSale.amount), bill_type: afterSale.kind === 'return' ? 'return_bill' : 'refund_bill', refund_phase: phase(order), modified: beijing(afterSale.updatedAt) };
    return { topic: `taobao_refund_${REFUND_TOPIC[refundStatus(afterSale)] ?? 'RefundCreated'}`, content: bare(content), pub_time: beijing(at) };
  }
  const part = kind === 'shipped' && order.status === 'part_shipped';
  const content = kind === 'address' ? who : { ...who, oid: `@${order.lines[0]?.lineId ?? order.id}`, status: tradeStatus(order), payment: '0.00', type: 'guarantee_trade' };
  return { topic: `taobao_trade_${part ? 'TradePartlySellerShip' : TRADE_TOPIC[kind as keyof typeof TRADE_TOPIC]}`, content: bare(content), pub_time: beijing(at) };
}
