import type { Method } from '../model.ts';
import { weightedQuantiles } from '../quantile.ts';

const FADE = 0.05;

/** Quantiles of what was sold, a period counting 5 % less for each period of age. Knows no shape, so it serves what no law fits. */
export const empirical: Method = {
  name: 'weighted-empirical',
  source: 'exponentially weighted quantiles: Taylor 2007, Forecasting daily supermarket sales using exponentially weighted quantile regression, EJOR 178',
  least: () => 4,
  predict(units, horizon) {
    const weights = units.map((_, i) => (1 - FADE) ** (units.length - 1 - i));
    const quantile = weightedQuantiles(units, weights);
    const mean = units.reduce((sum, n, i) => sum + n * (weights[i] ?? 0), 0) / weights.reduce((sum, w) => sum + w, 0);
    return Array.from({ length: horizon }, () => ({ mean, quantile }));
  },
};
