import type { AfterSale, Order } from '../platform/order.ts';

/** Ids go out as bare JSON numbers where WeChat does so: marked while the text is made. */
export const bare = (json: string): string => json.replace(/"@(\d+)"/g, '$1');
export const s = (ms: number): number => Math.floor(ms / 1000);
const STATUS: Record<Order['status'], number> = { unpaid: 10, to_ship: 20, part_shipped: 21, shipped: 30, done: 100, cancelled: 250 };
export const claimStatus = (a: AfterSale): string => ({
  requested: 'MERCHANT_PROCESSING', agreed: a.kind === 'refund' ? 'PLATFORM_REFUNDING' : 'USER_WAIT_RETURN', goods_sent: 'MERCHANT_WAIT_RECEIPT', done: a.kind === 'refund' ? 'MERCHANT_REFUND_SUCCESS' : 'MERCHANT_RETURN_SUCCESS',
  refused: a.kind === 'refund' ? 'MERCHANT_REJECT_REFUND' : 'MERCHANT_REJECT_RETURN', closed: 'USER_CANCELD',
})[a.status];

/** What it gives instead of a name or a number: only its own call opens it. */
const encode = (given: boolean, text: string): string => (given ? `enc_${Buffer.from(text).toString('base64url')}` : text);
const units = (order: Order, lineId: string, done: boolean): number => order.afterSales.filter((a) => (done ? a.status === 'done' : a.status !== 'done' && a.status !== 'closed')).flatMap((a) => a.lines).filter((l) => l.lineId === lineId).reduce((sum, l) => sum + l.quantity, 0);

export function showOrder(order: Order, encoded: boolean): Record<string, unknown> {
  const goods = order.lines.reduce((sum, l) => sum + l.unitPrice * l.quantity, 0);
  const product = (lineId: string) => { const l = order.lines.find((x) => x.lineId === lineId); return { product_id: l?.itemId ?? '', sku_id: l?.sku ?? '' }; };
  return {
    order_id: order.id, status: STATUS[order.status], create_time: s(order.createdAt), update_time: s(order.updatedAt), openid: order.buyerId,
    order_detail: {
      product_infos: order.lines.map((l) => ({
        product_id: l.itemId, sku_id: l.sku, sku_code: l.merchantCode, out_product_id: '', title: l.title, sku_cnt: l.quantity, sale_price: l.unitPrice, market_price: l.unitPrice, on_aftersale_sku_cnt: units(order, l.lineId, false), finish_aftersale_sku_cnt: units(order, l.lineId, true), sku_attrs: [],
      })),
      pay_info: order.paidAt === null ? {} : { prepay_id: '42', transaction_id: '13', pay_time: s(order.paidAt), payment_method: 1 },
      price_info: { product_price: goods, order_price: goods + order.freight - order.discount, freight: order.freight, discounted_price: order.discount, is_discounted: order.discount > 0 },
      delivery_info: {
        address_info: {
          user_name: encode(encoded, order.address.name), postal_code: '', province_name: order.address.province, city_name: order.address.city, county_name: order.address.district, detail_info: encode(encoded, order.address.street), tel_number: encode(encoded, order.address.phone),
          hash_code: Buffer.from(`${order.buyerId}|${order.address.city}|${order.address.street}`).toString('base64url'),
        },
        delivery_product_info: order.parcels.map((p) => ({ waybill_id: p.number, delivery_id: p.carrier, delivery_time: s(order.updatedAt), deliver_type: 1, product_infos: p.lines.map((l) => ({ ...product(l.lineId), product_cnt: l.quantity })) })), deliver_method: 0,
      },
      ext_info: { customer_notes: order.remark, merchant_notes: '', ...(order.session === null ? {} : { live_id: order.session }) },
    },
    aftersale_detail: { aftersale_order_list: order.afterSales.map((a) => ({ aftersale_order_id: a.id, status: 13 })), on_aftersale_order_cnt: order.afterSales.filter((a) => a.status === 'requested').length },
  };
}

export function showClaim(order: Order, a: AfterSale): Record<string, unknown> {
  const line = order.lines.find((l) => l.lineId === a.lines[0]?.lineId);
  return {
    after_sale_order_id: a.id, status: claimStatus(a), openid: order.buyerId, order_id: order.id, product_info: { product_id: line?.itemId ?? '', sku_id: line?.sku ?? '', count: a.lines[0]?.quantity ?? 0 }, details: { desc: a.reason, receive_product: false, cancel_time: 0, media_id_list: [] },
    refund_info: { amount: a.amount, refund_reason: 1 }, return_info: { waybill_id: '', delivery_id: '', delivery_name: '' }, create_time: s(a.updatedAt), update_time: s(a.updatedAt), reason: 'NO_LONGER_WANT', type: { refund: 'REFUND', return: 'RETURN', exchange: 'EXCHANGE' }[a.kind],
  };
}
