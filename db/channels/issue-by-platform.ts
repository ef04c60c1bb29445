import type { SeenOrder } from '../../domain/channel/seen-order.ts';
import { PartnerUnavailable } from '../../domain/http-port.ts';
import { encodeId } from '../../domain/ids.ts';
import { applyLocationEvent } from '../fulfillment/location-events.ts';
import type { Network } from '../network.ts';
import type { StockWriter } from '../stock-writer.ts';

/**
 * The platform's own warehouse has shipped: its location reports the goods issue, as any location would, with the platform's waybills. Throws PartnerUnavailable while the order's
 * workflow has not handed the order to that location yet: it is read again in a moment.
 */
export async function issueByPlatform(writer: StockWriter, network: Network, orderId: string, seen: SeenOrder, locationCode: string): Promise<void> {
  const location = network.locations.get(locationCode);
  const { rows } = await writer.pool.query<{ id: string; status: string; lines: { lineNo: number; quantity: number }[] }>(
    `select f.id, f.status, json_agg(json_build_object('lineNo', l.line_no, 'quantity', l.quantity - l.short_quantity) order by l.line_no) lines
     from fulfillment_orders f join fulfillment_order_lines l on l.fulfillment_order_id = f.id where f.order_id = $1 and f.location_id = $2 and f.status not in ('rejected', 'cancelled') group by f.id order by f.id`,
    [orderId, location?.id ?? 0]);
  if (!location || rows.length === 0 || rows.some((r) => r.status === 'routed' || r.status === 'releasing')) throw new PartnerUnavailable('the order has not been handed to the location of the platform yet');
  for (const f of rows.filter((r) => ['released', 'accepted', 'packed'].includes(r.status))) {
    const id = encodeId('ful', f.id);
    const parcels = seen.parcels.length > 0 ? seen.parcels : [{ carrier: 'platform', number: `${seen.externalId}` }];
    await applyLocationEvent(writer, location.id, `location:${location.code}`, {
      eventId: `platform-issue-${id}`, fulfillmentOrderId: id, occurredAt: new Date(seen.version).toISOString(), type: 'goods_issue',
      // The platform does not tell which parcel holds what: the first one stands for all.
      parcels: [{ parcelNo: 1, carrier: parcels[0]?.carrier ?? 'platform', waybillNo: parcels[0]?.number ?? seen.externalId, lines: f.lines.filter((l) => l.quantity > 0) }],
    });
  }
}
