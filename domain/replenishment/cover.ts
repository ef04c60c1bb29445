import type { Cleaned } from './model.ts';
import { errorVariance, levelsOf } from './methods/smoothing.ts';
import { byMoments, type NegativeBinomial } from './negative-binomial.ts';

const ALPHA = 0.05;

/** Demand of one period: what it is expected to be, and the variance of a forecast's error. */
export type PeriodDemand = { mean: number; variance: number };

/** What a cleaned history says of the next period: the smoothed level and the variance of its error. */
export function nextPeriod({ units }: Pick<Cleaned, 'units'>): PeriodDemand {
  const levels = levelsOf(units, ALPHA);
  return { mean: Math.max(0, levels.at(-1) ?? 0), variance: errorVariance(units, levels) };
}

/**
 * Demand over several periods: mean L·level; variance σ²·L·(1 + α(L − 1) + α²(L − 1)(2L − 1)/6), because an error of the level repeats in every period of the
 * sum (Johnston & Harrison 1986, The variance of lead-time demand, J. Operational Research Society 37), plus mean²·variance of the lead time where that is not certain
 * (Silver, Pyke & Thomas 2017, 6.10). `periods` may be a fraction: 4 days are 4/7 of a week.
 */
export function lawOver({ mean, variance }: PeriodDemand, periods: number, leadVariance = 0): NegativeBinomial {
  const long = Math.max(0, periods - 1);
  const grown = variance * periods * (1 + ALPHA * long + (ALPHA * ALPHA * long * (2 * periods - 1)) / 6);
  return byMoments(mean * periods, grown + leadVariance * mean * mean);
}

/** The same, straight from a cleaned history. */
export const demandOver = (cleaned: Pick<Cleaned, 'units'>, periods: number, leadVariance = 0): NegativeBinomial => lawOver(nextPeriod(cleaned), periods, leadVariance);
