import type { Distribution, Method } from '../model.ts';
import { byMoments, quantilesOf } from '../negative-binomial.ts';

const ALPHAS = [0.05, 0.1, 0.2, 0.35] as const;
/** The share by which a squared error counts less with each period of age. */
const FADE = 0.05;
/** Periods before errors are counted: the first level is a guess. */
export const WARM_UP = 4;
/** A series of zeros may still sell: its level is never quite 0, in units a period. */
const FLOOR = 0.02;

/** Level after each period with a start that weighs no more than its periods (bias-corrected weights): `levels[t]` is the forecast of period t. */
export function levelsOf(units: readonly number[], alpha: number): number[] {
  const levels = [0];
  let [sum, weight] = [0, 0];
  for (const n of units) {
    sum = sum * (1 - alpha) + n;
    weight = weight * (1 - alpha) + 1;
    levels.push(sum / weight);
  }
  return levels;
}

/** Mean squared error of one period ahead, fresh errors first. */
export function errorVariance(units: readonly number[], levels: readonly number[], from = WARM_UP): number {
  let [sum, weight] = [0, 0];
  for (let t = Math.min(from, units.length - 1); t < units.length; t++) {
    sum = sum * (1 - FADE) + ((units[t] ?? 0) - (levels[t] ?? 0)) ** 2;
    weight = weight * (1 - FADE) + 1;
  }
  return weight === 0 ? 0 : sum / weight;
}

/** A negative binomial of this mean and variance. */
export function counted(mean: number, variance: number): Distribution {
  const law = byMoments(Math.max(FLOOR, mean), variance);
  return { mean: law.mean, quantile: quantilesOf(law) };
}

/**
 * Level by simple exponential smoothing, law by a negative binomial. α is the one of least squared error so far; the variance h periods ahead is
 * σ²(1 + (h − 1)α²) (Hyndman, Koehler, Ord & Snyder 2008, Forecasting with Exponential Smoothing, 6.3).
 */
export const smoothing: Method = {
  name: 'simple-exponential-smoothing',
  source: 'Brown 1959; Hyndman, Koehler, Ord & Snyder 2008, ch. 6; negative binomial: Snyder, Ord & Beaumont 2012',
  least: () => WARM_UP,
  predict(units, horizon) {
    let best = { variance: Infinity, level: 0, alpha: 0 };
    for (const alpha of ALPHAS) {
      const levels = levelsOf(units, alpha);
      const variance = errorVariance(units, levels);
      if (variance < best.variance) best = { variance, level: levels.at(-1) ?? 0, alpha };
    }
    return Array.from({ length: horizon }, (_, h) => counted(best.level, best.variance * (1 + h * best.alpha ** 2)));
  },
};

/** The same with a level of long memory: what a slow, steady seller needs, where a choice of α by error follows noise. */
export const steady: Method = {
  name: 'steady-level',
  source: 'simple exponential smoothing with α = 0.05; negative binomial: Snyder, Ord & Beaumont 2012',
  least: () => WARM_UP,
  predict(units, horizon) {
    const levels = levelsOf(units, 0.05);
    const next = counted(levels.at(-1) ?? 0, errorVariance(units, levels));
    return Array.from({ length: horizon }, () => next);
  },
};
