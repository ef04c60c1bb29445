/** When a location that does not pause may be asked again, ms, and how often by itself. */
const AGAIN_MS = 3_600_000;
const MOST_TIMES = 2;

/**
 * From when on a location that gives an order back may be asked for it again; null: never by itself. What was not as the book says (`final`) is so the next time; anything else passes: with its pause, else after an hour. Who has
 * given the order back `before` so often already is left to a person.
 */
export function askAgainAt({ final, pausedUntil, before }: { final: boolean; pausedUntil: Date | null; before: number }, now: Date): Date | null {
  return final || before >= MOST_TIMES ? null : pausedUntil ?? new Date(now.getTime() + AGAIN_MS);
}
