/** What a tracking event can say, in the protocol's words. */
export const TRACKING = [
  'picked_up', 'in_transit', 'out_for_delivery', 'delivered', 'attempt_failed', 'exception', 'lost', 'returning', 'returned',
] as const;
export type Tracking = (typeof TRACKING)[number];
export type WaybillStatus = 'issued' | 'cancelled' | Tracking;

export interface Place {
  readonly city: string;
  readonly province: string;
}

/** The body of `POST /v1/waybills`, as far as the carrier needs it. The addressee is not kept. */
export interface WaybillRequest {
  readonly requestId: string;
  readonly service: string;
  readonly from: Place;
  readonly to: Place;
  readonly weightG: number;
}

export interface InterceptAnswer {
  readonly outcome: 'accepted' | 'refused';
  readonly reason?: 'delivered' | 'out_for_delivery';
}

/** What never changes after the waybill is issued. */
export interface WaybillFacts {
  readonly no: string;
  readonly requestId: string;
  readonly fromCity: string;
  readonly toCity: string;
  /** How many `in_transit` events the way takes. */
  readonly hops: number;
  readonly express: boolean;
  /** Minor units. */
  readonly price: number;
}

export interface Waybill extends WaybillFacts {
  status: WaybillStatus;
  /** The whole history in 9 characters an event: thousands of finished waybills stay answerable for few bytes. */
  history: string;
  /** Bit n is set when event n was pushed (or is never to be): what a restart needn't push again. */
  pushed: number;
  intercept: { readonly requestId: string; readonly answer: InterceptAnswer } | undefined;
  /** The event kept back by the out-of-order fault. */
  held: number | undefined;
}

export interface TrackingEvent {
  readonly eventId: string;
  readonly waybillNo: string;
  readonly status: Tracking;
  readonly description: string;
  readonly city: string;
  readonly occurredAt: string;
}

const ENTRY = 9;

export function issued(facts: WaybillFacts): Waybill {
  return { ...facts, status: 'issued', history: '', pushed: 0, intercept: undefined, held: undefined };
}

/** Adds an event to the history. @param at ms since the epoch. Returns its index. */
export function addEvent(waybill: Waybill, status: Tracking, at: number): number {
  waybill.history += `${TRACKING.indexOf(status)}${at.toString(36).padStart(ENTRY - 1, '0')}`;
  waybill.status = status;
  return eventCount(waybill) - 1;
}

export function eventCount(waybill: Waybill): number {
  return waybill.history.length / ENTRY;
}

/** How often the status stands in the history up to and including `upTo`. */
export function timesSeen(waybill: Waybill, status: Tracking, upTo = eventCount(waybill) - 1): number {
  let times = 0;
  for (let index = 0; index <= upTo; index += 1) if (statusAt(waybill, index) === status) times += 1;
  return times;
}

/** When the event happened, ms since the epoch. */
export function timeAt(waybill: Waybill, index: number): number {
  return Number.parseInt(waybill.history.slice(index * ENTRY + 1, (index + 1) * ENTRY), 36);
}

/** The event as the protocol shows it; the same every time it is asked for. */
export function eventAt(waybill: Waybill, index: number): TrackingEvent {
  const status = statusAt(waybill, index);
  const city = cityAt(waybill, status, index);
  return {
    eventId: `${waybill.no}.${index + 1}`,
    waybillNo: waybill.no,
    status,
    description: DESCRIPTION[status](city),
    city,
    occurredAt: new Date(timeAt(waybill, index)).toISOString(),
  };
}

function statusAt(waybill: Waybill, index: number): Tracking {
  return TRACKING[Number(waybill.history[index * ENTRY])] as Tracking;
}

/** A parcel is at its origin until the last leg, and back there when it is returned. */
function cityAt(waybill: Waybill, status: Tracking, index: number): string {
  if (status === 'picked_up' || status === 'returned') return waybill.fromCity;
  if (status === 'in_transit') {
    return timesSeen(waybill, 'in_transit', index) < waybill.hops ? waybill.fromCity : waybill.toCity;
  }
  return waybill.toCity;
}

const DESCRIPTION: Record<Tracking, (city: string) => string> = {
  picked_up: (city) => `Picked up in ${city}`,
  in_transit: (city) => `Left the sorting centre, next stop after ${city}`,
  out_for_delivery: (city) => `Out for delivery in ${city}`,
  delivered: () => 'Delivered and signed for',
  attempt_failed: () => 'Nobody at home, another attempt follows',
  exception: (city) => `Held up in ${city}`,
  lost: () => 'The parcel cannot be found',
  returning: () => 'On its way back to the sender',
  returned: () => 'Back with the sender',
};
