import { offsetMinutes } from '../promising/promise.ts';

/** Quiet hours: minutes of the day in a zone, across midnight where `from` is later than `to`; none where they are the same. */
export type QuietHours = { from: number; to: number; timeZone: string };

const DAY = 1_440;

/** The first moment from `at` on that is not quiet (ms since epoch). A clock that is put forward or back moves it by no more than that. */
export function afterQuiet(at: number, { from, to, timeZone }: QuietHours): number {
  const local = Math.floor(at / 60_000) + offsetMinutes(timeZone, at);
  const minute = ((local % DAY) + DAY) % DAY;
  const quiet = from <= to ? minute >= from && minute < to : minute >= from || minute < to;
  if (!quiet) return at;
  return (Math.floor(at / 60_000) + ((to - minute + DAY) % DAY)) * 60_000;
}
