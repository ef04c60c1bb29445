import type { SeenAddress, SeenAfterSale, SeenLine, SeenOrder, SeenStatus } from '../../domain/channel/seen-order.ts';
import { PartnerRefused } from '../../domain/http-port.ts';
import { bag, list, text, whole, type Bag } from '../safe-json.ts';
import type { KuaishouSettings } from './settings.ts';

/** 10 unpaid, 30 paid, 40 shipped, 50 signed for, 70 success, 80 failed. */
const STATUS: Readonly<Record<string, SeenStatus>> = { '10': 'unpaid', '30': 'to_ship', '40': 'shipped', '50': 'shipped', '70': 'done', '80': 'cancelled' };
const KIND: Readonly<Record<string, SeenAfterSale['kind']>> = { '1': 'return', '10': 'refund', '3': 'exchange', '4': 'resend', '5': 'repair' };
/** The shop has said no, and the buyer may change what they ask for. */
const NEGOTIATION_REFUSED = 3;
/** `specialRefundType` */
const PRICE_PROTECTION = 1;

const time = (value: unknown): number | null => { const ms = whole(value); return ms === null || ms <= 0 ? null : ms; };
/** Amounts are whole fen. */
const fen = (value: unknown): number => whole(value) ?? 0;
/** One item, or several with their own sub-order ids. */
const items = (detail: Bag): Bag[] => (Array.isArray(detail['orderItemInfo']) ? list(detail['orderItemInfo']) : [detail['orderItemInfo']]).map(bag).filter((i) => text(i['skuId']) !== null);

export const versionOf = (detail: Bag): number => { const base = bag(detail['orderBaseInfo']); return time(base['updateTime']) ?? time(base['createTime']) ?? 0; };
export const refundIds = (detail: Bag): string[] => list(detail['orderRefundList']).flatMap((r) => text(bag(r)['refundId']) ?? []);
export const waybills = (detail: Bag): { carrier: string; number: string }[] => list(detail['orderLogisticsInfo']).map(bag).flatMap((p) => {
  const number = text(p['expressNo']);
  return number === null ? [] : [{ carrier: text(p['expressCode']) ?? 'platform', number }];
});

/** `data` of open.order.detail, with the after-sales of open.seller.order.refund.detail. Throws PartnerRefused for a status that nobody knows. */
export function mapOrder(detail: Bag, refunds: readonly Bag[], s: KuaishouSettings): SeenOrder {
  const base = bag(detail['orderBaseInfo']);
  const oid = text(base['oid']) ?? '';
  const lines = items(detail);
  const code = text(base['status']) ?? '?';
  let status = STATUS[code];
  if (status === undefined) throw new PartnerRefused(200, `status ${code} is not known`);
  const sent = lines.some((l) => fen(l['deliveredNum']) > 0);
  if (status === 'to_ship' && sent) status = 'part_shipped';
  const goods = lines.reduce((sum, l) => sum + fen(l['price']) * (whole(l['num']) ?? 0), 0);
  const freight = fen(base['expressFee']);
  // What the buyer pays is said for the whole order; what it lacks to prices and freight is the shop's discount.
  const off = base['totalFee'] === undefined ? fen(base['discountFee']) : goods + (s.totalIncludesFreight ? freight : 0) - fen(base['totalFee']);
  // A price that is made good takes no unit off the order.
  const claims = refunds.filter((r) => whole(r['specialRefundType']) !== PRICE_PROTECTION);
  // A refund before anything has left is units that are no more to be shipped.
  const gone = status === 'unpaid' || status === 'to_ship' || status === 'part_shipped' ? claims.filter((r) => s.refundStatus[text(r['status']) ?? ''] === 'done' && KIND[text(r['handlingWay']) ?? ''] === 'refund') : [];
  return {
    externalId: oid, version: versionOf(detail), status,
    fulfilledBy: lines.length > 0 && lines.every((l) => s.platformWarehouses.includes(text(l['warehouseCode']) ?? '')) ? 'platform' : 'us',
    currency: 'CNY', orderedAt: time(base['createTime']) ?? versionOf(detail), paidAt: time(base['payTime']), shipBy: time(base['promiseTimeStampOfDelivery']), cashOnDelivery: false,
    buyer: { id: text(base['buyerOpenId']) ?? text(base['openId']), name: text(base['buyerNick']) }, address: address(bag(detail['orderAddress']), oid), wantedAddress: null,
    lines: lines.map((l) => line(l, oid, gone)), discounts: off > 0 ? [{ bearer: 'shop', code: 'discountFee', amount: off }] : [], freight,
    buyerRemark: text(base['remark']), sellerRemark: list(bag(detail['orderNote'])['sellerNote']).flatMap((n) => text(n) ?? text(bag(n)['note']) ?? []).join('\n') || null, session: text(base['liveId']) ?? null,
    afterSales: claims.map((r) => afterSale(r, lines, oid, s)), parcels: waybills(detail),
  };
}

