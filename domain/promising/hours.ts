import { offsetMinutes, toInstant, worksOn, type PromiseInput } from './promise.ts';

/** Minutes after local midnight of a work day; a close beyond 1440 is after midnight. */
export type Hours = { openMinutes: number; closeMinutes: number };

const MINUTE = 60_000;
const DAY = 86_400_000;
const MOST_DAYS = 1_000;

/** Hours of a location that has not said any: houses work around the clock, shops and partners do not. */
export function usualHours(kind: string): Hours {
  return kind === 'warehouse' || kind === 'third_party' ? { openMinutes: 0, closeMinutes: 1_440 } : { openMinutes: 540, closeMinutes: 1_260 };
}

/** The moment at which a location has been open for `ms` since `from`: only then has it had its time. One that is closed for years is given it as if it were open. */
export function afterOpen(location: Hours & Pick<PromiseInput['location'], 'timeZone' | 'workDays' | 'closedDays'>, from: Date, ms: number): Date {
  const { timeZone, openMinutes, closeMinutes } = location;
  const start = from.getTime();
  // The day before may still be open.
  const first = Math.floor((start + offsetMinutes(timeZone, start) * MINUTE) / DAY) * DAY - DAY;
  let [rest, until] = [ms, start];
  for (let i = 0; i < MOST_DAYS; i++) {
    const day = first + i * DAY;
    if (!worksOn(location, day)) continue;
    const begin = Math.max(until, toInstant(timeZone, day + openMinutes * MINUTE));
    until = Math.max(until, toInstant(timeZone, day + closeMinutes * MINUTE));
    if (rest <= until - begin) return new Date(begin + rest);
    rest -= Math.max(0, until - begin);
  }
  return new Date(start + ms);
}
