import type { Period } from './model.ts';

/** Demand of a business day as the database keeps it (docs/demand.md); `outMinutes`: how long there was nothing to sell. */
export type DayFacts = { day: string; units: number; cancelled: number; returned: number; lost: number; promoted: boolean; outMinutes: number };

const DAY_MS = 86_400_000;
/** A week without stock for so long tells only that demand was at least what was sold; a promotion of a single day does not make a promoted week. */
const OUT_MINUTES = 720;
const PROMOTED_DAYS = 2;

/** The Monday of a day (ISO date). */
export function mondayOf(day: string): string {
  const at = Date.parse(`${day}T00:00:00Z`);
  return new Date(at - ((new Date(at).getUTCDay() + 6) % 7) * DAY_MS).toISOString().slice(0, 10);
}

export function addDays(day: string, days: number): string { return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10); }

/** Units that were wanted on a day: ordered less what was given back, and what was refused; of a day of more returns than sales 0. */
export const wanted = (d: Pick<DayFacts, 'units' | 'cancelled' | 'returned' | 'lost'>): number => Math.max(0, d.units - d.cancelled - d.returned + d.lost);

/** Whole weeks before the Monday `until`, oldest first, from the first one with a day on (at most `most`); weeks without days had no demand. */
export function weeksOf(days: readonly DayFacts[], until: string, most: number): Period[] {
  const first = days.reduce((least, d) => (d.day < least ? d.day : least), until);
  const count = Math.min(most, Math.round((Date.parse(until) - Date.parse(mondayOf(first))) / (7 * DAY_MS)));
  const begin = addDays(until, -7 * count);
  const weeks = Array.from({ length: count }, () => ({ units: 0, out: 0, promoted: 0 }));
  for (const d of days) {
    const week = weeks[Math.floor((Date.parse(d.day) - Date.parse(begin)) / (7 * DAY_MS))];
    if (!week || d.day < begin) continue;
    week.units += wanted(d);
    week.out += d.outMinutes;
    if (d.promoted) week.promoted++;
  }
  return weeks.map((w): Period => ({ units: w.units, ...(w.out >= OUT_MINUTES ? { stockedOut: true } : {}), ...(w.promoted >= PROMOTED_DAYS ? { promoted: true } : {}) }));
}