/** Personal data comes encrypted and stays so, beside what the platform shows of it. */
function address(a: Bag, oid: string): SeenAddress | null {
  const sealed = Object.fromEntries(['encryptedConsignee', 'encryptedMobile', 'encryptedAddress'].flatMap((field) => { const value = text(a[field]); return value === null ? [] : [[field, value]]; }));
  const province = text(a['province']) ?? '';
  if (province === '' && Object.keys(sealed).length === 0) return null;
  const district = text(a['district']) ?? '';
  const token = text(a['openAddressId']);
  return {
    name: text(a['desensitiseConsignee']) ?? text(a['consignee']) ?? '***', phone: text(a['desensitiseMobile']) ?? text(a['mobile']) ?? '***', country: 'CN', province, city: text(a['city']) ?? '',
    ...(district === '' ? {} : { district }), street: [text(a['town']) ?? '', text(a['desensitiseAddress']) ?? text(a['address']) ?? '***'].filter((x) => x !== '').join(' '),
    // Without its order's number the cipher text cannot be opened by anybody.
    ...(Object.keys(sealed).length > 0 ? { sealed: { ...sealed, bizId: oid } } : {}), ...(token === null ? {} : { token }),
  };
}

const lineIdOf = (item: Bag, oid: string): string => text(item['oid']) ?? text(item['orderItemId']) ?? oid;

function line(item: Bag, oid: string, gone: readonly Bag[]): SeenLine {
  const quantity = whole(item['num']) ?? 0;
  const lineId = lineIdOf(item, oid);
  const refunded = gone.filter((r) => ofLine(r, item, lineId));
  return {
    lineId, itemId: text(item['itemId']), platformSku: text(item['skuId']) ?? '', merchantCode: text(item['skuNick']) ?? text(item['goodsCode']), title: text(item['itemTitle']) ?? '', quantity,
    // What has left is no more to be cancelled, however much of the line was refunded.
    cancelled: Math.min(quantity - Math.min(quantity, whole(item['deliveredNum']) ?? 0), refunded.reduce((sum, r) => sum + (whole(r['num']) ?? quantity), 0)), unitPrice: fen(item['price']), discounts: [], gift: fen(item['price']) === 0,
  };
}

const ofLine = (refund: Bag, item: Bag, lineId: string): boolean => text(refund['subOid']) === lineId || (text(refund['subOid']) === null && (text(refund['skuId']) ?? text(item['skuId'])) === text(item['skuId']));

function afterSale(refund: Bag, lines: readonly Bag[], oid: string, s: KuaishouSettings): SeenAfterSale {
  const number = text(refund['expressNo']) ?? text(bag(refund['logisticsInfo'])['expressNo']);
  const status = s.refundStatus[text(refund['status']) ?? ''] ?? 'requested';
  const of = lines.filter((l) => ofLine(refund, l, lineIdOf(l, oid)));
  return {
    id: text(refund['refundId']) ?? '', kind: KIND[text(refund['handlingWay']) ?? ''] ?? 'refund', status: status === 'requested' && whole(refund['negotiateStatus']) === NEGOTIATION_REFUSED ? 'refused' : status,
    lines: of.map((l) => ({ lineId: lineIdOf(l, oid), quantity: whole(refund['num']) ?? whole(l['num']) ?? 1 })), amount: whole(refund['refundFee']), reason: text(refund['refundReasonDesc']) ?? text(refund['refundDesc']) ?? '',
    waybill: number === null ? null : { carrier: text(refund['expressCode']) ?? text(bag(refund['logisticsInfo'])['expressCode']) ?? '', number }, version: time(refund['updateTime']) ?? 0,
  };
}
