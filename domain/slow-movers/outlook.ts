import { AHEAD_WEEKS, featuresOf, LEAST_UNITS, LEVEL_WEEKS, levelUnits, shareAhead, SLOW_SHARE, type WeeklySales } from './features.ts';
import { fitLogistic, predictLogistic, type LogisticModel } from './logistic.ts';

/** Fewest past rows, and slow-downs among them, that chances are learned from. */
const LEAST_ROWS = 300;
const LEAST_CASES = 40;
/** Past moments that are learned from, the newest ones. */
const MOMENTS = 20;
const RIDGE = 20;

/**
 * What is expected of SKUs in the coming four weeks: the chance that a SKU sells 60 % or less of the mean of its last twelve weeks, learned from what SKUs like it did after
 * earlier weeks. `threshold`: the chance from which on a slow-down is foretold, the one with the best F1 on the past; `slowShare`: what slowed SKUs sold, as a share of their level.
 */
export type Outlook = { model: LogisticModel; threshold: number; slowShare: number; steadyShare: number; rows: number };

/**
 * Learns from the weeks before week `now` of the series: features as they were at earlier weeks, outcomes that were over by then, nothing later. Null where the past is too
 * short or too small: then only the rules speak.
 */
export function learnOutlook(series: readonly WeeklySales[], now: number): Outlook | null {
  const [rows, cases]: [Float64Array[], number[]] = [[], []];
  const shares = { slow: 0, steady: 0 };
  for (let t = Math.max(LEVEL_WEEKS, now - AHEAD_WEEKS - MOMENTS + 1); t + AHEAD_WEEKS <= now; t++) {
    for (const s of series) {
      if (levelUnits(s, t) < LEAST_UNITS) continue;
      const share = shareAhead(s, t);
      const slow = share <= SLOW_SHARE;
      rows.push(featuresOf(s, t));
      cases.push(slow ? 1 : 0);
      shares[slow ? 'slow' : 'steady'] += share;
    }
  }
  const count = cases.reduce((a, b) => a + b, 0);
  if (rows.length < LEAST_ROWS || count < LEAST_CASES || rows.length - count < LEAST_CASES) return null;
  const model = fitLogistic(rows, cases, RIDGE);
  return { model, threshold: bestThreshold(rows.map((r) => predictLogistic(model, r)), cases), slowShare: shares.slow / count, steadyShare: shares.steady / (rows.length - count), rows: rows.length };
}

/** Chance of a slow-down in the four weeks from week `now` on; null for a SKU that sold too little to tell. */
export function slowChance(outlook: Outlook, s: WeeklySales, now: number): number | null {
  return now < LEVEL_WEEKS || levelUnits(s, now) < LEAST_UNITS ? null : predictLogistic(outlook.model, featuresOf(s, now));
}

/** The lowest chance at which F1 (harmonic mean of precision and recall) is best when everything at or above it is called a case. */
function bestThreshold(chances: readonly number[], cases: readonly number[]): number {
  const order = chances.map((_, i) => i).sort((a, b) => (chances[b] ?? 0) - (chances[a] ?? 0));
  const all = cases.reduce((a, b) => a + b, 0);
  let [hits, best, threshold] = [0, 0, 1];
  order.forEach((i, place) => {
    hits += cases[i] ?? 0;
    const f1 = (2 * hits) / (place + 1 + all);
    if (f1 > best) [best, threshold] = [f1, chances[i] ?? 1];
  });
  return threshold;
}
