import { createHash } from 'node:crypto';
import { MILESTONES, type TrackingStatus } from '../../domain/order/milestone.ts';
import type { Account, CarrierEvent } from '../carrier.ts';
import { bag, inverse, isoTime, list, text, textMap, type Bag } from '../read.ts';

/** Main statuses (M) and the stages of single events (GK). */
const WORDS: Readonly<Record<string, TrackingStatus>> = {
  NotFound: 'note', InfoReceived: 'note', InTransit: 'in_transit', Expired: 'exception', AvailableForPickup: 'ready_for_pickup', OutForDelivery: 'out_for_delivery', DeliveryFailure: 'attempt_failed', Delivered: 'delivered', Exception: 'exception',
  PickedUp: 'picked_up', Departure: 'in_transit', Arrival: 'in_transit', Returning: 'returning', Returned: 'returned', Exception_Returning: 'returning', Exception_Returned: 'returned',
};

function meaning(account: Account, word: string): TrackingStatus {
  const own = textMap(account.settings['stages'])[word];
  if (own !== undefined) return MILESTONES.find((m) => m === own) ?? 'note';
  return WORDS[word] ?? WORDS[word.split('_')[0] ?? ''] ?? 'note';
}

/** The history in `{number, carrier, track_info}`. An event without a stage moves nothing, but for the newest, which has the parcel's status. */
export function eventsOf(account: Account, data: Bag): CarrierEvent[] {
  const number = text(data['number']);
  const info = bag(data['track_info']);
  if (number === null) return [];
  const carrier = inverse(textMap(account.settings['carriers']), text(data['carrier']));
  const latest = bag(info['latest_status']);
  return list(bag(info['tracking'])['providers']).map(bag).flatMap((p) => list(p['events']).map(bag).flatMap((e, i): CarrierEvent[] => {
    const at = isoTime(e['time_utc']) ?? isoTime(e['time_iso']);
    const word = text(e['stage']) ?? text(e['sub_status']) ?? (i === 0 ? text(latest['sub_status']) ?? text(latest['status']) : null);
    if (at === null) return [];
    const [description, city] = [text(e['description']), text(e['location'])];
    return [{
      eventId: `${number}|${at}|${createHash('sha1').update(description ?? '').digest('base64url').slice(0, 12)}`, waybillNo: number, status: word === null ? 'note' : meaning(account, word), occurredAt: at,
      ...(word === null ? {} : { source: word }), ...(carrier === null ? {} : { carrier }), ...(description === null ? {} : { description }), ...(city === null ? {} : { city }),
    }];
  }));
}
