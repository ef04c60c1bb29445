import { createHash } from 'node:crypto';
import { MILESTONES, type TrackingStatus } from '../../domain/order/milestone.ts';
import type { Account, CarrierEvent } from '../carrier.ts';
import { bag, chinaTime, inverse, list, text, textMap, type Bag } from '../read.ts';

/** States (H but for 8: GK) and sub-codes (L): protocols.md B4. */
const CODES: Readonly<Record<string, TrackingStatus>> = {
  0: 'in_transit', 1: 'picked_up', 2: 'exception', 3: 'delivered', 4: 'returned', 5: 'out_for_delivery', 6: 'returning', 7: 'in_transit', 8: 'customs', 10: 'customs', 11: 'customs', 12: 'customs', 13: 'customs', 14: 'attempt_failed',
  101: 'note', 102: 'note', 103: 'picked_up', 1001: 'in_transit', 1002: 'in_transit', 1003: 'in_transit', 501: 'ready_for_pickup', 301: 'delivered', 302: 'delivered', 303: 'delivered', 304: 'delivered',
};

function meaning(account: Account, code: string): TrackingStatus {
  const own = textMap(account.settings['codes'])[code];
  if (own !== undefined) return MILESTONES.find((m) => m === own) ?? 'note';
  return CODES[code] ?? (code.length === 3 && code.startsWith('4') ? 'exception' : 'note');
}

/** The parcel's history out of `lastResult` or an answer. Where an entry has no code of its own, the newest one has the parcel's state, and the others move nothing. */
export function eventsOf(account: Account, result: Bag): CarrierEvent[] {
  const nu = text(result['nu']);
  if (nu === null) return [];
  const carrier = inverse(textMap(account.settings['carriers']), text(result['com']));
  const state = text(result['state']);
  return list(result['data']).map(bag).flatMap((entry, i): CarrierEvent[] => {
    const at = chinaTime(entry['ftime']) ?? chinaTime(entry['time']);
    const context = text(entry['context']) ?? '';
    const code = text(entry['statusCode']) ?? (i === 0 ? state : null);
    if (at === null) return [];
    const city = text(entry['areaName']) ?? text(entry['location']);
    return [{
      eventId: `${nu}|${at}|${createHash('sha1').update(context).digest('base64url').slice(0, 12)}`, waybillNo: nu, occurredAt: at, status: code === null ? 'note' : meaning(account, code), description: context,
      ...(code === null ? {} : { source: code }), ...(carrier === null ? {} : { carrier }), ...(city === null ? {} : { city }),
    }];
  });
}
