import { randomUUID } from 'node:crypto';
import type { Platform } from '../platform/protocol.ts';
import type { AfterSale, Order, Parcel } from '../platform/order.ts';
import { Connection, type Field } from './graphql.ts';

type Json = Record<string, unknown>;
export const iso = (ms: number): string => new Date(ms).toISOString();
export const id = (kind: string, key: string): string => `gid://shopify/${kind}/${key}`;
const decimal = (minor: number): string => (minor / 100).toFixed(2);
const last = (gid: unknown): string => String(gid).split('/').at(-1) ?? '';
const money = (minor: number, currency: string): Json => ({ shopMoney: { amount: decimal(minor), currencyCode: currency } });

const refunds = (order: Order): AfterSale[] => order.afterSales.filter((a) => a.kind === 'refund' && a.status === 'done');
/** Units that were refunded: the order's current quantity falls by them, whether they had left or not. */
const gone = (order: Order, lineId: string): number => refunds(order).flatMap((r) => r.lines).filter((l) => l.lineId === lineId).reduce((sum, l) => sum + l.quantity, 0);

const refund = (order: Order, r: AfterSale): Json => ({
  id: id('Refund', r.id), createdAt: iso(r.updatedAt), note: r.reason, totalRefundedSet: money(r.amount, order.currency),
  refundLineItems: new Connection(r.lines.map((l) => ({ quantity: l.quantity, lineItem: { id: id('LineItem', l.lineId) } }))),
});
const back = (order: Order, a: AfterSale): Json => ({
  order: { legacyResourceId: order.id }, id: id('Return', a.id), status: { requested: 'REQUESTED', agreed: 'OPEN', goods_sent: 'OPEN', done: 'CLOSED', refused: 'DECLINED', closed: 'CANCELED' }[a.status],
  returnLineItems: new Connection(a.lines.map((l) => ({ quantity: l.quantity, fulfillmentLineItem: { lineItem: { id: id('LineItem', l.lineId) } } }))),
});
const fulfillment = (p: Parcel): Json => ({
  id: id('Fulfillment', p.key), status: 'SUCCESS', trackingInfo: [{ number: p.number, company: p.carrier }],
  fulfillmentLineItems: new Connection(p.lines.map((l) => ({ quantity: l.quantity, lineItem: { id: id('LineItem', l.lineId) } }))),
});

/** One for each location that ships a part of the order; their ids name order and location. Units that were refunded before they left are none of theirs any more. */
function fulfillmentOrders(order: Order, locationOf: (sku: string) => string): Json[] {
  const groups = new Map<string, Order['lines']>();
  for (const l of order.lines) groups.set(locationOf(l.sku), [...groups.get(locationOf(l.sku)) ?? [], l]);
  return [...groups].map(([location, lines]) => {
    const items = lines.map((l) => ({
      id: id('FulfillmentOrderLineItem', l.lineId), lineItem: { id: id('LineItem', l.lineId) },
      remainingQuantity: order.status === 'cancelled' ? 0 : Math.min(l.quantity - l.cancelled - l.shipped, Math.max(0, l.quantity - l.cancelled - Math.max(gone(order, l.lineId), l.shipped))),
    }));
    return {
      order: { legacyResourceId: order.id }, id: id('FulfillmentOrder', `${order.id}-${location}`), status: items.every((i) => i.remainingQuantity === 0) ? 'CLOSED' : lines.some((l) => l.shipped > 0) ? 'IN_PROGRESS' : 'OPEN',
      assignedLocation: { location: { id: id('Location', location) } }, lineItems: new Connection(items),
    };
  });
}

function show(order: Order, locationOf: (sku: string) => string): Json {
  const refunded = refunds(order).reduce((sum, r) => sum + r.amount, 0);
  const total = order.lines.reduce((sum, l) => sum + l.unitPrice * l.quantity, 0);
  return {
    id: id('Order', order.id), legacyResourceId: order.id, name: '#1001', createdAt: iso(order.createdAt), updatedAt: iso(order.updatedAt), processedAt: order.paidAt === null ? null : iso(order.paidAt),
    cancelledAt: order.status === 'cancelled' ? iso(order.updatedAt) : null, currencyCode: order.currency, test: order.test ?? false,
    displayFinancialStatus: order.paidAt === null ? 'PENDING' : refunded === 0 ? 'PAID' : refunded >= total ? 'REFUNDED' : 'PARTIALLY_REFUNDED',
    displayFulfillmentStatus: order.status === 'shipped' || order.status === 'done' ? 'FULFILLED' : order.status === 'part_shipped' ? 'PARTIALLY_FULFILLED' : 'UNFULFILLED', note: order.remark === '' ? null : order.remark,
    customer: { id: id('Customer', order.buyerId) },
    shippingAddress: { name: order.address.name, phone: order.address.phone, countryCodeV2: order.address.country, province: order.address.province, city: order.address.city, address1: order.address.street, address2: null, zip: null },
    totalShippingPriceSet: money(order.freight, order.currency),
    lineItems: new Connection(order.lines.map((l) => ({
      id: id('LineItem', l.lineId), sku: l.merchantCode, title: l.title, quantity: l.quantity, currentQuantity: l.quantity - l.cancelled - gone(order, l.lineId), unfulfilledQuantity: l.quantity - l.shipped,
      originalUnitPriceSet: money(l.unitPrice, order.currency), discountAllocations: l === order.lines.at(-1) && order.discount > 0 ? [{ allocatedAmountSet: money(order.discount, order.currency) }] : [],
      variant: { id: id('ProductVariant', l.sku), inventoryItem: { id: id('InventoryItem', l.itemId) } },
    }))),
    fulfillments: order.parcels.map(fulfillment), refunds: refunds(order).map((r) => refund(order, r)), returns: new Connection(order.afterSales.filter((a) => a.kind === 'return').map((a) => back(order, a))),
    fulfillmentOrders: new Connection(fulfillmentOrders(order, locationOf)),
  };
}

