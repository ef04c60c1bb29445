/** What a counted line turned out to be. */
export type LineClass = 'match' | 'timing' | 'in_flight' | 'unit_of_measure' | 'unknown_sku' | 'superseded' | 'loss' | 'gain';
export type LineAction = 'none' | 'adjust' | 'recount';

/** Units that came (positive) or left (negative) by one command; `at`: ms since epoch. */
export type Flow = { at: number; units: number };

export type LineFacts = {
  /** units, in the SKU's base unit */
  counted: number;
  /** on hand now, in all allotments; incoming stock is not among it */
  onHand: number;
  /** movements from `windowMs` before the count until now, but not the corrections of earlier counts: these are as old as those counts */
  flows: readonly Flow[];
  /** packed for orders and not issued yet: in the book, perhaps no longer on the shelf */
  packed: number;
  /** base units of one other unit in which the SKU is counted */
  factors: readonly number[];
  /** whether the SKU is known */
  known: boolean;
  /** whether the same was counted later already */
  superseded: boolean;
};

export type Verdict = { class: LineClass; expected: number; variance: number };

/**
 * Compares one counted line with the book as of the count: expected = on hand now − what moved after the count. Then why they differ, the surest reason first:
 * `timing`: the book came to just this figure later, by movements after the count (or by one of them), so they were booked late or the clock was fast;
 * `unit_of_measure`: the figure times or through a known factor is what was expected; `in_flight`: units that moved within the window around the count, or
 * stand packed, may be in the figure or not, and are enough to explain it; else `loss` or `gain`.
 * @param takenAt ms since epoch
 */
export function classify(facts: LineFacts, takenAt: number, windowMs: number): Verdict {
  if (!facts.known) return { class: 'unknown_sku', expected: 0, variance: facts.counted };
  const after = facts.flows.filter((f) => f.at > takenAt).sort((a, b) => a.at - b.at);
  const expected = facts.onHand - after.reduce((sum, f) => sum + f.units, 0);
  const variance = facts.counted - expected;
  const verdict = (reason: LineClass): Verdict => ({ class: reason, expected, variance });
  if (facts.superseded) return verdict('superseded');
  if (variance === 0) return verdict('match');
  let sum = 0;
  if (after.some((f) => f.units === variance || (sum += f.units) === variance)) return verdict('timing');
  if (isOtherUnit(facts.counted, expected, facts.factors)) return verdict('unit_of_measure');
  let least = -facts.packed;
  let most = 0;
  for (const { at, units } of facts.flows) {
    if (Math.abs(at - takenAt) > windowMs) continue;
    // Booked before the count, but it counted without them; or booked after it, but it counted with them.
    const change = at > takenAt ? units : -units;
    if (change < 0) least += change;
    else most += change;
  }
  if (variance >= least && variance <= most) return verdict('in_flight');
  return verdict(variance < 0 ? 'loss' : 'gain');
}

function isOtherUnit(counted: number, expected: number, factors: readonly number[]): boolean {
  if (counted === 0 || expected <= 0) return false;
  return factors.some((f) => f > 1 && (counted * f === expected || counted === expected * f));
}

/** `units` or `percent` (of the expected units) may differ without anybody counting again. */
export type Tolerance = { units: number; percent: number };

export function withinTolerance(variance: number, expected: number, tolerance: Tolerance): boolean {
  return Math.abs(variance) <= Math.max(tolerance.units, (Math.max(0, expected) * tolerance.percent) / 100);
}

/**
 * What is done about a line. A loss or gain is booked inside the tolerance, or when an earlier count found the same difference (`open`: the variance for which a
 * recount is asked), up to the tolerance; otherwise it is to be counted again, as when it cannot be booked (`bookable`: the units are not there to be lost, or
 * nobody knows in which lot they are). The other classes change nothing.
 */
export function actionFor(verdict: Verdict, tolerance: Tolerance, open: number | null, bookable: boolean): LineAction {
  if (verdict.class !== 'loss' && verdict.class !== 'gain') return 'none';
  if (!bookable) return 'recount';
  if (withinTolerance(verdict.variance, verdict.expected, tolerance)) return 'adjust';
  return open !== null && withinTolerance(verdict.variance - open, verdict.expected, tolerance) ? 'adjust' : 'recount';
}
