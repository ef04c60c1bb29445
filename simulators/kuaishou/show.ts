import type { AfterSale, Order } from '../platform/order.ts';

/** Ids go out as bare JSON numbers: marked while the text is made. */
export const bare = (json: string): string => json.replace(/"@(\d+)"/g, '$1');
/** Encrypted by the platform for its own use: nobody else opens it. */
const sealed = (text: string): string => `##${Buffer.from(text).toString('base64')}##`;

export const STATUS: Record<Order['status'], number> = { unpaid: 10, to_ship: 30, part_shipped: 30, shipped: 40, done: 70, cancelled: 80 };
export const WAY: Record<AfterSale['kind'], number> = { return: 1, refund: 10, exchange: 3 };
export const refundStatus = (a: AfterSale): number => ({ requested: a.kind === 'return' ? 11 : 10, refused: a.kind === 'return' ? 11 : 10, agreed: a.kind === 'return' ? 30 : 50, goods_sent: 40, done: 60, closed: 70 })[a.status];
export const negotiation = (a: AfterSale): number => (a.status === 'refused' ? 3 : a.status === 'requested' ? 1 : 2);

export const base = (order: Order): Record<string, unknown> => ({
  oid: `@${order.id}`, status: STATUS[order.status], createTime: order.createdAt, updateTime: order.updatedAt, payTime: order.paidAt ?? 0, sendTime: 0, totalFee: order.lines.reduce((sum, l) => sum + l.unitPrice * l.quantity, 0) + order.freight - order.discount,
  expressFee: order.freight, discountFee: order.discount, buyerOpenId: order.buyerId, buyerNick: 'D**', remark: order.remark, promiseTimeStampOfDelivery: order.createdAt + 172_800_000, payType: 2, preSale: 0,
});

/** One item as an object, several as a list with a sub-order each. */
export function detail(order: Order): Record<string, unknown> {
  const items = order.lines.map((l) => ({
    oid: `@${l.lineId}`, orderItemId: `@${l.lineId}`, itemId: `@${l.itemId}`, skuId: /^\d+$/.test(l.sku) ? `@${l.sku}` : l.sku, relSkuId: 0, skuNick: l.merchantCode, itemTitle: l.title, num: l.quantity, originalPrice: l.unitPrice, price: l.unitPrice, discountFee: 0,
    itemType: 1, goodsCode: '', warehouseCode: order.fulfilledBy === 'platform' ? 'KS-CLOUD' : '', deliveredNum: l.shipped,
  }));
  return {
    orderBaseInfo: base(order), orderItemInfo: items.length === 1 ? items[0] : items,
    orderRefundList: [...order.afterSales].reverse().map((a) => ({ refundId: `@${a.id}`, refundStatus: refundStatus(a) })),
    orderLogisticsInfo: order.parcels.map((p) => ({ expressNo: p.number, expressCode: Number(p.carrier) || 9999 })), orderNote: { sellerNote: [] }, orderFlag: { flag: [] },
    orderAddress: {
      provinceCode: 33, province: order.address.province, cityCode: 3301, city: order.address.city, districtCode: 330106, district: order.address.district, encryptedConsignee: sealed(order.address.name), encryptedMobile: sealed(order.address.phone),
      encryptedAddress: sealed(order.address.street), desensitiseConsignee: `${order.address.name.slice(0, 1)}**`, desensitiseMobile: `${order.address.phone.slice(0, 3)}****${order.address.phone.slice(-4)}`, desensitiseAddress: '***',
      openAddressId: Buffer.from(`${order.buyerId}|${order.address.city}|${order.address.street}`).toString('base64url'),
    },
  };
}

export const showRefund = (order: Order, a: AfterSale): Record<string, unknown> => ({
  refundId: `@${a.id}`, oid: `@${order.id}`, handlingWay: WAY[a.kind], status: refundStatus(a), negotiateStatus: negotiation(a), specialRefundType: 0, refundFee: a.amount, refundReasonDesc: a.reason, createTime: a.updatedAt, updateTime: a.updatedAt,
  ...(a.lines.length === 1 ? { subOid: `@${a.lines[0]?.lineId ?? ''}`, num: a.lines[0]?.quantity ?? 1 } : {}),
});
