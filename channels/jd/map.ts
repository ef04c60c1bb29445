import type { SeenAddress, SeenAfterSale, SeenLine, SeenOrder, SeenStatus } from '../../domain/channel/seen-order.ts';
import { PartnerRefused } from '../../domain/http-port.ts';
import type { Discount } from '../../domain/order/intake.ts';
import { fromChinaTime } from '../china-time.ts';
import { minorUnits } from '../money.ts';
import { bag, list, text, whole, type Bag } from '../safe-json.ts';
import { linesOf, type FoundAfterSale } from './after-sales.ts';
import type { JdSettings } from './settings.ts';

/** An order is locked while a wish to cancel it is looked at (its application holds it), and paused by JD or by the shop's desk: then nothing of it may leave. */
const STATUS: Readonly<Record<string, SeenStatus>> = {
  NOT_PAY: 'unpaid', WAIT_SELLER_STOCK_OUT: 'to_ship', WAIT_SELLER_DELIVERY: 'to_ship', LOCKED: 'to_ship', PAUSE: 'to_ship', POP_ORDER_PAUSE: 'to_ship', WAIT_GOODS_RECEIVE_CONFIRM: 'shipped', DELIVERY_RETURN: 'shipped', FINISHED_L: 'done', TRADE_CANCELED: 'cancelled',
};
const PAUSED = new Set(['PAUSE', 'POP_ORDER_PAUSE']);
const RANK: readonly SeenStatus[] = ['unpaid', 'to_ship', 'part_shipped', 'shipped', 'done', 'cancelled'];
const CASH_ON_DELIVERY = /^1(?:$|\D)/;
/** Base64 of some length: what only JD opens. */
const SEALED = /^[A-Za-z0-9+/]{32,}={0,2}$/;

const yuan = (value: unknown): number => { const t = text(value); return t === null ? 0 : minorUnits(t, 'CNY'); };
/** The year 1 or 1970 stands for no time. */
const time = (value: unknown): number | null => { const ms = fromChinaTime(value); return ms === null || ms <= 0 ? null : ms; };
const partial = (order: Bag): Bag[] => list(order['partialLogisticsInfoModel']).map(bag);

function statusOf(order: Bag): SeenStatus | undefined {
  const status = STATUS[text(order['orderState']) ?? ''];
  return status === 'to_ship' && partial(order).length > 0 ? 'part_shipped' : status;
}
/** Which after-sales it may have: applications to cancel before all of it has left, services after; none once it is cancelled. */
export function afterSalesOf(order: Bag): 'refunds' | 'services' | null {
  const status = statusOf(order);
  return status === 'to_ship' || status === 'part_shipped' ? 'refunds' : status === 'shipped' || status === 'done' ? 'services' : null;
}

/** Times are whole seconds: of two changes in one, how far the order is tells the later. */
export const versionOf = (order: Bag): number => (time(order['modified']) ?? time(order['orderStartTime']) ?? 0) + Math.max(0, RANK.indexOf(statusOf(order) ?? 'unpaid'));

/** Waybills of one carrier are parted by commas, carriers by bars; parcels that left on their own have a list. */
export function waybills(order: Bag): { carrier: string; number: string }[] {
  const carriers = (text(order['logisticsId']) ?? '').split('|');
  const whole = (text(order['waybill']) ?? '').split('|').flatMap((numbers, i) => numbers.split(',').flatMap((n) => (n.trim() === '' ? [] : [{ carrier: carriers[i]?.trim() ?? 'platform', number: n.trim() }])));
  const parts = partial(order).flatMap((p) => { const number = text(p['waybillId']); return number === null ? [] : [{ carrier: text(p['logicId']) ?? 'platform', number }]; });
  return [...new Map([...parts, ...whole].map((p) => [p.number, p])).values()];
}

