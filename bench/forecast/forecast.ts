import { forecast as forecastOne } from '../../domain/replenishment/forecast.ts';
import { Panel } from '../../domain/replenishment/panel/forecast-panel.ts';
import { pinball } from '../../domain/replenishment/quantile.ts';
import { calibrateNode } from '../support/calibrate-node.ts';
import { JOURNEY, readSales, topPairs, type Pair, type SalesLines } from '../support/journey-sales.ts';
import { panelSeries } from './panel-series.ts';

const QUANTILES = [0.1, 0.25, 0.5, 0.75, 0.9, 0.95];
const [FIRST_ORIGIN, LAST_ORIGIN] = [31, 38];
const PAIRS = 2000;
const round = (n: number): number => Math.round(n * 10_000) / 10_000;

/** The pairs, and, where they were chosen before the end of the set, those that were best at earlier moments, for the panel to learn from. Its period u is week u + 2. */
function panelOf(sales: SalesLines, pairs: readonly Pair[], directory: string, chosenBy: number): Panel {
  if (chosenBy === sales.weeks) return new Panel(panelSeries(sales, pairs, directory), QUANTILES);
  const key = (p: Pair): string => `${p.store} ${p.product}`;
  const best = Array.from({ length: LAST_ORIGIN + 1 }, (_, week) => (week < 14 ? [] : topPairs(sales, PAIRS, week)));
  const all = [...new Map([...pairs, ...best.flat()].map((p) => [key(p), p] as const)).values()]; // the scored pairs stay first
  const place = new Map(all.map((p, i) => [key(p), i]));
  return new Panel(panelSeries(sales, all, directory), QUANTILES, (u) => best[u + 1]!.map((p) => place.get(key(p))!));
}

/** A quantile of sorted numbers with interpolation between neighbours. */
function between(sorted: readonly number[], q: number): number {
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)]!;
  return low + (at - Math.floor(at)) * ((sorted[Math.floor(at) + 1] ?? low) - low);
}
const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);

/** Last week plus the quantiles of past differences, not below 0. The first week of the set has one day; a store's own history begins with it all the same. */
function naive(weeks: readonly number[]): number[] {
  const steps = sorted(weeks.slice(1).map((n, i) => n - weeks[i]!));
  return QUANTILES.map((q) => Math.max(0, weeks.at(-1)! + between(steps, q)));
}
const empirical26 = (weeks: readonly number[]): number[] => {
  const last = sorted(weeks.slice(-26));
  return QUANTILES.map((q) => between(last, q));
};

/**
 * One week ahead on real baskets: the panel forecast, the best method by back-test of each single series, and two rules of thumb; mean pinball loss.
 * Arguments: the folder of the set; a week (the set's last, unless said) up to which the pairs are chosen. Everything that is fitted sees the weeks up to the origin only.
 * With an earlier week the panel learns each past week from the pairs that a choice before that week would have made.
 */
export async function forecast(args: string[]): Promise<Record<string, unknown>> {
  const calibration = calibrateNode();
  const directory = args[0] ?? JOURNEY;
  const started = performance.now();
  const sales = readSales(directory);
  const chosenBy = Number(args[1] ?? sales.weeks);
  const pairs = topPairs(sales, PAIRS, chosenBy);
  console.log(`${sales.count} lines of 1–100 units in ${sales.weeks} weeks; ${pairs.length} pairs of ${pairs.at(-1)!.total}–${pairs[0]!.total} units`);
  const panel = panelOf(sales, pairs, directory, chosenBy);
  const losses = { naive: 0, empirical: 0, single: 0, panel: 0 };
  const chosen = new Map<string, number>();
  const below = QUANTILES.map(() => 0);
  const perQuantile = QUANTILES.map(() => 0);
  let cells = 0;
  for (let origin = FIRST_ORIGIN; origin <= LAST_ORIGIN; origin++) {
    const before = { ...losses };
    const ahead = panel.forecast(origin - 1); // its period 0 is week 2
    pairs.forEach((pair, i) => {
      const past = [...pair.weekly.slice(1, origin + 1)];
      const truth = pair.weekly[origin + 1]!;
      const one = forecastOne(past.slice(1).map((units) => ({ units })), { horizon: 1, quantiles: QUANTILES });
      chosen.set(one.method, (chosen.get(one.method) ?? 0) + 1);
      const rival = [naive(past), empirical26(past)];
      QUANTILES.forEach((q, j) => {
        losses.naive += pinball(truth, q, rival[0]![j]!);
        losses.empirical += pinball(truth, q, rival[1]![j]!);
        losses.single += pinball(truth, q, one.periods[0]!.quantiles[j]!);
        losses.panel += pinball(truth, q, ahead[i]![j]!);
        perQuantile[j] = perQuantile[j]! + pinball(truth, q, ahead[i]![j]!);
        if (truth <= ahead[i]![j]!) below[j] = below[j]! + 1;
        cells++;
      });
    });
    const week = (key: keyof typeof losses): string => ((losses[key] - before[key]) / pairs.length / QUANTILES.length).toFixed(4);
    console.log(`from week ${origin}: naive ${week('naive')}, last 26 weeks ${week('empirical')}, single series ${week('single')}, panel ${week('panel')}`);
  }
  console.log(`chosen for single series: ${[...chosen].sort((a, b) => b[1] - a[1]).map(([name, n]) => `${name} ${n}`).join(', ')}`);
  console.log(`pinball loss of the panel: ${QUANTILES.map((q, j) => `${q}: ${((perQuantile[j]! * QUANTILES.length) / cells).toFixed(3)}`).join(', ')}`);
  console.log(`share of weeks at or below the panel's quantile: ${QUANTILES.map((q, j) => `${q}: ${((below[j]! * QUANTILES.length) / cells).toFixed(3)}`).join(', ')}`);
  const mean = { naive: losses.naive / cells, empirical: losses.empirical / cells, single: losses.single / cells, panel: losses.panel / cells };
  return {
    bench: 'forecast', pairs: pairs.length, chosenByWeek: chosenBy, origins: LAST_ORIGIN - FIRST_ORIGIN + 1, pinball: round(mean.panel), pinballNaive: round(mean.naive), pinballEmpirical: round(mean.empirical), pinballSingleSeries: round(mean.single),
    pinballRatioNaive: round(mean.panel / mean.naive), pinballRatioEmpirical: round(mean.panel / mean.empirical), singleRatioNaive: round(mean.single / mean.naive), singleRatioEmpirical: round(mean.single / mean.empirical),
    seconds: Math.round((performance.now() - started) / 1000), calibration,
  };
}