/** The fields of queries and mutations, by name. `locationOf`: the location that ships a SKU. */
export function roots({ shop }: Platform, locationOf: (sku: string) => string): (field: Field) => unknown {
  const orders = (): Order[] => [...shop.orders.values()];
  const itemOf = (gid: string) => [...shop.items.values()].find((i) => i.itemId === last(gid));
  const fields: Record<string, (args: Json, field: Field) => unknown> = {
    order: ({ id: gid }) => { const order = shop.orders.get(last(gid)); return order ? show(order, locationOf) : null; },
    refund: ({ id: gid }) => { const found = orders().flatMap((o) => refunds(o).map((r) => ({ o, r }))).find(({ r }) => r.id === last(gid)); return found ? refund(found.o, found.r) : null; },
    return: ({ id: gid }) => { const found = orders().flatMap((o) => o.afterSales.map((a) => ({ o, a }))).find(({ a }) => a.id === last(gid)); return found ? back(found.o, found.a) : null; },
    fulfillment: ({ id: gid }) => { const parcel = orders().flatMap((o) => o.parcels).find((p) => p.key === last(gid)); return parcel ? fulfillment(parcel) : null; },
    fulfillmentOrder: ({ id: gid }) => fulfillmentOrders(shop.order(last(gid).split('-')[0] ?? ''), locationOf).find((f) => f['id'] === gid) ?? null,
    // A place in this list is that of a time and an id: orders that leave it move nobody.
    orders: ({ query }) => {
      const [, from, to] = /updated_at:>='([^']+)' AND updated_at:<'([^']+)'/.exec(String(query)) ?? [];
      return new Connection(shop.changed(Date.parse(from ?? ''), Date.parse(to ?? '')).map((o) => ({ legacyResourceId: o.id, updatedAt: iso(o.updatedAt) })), (o) => `${(o as Json)['updatedAt'] as string} ${(o as Json)['legacyResourceId'] as string}`);
    },
    nodes: ({ ids }) => (ids as string[]).map((gid) => {
      const item = itemOf(gid);
      return item ? { id: gid, variant: { id: id('ProductVariant', item.sku) }, inventoryLevel: { quantities: [{ name: 'available', quantity: item.stock }, { name: 'committed', quantity: item.held }] } } : null;
    }),
    inventorySetQuantities: ({ input }, { directives }) => {
      const key = directives['idempotent']?.['key'];
      if (typeof key !== 'string' || !/^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(key)) throw new Error('The @idempotent directive is required, with a UUID as its key');
      return shop.once(`set ${key}`, () => {
        const wanted = (input as { quantities: { inventoryItemId: string; quantity: number; changeFromQuantity: number | null }[] }).quantities.map((q) => ({ ...q, item: itemOf(q.inventoryItemId) }));
        const errors = wanted.flatMap(({ item, changeFromQuantity }, i): Json[] => (!item ? [{ code: 'INVALID_INVENTORY_ITEM', field: ['input', 'quantities', String(i)], message: 'The specified inventory item could not be found.' }]
          : changeFromQuantity !== null && changeFromQuantity !== item.stock ? [{ code: 'CHANGE_FROM_QUANTITY_STALE', field: ['input', 'quantities', String(i)], message: 'The quantity has changed.' }] : []));
        if (errors.length === 0) for (const { item, quantity } of wanted) shop.setStock(item?.sku ?? '', quantity, key);
        return { inventoryAdjustmentGroup: errors.length === 0 ? { id: randomUUID() } : null, userErrors: errors };
      });
    },
    // Not idempotent: the same call again is another fulfillment. All of one call leave from one location.
    fulfillmentCreate: ({ fulfillment: wanted }) => {
      const f = wanted as { lineItemsByFulfillmentOrder: { fulfillmentOrderId: string; fulfillmentOrderLineItems: { id: string; quantity: number }[] }[]; trackingInfo: { company: string; number: string } };
      const [first] = f.lineItemsByFulfillmentOrder.map((g) => last(g.fulfillmentOrderId));
      if (first === undefined || f.lineItemsByFulfillmentOrder.some((g) => last(g.fulfillmentOrderId) !== first)) return { fulfillment: null, userErrors: [{ field: ['fulfillment'], message: 'All fulfillment orders must be of one order and one location.' }] };
      const key = randomUUID();
      shop.ship(first.split('-')[0] ?? '', { key, carrier: f.trackingInfo.company, number: f.trackingInfo.number, lines: f.lineItemsByFulfillmentOrder.flatMap((g) => g.fulfillmentOrderLineItems.map((l) => ({ lineId: last(l.id), quantity: l.quantity }))) });
      return { fulfillment: { id: id('Fulfillment', key) }, userErrors: [] };
    },
    orderCancel: ({ orderId, restock }) => {
      const order = shop.order(last(orderId));
      if (typeof restock !== 'boolean') throw new Error("Field 'orderCancel' is missing required arguments: restock");
      if (order.status === 'cancelled') return { job: null, orderCancelUserErrors: [{ code: 'INVALID', field: ['orderId'], message: 'Order has already been cancelled' }] };
      shop.cancel(order.id, 'shop', restock);
      return { job: { id: randomUUID() }, orderCancelUserErrors: [] };
    },
  };
  return (field) => {
    const run = fields[field.name];
    if (!run) throw new Error(`Field '${field.name}' doesn't exist`);
    return run(field.args, field);
  };
}
