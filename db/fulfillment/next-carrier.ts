import { encodeId } from '../../domain/ids.ts';
import { zone } from '../../domain/geo.ts';
import type { RateCard } from '../../domain/routing/types.ts';
import type { Carrier, Network } from '../network.ts';
import { lockOrder, readFulfillments } from '../orders/order.ts';
import type { StockWriter } from '../stock-writer.ts';

/**
 * A carrier gives no waybill: the fulfillment order goes to the next cheapest one that goes there and has not been asked for it. Null where there is none, where an operator
 * has forced the carrier, or where the order has moved on. `weightG` of the whole parcel.
 */
export async function nextCarrier(writer: StockWriter, network: Network, ref: { orderId: string; fulfillmentOrderId: string }, weightG: number, reason: string): Promise<Carrier | null> {
  return writer.change(async (tx) => {
    const order = await lockOrder(tx, ref.orderId);
    const f = (await readFulfillments(tx.client, ref.orderId)).find((x) => x.id === ref.fulfillmentOrderId);
    const location = f && network.locationById.get(f.locationId);
    if (!location || f.status !== 'releasing' || f.waybillNo !== null || f.carrier === null || order.forcedCarrier !== null) return null;
    const row = await tx.one<{ tried: string[] }>('select carriers_tried tried from fulfillment_orders where id = $1', [f.id]);
    const tried = new Set([...row?.tried ?? [], f.carrier]);
    const to = zone(location.place, network.place(order.country, order.province, order.city));
    const next = network.rates.filter((r) => r.zone === to && !tried.has(r.carrier) && (r.maxWeightG === null || weightG <= r.maxWeightG))
      .sort((a, b) => freight(a, weightG) - freight(b, weightG) || a.transitDays - b.transitDays || (a.carrier < b.carrier ? -1 : 1))[0];
    const carrier = next && network.carriers.get(next.carrier);
    if (!carrier?.active) return null;
    await tx.query('update fulfillment_orders set carrier = $2, carriers_tried = $3 where id = $1', [f.id, carrier.code, [...tried]]);
    await tx.event(order.id, 'fulfillment.carrier_changed', 'system', { fulfillmentOrder: encodeId('ful', f.id), from: f.carrier, to: carrier.code, reason });
    return carrier;
  });
}

/** First weight and steps (首重/续重). */
function freight(rate: RateCard, weightG: number): number {
  return rate.firstCost + Math.max(0, Math.ceil((weightG - rate.firstWeightG) / rate.stepG)) * rate.stepCost;
}
