import { dayAt, offsetMinutes, promise, type PromiseInput } from './promise.ts';

const DAY = 86_400_000;
const MINUTE = 60_000;

/**
 * The day on which a location hands over, at the hour at which carriers deliver, ms since epoch: so the promise, counted in days, and lateness agree. It is told by the clock that the destination has on the promised
 * day: where clocks change in between, an arrival some whole days later is still on the hour of the promise.
 */
export function handOver(at: Omit<PromiseInput, 'transitDays'>, promisedBy: number | null): number {
  const next = promise({ ...at, transitDays: 1 }).deliverBy.getTime();
  const zone = at.arrivesIn ?? at.location.timeZone;
  const moved = promisedBy === null ? 0 : offsetMinutes(zone, next) - offsetMinutes(zone, promisedBy);
  return next - DAY + moved * MINUTE;
}

/** The working day (ISO date of the location's calendar) with whose goods an order of a moment leaves, and the last moment at which orders still do. */
export function handOverDay(location: PromiseInput['location'], at: Date, scheduledFrom: Date | null): { day: string; cutoff: Date } {
  const cutoff = promise({ orderedAt: at, scheduledFrom, location, transitDays: 0 }).shipBy.getTime() - location.handlingMinutes * 60_000;
  return { day: dayAt(location.timeZone, cutoff), cutoff: new Date(cutoff) };
}
