import type { Cleaned, Period } from './model.ts';
import { byMoments, expectedFrom } from './negative-binomial.ts';

/** Rounds of estimation; the level moves by less than a thousandth after. */
const ROUNDS = 6;
/** Promoted and plain periods needed before a ratio is believed, and the weight of «no effect» in it, in periods. */
const LEAST = 2;
const DOUBT = 2;

/**
 * Demand from sales. A period without stock tells only that demand was at least what was sold: its units become E[D | D ≥ sold] under a negative binomial
 * fitted to all periods, in turns (expectation–maximisation for censored demand: Nahmias 1994, Demand estimation in lost sales inventory systems,
 * Naval Research Logistics 41). Promoted periods are brought to the level of plain ones by the ratio of their means, drawn towards 1 by `DOUBT` periods.
 */
export function cleanHistory(history: readonly Period[]): Cleaned {
  const uplift = upliftOf(history);
  const plain = history.map((p) => p.units / (p.promoted ? uplift : 1));
  const censored = history.map((p) => p.stockedOut === true);
  const estimated = censored.filter(Boolean).length;
  const seen = plain.filter((_, i) => !censored[i]);
  if (estimated === 0 || seen.length === 0) return { units: plain, estimated: 0, uplift };
  let law = lawOf(seen);
  let units = plain;
  for (let round = 0; round < ROUNDS; round++) {
    const expected = expectedFrom(law);
    units = plain.map((sold, i) => (censored[i] ? Math.max(sold, expected(Math.ceil(sold - 1e-9))) : sold));
    law = { ...law, mean: units.reduce((sum, n) => sum + n, 0) / units.length };
  }
  return { units, estimated, uplift };
}

function lawOf(units: readonly number[]): ReturnType<typeof byMoments> {
  const mean = units.reduce((sum, n) => sum + n, 0) / units.length;
  const variance = units.reduce((sum, n) => sum + (n - mean) ** 2, 0) / Math.max(1, units.length - 1);
  return byMoments(mean, variance);
}

function upliftOf(history: readonly Period[]): number {
  const of = (promoted: boolean): number[] => history.filter((p) => (p.promoted ?? false) === promoted && !p.stockedOut).map((p) => p.units);
  const [with_, without] = [of(true), of(false)];
  const level = without.reduce((sum, n) => sum + n, 0) / Math.max(1, without.length);
  if (with_.length < LEAST || without.length < LEAST || level === 0) return 1;
  return Math.max(1, (with_.reduce((sum, n) => sum + n, 0) / level + DOUBT) / (with_.length + DOUBT));
}
