import type { AfterSale, Order } from '../platform/order.ts';

/** Ids go out as bare JSON numbers: marked while the text is made. */
export const bare = (json: string): string => json.replace(/"@(-?\d+)"/g, '$1');
const id = (value: string): string => (/^\d+$/.test(value) ? `@${value}` : value);
/** Encrypted by the platform for its own use: nobody else opens it. */
const sealed = (text: string): string => `~${Buffer.from(text).toString('base64')}~0~~`;
/** Amounts are doubles in yuan. */
const yuan = (fen: number): number => Number((fen / 100).toFixed(2));
/** Beijing time. */
export const clock = (ms: number | null): string => (ms === null ? '' : new Date(ms + 28_800_000).toISOString().slice(0, 19).replace('T', ' '));

export const KIND: Record<AfterSale['kind'], number> = { refund: 1, return: 2, exchange: 3 };
export function afterSaleStatus({ kind, status }: AfterSale): number {
  switch (status) {
    case 'requested': return { refund: 2, return: 3, exchange: 14 }[kind];
    case 'agreed': return { refund: 4, return: 7, exchange: 15 }[kind];
    case 'goods_sent': return kind === 'exchange' ? 15 : 3;
    case 'done': return kind === 'exchange' ? 16 : 10;
    case 'refused': return 6;
    case 'closed': return 11;
  }
}
const refundStatus = (a: AfterSale | undefined): number => (!a || a.status === 'closed' ? 1 : a.status === 'done' ? 4 : a.status === 'agreed' ? 3 : 2);

/** What a platform keeps of an order beside the shop's own state. */
export type Extra = { review: boolean; paused: boolean; forming: boolean; tracks: { shipping_id: number; tracking_number: string }[] };
export const NO_EXTRA: Extra = { review: false, paused: false, forming: false, tracks: [] };

/** `order_info` */
export function showOrder(order: Order, extra: Extra): Record<string, unknown> {
  const open = order.status !== 'unpaid' && !extra.forming;
  const waiting = order.status === 'to_ship' && open && !extra.review;
  const goods = order.lines.reduce((sum, l) => sum + l.unitPrice * l.quantity, 0);
  const last = order.afterSales.at(-1);
  const [parcel] = order.parcels;
  const { address: a } = order;
  return {
    order_sn: order.id, confirm_status: order.status === 'cancelled' ? 2 : open ? 1 : 0, group_status: extra.forming ? 0 : 1, order_status: order.status === 'done' ? 3 : order.status === 'shipped' ? 2 : 1,
    refund_status: refundStatus(last), after_sales_status: last ? afterSaleStatus(last) : 0, risk_control_status: extra.review ? 1 : 0,
    created_time: clock(order.createdAt), confirm_time: open ? clock(order.paidAt) : '', pay_time: clock(order.paidAt), updated_at: clock(order.updatedAt), last_ship_time: clock(order.createdAt + 172_800_000), shipping_time: '', receive_time: '',
    goods_amount: yuan(goods), discount_amount: yuan(order.discount), platform_discount: 0, seller_discount: yuan(order.discount), capital_free_discount: 0, postage: yuan(order.freight), pay_amount: yuan(goods + order.freight - order.discount), pay_type: 'WEIXIN', pay_no: '',
    country: '中国', province: a.province, city: a.city, town: a.district,
    receiver_name: waiting ? sealed(a.name) : '', receiver_phone: waiting ? sealed(a.phone) : '', receiver_address: waiting ? sealed(a.street) : '', address: waiting ? sealed(`${a.province}${a.city}${a.district}${a.street}`) : '',
    receiver_name_mask: waiting ? `${a.name.slice(0, 1)}**` : '', receiver_phone_mask: waiting ? `${a.phone.slice(0, 1)}*********${a.phone.slice(-1)}` : '', receiver_address_mask: waiting ? `${a.street.slice(0, 3)}***` : '',
    open_address_id: waiting ? Buffer.from(`${order.buyerId}|${a.city}|${a.street}`).toString('base64url') : '',
    item_list: order.lines.map((l) => ({ goods_id: id(l.itemId), sku_id: id(l.sku), outer_id: l.merchantCode, outer_goods_id: '', goods_name: l.title, goods_spec: '', goods_price: yuan(l.unitPrice), goods_count: l.quantity, goods_img: '' })),
    order_depot_info: order.fulfilledBy === 'platform' ? { depot_code: 'DEPOT-PDD', depot_id: '@9001', depot_name: '订阅仓', depot_type: 2 } : null, order_tag_list: [{ name: 'ship_hold', value: extra.paused ? 1 : 0 }, { name: 'free_sf', value: 0 }],
    logistics_id: Number(parcel?.carrier) || 0, tracking_number: parcel?.number ?? '', extra_delivery_list: extra.tracks.map((t) => ({ logistics_id: t.shipping_id, tracking_number: t.tracking_number })),
    buyer_memo: order.remark, remark: '', trade_type: 0, is_lucky_flag: 1, step_order_info: null, gift_list: [],
  };
}

/** An after-sale as it is listed: amounts and numbers as text. */
export const listAfterSale = (order: Order, a: AfterSale): Record<string, unknown> => ({
  id: `@${a.id}`, order_sn: order.id, after_sales_status: afterSaleStatus(a), after_sales_type: KIND[a.kind], after_sale_reason: a.reason, refund_amount: (a.amount / 100).toFixed(2), sku_id: a.lines.length === 1 ? a.lines[0]?.lineId ?? '' : '', goods_number: String(units(a)),
  updated_time: String(Math.floor(a.updatedAt / 1000)), created_time: String(Math.floor(a.updatedAt / 1000)), tracking_number: order.parcels[0]?.number ?? '', shipping_name: '',
});
/** The same in full: it stands bare, without a wrapper. */
export const showAfterSale = (order: Order, a: AfterSale): Record<string, unknown> => ({
  id: `@${a.id}`, order_sn: order.id, after_sales_status: afterSaleStatus(a), after_sales_type: KIND[a.kind], after_sales_reason: a.reason, refund_amount: a.amount, order_amount: order.lines.reduce((sum, l) => sum + l.unitPrice * l.quantity, 0),
  ...(a.lines.length === 1 ? { sku_id: a.lines[0]?.lineId ?? '' } : {}), goods_number: units(a), part_after_sales_type: a.kind === 'return' ? 1 : 0, part_after_sales_value: a.kind === 'return' ? units(a) : 0,
  express_no: a.kind !== 'refund' && a.status === 'goods_sent' ? `R${a.id}` : '', shipping_name: '', updated_time: String(Math.floor(a.updatedAt / 1000)),
});
const units = (a: AfterSale): number => a.lines[0]?.quantity ?? 0;
