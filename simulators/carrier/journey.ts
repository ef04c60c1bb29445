import { chance, spread } from '../shared/chance.ts';
import { eventCount, timesSeen, type Tracking, type Waybill } from './waybill.ts';

/** How often something goes wrong on the way, each 0–1. */
export interface Mishaps {
  readonly attemptFailed: number;
  readonly exception: number;
  readonly lost: number;
}

const HOUR = 3_600_000;
/** How long it takes until this happens, in simulated time: an estimate of parcel services in China, not a measurement. */
const UNTIL: Partial<Record<Tracking, readonly [number, number]>> = {
  in_transit: [4 * HOUR, 16 * HOUR],
  out_for_delivery: [4 * HOUR, 12 * HOUR],
  delivered: [1 * HOUR, 7 * HOUR],
  attempt_failed: [1 * HOUR, 7 * HOUR],
  exception: [4 * HOUR, 12 * HOUR],
  lost: [24 * HOUR, 72 * HOUR],
  returning: [1 * HOUR, 4 * HOUR],
  returned: [12 * HOUR, 36 * HOUR],
};
const EXPRESS_FACTOR = 0.6;

/** What happens to the parcel next and after how long (ms of simulated time); undefined when nothing does any more. */
export function nextStep(seed: string, mishaps: Mishaps, waybill: Waybill): { status: Tracking; afterMs: number } | undefined {
  const status = nextStatus(seed, mishaps, waybill);
  if (status === undefined) return undefined;
  const [low, high] = UNTIL[status] ?? [0, 0];
  const time = spread(low, high, seed, waybill.no, eventCount(waybill));
  return { status, afterMs: waybill.express ? time * EXPRESS_FACTOR : time };
}

function nextStatus(seed: string, mishaps: Mishaps, waybill: Waybill): Tracking | undefined {
  const roll = (name: string): number => chance(seed, name, waybill.no);
  const turnsRound = waybill.intercept?.answer.outcome === 'accepted';
  switch (waybill.status) {
    case 'picked_up':
      return turnsRound ? 'returning' : 'in_transit';
    case 'in_transit': {
      if (turnsRound) return 'returning';
      const hops = timesSeen(waybill, 'in_transit');
      if (hops === 1 && timesSeen(waybill, 'exception') === 0 && roll('exception') < mishaps.exception) return 'exception';
      if (hops < waybill.hops) return 'in_transit';
      return roll('lost') < mishaps.lost ? 'lost' : 'out_for_delivery';
    }
    case 'exception':
      if (turnsRound) return 'returning';
      return timesSeen(waybill, 'in_transit') < waybill.hops ? 'in_transit' : 'out_for_delivery';
    case 'out_for_delivery': {
      const again = timesSeen(waybill, 'attempt_failed') > 0;
      return !again && roll('attempt failed') < mishaps.attemptFailed ? 'attempt_failed' : 'delivered';
    }
    case 'attempt_failed':
      return turnsRound ? 'returning' : 'out_for_delivery';
    case 'returning':
      return 'returned';
    case 'issued':
    case 'cancelled':
    case 'delivered':
    case 'lost':
    case 'returned':
      return undefined;
  }
}
