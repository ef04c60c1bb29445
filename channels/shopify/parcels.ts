import { PartnerRefused } from '../../domain/http-port.ts';
import type { ShipmentCall } from '../channel.ts';
import { gid, type ShopifyClient } from './client.ts';
import { fulfillmentOrders, unitsUnder } from './order.ts';
import { FULFILL } from './queries.ts';
import type { ShopifySettings } from './settings.ts';

/**
 * A parcel is a fulfillment for each Shopify location that its units are assigned to. What stands under its waybill was told before and is not told again: the answer was lost, or one location's
 * fulfillment was made and the next one's was not. Throws PartnerRefused where Shopify has nothing left to ship of these lines.
 */
export async function reportParcel(client: ShopifyClient, s: ShopifySettings, { externalId, carrier, waybillNo, lines }: ShipmentCall): Promise<void> {
  const order = gid('Order', externalId);
  const told = await unitsUnder(client, order, waybillNo);
  const left = new Map(lines.map((l) => [l.lineId, l.quantity - (told.get(l.lineId) ?? 0)]));
  if ([...left.values()].every((n) => n <= 0)) return;
  const groups = new Map<string, { fulfillmentOrderId: string; fulfillmentOrderLineItems: { id: string; quantity: number }[] }[]>();
  for (const f of await fulfillmentOrders(client, order)) {
    if (!f.open) continue;
    const items = f.lines.flatMap((item) => {
      const quantity = Math.min(left.get(item.lineId) ?? 0, item.remaining);
      if (quantity <= 0) return [];
      left.set(item.lineId, (left.get(item.lineId) ?? 0) - quantity);
      return [{ id: item.id, quantity }];
    });
    // Fulfillment orders of one call must be of one location.
    if (items.length > 0) groups.set(f.location, [...groups.get(f.location) ?? [], { fulfillmentOrderId: f.id, fulfillmentOrderLineItems: items }]);
  }
  if (groups.size === 0) throw new PartnerRefused(200, 'Shopify has nothing left to ship of these lines');
  for (const lineItemsByFulfillmentOrder of groups.values()) {
    const { errors } = await client.mutate(FULFILL, { fulfillment: { lineItemsByFulfillmentOrder, notifyCustomer: s.notifyCustomer, trackingInfo: { company: s.carriers[carrier] ?? carrier, number: waybillNo } } });
    if (errors.length > 0) throw new PartnerRefused(200, errors.map((e) => e.message).join('; '));
  }
}
