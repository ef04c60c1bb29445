import { createHash } from 'node:crypto';
import type { AfterSale, Item, Order } from '../platform/order.ts';

/** Ids of after-sales go out as bare JSON numbers, those of orders as text. */
export const bare = (value: unknown): string => JSON.stringify(value).replace(/"@(\d+)"/g, '$1').replace(/"@([^"]*)"/g, '"$1"');
export const beijing = (ms: number): string => new Date(ms + 28_800_000).toISOString().replace('T', ' ').slice(0, 19);
const yuan = (fen: number): string => (fen / 100).toFixed(2);
/** Nobody but JD opens it. */
const sealed = (text: string): string => `AAS${createHash('sha512').update(text).digest('base64').replace(/[+/=]/g, 'x').slice(0, 77)}`;
const NEVER = '0001-01-01 00:00:00';

/** A wish to have the money back is an application; goods that are to come back, or to be exchanged, make a service. */
export const isApplication = (a: AfterSale): boolean => a.kind === 'refund';

export function stateOf(order: Order): string {
  const waits = order.afterSales.some((a) => isApplication(a) && a.status === 'requested');
  const open = order.paused ? 'POP_ORDER_PAUSE' : waits ? 'LOCKED' : 'WAIT_SELLER_STOCK_OUT';
  return { unpaid: 'NOT_PAY', to_ship: open, part_shipped: open, shipped: 'WAIT_GOODS_RECEIVE_CONFIRM', done: 'FINISHED_L', cancelled: 'TRADE_CANCELED' }[order.status];
}

const partly = (order: Order): unknown[] => (order.parcels.length > 0 && (order.status === 'part_shipped' || order.parcels.length > 1) ? order.parcels.map((p, i) => ({
  shipmentId: i + 1, logicId: p.carrier, waybillId: p.number, packageNum: 1, shipmentTime: order.updatedAt, skus: p.lines.map((l) => ({ skuId: `@${l.lineId}`, num: l.quantity })),
})) : []);

export const brief = (order: Order): Record<string, unknown> => ({ orderId: order.id, venderId: '802001', orderState: stateOf(order), modified: beijing(order.updatedAt), orderStartTime: beijing(order.createdAt), partialLogisticsInfoModel: partly(order) });

export function detail(order: Order): Record<string, unknown> {
  const goods = order.lines.reduce((sum, l) => sum + l.unitPrice * l.quantity, 0);
  const { address: a } = order;
  const all = order.status === 'shipped' || order.status === 'done';
  return {
    ...brief(order), orderType: '22', payType: '4-在线支付', orderTotalPrice: yuan(goods), sellerDiscount: yuan(order.discount), orderSellerPrice: yuan(goods - order.discount), freightPrice: yuan(order.freight),
    orderPayment: yuan(goods - order.discount + order.freight), balanceUsed: '0.00', orderRemark: order.remark, venderRemark: '', orderEndTime: order.status === 'done' ? beijing(order.updatedAt) : NEVER,
    paymentConfirmTime: order.paidAt === null ? NEVER : beijing(order.paidAt), waybill: all ? order.parcels.map((p) => p.number).join('|') : '', logisticsId: all ? order.parcels.map((p) => p.carrier).join('|') : '',
    storeOrder: order.fulfilledBy === 'platform' ? '京仓订单' : '', parentOrderId: '0', open_id_buyer: order.buyerId,
    consigneeInfo: {
      fullname: sealed(a.name), mobile: sealed(a.phone), telephone: sealed(a.phone), fullAddress: sealed(a.street), province: a.province, provinceId: '15', city: a.city, cityId: '1213', county: a.district, countyId: '1215', town: '', townId: '0',
      oaid: createHash('sha256').update(JSON.stringify(a)).digest('base64url'), desen_mobile: '138****0001',
    },
    itemInfoList: order.lines.map((l) => ({ skuId: l.sku, wareId: l.itemId, outerSkuId: l.merchantCode, skuName: l.title, jdPrice: yuan(l.unitPrice), itemTotal: String(l.quantity), giftPoint: '0', productNo: '' })), couponDetailList: [],
  };
}

/** Amounts of applications are in fen; they name SKUs only where they are asked to, and are of the whole order where they name none. */
export function application(order: Order, a: AfterSale, skus: boolean): Record<string, unknown> {
  const status = { requested: 0, agreed: 1, goods_sent: 1, done: 3, refused: 2, closed: 2 }[a.status];
  const whole = order.lines.every((l) => a.lines.some((x) => x.lineId === l.lineId && x.quantity === l.quantity));
  return {
    id: `@${a.id}`, orderId: `@${order.id}`, buyerId: 'd**', buyerName: 'd**', status, applyRefundSum: a.amount, applyTime: beijing(a.updatedAt), modified: beijing(a.updatedAt), reason: a.reason, systemId: 1,
    ...(a.decidedBy === null ? {} : { checkTime: beijing(a.updatedAt), checkUserName: a.decidedBy }), ...(skus && !whole ? { skuList: a.lines.map((l) => ({ skuId: `@${l.lineId}`, skuNum: l.quantity })) } : {}),
  };
}

export function service(order: Order, a: AfterSale): Record<string, unknown> {
  const line = order.lines.find((l) => l.lineId === a.lines[0]?.lineId);
  return {
    afsRefundId: a.status === 'done' ? `@${a.id}` : null, status: a.status === 'done' ? 13 : null, completeTime: a.status === 'done' ? beijing(a.updatedAt) : null, refoundAmount: yuan(a.amount), customerExpect: a.kind === 'exchange' ? 20 : 10,
    ...(a.status === 'goods_sent' ? { expressNo: `R-${a.id}`, expressCompany: '顺丰' } : {}),
    sameOrderServiceBill: {
      serviceId: `@${a.id}`, orderId: `@${order.id}`, wareId: `@${line?.sku ?? ''}`, wareName: line?.title ?? '', afsApplyTime: beijing(a.updatedAt), applyReason: a.reason, serviceCount: a.lines[0]?.quantity ?? 1, customerPin: 'd**',
      ...(a.status === 'requested' ? {} : { approveDate: beijing(a.updatedAt), approveName: a.decidedBy ?? '' }),
    },
  };
}

/** What is there holds what is ordered: unpaid (appBooking) and paid but not out yet (orderBooking). */
export function stock(item: Item, orders: Iterable<Order>): Record<string, unknown> {
  const booked = bookedOf(item.sku, orders);
  return { skuId: `@${item.sku}`, storeId: 0, stockNum: item.stock + item.held + booked, orderBookingNum: booked, appBookingNum: item.held, orderTransferNum: 0 };
}
function bookedOf(sku: string, orders: Iterable<Order>): number {
  let sum = 0;
  for (const o of orders) if (o.status === 'to_ship' || o.status === 'part_shipped') for (const l of o.lines) if (l.sku === sku) sum += l.quantity - l.shipped - l.cancelled;
  return sum;
}
