import { cleanHistory } from './clean.ts';
import { nextPeriod } from './cover.ts';
import { forecast, LEAST_PERIODS } from './forecast.ts';
import type { Forecast, Period } from './model.ts';
import { quantileOf } from './negative-binomial.ts';
import { Panel } from './panel/forecast-panel.ts';
import type { PanelSeries } from './panel/features.ts';
import { pinball } from './quantile.ts';

export const QUANTILES = [0.1, 0.25, 0.5, 0.75, 0.9, 0.95] as const;
/** Weeks ahead. */
const HORIZON = 4;
/** A panel of fewer series, or with a shorter past, teaches nothing. */
const LEAST_SERIES = 100;
const LEAST_WEEKS = 26;
/** Past weeks at which the panel is tried; each is a training of its own. */
const TRIALS = 2;

/** Weeks of a SKU at a location, oldest first, all series of the same last week. `around`: the same weeks elsewhere. */
export type WeeklySeries = { periods: Period[]; around: Omit<PanelSeries, 'units'> | null };
/** `variance` of the first week's error. */
export type WeeklyForecast = Omit<Forecast, 'periods'> & { mean: number; variance: number; weeks: { mean: number; quantiles: number[] }[] };

/**
 * Forecasts of many series: each by the method that its own past prefers; all by the panel where they are enough, old enough, and the panel's quantiles of the last weeks (learned
 * from what lay before them) have cost less. Null for a series
 * that was never in stock.
 */
export function forecastWeeks(series: readonly WeeklySeries[], panel = true): (WeeklyForecast | null)[] {
  const single = series.map(({ periods }) => one(periods));
  const joined = panel ? panelOf(series, single) : null;
  if (!joined) return single;
  return single.map((f, i): WeeklyForecast | null => {
    const quantiles = joined.quantiles.get(i);
    if (!f || !quantiles) return f;
    const mean = meanOf(quantiles);
    return {
      ...f, method: 'panel', source: 'boosted trees over all series: Friedman 2001; Makridakis, Spiliotis & Assimakopoulos 2022, The M5 uncertainty competition, Int. J. Forecasting 38', mean,
      weeks: [{ mean, quantiles }, ...f.weeks.slice(1)], backtest: { ...f.backtest, loss: joined.loss, methods: [{ method: 'panel (all series)', loss: joined.loss }, { method: 'single series (all series)', loss: joined.rival }, ...f.backtest.methods] },
    };
  });
}

function one(periods: readonly Period[]): WeeklyForecast | null {
  if (periods.length === 0 || periods.every((p) => p.stockedOut === true)) return null;
  if (periods.length < LEAST_PERIODS) return firstWeeks(periods);
  const { periods: weeks, ...told } = forecast(periods, { horizon: HORIZON, quantiles: QUANTILES });
  const law = nextPeriod(cleanHistory(periods));
  return { ...told, mean: weeks[0]?.mean ?? law.mean, variance: law.variance, weeks };
}

/** A SKU that is new there: the mean of its first weeks, and a law as wide as a geometric one. */
function firstWeeks(periods: readonly Period[]): WeeklyForecast {
  const { units, estimated } = cleanHistory(periods);
  const mean = units.reduce((sum, n) => sum + n, 0) / units.length;
  const law = { mean, dispersion: 1 };
  const weeks = Array.from({ length: HORIZON }, () => ({ mean, quantiles: QUANTILES.map((q) => (mean > 0 ? quantileOf(law, q) : 0)) }));
  return { method: 'first-weeks', source: 'mean of less than four weeks, geometric law', pattern: 'none', backtest: { origins: 0, loss: 0, methods: [] }, estimated, uplift: 1, mean, variance: mean + mean * mean, weeks };
}

function panelOf(series: readonly WeeklySeries[], single: readonly (WeeklyForecast | null)[]): { quantiles: Map<number, number[]>; loss: number; rival: number } | null {
  const members = series.flatMap((s, i) => (single[i] && s.around && s.periods.length >= LEAST_WEEKS ? [i] : []));
  if (members.length < LEAST_SERIES) return null;
  const length = members.reduce((most, i) => Math.max(most, series[i]?.periods.length ?? 0), 0);
  const padded = (x: readonly number[]): number[] => [...Array.from({ length: Math.max(0, length - x.length) }, () => 0), ...x];
  const panel = new Panel(members.map((i): PanelSeries => {
    const { periods, around } = series[i] as WeeklySeries & { around: Omit<PanelSeries, 'units'> };
    return { units: padded(cleanHistory(periods).units), elsewhere: padded(around.elsewhere), category: padded(around.category), reduced: padded(around.reduced), price: padded(around.price) };
  }), [...QUANTILES]);
  const sums = { panel: 0, single: 0, cells: 0 };
  for (let back = TRIALS; back >= 1; back--) {
    const ahead = panel.forecast(length - back);
    members.forEach((i, k) => {
      const { periods } = series[i] as WeeklySeries;
      const truth = periods[periods.length - back];
      const rival = truth?.stockedOut === true ? null : one(periods.slice(0, periods.length - back));
      if (!truth || !rival) return;
      QUANTILES.forEach((q, j) => {
        sums.panel += pinball(truth.units, q, ahead[k]?.[j] ?? 0);
        sums.single += pinball(truth.units, q, rival.weeks[0]?.quantiles[j] ?? 0);
        sums.cells++;
      });
    });
  }
  if (sums.cells === 0 || sums.panel >= sums.single) return null;
  const next = panel.forecast(length);
  return { quantiles: new Map(members.map((i, k) => [i, next[k] ?? []])), loss: sums.panel / sums.cells, rival: sums.single / sums.cells };
}

/** The mean of a law by its quantiles: straight between them, 0 below the first, the last step once more above the last. */
function meanOf(quantiles: readonly number[]): number {
  let sum = 0;
  let [p, x] = [0, 0];
  QUANTILES.forEach((q, j) => {
    const next = Math.max(x, quantiles[j] ?? x);
    sum += ((x + next) / 2) * (q - p);
    [p, x] = [q, next];
  });
  const step = x - (quantiles[QUANTILES.length - 2] ?? x);
  return sum + (1 - p) * (x + step);
}
