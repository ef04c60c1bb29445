import type { Method } from '../model.ts';
import { weightedQuantiles } from '../quantile.ts';
import { counted, errorVariance, levelsOf } from './smoothing.ts';

/** What was sold one cycle ago, and the spread of such forecasts so far. Without a cycle: the last period. */
export const seasonalNaive: Method = {
  name: 'seasonal-naive',
  source: 'Hyndman & Athanasopoulos 2021, Forecasting: Principles and Practice, 5.2 and 5.5',
  least: (season) => season + 2,
  predict(units, horizon, season) {
    const errors = units.slice(season).map((n, i) => n - (units[i] ?? 0));
    const spread = weightedQuantiles(errors, errors.map(() => 1));
    return Array.from({ length: horizon }, (_, h) => {
      const cycles = Math.ceil((h + 1) / season);
      const last = units[units.length - season + (h % season)] ?? 0;
      // Errors of several cycles add up as those of a random walk do.
      return { mean: last, quantile: (p) => Math.max(0, last + spread(p) * Math.sqrt(cycles)) };
    });
  },
};

/** Periods by which an index of the season is drawn towards 1: few cycles tell little. */
const DOUBT = 2;

/** Level by exponential smoothing of the series without its season; index of each place of the cycle = its share of sales, drawn towards 1. */
export const seasonalLevel: Method = {
  name: 'seasonal-level',
  source: 'classical multiplicative decomposition: Hyndman & Athanasopoulos 2021, 3.4; level: Brown 1959; shrunk indices: Miller & Williams 2003, Int. J. Forecasting 19',
  least: (season) => (season > 1 ? 2 * season : Infinity),
  predict(units, horizon, season) {
    const mean = units.reduce((sum, n) => sum + n, 0) / units.length;
    const index = Array.from({ length: season }, (_, place) => {
      const there = units.filter((_, i) => i % season === place);
      return mean === 0 ? 1 : (there.reduce((sum, n) => sum + n, 0) / mean + DOUBT) / (there.length + DOUBT);
    });
    const of = (i: number): number => Math.max(0.05, index[i % season] ?? 1);
    const plain = units.map((n, i) => n / of(i));
    const levels = levelsOf(plain, 0.1);
    const variance = errorVariance(units, levels.map((level, i) => level * of(i)), season);
    const level = levels.at(-1) ?? 0;
    // The variance follows the square of the index, as a multiplicative season has it.
    const square = units.reduce((sum, _, i) => sum + of(i) ** 2, 0) / units.length;
    return Array.from({ length: horizon }, (_, h) => counted(level * of(units.length + h), variance * (of(units.length + h) ** 2 / square)));
  },
};
