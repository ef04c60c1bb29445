import type { ShipmentCall } from '../channel.ts';
import { long, type Bag } from '../safe-json.ts';
import type { JdClient } from './client.ts';
import type { JdSettings } from './settings.ts';

/** A line is named by its SKU (map.ts). */
const skuOf = (lineId: string): string => lineId.split(':')[0] ?? lineId;

/** Tells a parcel: the only one of an order, or all of them at once, by jingdong.pop.order.shipment; each of several as it leaves by jingdong.pop.order.partial.outship. */
export async function sendParcel(client: JdClient, s: JdSettings, { externalId, carrier, waybillNo, lines, last, parcels }: ShipmentCall): Promise<void> {
  const idOf = (code: string): string => s.carriers[code] ?? code;
  if (s.parcels === 'whole' || (last && parcels.length === 1)) {
    if (!last) return;
    // Numbers of one carrier by commas, carriers by bars.
    const byCarrier = new Map<string, string[]>();
    for (const p of parcels) byCarrier.set(idOf(p.carrier), [...byCarrier.get(idOf(p.carrier)) ?? [], p.waybillNo]);
    await client.call('jingdong.pop.order.shipment', { orderId: long(externalId), logiCoprId: [...byCarrier.keys()].join('|'), logiNo: [...byCarrier.values()].map((n) => n.join(',')).join('|') }, 'shipment', 'sopjosshipment_result');
    return;
  }
  const goods = lines.map((l): Bag => ({ skuId: long(skuOf(l.lineId)), num: l.quantity }));
  const deliveryNumberDtoList = [{ deliveryId: long(idOf(carrier)), deliveryNums: [waybillNo], partialShipmentGoodsList: goods }];
  await client.call('jingdong.pop.order.partial.outship', {
    request: { belongType: s.outshipType['belongType'] ?? 1, data: [{ orderIds: [long(externalId)], deliveryType: s.outshipType['deliveryType'] ?? 1, deliveryNumberDtoList }] },
  }, 'shipment', 'result');
}
