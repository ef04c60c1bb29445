import { createHash } from 'node:crypto';
import { PartnerRefused } from '../../domain/http-port.ts';
import type { ChannelConnector, ChannelIo, Shop, StockAnswer, StockPush } from '../channel.ts';
import { bag, list, text, whole, type Bag } from '../safe-json.ts';
import { allEnded, readSteadily } from '../steady.ts';
import { gid, ShopifyClient, tail } from './client.ts';
import { isTest, mapOrder, versionOf } from './map.ts';
import { needsMore, readHead, readRest } from './order.ts';
import { reportParcel } from './parcels.ts';
import { receive } from './push.ts';
import { CANCEL, CHANGED, ORDER_OF, SET_STOCK, STOCK } from './queries.ts';
import type { ShopifySettings } from './settings.ts';

const STALE = /QUANTITY_STALE$/;

/** A Shopify shop (Admin GraphQL API). */
export function connect(shop: Shop, io: ChannelIo): ChannelConnector {
  const s = shop.settings as unknown as ShopifySettings;
  const client = new ShopifyClient(shop, io);
  const location = gid('Location', s.locationId);

  async function setStock(pushes: readonly StockPush[]): Promise<StockAnswer[]> {
    const key = uuidOf(pushes.map((p) => p.key).join());
    const { errors } = await client.mutate(SET_STOCK, {
      key, input: {
        name: 'available', reason: 'correction', referenceDocumentUri: `tributary://stock/${pushes[0]?.key ?? ''}`,
        quantities: pushes.map((p) => ({ inventoryItemId: gid('InventoryItem', p.itemId ?? ''), locationId: location, quantity: p.target, changeFromQuantity: p.seen })),
      },
    });
    if (errors.length === 0) return pushes.map(() => ({ outcome: 'done' }));
    // All or nothing: one that is stale or unknown must not keep the others back.
    if (pushes.length > 1) return (await allEnded(pushes.map((p) => setStock([p])))).flat();
    return errors.some((e) => STALE.test(e.code)) ? [{ outcome: 'stale' }] : [{ outcome: 'refused', reason: errors.map((e) => e.message).join('; ') }];
  }

  return {
    receive: (push) => receive(push, shop.secrets['clientSecret'] ?? ''),

    /** One call, where the order has neither refunds nor returns and is not long; else as it is at one time. */
    async fetchOrder(externalId) {
      const first = await readHead(client, externalId);
      if (first === null || (isTest(first) && s.testOrders === 'ignore')) return null;
      if (!needsMore(first)) return mapOrder(await readRest(client, first), s);
      let known: Bag | null = first;
      const read = await readSteadily(`order ${externalId}`, async () => { const head = known ?? await readHead(client, externalId); known = null; return head; }, versionOf, (head) => readRest(client, head));
      return read && mapOrder(read.rest, s);
    },

    /** Returns and fulfillment orders by the kind and number of their global id. */
    async orderOfAfterSale(id) {
      const data = await client.call(ORDER_OF(id.startsWith('Return/') ? 'return' : 'fulfillmentOrder'), { id: `gid://shopify/${id}` });
      return text(bag(bag(Object.values(data)[0])['order'])['legacyResourceId']);
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

    reportShipment: (report) => reportParcel(client, s, report),

    async cancelOrder(externalId, reason) {
      const { errors } = await client.mutate(CANCEL, { orderId: gid('Order', externalId), note: reason.slice(0, 255) });
      if (errors.length > 0 && !errors.every((e) => /already|cancel+ed/i.test(e.message))) throw new PartnerRefused(200, errors.map((e) => e.message).join('; '));
    },
  };
}

/** A UUID (RFC 9562, version 8: of our own making) that is the same for the same text. */
function uuidOf(key: string): string {
  const hash = createHash('sha256').update(key).digest();
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x80, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  return hash.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
