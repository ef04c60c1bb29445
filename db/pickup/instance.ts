import type { InstanceRate, RoutingInstance } from '../../domain/routing/model.ts';

/** What stands in a fulfillment order and a parcel where a carrier would: the customer fetches it. */
export const PICKUP = 'pickup';
const ZONES = ['same_city', 'same_province', 'national', 'international'] as const;

/** The instance of an order that is fetched: nobody drives, it costs what handling costs. */
export function asPickup(instance: RoutingInstance): RoutingInstance {
  const { forcedCarrier: _carrier, refused: _refused, ...order } = instance.order;
  return { ...instance, order: { ...order, promisedBy: null }, rates: ZONES.map((zone): InstanceRate => ({ carrier: PICKUP, zone, firstWeightG: 1, firstCost: 0, stepG: 1_000_000, stepCost: 0, transitDays: 0 })) };
}
