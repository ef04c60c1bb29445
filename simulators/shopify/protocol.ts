import { createHmac, randomUUID } from 'node:crypto';
import type { Platform, Protocol } from '../platform/protocol.ts';
import { ShopError, type Order, type ShopEvent } from '../platform/shop.ts';
import { underFaults } from '../platform/start-platform.ts';

type Json = Record<string, unknown>;
const iso = (ms: number): string => new Date(ms).toISOString();
const decimal = (minor: number): string => (minor / 100).toFixed(2);
const id = (kind: string, key: string): string => `gid://shopify/${kind}/${key}`;
const last = (gid: unknown): string => String(gid).split('/').at(-1) ?? '';
const money = (minor: number, currency: string): Json => ({ shopMoney: { amount: decimal(minor), currencyCode: currency } });
const TOPIC: Record<ShopEvent['kind'], string> = { created: 'orders/create', paid: 'orders/paid', cancelled: 'orders/cancelled', address: 'orders/updated', shipped: 'orders/fulfilled', done: 'orders/updated', after_sale: 'refunds/create', stock: 'inventory_levels/update' };

const refunds = (order: Order) => order.afterSales.filter((a) => a.kind === 'refund' && a.status === 'done');
/** Units that were refunded before they left: the order's current quantity falls by them. */
const gone = (order: Order, lineId: string): number => refunds(order).flatMap((r) => r.lines).filter((l) => l.lineId === lineId).reduce((sum, l) => sum + l.quantity, 0);

function show(order: Order): Json {
  const refunded = refunds(order).reduce((sum, r) => sum + r.amount, 0);
  const total = order.lines.reduce((sum, l) => sum + l.unitPrice * l.quantity, 0);
  return {
    id: id('Order', order.id), legacyResourceId: order.id, name: '#1001', createdAt: iso(order.createdAt), updatedAt: iso(order.updatedAt), processedAt: order.paidAt === null ? null : iso(order.paidAt),
    cancelledAt: order.status === 'cancelled' ? iso(order.updatedAt) : null, currencyCode: order.currency,
    displayFinancialStatus: order.paidAt === null ? 'PENDING' : refunded === 0 ? 'PAID' : refunded >= total ? 'REFUNDED' : 'PARTIALLY_REFUNDED',
    displayFulfillmentStatus: order.status === 'shipped' || order.status === 'done' ? 'FULFILLED' : order.status === 'part_shipped' ? 'PARTIALLY_FULFILLED' : 'UNFULFILLED', note: order.remark === '' ? null : order.remark,
    customer: { id: id('Customer', order.buyerId) },
    shippingAddress: { name: order.address.name, phone: order.address.phone, countryCodeV2: order.address.country, province: order.address.province, city: order.address.city, address1: order.address.street, address2: null, zip: null },
    totalShippingPriceSet: money(order.freight, order.currency),
    lineItems: { nodes: order.lines.map((l) => ({
      id: id('LineItem', l.lineId), sku: l.merchantCode, title: l.title, quantity: l.quantity, currentQuantity: l.quantity - l.cancelled - gone(order, l.lineId), unfulfilledQuantity: l.quantity - l.shipped,
      originalUnitPriceSet: money(l.unitPrice, order.currency), discountAllocations: l === order.lines.at(-1) && order.discount > 0 ? [{ allocatedAmountSet: money(order.discount, order.currency) }] : [], variant: { id: id('ProductVariant', l.sku), inventoryItem: { id: id('InventoryItem', l.itemId) } },
    })) },
    fulfillments: order.parcels.map((p) => ({ id: id('Fulfillment', p.key), trackingInfo: [{ number: p.number, company: p.carrier }] })),
    refunds: refunds(order).map((r) => ({
      id: id('Refund', r.id), createdAt: iso(r.updatedAt), note: r.reason, totalRefundedSet: money(r.amount, order.currency), refundLineItems: { nodes: r.lines.map((l) => ({ quantity: l.quantity, lineItem: { id: id('LineItem', l.lineId) } })) },
    })),
    returns: { nodes: order.afterSales.filter((a) => a.kind === 'return').map((a) => ({
      id: id('Return', a.id), status: { requested: 'REQUESTED', agreed: 'OPEN', goods_sent: 'OPEN', done: 'CLOSED', refused: 'DECLINED', closed: 'CANCELED' }[a.status],
      returnLineItems: { nodes: a.lines.map((l) => ({ quantity: l.quantity, fulfillmentLineItem: { lineItem: { id: id('LineItem', l.lineId) } } })) },
    })) },
    fulfillmentOrders: { nodes: [{
      id: id('FulfillmentOrder', order.id), status: order.status === 'shipped' ? 'CLOSED' : order.status === 'part_shipped' ? 'IN_PROGRESS' : 'OPEN', assignedLocation: { location: { id: id('Location', '1') } },
      lineItems: { nodes: order.lines.map((l) => ({ id: id('FulfillmentOrderLineItem', l.lineId), remainingQuantity: l.quantity - l.cancelled - l.shipped, lineItem: { id: id('LineItem', l.lineId) } })) },
    }] },
  };
}

