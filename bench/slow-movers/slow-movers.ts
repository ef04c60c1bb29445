import { AHEAD_WEEKS, LEAST_UNITS, LEVEL_WEEKS, levelUnits, shareAhead, SLOW_SHARE } from '../../domain/slow-movers/features.ts';
import { moneyAtRisk } from '../../domain/slow-movers/figures.ts';
import { learnOutlook, slowChance } from '../../domain/slow-movers/outlook.ts';
import { calibrateNode } from '../support/calibrate-node.ts';
import { JOURNEY, readSales, weekStart } from '../support/journey-sales.ts';
import { weeklySales, type SkuSales } from './weekly.ts';

const ORIGINS = [28, 31, 35];
const TOP = 20;
const round = (n: number): number => Math.round(n * 10_000) / 10_000;
type Scored = { slow: boolean; flagged: boolean; rule: boolean; chance: number; money: number };

/**
 * Are slow-downs foretold? Real sales, SKUs with 24 units or more in 12 weeks, seen after weeks 28, 31 and 35; a slow-down: the next 4 weeks sell 60 % or less of the
 * 12-week mean. The chances and their threshold are learned from what was over before each origin; the rival is the bare rule «30 days down 40 % on the 30 before».
 * Money at risk: as the product has it, with a stock of 4 weeks of the level and a season that ends after 4 weeks, because the set has neither. Arguments: the folder of the set.
 */
export async function slowMovers(args: string[]): Promise<Record<string, unknown>> {
  const calibration = calibrateNode();
  const directory = args[0] ?? JOURNEY;
  const started = performance.now();
  const skus = weeklySales(readSales(directory), directory);
  const all: Scored[] = [];
  const perOrigin = ORIGINS.map((origin) => {
    const scored = scoreAt(skus, origin);
    all.push(...scored);
    const [ours, rule] = [f1Of(scored, (s) => s.flagged), f1Of(scored, (s) => s.rule)];
    console.log(`after week ${origin}: ${scored.length} SKUs, ${(100 * share(scored, (s) => s.slow)).toFixed(1)} % slow down; F1 ${ours.f1.toFixed(3)} (precision ${ours.precision.toFixed(3)}, recall ${ours.recall.toFixed(3)}), rule ${rule.f1.toFixed(3)}, average precision ${averagePrecision(scored).toFixed(3)}, top ${TOP} by money ${topPrecision(scored).toFixed(2)}`);
    return { origin, f1: round(ours.f1), baselineF1: round(rule.f1), precisionTop20: round(topPrecision(scored)) };
  });
  const [ours, rule] = [f1Of(all, (s) => s.flagged), f1Of(all, (s) => s.rule)];
  const mean = (read: (o: (typeof perOrigin)[number]) => number): number => round(perOrigin.reduce((sum, o) => sum + read(o), 0) / perOrigin.length);
  return {
    bench: 'slow-movers', skus: all.length, slowShare: round(share(all, (s) => s.slow)), precision: round(ours.precision), recall: round(ours.recall), f1: round(ours.f1), baselinePrecision: round(rule.precision), baselineRecall: round(rule.recall),
    baselineF1: round(rule.f1), f1Ratio: round(ours.f1 / rule.f1), flagAllF1: round(f1Of(all, () => true).f1), averagePrecision: round(averagePrecision(all)), precisionTop20: mean((o) => o.precisionTop20), perOrigin,
    seconds: Math.round((performance.now() - started) / 1000), calibration,
  };
}

function scoreAt(skus: readonly SkuSales[], origin: number): Scored[] {
  const now = origin - 1; // index 0 is week 2
  const outlook = learnOutlook(skus.map((s) => s.weekly), now);
  if (!outlook) throw new Error(`nothing to learn from before week ${origin}`);
  return skus.filter((s) => levelUnits(s.weekly, now) >= LEAST_UNITS).map(({ weekly, daily }) => {
    const chance = slowChance(outlook, weekly, now) ?? 0;
    const perDay = levelUnits(weekly, now) / (7 * LEVEL_WEEKS);
    const prices = Array.from({ length: LEVEL_WEEKS }, (_, i) => weekly.price[now - 1 - i] ?? 0).filter((p) => p > 0);
    const money = moneyAtRisk({
      stock: Math.round(perDay * 7 * AHEAD_WEEKS), rate: perDay * outlook.steadyShare, slowRate: perDay * outlook.slowShare, chance, daysLeft: 7 * AHEAD_WEEKS, unitValue: prices.reduce((a, b) => a + b, 0) / Math.max(1, prices.length),
    });
    const end = weekStart(origin + 1);
    const days = (from: number, to: number): number => daily.subarray(from, to).reduce((a, b) => a + b, 0);
    return { slow: shareAhead(weekly, now) <= SLOW_SHARE, flagged: chance >= outlook.threshold, rule: days(end - 30, end) < 0.6 * days(end - 60, end - 30), chance, money };
  });
}

const share = (rows: readonly Scored[], of: (s: Scored) => boolean): number => rows.filter(of).length / rows.length;

function f1Of(rows: readonly Scored[], flagged: (s: Scored) => boolean): { precision: number; recall: number; f1: number } {
  const hits = rows.filter((s) => flagged(s) && s.slow).length;
  const [precision, recall] = [hits / rows.filter(flagged).length, hits / rows.filter((s) => s.slow).length];
  return { precision, recall, f1: (2 * precision * recall) / (precision + recall) };
}

/** Mean, over the slow-downs, of the precision down to each in the order of chance (Manning, Raghavan & Schütze 2008, 8.4). */
function averagePrecision(rows: readonly Scored[]): number {
  let [hits, sum] = [0, 0];
  [...rows].sort((a, b) => b.chance - a.chance).forEach((s, i) => {
    if (s.slow) sum += ++hits / (i + 1);
  });
  return sum / hits;
}

const topPrecision = (rows: readonly Scored[]): number => share(rows.filter((s) => s.flagged).sort((a, b) => b.money - a.money).slice(0, TOP), (s) => s.slow);
