import { createHash } from 'node:crypto';
import { PartnerRefused } from '../../domain/http-port.ts';
import type { ChannelConnector, ChannelIo, Shop, StockAnswer, StockPush } from '../channel.ts';
import { bag, list, text, whole } from '../safe-json.ts';
import { gid, ShopifyClient, tail } from './client.ts';
import { mapOrder } from './map.ts';
import { receive } from './push.ts';
import { CANCEL, CHANGED, FULFILL, FULFILLMENT_ORDERS, ORDER, SET_STOCK, STOCK } from './queries.ts';
import type { ShopifySettings } from './settings.ts';

const STALE = /QUANTITY_STALE$/;
/** States of a fulfillment order from which something can still be sent. */
const OPEN = new Set(['OPEN', 'IN_PROGRESS', 'SCHEDULED']);

/** A Shopify shop (Admin GraphQL API). */
export function connect(shop: Shop, io: ChannelIo): ChannelConnector {
  const s = shop.settings as unknown as ShopifySettings;
  const client = new ShopifyClient(shop, io);
  const location = gid('Location', s.locationId);

  async function setStock(pushes: readonly StockPush[]): Promise<StockAnswer[]> {
    const key = createHash('sha256').update(pushes.map((p) => p.key).join()).digest('hex').slice(0, 32);
    const { errors } = await client.mutate(SET_STOCK, {
      key, input: {
        name: 'available', reason: 'correction', referenceDocumentUri: `tributary://stock/${pushes[0]?.key ?? ''}`,
        quantities: pushes.map((p) => ({ inventoryItemId: gid('InventoryItem', p.itemId ?? ''), locationId: location, quantity: p.target, changeFromQuantity: p.seen })),
      },
    });
    if (errors.length === 0) return pushes.map(() => ({ outcome: 'done' }));
    // All or nothing: one that is stale or unknown must not keep the others back.
    if (pushes.length > 1) return (await Promise.all(pushes.map((p) => setStock([p])))).flat();
    return errors.some((e) => STALE.test(e.code)) ? [{ outcome: 'stale' }] : [{ outcome: 'refused', reason: errors.map((e) => e.message).join('; ') }];
  }

  return {
    receive: (push) => receive(push, shop.secrets['clientSecret'] ?? ''),

    async fetchOrder(externalId) {
      const order = bag((await client.call(ORDER, { id: gid('Order', externalId) }))['order']);
      return text(order['legacyResourceId']) === null ? null : mapOrder(order);
    },

    async changedOrders({ from, to }, page) {
      const iso = (ms: number): string => new Date(ms).toISOString();
      const orders = bag((await client.call(CHANGED, { query: `updated_at:>='${iso(from)}' AND updated_at:<'${iso(to)}'`, after: page }))['orders']);
      const info = bag(orders['pageInfo']);
      return {
        orders: list(orders['nodes']).map(bag).flatMap((o) => { const externalId = text(o['legacyResourceId']); return externalId === null ? [] : [{ externalId, version: Date.parse(text(o['updatedAt']) ?? '') || null }]; }),
        next: info['hasNextPage'] === true ? text(info['endCursor']) : null,
      };
    },

    async readStock(listings) {
      const known = listings.filter((l) => l.itemId !== null);
      if (known.length === 0) return [];
      const data = await client.call(STOCK, { ids: known.map((l) => gid('InventoryItem', l.itemId ?? '')), location });
      return list(data['nodes']).map(bag).flatMap((node) => {
        const listing = known.find((l) => l.itemId === tail(node['id']));
        const available = list(bag(node['inventoryLevel'])['quantities']).map(bag).find((q) => q['name'] === 'available');
        const sellable = whole(available?.['quantity']);
        return listing && sellable !== null ? [{ platformSku: listing.platformSku, sellable, held: 0 }] : [];
      });
    },

    pushStock: (pushes) => setStock(pushes),

    /** A parcel that the order shows already was told before: its answer was lost. */
    async reportShipment({ externalId, carrier, waybillNo, lines }) {
      const order = bag((await client.call(FULFILLMENT_ORDERS, { id: gid('Order', externalId) }))['order']);
      if (list(order['fulfillments']).some((f) => list(bag(f)['trackingInfo']).some((t) => text(bag(t)['number']) === waybillNo))) return;
      const left = new Map(lines.map((l) => [l.lineId, l.quantity]));
      const groups = new Map<string, { fulfillmentOrderId: string; fulfillmentOrderLineItems: { id: string; quantity: number }[] }[]>();
      for (const f of list(bag(order['fulfillmentOrders'])['nodes']).map(bag).filter((f) => OPEN.has(text(f['status']) ?? ''))) {
        const items = list(bag(f['lineItems'])['nodes']).map(bag).flatMap((item) => {
          const lineId = tail(bag(item['lineItem'])['id']) ?? '';
          const quantity = Math.min(left.get(lineId) ?? 0, whole(item['remainingQuantity']) ?? 0);
          if (quantity <= 0) return [];
          left.set(lineId, (left.get(lineId) ?? 0) - quantity);
          return [{ id: text(item['id']) ?? '', quantity }];
        });
        // Fulfillment orders of one call must be of one location.
        const at = tail(bag(bag(f['assignedLocation'])['location'])['id']) ?? '';
        if (items.length > 0) groups.set(at, [...groups.get(at) ?? [], { fulfillmentOrderId: text(f['id']) ?? '', fulfillmentOrderLineItems: items }]);
      }
      if (groups.size === 0) throw new PartnerRefused(200, 'Shopify has nothing left to ship of these lines');
      for (const lineItemsByFulfillmentOrder of groups.values()) {
        const { errors } = await client.mutate(FULFILL, { fulfillment: { lineItemsByFulfillmentOrder, notifyCustomer: s.notifyCustomer, trackingInfo: { company: s.carriers[carrier] ?? carrier, number: waybillNo } } });
        if (errors.length > 0) throw new PartnerRefused(200, errors.map((e) => e.message).join('; '));
      }
    },

    async cancelOrder(externalId, reason) {
      const { errors } = await client.mutate(CANCEL, { orderId: gid('Order', externalId), note: reason.slice(0, 255) });
      if (errors.length > 0 && !errors.every((e) => /already|cancel+ed/i.test(e.message))) throw new PartnerRefused(200, errors.map((e) => e.message).join('; '));
    },
  };
}
