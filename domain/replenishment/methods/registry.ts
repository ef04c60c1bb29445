import type { Distribution, Method } from '../model.ts';
import { empirical } from './empirical.ts';
import { croston, sba, tsb } from './intermittent.ts';
import { seasonalLevel, seasonalNaive } from './seasonal.ts';
import { smoothing, steady } from './smoothing.ts';

/** The mean of the quantiles of two: seldom the best, hardly ever bad. */
const ensemble: Method = {
  name: 'ensemble',
  source: 'quantiles of steady-level and weighted-empirical averaged: Lichtendahl, Grushka-Cockayne & Winkler 2013, Is it better to average probabilities or quantiles?, Management Science 59',
  least: (season) => Math.max(steady.least(season), empirical.least(season)),
  predict(units, horizon, season) {
    const [one, other] = [steady.predict(units, horizon, season), empirical.predict(units, horizon, season)];
    return one.map((a, h): Distribution => {
      const b = other[h] ?? a;
      return { mean: (a.mean + b.mean) / 2, quantile: (p) => (a.quantile(p) + b.quantile(p)) / 2 };
    });
  },
};

/** All methods that a back-test chooses from; the first is the standard that the others must beat. */
export const METHODS: readonly Method[] = [ensemble, steady, smoothing, empirical, seasonalLevel, tsb, sba, croston, seasonalNaive];