const COST = 10;

/** Shopify as protocols.md gives it (A5): webhooks signed over raw bytes, GraphQL with errors under HTTP 200, a bucket of points, quantities set under comparison and an idempotency key. */
export const shopify: Protocol = {
  restores: 'cancelled', batch: 1, deadlineMs: 5_000, retries: [10_000, 60_000, 300_000, 900_000, 1_800_000, 3_600_000, 3_600_000, 3_600_000],
  acknowledged: (status) => status >= 200 && status < 300,

  push([event], { settings }, { bad }) {
    const order = event?.order;
    if (!event || !order || (event.kind === 'after_sale' && event.afterSale?.status !== 'done')) return null;
    const body = event.kind === 'after_sale' ? `{"id":${event.afterSale?.id ?? '0'},"order_id":${order.id},"created_at":"${iso(order.updatedAt)}","processed_at":"${iso(order.updatedAt)}"}`
      : `{"id":${order.id},"admin_graphql_api_id":"${id('Order', order.id)}","currency":"${order.currency}","created_at":"${iso(order.createdAt)}","updated_at":"${iso(order.updatedAt)}"}`;
    const hmac = createHmac('sha256', bad === 'forged' ? 'another secret' : String(settings['clientSecret'])).update(body, 'utf8').digest('base64');
    const names = Number(event.at) % 2 === 0 ? ['X-Shopify-Topic', 'X-Shopify-Hmac-Sha256', 'X-Shopify-Event-Id', 'X-Shopify-Webhook-Id', 'X-Shopify-Triggered-At'] : ['shopify-topic', 'shopify-hmac-sha256', 'shopify-event-id', 'shopify-webhook-id', 'shopify-triggered-at'];
    const values = [TOPIC[event.kind], hmac, event.id, randomUUID(), iso(event.at)];
    return {
      method: 'POST', query: '', headers: { 'content-type': 'application/json', 'X-Shopify-Shop-Domain': String(settings['shopDomain']), ...Object.fromEntries(names.map((n, i) => [n, values[i] ?? ''])) },
      body: bad === 'truncated' ? body.slice(0, -8) : body,
    };
  },

  routes(app, platform: Platform) {
    const { shop, settings, clock } = platform;
    const bucket = { points: 1000, at: clock() };
    const operations: Record<string, { writes: boolean; run: (v: Json, query: string) => Json }> = {
      TributaryOrder: { writes: false, run: (v) => { const order = shop.orders.get(last(v['id'])); return { order: order ? show(order) : null }; } },
      TributaryFulfillmentOrders: { writes: false, run: (v) => ({ order: show(shop.order(last(v['id']))) }) },
      TributaryChanged: { writes: false, run: (v) => {
        const [, from, to] = /updated_at:>='([^']+)' AND updated_at:<'([^']+)'/.exec(String(v['query'])) ?? [];
        const all = shop.changed(Date.parse(from ?? ''), Date.parse(to ?? ''));
        const at = v['after'] === null || v['after'] === undefined ? 0 : Number(v['after']);
        return { orders: { nodes: all.slice(at, at + 100).map((o) => ({ legacyResourceId: o.id, updatedAt: iso(o.updatedAt) })), pageInfo: { hasNextPage: at + 100 < all.length, endCursor: String(at + 100) } } };
      } },
      TributaryStock: { writes: false, run: (v) => ({ nodes: (v['ids'] as string[]).map((gid) => {
        const item = [...shop.items.values()].find((i) => i.itemId === last(gid));
        return item ? { id: gid, variant: { id: id('ProductVariant', item.sku) }, inventoryLevel: { quantities: [{ name: 'available', quantity: item.stock }, { name: 'committed', quantity: item.held }] } } : null;
      }) }) },
      TributarySetStock: { writes: true, run: (v, query) => {
        if (!query.includes('@idempotent') || typeof v['key'] !== 'string') throw new Error('The @idempotent directive is required');
        return shop.once(`set ${v['key']}`, () => {
          const wanted = (v['input'] as { quantities: { inventoryItemId: string; quantity: number; changeFromQuantity: number | null }[] }).quantities.map((q) => ({ ...q, item: [...shop.items.values()].find((i) => i.itemId === last(q.inventoryItemId)) }));
          const errors = wanted.flatMap(({ item, changeFromQuantity }, i): Json[] => (!item ? [{ code: 'INVALID_INVENTORY_ITEM', field: ['input', 'quantities', String(i)], message: 'The specified inventory item could not be found.' }]
            : changeFromQuantity !== null && changeFromQuantity !== item.stock ? [{ code: 'CHANGE_FROM_QUANTITY_STALE', field: ['input', 'quantities', String(i)], message: 'The quantity has changed.' }] : []));
          if (errors.length === 0) for (const { item, quantity } of wanted) shop.setStock(item?.sku ?? '', quantity, v['key'] as string);
          return { inventorySetQuantities: { inventoryAdjustmentGroup: errors.length === 0 ? { id: randomUUID() } : null, userErrors: errors } };
        });
      } },
      TributaryFulfill: { writes: true, run: (v) => {
        const f = v['fulfillment'] as { lineItemsByFulfillmentOrder: { fulfillmentOrderId: string; fulfillmentOrderLineItems: { id: string; quantity: number }[] }[]; trackingInfo: { company: string; number: string } };
        // Not idempotent: the same call again is another fulfillment.
        for (const group of f.lineItemsByFulfillmentOrder) {
          shop.ship(last(group.fulfillmentOrderId), { key: randomUUID(), carrier: f.trackingInfo.company, number: f.trackingInfo.number, lines: group.fulfillmentOrderLineItems.map((l) => ({ lineId: last(l.id), quantity: l.quantity })) });
        }
        return { fulfillmentCreate: { fulfillment: { id: id('Fulfillment', randomUUID()) }, userErrors: [] } };
      } },
      TributaryCancel: { writes: true, run: (v) => {
        const order = shop.order(last(v['orderId']));
        if (order.status === 'cancelled') return { orderCancel: { job: null, orderCancelUserErrors: [{ code: 'INVALID', field: ['orderId'], message: 'Order has already been cancelled' }] } };
        shop.cancel(order.id, 'shop');
        return { orderCancel: { job: { id: randomUUID() }, orderCancelUserErrors: [] } };
      } },
    };
    app.post('/admin/api/:version/graphql.json', async (request, reply) => {
      reply.header('content-type', 'application/json');
      if (request.headers['x-shopify-access-token'] !== settings['accessToken']) return reply.code(401).send('{"errors":"[API] Invalid API key or access token"}');
      const body = JSON.parse((request.body as Buffer).toString('utf8')) as { operationName: string; query: string; variables: Json };
      const operation = operations[body.operationName];
      if (!operation) return JSON.stringify({ errors: [{ message: 'syntax error', extensions: { code: 'undefinedField' } }] });
      bucket.points = Math.min(1000, bucket.points + Math.max(0, (clock() - bucket.at) / 1000) * 50);
      bucket.at = clock();
      const extensions = { cost: { requestedQueryCost: COST, throttleStatus: { maximumAvailable: 1000, currentlyAvailable: Math.floor(bucket.points), restoreRate: 50 } } };
      const throttled = (): string => JSON.stringify({ errors: [{ message: 'Throttled', extensions: { code: 'THROTTLED' } }], extensions: { cost: { ...extensions.cost, requestedQueryCost: 20, throttleStatus: { ...extensions.cost.throttleStatus, currentlyAvailable: 0 } } } });
      if (bucket.points < COST) return throttled();
      bucket.points -= COST;
      return underFaults<unknown>(platform, operation.writes, {
        down: () => reply.code(503).send('{}'), throttled, error: () => JSON.stringify({ errors: [{ message: 'Internal error', extensions: { code: 'INTERNAL_SERVER_ERROR' } }] }),
      }, () => {
        try {
          return JSON.stringify({ data: operation.run(body.variables, body.query), extensions });
        } catch (error) {
          if (error instanceof ShopError) return JSON.stringify({ data: { [body.operationName]: { userErrors: [{ field: null, message: error.message }] } }, extensions });
          return JSON.stringify({ errors: [{ message: (error as Error).message, extensions: { code: 'argumentLiteralsIncompatible' } }] });
        }
      });
    });
  },
};
