import { cleanHistory } from './clean.ts';
import { METHODS } from './methods/registry.ts';
import type { Distribution, Forecast, ForecastOptions, Method, Pattern, Period } from './model.ts';
import { pinball } from './quantile.ts';

/** Fewest periods that a forecast is made from. */
export const LEAST_PERIODS = 4;
/** Past moments at which the methods are tried, at most, and periods a method may learn from before the first of them. */
const ORIGINS = 12;
const LEARN = 8;

/**
 * Demand of the coming periods as quantiles, by the method whose forecasts of one period ahead would have cost least at the last 12 moments (rolling origin:
 * Tashman 2000, Out-of-sample tests of forecasting accuracy, Int. J. Forecasting 16; cost: pinball loss, mean over the quantiles). Every trial sees only what lies
 * before its moment; the first method of the registry is the standard that others must beat by a standard error. A series too short for a trial gets the first method that fits, `backtest.origins` 0.
 *
 * The history holds at least 4 periods (`checkSeries` tells clients). Quantiles never cross and are never negative.
 */
export function forecast(history: readonly Period[], options: ForecastOptions): Forecast {
  const { horizon, quantiles, season = 1 } = options;
  const { units, estimated, uplift } = cleanHistory(history);
  const { chosen, origins, losses } = choose(units, quantiles, season);
  const periods = chosen.predict(units, horizon, season).map((law, h) => told(law, quantiles, options.promoted?.[h] === true ? uplift : 1));
  return {
    method: chosen.name, source: chosen.source, pattern: patternOf(units), estimated, uplift, periods,
    backtest: { origins, loss: losses.get(chosen) ?? 0, methods: [...losses].map(([m, loss]) => ({ method: m.name, loss })) },
  };
}

function choose(units: readonly number[], quantiles: readonly number[], season: number): { chosen: Method; origins: number; losses: Map<Method, number> } {
  const fit = METHODS.filter((m) => m.least(season) <= units.length);
  const first = Math.max(LEARN, units.length - ORIGINS);
  const origins = Math.max(0, units.length - first);
  // A method that could not have forecast at the first moment has no comparable record.
  const tried = (origins === 0 ? [] : fit.filter((m) => m.least(season) <= first)).map((method) => ({ method, each: lossesOf(method, units, first, quantiles, season) }));
  const fallback = fit[0] ?? METHODS[0];
  if (fallback === undefined) throw new Error('no method of forecasting is registered');
  const [standard] = tried;
  let chosen = { method: fallback, score: Infinity };
  for (const t of tried) {
    const score = standard === undefined || t === standard ? mean(t.each) : mean(t.each) + doubt(t.each, standard.each);
    if (score < chosen.score - 1e-12) chosen = { method: t.method, score };
  }
  return { chosen: chosen.method, origins: tried.length === 0 ? 0 : origins, losses: new Map(tried.map((t) => [t.method, mean(t.each)] as const)) };
}

const mean = (values: readonly number[]): number => values.reduce((sum, n) => sum + n, 0) / Math.max(1, values.length);

/**
 * One standard error of the mean difference of two records. A rival must beat the standard method by that much, or the luck of a few periods chooses
 * (the one-standard-error rule: Breiman, Friedman, Olshen & Stone 1984, Classification and Regression Trees, 3.4.3).
 */
function doubt(one: readonly number[], other: readonly number[]): number {
  const differences = one.map((n, i) => n - (other[i] ?? 0));
  const middle = mean(differences);
  return Math.sqrt(mean(differences.map((d) => (d - middle) ** 2)) / Math.max(1, differences.length - 1));
}

/** Pinball loss of a method, one period ahead from each moment after `first`, mean over the quantiles. */
function lossesOf(method: Method, units: readonly number[], first: number, quantiles: readonly number[], season: number): number[] {
  return units.slice(first).map((truth, i) => {
    const [next] = method.predict(units.slice(0, first + i), 1, season);
    if (!next) throw new Error(`${method.name} forecasts nothing`);
    return mean(quantiles.map((q) => pinball(truth, q, Math.max(0, next.quantile(q)))));
  });
}

function told(law: Distribution, quantiles: readonly number[], factor: number): { mean: number; quantiles: number[] } {
  let least = 0;
  return {
    mean: law.mean * factor,
    quantiles: quantiles.map((q) => (least = Math.max(least, law.quantile(q) * factor))),
  };
}

/** By mean interval between demands (1.32) and squared variation of their size (0.49): Syntetos, Boylan & Croston 2005, J. Operational Research Society 56. */
export function patternOf(units: readonly number[]): Pattern {
  const sold = units.filter((n) => n > 0);
  if (sold.length === 0) return 'none';
  const mean = sold.reduce((sum, n) => sum + n, 0) / sold.length;
  const variation = sold.reduce((sum, n) => sum + (n - mean) ** 2, 0) / sold.length / (mean * mean);
  const seldom = units.length / sold.length >= 1.32;
  if (variation >= 0.49) return seldom ? 'lumpy' : 'erratic';
  return seldom ? 'intermittent' : 'smooth';
}
