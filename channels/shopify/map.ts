import type { SeenAddress, SeenAfterSale, SeenOrder, SeenStatus } from '../../domain/channel/seen-order.ts';
import { minorUnits } from '../money.ts';
import { bag, list, text, whole, type Bag } from '../safe-json.ts';
import { tail } from './client.ts';
import type { WholeOrder } from './order.ts';
import type { ShopifySettings } from './settings.ts';

const RETURN: Readonly<Record<string, SeenAfterSale['status']>> = { REQUESTED: 'requested', OPEN: 'agreed', CLOSED: 'done', CANCELED: 'closed', DECLINED: 'refused' };
const PAID = new Set(['PAID', 'PARTIALLY_REFUNDED', 'REFUNDED']);

const time = (value: unknown): number | null => { const ms = Date.parse(text(value) ?? ''); return Number.isNaN(ms) ? null : ms; };
const nodes = (value: unknown): Bag[] => list(bag(value)['nodes']).map(bag);

export const versionOf = (order: Bag): number => time(order['updatedAt']) ?? 0;

/** Bought with play money. */
export const isTest = (order: Bag): boolean => order['test'] === true;

/** An order of the Admin API. Amounts are decimals of the shop's currency. */
export function mapOrder({ order, lines, fulfillments, refunds, returns, neverSent }: WholeOrder, s: Pick<ShopifySettings, 'testOrders'>): SeenOrder {
  const currency = text(order['currencyCode']) ?? '';
  const money = (set: unknown): number => minorUnits(text(bag(bag(set)['shopMoney'])['amount']) ?? '0', currency);
  const updated = versionOf(order);
  const status = statusOf(order);
  const afterSales = [...refunds.map((r): SeenAfterSale => ({
    id: tail(r['id']) ?? '', kind: 'refund', status: 'done', amount: money(r['totalRefundedSet']), reason: text(r['note']) ?? '', waybill: null, version: time(r['createdAt']) ?? 0,
    lines: nodes(r['refundLineItems']).flatMap((l) => { const lineId = tail(bag(l['lineItem'])['id']); return lineId === null ? [] : [{ lineId, quantity: whole(l['quantity']) ?? 0 }]; }),
  })), ...returns.map((r): SeenAfterSale => ({
    id: tail(r['id']) ?? '', kind: 'return', status: RETURN[text(r['status']) ?? ''] ?? 'requested', amount: null, reason: '', waybill: null, version: updated,
    lines: nodes(r['returnLineItems']).flatMap((l) => { const lineId = tail(bag(bag(l['fulfillmentLineItem'])['lineItem'])['id']); return lineId === null ? [] : [{ lineId, quantity: whole(l['quantity']) ?? 0 }]; }),
  }))];
  return {
    externalId: text(order['legacyResourceId']) ?? '', version: updated, status, fulfilledBy: 'us', currency, orderedAt: time(order['createdAt']) ?? updated,
    paidAt: PAID.has(text(order['displayFinancialStatus']) ?? '') ? time(order['processedAt']) ?? updated : null, shipBy: null, cashOnDelivery: false,
    buyer: { id: tail(bag(order['customer'])['id']), name: null }, address: address(order['shippingAddress']), wantedAddress: null,
    lines: lines.map((l) => {
      const quantity = whole(l['quantity']) ?? 0;
      const discount = list(l['discountAllocations']).reduce<number>((sum, d) => sum + money(bag(d)['allocatedAmountSet']), 0);
      const gone = quantity - (whole(l['currentQuantity']) ?? quantity);
      const lineId = tail(l['id']) ?? '';
      // Units that were taken off after they had left come back as returns; only what was never sent is cancelled.
      const unsent = status === 'shipped' || status === 'done' ? 0 : neverSent?.get(lineId) ?? gone;
      return {
        lineId, itemId: tail(bag(bag(l['variant'])['inventoryItem'])['id']), platformSku: tail(bag(l['variant'])['id']) ?? text(l['sku']) ?? '', merchantCode: text(l['sku']), title: text(l['title']) ?? '',
        quantity, cancelled: unsent, unitPrice: money(l['originalUnitPriceSet']), discounts: discount > 0 ? [{ bearer: 'shop' as const, code: 'shopify', amount: discount }] : [], gift: false,
      };
    }),
    discounts: [], freight: money(order['totalShippingPriceSet']), buyerRemark: text(order['note']), sellerRemark: null, session: null, afterSales, keptBack: isTest(order) && s.testOrders !== 'take' ? 'it is a test order (setting testOrders)' : null,
    parcels: [...new Map(fulfillments.flatMap((f) => list(f['trackingInfo']).map(bag)).flatMap((t) => { const number = text(t['number']); return number === null ? [] : [[number, { carrier: text(t['company']) ?? '', number }] as const]; })).values()],
  };
}

function statusOf(order: Bag): SeenStatus {
  const [paid, sent] = [text(order['displayFinancialStatus']) ?? '', text(order['displayFulfillmentStatus']) ?? ''];
  if (text(order['cancelledAt']) !== null) return 'cancelled';
  if (sent === 'FULFILLED') return 'shipped';
  if (sent === 'PARTIALLY_FULFILLED') return 'part_shipped';
  if (paid === 'REFUNDED' || paid === 'VOIDED' || paid === 'EXPIRED') return 'cancelled';
  return PAID.has(paid) ? 'to_ship' : 'unpaid';
}

function address(value: unknown): SeenAddress | null {
  const a = bag(value);
  const street = [text(a['address1']), text(a['address2'])].filter((x) => x !== null).join(', ');
  if (street === '') return null;
  const postcode = text(a['zip']);
  return { name: text(a['name']) ?? '', phone: text(a['phone']) ?? '', country: text(a['countryCodeV2']) ?? '', province: text(a['province']) ?? text(a['city']) ?? '', city: text(a['city']) ?? '', street, ...(postcode === null ? {} : { postcode }) };
}
