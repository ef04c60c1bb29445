import type { FulfilmentWay, InstanceRate, RoutingInstance } from './model.ts';

/** What stands in a fulfillment order and a parcel where a carrier would: the customer fetches it. */
export const PICKUP = 'pickup';
const ZONES = ['same_city', 'same_province', 'national', 'international'] as const;
/** Nobody drives: from any zone at once and for nothing. */
const FETCHED: InstanceRate[] = ZONES.map((zone) => ({ carrier: PICKUP, zone, firstWeightG: 1, firstCost: 0, stepG: 1_000_000, stepCost: 0, transitDays: 0 }));

/** The rates of an order by its way: those of carriers where it is shipped (`way` absent, too), else the one that costs nothing. */
export function ratesFor(way: FulfilmentWay | undefined, rates: InstanceRate[]): InstanceRate[] { return way === undefined || way === 'ship' ? rates : FETCHED; }

/** The instance of an order that is fetched: it costs what handling costs. */
export function asPickup(instance: RoutingInstance): RoutingInstance {
  const { forcedCarrier: _carrier, refused: _refused, ...order } = instance.order;
  return { ...instance, order: { ...order, promisedBy: null }, rates: FETCHED };
}
