import { marginalLevel } from '../../domain/replenishment/stock-level.ts';
import { quantileOf } from '../../domain/replenishment/negative-binomial.ts';
import { byMoments } from '../../domain/replenishment/negative-binomial.ts';
import { DailyPanel } from '../../domain/replenishment/panel/daily.ts';
import { calibrateNode } from '../support/calibrate-node.ts';
import { JOURNEY, readSales, topPairs, weekStart, type Pair, type SalesLines } from '../support/journey-sales.ts';
import { simulate, stockAt, type Ground, type Outcome } from './simulate.ts';

const [FIRST_WEEK, LAST_WEEK] = [27, 39];
const LEAD = 3;
const REVIEW = 1;
const FACTORS = [2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 18, 22, 27, 33, 40, 50, 60];
const SHARES = [0.6, 0.7, 0.8, 0.85, 0.9, 0.92, 0.94, 0.96, 0.97, 0.98, 0.985, 0.99, 0.995];
const PRICES = [0.1, 0.07, 0.05, 0.04, 0.03, 0.025, 0.02, 0.015, 0.012, 0.01, 0.008, 0.006, 0.0045, 0.0035, 0.0025, 0.002];
const round = (n: number): number => Math.round(n * 1000) / 1000;

/**
 * Stock that three rules need for the same fill rate, on real daily demand with lost sales: c × the mean of the last 28 days, a plain negative-binomial base stock,
 * and levels that equalise the marginal sales of a unit of stock over the panel. Arguments: the folder of the set.
 */
export async function replenishment(args: string[]): Promise<Record<string, unknown>> {
  const calibration = calibrateNode();
  const started = performance.now();
  const sales = readSales(args[0] ?? JOURNEY);
  const pairs = topPairs(sales, 2000);
  const ground: Ground = { demand: pairs.map((p) => p.daily), from: weekStart(FIRST_WEEK), to: weekStart(LAST_WEEK + 1), lead: LEAD };
  const means = pairs.map((p) => movingMean(p.daily, ground));
  const rule = FACTORS.map((c) => simulate(ground, (i, day) => c * means[i]![day - ground.from]!));
  const plain = basedOnLaw(pairs, ground);
  const ours = marginal(pairs, sales, ground);
  console.log('fill rate and mean stock of a pair');
  show(`c × mean of the last 28 days, c = ${FACTORS.join(' ')}`, rule);
  show('negative-binomial base stock, plain', plain);
  show('marginal levels of the panel', ours);
  const ratio = (curve: readonly Outcome[], fill: number): number => round(stockAt(curve, fill) / stockAt(rule, fill));
  for (const fill of [0.8, 0.85, 0.9, 0.925, 0.95]) {
    console.log(`at ${fill}: rule ${stockAt(rule, fill).toFixed(2)}, plain ${stockAt(plain, fill).toFixed(2)} (${ratio(plain, fill)}), panel ${stockAt(ours, fill).toFixed(2)} (${ratio(ours, fill)})`);
  }
  return {
    bench: 'replenishment', pairs: pairs.length, days: ground.to - ground.from, stockRatio90: ratio(ours, 0.9), stockRatio95: ratio(ours, 0.95), plainRatio90: ratio(plain, 0.9), plainRatio95: ratio(plain, 0.95),
    seconds: Math.round((performance.now() - started) / 1000), calibration,
  };
}

function show(name: string, curve: readonly Outcome[]): void {
  console.log(`${name}\n  ${curve.map((o) => `${o.fill.toFixed(3)} ${o.stock.toFixed(2)}`).join(' | ')}`);
}

/** Mean of the 28 days before each simulated day. */
function movingMean(daily: ArrayLike<number>, { from, to }: Ground): number[] {
  return Array.from({ length: to - from }, (_, d) => {
    let sum = 0;
    for (let t = from + d - 28; t < from + d; t++) sum += daily[t]!;
    return sum / 28;
  });
}

/** The trial's rival: mean and variance of the past, smoothed; the quantile of demand over lead time + review. */
function basedOnLaw(pairs: readonly Pair[], ground: Ground): Outcome[] {
  const cover = LEAD + REVIEW;
  const levels = SHARES.map(() => pairs.map(() => new Int16Array(ground.to - ground.from)));
  pairs.forEach((pair, i) => {
    let [sum, square, weight] = [0, 0, 0];
    for (let t = 0; t < ground.to; t++) {
      if (t >= ground.from) {
        const mean = Math.max(0.01, sum / weight);
        const law = byMoments(cover * mean, cover * Math.max(mean, square / weight - mean * mean));
        SHARES.forEach((share, k) => { levels[k]![i]![t - ground.from] = quantileOf(law, share); });
      }
      const units = pair.daily[t]!;
      [sum, square, weight] = [sum * 0.98 + units, square * 0.98 + units * units, weight * 0.98 + 1];
    }
  });
  return levels.map((level) => simulate(ground, (i, day) => level[i]![day - ground.from]!));
}

function marginal(pairs: readonly Pair[], sales: SalesLines, ground: Ground): Outcome[] {
  const chains = new Map(pairs.map((p) => [p.product, new Float64Array(ground.to)]));
  for (let i = 0; i < sales.count; i++) {
    const chain = chains.get(sales.product[i]!);
    const day = sales.day[i]!;
    if (chain && day < ground.to) chain[day] = chain[day]! + sales.quantity[i]!;
  }
  // Day 0 is a Sunday, weeks begin on Monday.
  const panel = new DailyPanel(pairs.map((p) => ({ units: p.daily, chain: chains.get(p.product)! })), { known: ground.from, days: ground.to, cover: LEAD + REVIEW, dayOfWeek: 6 });
  const levels = PRICES.map(() => pairs.map(() => new Int16Array(ground.to - ground.from)));
  pairs.forEach((_, i) => {
    for (let day = ground.from; day < ground.to; day++) {
      const { lead, all } = panel.cover(i, day, LEAD, REVIEW);
      PRICES.forEach((price, k) => { levels[k]![i]![day - ground.from] = marginalLevel(lead, all, price); });
    }
  });
  return levels.map((level) => simulate(ground, (i, day) => level[i]![day - ground.from]!));
}
