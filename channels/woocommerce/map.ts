import { PartnerRefused } from '../../domain/http-port.ts';
import type { Discount } from '../../domain/order/intake.ts';
import type { SeenAddress, SeenAfterSale, SeenLine, SeenOrder, SeenStatus } from '../../domain/channel/seen-order.ts';
import { minorUnits } from '../money.ts';
import { bag, list, text, whole, type Bag } from '../safe-json.ts';

/** `on-hold` waits for a bank transfer; `trash` is an order that the shop has thrown away. */
const STATUS: Readonly<Record<string, SeenStatus>> = {
  'pending': 'unpaid', 'on-hold': 'unpaid', 'checkout-draft': 'unpaid', 'processing': 'to_ship', 'completed': 'done', 'cancelled': 'cancelled', 'refunded': 'cancelled', 'failed': 'cancelled', 'trash': 'cancelled',
};

/** GMT without a zone. */
const time = (value: unknown): number | null => { const t = text(value); const ms = t === null ? Number.NaN : Date.parse(`${t}Z`); return Number.isNaN(ms) ? null : ms; };

/** An order of REST API v3 and its refunds. Amounts are decimal text; lines and freight are told without tax and the tax beside them: what the buyer pays is both. Throws PartnerRefused. */
export function mapOrder(order: Bag, refunds: readonly Bag[]): SeenOrder {
  const currency = text(order['currency']) ?? '';
  const word = text(order['status']) ?? '';
  const status = STATUS[word];
  const version = time(order['date_modified_gmt']);
  if (status === undefined) throw new PartnerRefused(200, `status "${word}" of a plugin is not known: an order of it is read again when its status changes`);
  if (version === null) throw new PartnerRefused(200, 'the order has no date_modified_gmt');
  const money = (...values: unknown[]): number => values.reduce<number>((sum, v) => sum + minorUnits(text(v) ?? '0', currency), 0);
  const orderedAt = time(order['date_created_gmt']) ?? version;
  const cashOnDelivery = order['payment_method'] === 'cod';
  const customer = text(order['customer_id']);
  const afterSales = refunds.map((r) => refund(r, money));
  return {
    externalId: text(order['id']) ?? '', version, status, fulfilledBy: 'us', currency, orderedAt, shipBy: null, cashOnDelivery,
    paidAt: time(order['date_paid_gmt']) ?? (status === 'unpaid' || cashOnDelivery ? null : orderedAt),
    buyer: { id: customer === '0' ? null : customer, name: null }, address: address(bag(order['shipping'])) ?? address(bag(order['billing'])), wantedAddress: null,
    lines: list(order['line_items']).map((raw) => line(bag(raw), money, afterSales)), discounts: [], freight: money(order['shipping_total'], order['shipping_tax']),
    buyerRemark: text(order['customer_note']), sellerRemark: null, session: null, afterSales, refundsTellUnits: true, parcels: [],
    ...(status === 'cancelled' && list(order['line_items']).some((l) => stillOff(bag(l))) ? { putBack: false } : {}),
  };
}

function line(raw: Bag, money: (...values: unknown[]) => number, refunds: readonly SeenAfterSale[]): SeenLine {
  const quantity = whole(raw['quantity']);
  const lineId = text(raw['id']);
  const variation = text(raw['variation_id']);
  const product = text(raw['product_id']);
  const platformSku = variation === null || variation === '0' ? product : variation;
  if (lineId === null || platformSku === null || quantity === null || quantity < 1) throw new PartnerRefused(200, 'a line has no id, product or whole quantity');
  const due = money(raw['subtotal'], raw['subtotal_tax']);
  const unitPrice = Math.ceil(due / quantity);
  const rounding = unitPrice * quantity - due;
  const discount = due - money(raw['total'], raw['total_tax']);
  const discounts: Discount[] = [...discount > 0 ? [{ bearer: 'shop' as const, code: 'woocommerce', amount: discount }] : [], ...rounding > 0 ? [{ bearer: 'shop' as const, code: 'rounding', amount: rounding }] : []];
  const refunded = refunds.flatMap((r) => r.lines).reduce((sum, l) => sum + (l.lineId === lineId ? l.quantity : 0), 0);
  const putBack = Math.min(refunded, restocked(raw, quantity));
  return {
    lineId, itemId: platformSku === variation ? product : null, platformSku, merchantCode: text(raw['sku']), title: text(raw['name']) ?? '', quantity, cancelled: 0, unitPrice, discounts, gift: false, ...(putBack > 0 ? { putBack } : {}),
  };
}

const noted = (raw: Bag, key: string): number | null => whole(list(raw['meta_data']).map(bag).find((m) => m['key'] === key)?.['value']);
/** WooCommerce notes at a line how many units of it are off its stock. It puts them back when an order is cancelled, but not with "refunded", "failed" or "trash". */
const stillOff = (raw: Bag): boolean => (noted(raw, '_reduced_stock') ?? 0) > 0;
/** Units that refunds have put back ("restock refunded items"): it counts them at the line, and older versions only take them off what is off its stock. */
const restocked = (raw: Bag, quantity: number): number => noted(raw, '_restock_refunded_items') ?? Math.max(0, quantity - (noted(raw, '_reduced_stock') ?? quantity));

/** A refund is done when it is there; a line of it names the order's line in its meta data and counts below nothing. */
function refund(raw: Bag, money: (...values: unknown[]) => number): SeenAfterSale {
  const lines = list(raw['line_items']).map(bag).flatMap((l) => {
    const lineId = text(list(l['meta_data']).map(bag).find((m) => m['key'] === '_refunded_item_id')?.['value']);
    const quantity = Math.abs(whole(l['quantity']) ?? 0);
    return lineId === null || quantity === 0 ? [] : [{ lineId, quantity }];
  });
  return { id: text(raw['id']) ?? '', kind: 'refund', status: 'done', lines, amount: money(raw['amount']), reason: text(raw['reason']) ?? '', waybill: null, version: time(raw['date_created_gmt']) ?? 0 };
}

function address(a: Bag): SeenAddress | null {
  const street = [text(a['address_1']), text(a['address_2'])].filter((x) => x !== null).join(', ');
  if (street === '') return null;
  const city = text(a['city']) ?? '';
  const postcode = text(a['postcode']);
  return {
    name: [text(a['first_name']), text(a['last_name'])].filter((x) => x !== null).join(' '), phone: text(a['phone']) ?? '', country: text(a['country']) ?? '', province: text(a['state']) ?? city, city, street,
    ...(postcode === null ? {} : { postcode }),
  };
}
