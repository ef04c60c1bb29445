import type { TrackingStatus } from '../../domain/order/milestone.ts';
import type { Account, CarrierEvent } from '../carrier.ts';
import { bag, inverse, isoTime, list, text, textMap, type Bag } from '../read.ts';

const STATUSES: Readonly<Record<string, TrackingStatus>> = {
  unknown: 'note', pre_transit: 'note', in_transit: 'in_transit', out_for_delivery: 'out_for_delivery', delivered: 'delivered', available_for_pickup: 'ready_for_pickup', return_to_sender: 'returning',
  failure: 'attempt_failed', cancelled: 'note', error: 'exception',
};

/** The history of a Tracker object. */
export function eventsOf(account: Account, tracker: Bag): CarrierEvent[] {
  const code = text(tracker['tracking_code']);
  const carrier = inverse(textMap(account.settings['carriers']), text(tracker['carrier']));
  if (code === null) return [];
  return list(tracker['tracking_details']).map(bag).flatMap((d): CarrierEvent[] => {
    const [at, word] = [isoTime(d['datetime']), text(d['status'])];
    if (at === null || word === null) return [];
    const [description, city] = [text(d['message']), text(bag(d['tracking_location'])['city'])];
    const status = STATUSES[word] ?? 'note';
    return [{
      eventId: `${code}|${at}|${word}|${text(d['status_detail']) ?? ''}`, waybillNo: code, status, source: word, occurredAt: at, ...(carrier === null ? {} : { carrier }), ...(status === 'delivered' ? { endsReturn: true } : {}),
      ...(description === null ? {} : { description }), ...(city === null ? {} : { city }),
    }];
  });
}
