import { encodeId } from '../../domain/ids.ts';
import { zone } from '../../domain/geo.ts';
import type { RateCard } from '../../domain/routing/types.ts';
import type { Carrier, Network } from '../network.ts';
import { lockOrder, readFulfillments } from '../orders/order.ts';
import { fullCarriers, lockCarrierDays, readyMinute, refusal } from '../routing/carrier-facts.ts';
import { leavesAt } from '../routing/instance.ts';
import type { StockWriter } from '../stock-writer.ts';

/** What the whole parcel will weigh and take: grams, mm³. `postcode` of the receiver, in memory only. */
export type ParcelLoad = { weightG: number; volumeMm3: number; hazardous: boolean; postcode: string | undefined };
const DAY_MS = 86_400_000;

/**
 * A carrier gives no waybill: the fulfillment order goes to another one that takes the parcel, serves the address, has capacity left today and has not been asked for it (`asked` false: our own rules kept us from
 * asking, another service of the same carrier may do). First those that
 * keep the promise, then the cheapest. Null where there is none, where an operator has forced the carrier, or where the order has moved on.
 */
export async function nextCarrier(
  writer: StockWriter, network: Network, ref: { orderId: string; fulfillmentOrderId: string }, load: ParcelLoad, failed: { reason: string; asked: boolean },
): Promise<{ carrier: Carrier; service: string } | null> {
  return writer.change(async (tx) => {
    const order = await lockOrder(tx, ref.orderId);
    const f = (await readFulfillments(tx.client, ref.orderId)).find((x) => x.id === ref.fulfillmentOrderId);
    const location = f && network.locationById.get(f.locationId);
    if (!location || f.status !== 'releasing' || f.waybillNo !== null || f.carrier === null || order.forcedCarrier !== null) return null;
    const row = await tx.one<{ tried: string[] }>('select carriers_tried tried from fulfillment_orders where id = $1', [f.id]);
    // Not asked: only this service of it is out of question.
    const tried = new Set([...row?.tried ?? [], failed.asked ? f.carrier : `${f.carrier}/${f.service}`]);
    await lockCarrierDays(tx, network);
    const full = await fullCarriers(tx, network);
    const to = zone(location.place, network.place(order.country, order.province, order.city));
    const address = { country: order.country, province: order.province, city: order.city, ...(load.postcode === undefined ? {} : { postcode: load.postcode }) };
    // A carrier's days begin with the hand-over, which may be days away, not with the moment at which another one refused.
    const leaves = leavesAt(network, location, order, tx.now).getTime();
    const daysLate = (r: RateCard): number => {
      const days = r.transitDays + (r.cutoffMinute !== null && readyMinute(location) > r.cutoffMinute ? 1 : 0);
      return order.deliverBy === null ? 0 : Math.max(0, Math.ceil((leaves + days * DAY_MS - order.deliverBy.getTime()) / DAY_MS));
    };
    const next = network.rates.filter((r) => r.zone === to && !tried.has(r.carrier) && !tried.has(`${r.carrier}/${r.service}`) && !full.has(r.carrier) && (!load.hazardous || r.hazardous)
      && (r.maxWeightG === null || chargeable(r, load) <= r.maxWeightG) && refusal(network.refusals, r.carrier, r.service, address) === null)
      .sort((a, b) => daysLate(a) - daysLate(b) || freight(a, load) - freight(b, load) || a.transitDays - b.transitDays || (a.carrier < b.carrier ? -1 : 1))[0];
    const carrier = next && network.carriers.get(next.carrier);
    if (!next || !carrier?.active) return null;
    const planned = network.rates.find((r) => r.zone === to && r.carrier === f.carrier && r.service === f.service);
    await tx.query('update fulfillment_orders set carrier = $2, service = $3, carriers_tried = $4, money = money + $5 where id = $1',
      [f.id, carrier.code, next.service, [...tried], planned ? freight(next, load) - freight(planned, load) : 0]);
    await tx.event(order.id, 'fulfillment.carrier_changed', 'system', {
      fulfillmentOrder: encodeId('ful', f.id), from: f.carrier, to: carrier.code, reason: failed.reason, ...(next.service === 'standard' && f.service === 'standard' ? {} : { service: next.service }),
    });
    return { carrier, service: next.service };
  });
}

function chargeable(rate: RateCard, { weightG, volumeMm3 }: ParcelLoad): number {
  return rate.volumetricMm3PerG === null ? weightG : Math.max(weightG, Math.ceil(volumeMm3 / rate.volumetricMm3PerG));
}

/** First weight and steps (首重/续重) on the chargeable weight. */
function freight(rate: RateCard, load: ParcelLoad): number {
  return rate.firstCost + Math.max(0, Math.ceil((chargeable(rate, load) - rate.firstWeightG) / rate.stepG)) * rate.stepCost;
}
