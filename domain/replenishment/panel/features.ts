import { empirical } from '../methods/empirical.ts';
import { counted, errorVariance, levelsOf } from '../methods/smoothing.ts';

/** A series and what goes on around it; all arrays one number a period, of the same length. */
export type PanelSeries = {
  units: readonly number[];
  /** units of the SKU in all other locations */
  elsewhere: readonly number[];
  /** units of its category everywhere */
  category: readonly number[];
  /** share of the SKU's units that sold at a reduced price, 0 where none sold */
  reduced: readonly number[];
  /** mean price paid, 0 where none sold */
  price: readonly number[];
};
/** What is known of a series before period `t`; nothing of `t` or later is read. */
export type Row = { features: number[]; scale: number; start: number[] };

/** Units by which a scale differs from the level, so that a series of zeros has one. */
const FLOOR = 0.2;
const LONG = 0.07;

/** Weighted mean of the periods before `t`, a period counting `alpha` less for each of age. */
function level(x: readonly number[], t: number, alpha: number): number {
  let [sum, weight] = [0, 0];
  for (let u = 0; u < t; u++) {
    sum = sum * (1 - alpha) + (x[u] ?? 0);
    weight = weight * (1 - alpha) + 1;
  }
  return weight === 0 ? 0 : sum / weight;
}

/** The quantiles that trees begin with: those of smoothing (negative binomial), which has a tail, and of the weighted history, which keeps its zeros, averaged. */
function startOf(units: readonly number[], quantiles: readonly number[]): number[] {
  const levels = levelsOf(units, 0.1);
  const law = counted(levels.at(-1) ?? 0, errorVariance(units, levels));
  const [history] = empirical.predict(units, 1, 1);
  return quantiles.map((q) => (law.quantile(q) + (history ?? law).quantile(q)) / 2);
}

/** Describes a series before period `t` ≥ 8, mostly as multiples of its level, so that a large seller teaches about a small one. */
export function rowOf(s: PanelSeries, t: number, quantiles: readonly number[]): Row {
  const x = s.units;
  const past = x.slice(0, t);
  const mean = level(x, t, LONG);
  const scale = mean + FLOOR;
  const start = startOf(past, quantiles);
  const sold = past.filter((n) => n > 0);
  const variance = past.reduce((sum, n) => sum + (n - mean) ** 2, 0) / t;
  let still = 0;
  while (still < t && (x[t - 1 - still] ?? 0) === 0) still++;
  const at = (y: readonly number[], back: number): number => y[t - back] ?? 0;
  const others = level(s.elsewhere, t, 0.05) + 0.5;
  const category = level(s.category, t, 0.05) + 1;
  const reduced = level(s.reduced, t, 0.03);
  const price = level(s.price, t, 0.03) + 0.01;
  return {
    scale, start,
    features: [
      mean, level(x, t, 0.03) / scale, level(x, t, 0.15) / scale, level(x, t, 0.3) / scale,
      ...[1, 2, 3, 4, 5].map((back) => at(x, back) / scale),
      still, 1 - sold.length / t, Math.max(...past) / scale, variance / (mean * mean + 0.1), sold.reduce((sum, n) => sum + n, 0) / (sold.length + 0.5),
      ...[1, 2, 3].map((back) => (at(s.elsewhere, back) + 0.3) / others), (level(s.elsewhere, t, 0.3) + 0.3) / others, others / scale,
      ...[1, 2, 3].map((back) => at(s.reduced, back) - reduced), reduced, at(s.price, 1) / price, at(s.price, 2) / price,
      (at(s.category, 1) + 1) / category, (level(s.category, t, 0.3) + 1) / category,
      ...start.map((q) => q / scale),
    ],
  };
}