/** `orderInfo` of jingdong.pop.order.get, with its after-sales. Throws PartnerRefused for a state that nobody knows, or that forbids everything. */
export function mapOrder(order: Bag, found: readonly FoundAfterSale[], s: JdSettings): SeenOrder {
  const status = statusOf(order);
  const type = text(order['orderType']) ?? '';
  if (status === undefined) throw new PartnerRefused(200, `JD says ${text(order['orderState']) ?? 'nothing'}: there is nothing to be done with it yet; it is read again when that changes`);
  if (s.nothingToSend.includes(type)) throw new PartnerRefused(200, `an order of type ${type} is served in a shop: nothing of it is sent`);
  const id = text(order['orderId']) ?? '';
  const lines = named(list(order['itemInfoList']).map(bag));
  const freight = yuan(order['freightPrice']);
  const goods = lines.reduce((sum, l) => sum + l.unitPrice * l.quantity, 0);
  const own = yuan(order['sellerDiscount']);
  // What the buyer does not pay and the shop does not give, JD gives; paid out of a balance is paid.
  const theirs = order['orderPayment'] === undefined ? 0 : goods + freight - own - yuan(order['orderPayment']) - yuan(order['balanceUsed']);
  const discounts: Discount[] = [...own > 0 ? [{ bearer: 'shop' as const, code: 'sellerDiscount', amount: own }] : [], ...theirs > 0 ? [{ bearer: 'platform' as const, code: 'userDiscount', amount: theirs }] : []];
  const paidAt = time(order['paymentConfirmTime']);
  const state = text(order['orderState']) ?? '';
  const afterSales = found.map(({ lines: meant, ...rest }): SeenAfterSale => ({ ...rest, lines: linesOf(meant, lines) }));
  return {
    externalId: id, version: versionOf(order), status, fulfilledBy: s.platformOrders.includes(text(order['storeOrder']) ?? '') ? 'platform' : 'us', currency: 'CNY', orderedAt: time(order['orderStartTime']) ?? versionOf(order), paidAt,
    shipBy: null, cashOnDelivery: paidAt === null && CASH_ON_DELIVERY.test(text(order['payType']) ?? ''), buyer: { id: text(order['open_id_buyer']) ?? text(order['openIdBuyer']), name: null },
    address: address(bag(order['consigneeInfo']), id), wantedAddress: null, lines: afterSalesOf(order) === 'refunds' ? withoutRefunded(order, lines, afterSales) : lines, discounts, freight,
    buyerRemark: text(order['orderRemark']), sellerRemark: text(order['venderRemark']), session: null, afterSales, parcels: waybills(order),
    keptBack: PAUSED.has(state) ? `it is paused (暂停, ${state})` : null,
  };
}

/** Lines without the units that were refunded and had not left. What has left is told by SKU: of several lines of one, the first has left first. */
function withoutRefunded(order: Bag, lines: readonly SeenLine[], afterSales: readonly SeenAfterSale[]): SeenLine[] {
  const sent = new Map<string, number>();
  for (const s of partial(order).flatMap((p) => list(p['skus'])).map(bag)) { const sku = text(s['skuId']) ?? ''; sent.set(sku, (sent.get(sku) ?? 0) + (whole(s['num']) ?? 0)); }
  const refunded = afterSales.filter((c) => c.kind === 'refund' && c.status === 'done').flatMap((c) => c.lines);
  return lines.map((line) => {
    const left = Math.min(line.quantity, sent.get(line.platformSku) ?? 0);
    sent.set(line.platformSku, (sent.get(line.platformSku) ?? 0) - left);
    return { ...line, cancelled: Math.min(line.quantity - left, refunded.reduce((sum, l) => sum + (l.lineId === line.lineId ? l.quantity : 0), 0)) };
  });
}

/** A line has no id: its SKU names it, and a number the second of one SKU. */
function named(items: readonly Bag[]): SeenLine[] {
  const seen = new Map<string, number>();
  return items.map((item) => {
    const sku = text(item['skuId']);
    const quantity = whole(item['itemTotal']);
    if (sku === null || quantity === null || quantity < 1) throw new PartnerRefused(200, 'an item has no SKU or whole quantity');
    const n = (seen.get(sku) ?? 0) + 1;
    seen.set(sku, n);
    const unitPrice = yuan(item['jdPrice']);
    return {
      lineId: n === 1 ? sku : `${sku}:${n}`, itemId: text(item['wareId']), platformSku: sku, merchantCode: text(item['outerSkuId']), title: text(item['skuName']) ?? '', quantity, cancelled: 0, unitPrice, discounts: [], gift: unitPrice === 0,
    };
  });
}

/** Names, numbers and addresses come encrypted and stay so; `oaid` opens them for JD's own waybill service. */
function address(c: Bag, orderId: string): SeenAddress | null {
  const province = text(c['province']) ?? '';
  const oaid = text(c['oaid']);
  const cipher = ['fullname', 'mobile', 'telephone', 'fullAddress'].flatMap((name) => { const value = text(c[name]); return value !== null && SEALED.test(value) ? [[name, value] as const] : []; });
  if (province === '' && oaid === null && cipher.length === 0) return null;
  const shown = (name: string): string | null => { const value = text(c[name]); return value === null || SEALED.test(value) ? null : value; };
  const district = text(c['county']);
  return {
    name: shown('fullname') ?? '***', phone: shown('mobile') ?? shown('telephone') ?? '***', country: 'CN', province, city: text(c['city']) ?? '', ...(district === null ? {} : { district }),
    street: [text(c['town']) ?? '', shown('fullAddress') ?? '***'].filter((x) => x !== '').join(' '),
    // Without its order's number nothing of it can be opened.
    ...(oaid !== null || cipher.length > 0 ? { sealed: { ...Object.fromEntries(cipher), ...(oaid === null ? {} : { oaid }), orderId } } : {}), ...(oaid === null ? {} : { token: oaid }),
  };
}
