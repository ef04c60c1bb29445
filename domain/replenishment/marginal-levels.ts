import { byMoments, type NegativeBinomial } from './negative-binomial.ts';
import { DailyPanel, SPAN, type Cover } from './panel/daily.ts';
import { marginalLevel } from './stock-level.ts';

/** Units of each day of one SKU at one location, the last one yesterday; all of one length. */
export type DailyHistory = { sku: string; units: readonly number[]; leadDays: number };
export type MarginalLevel = { level: number; reorderPoint: number; law: NegativeBinomial };

/** The panel needs 84 days before its first observation, and some to observe. */
export const LEAST_DAYS = 119;
const LEAST_SERIES = 50;
/** A seller of more units over lead time + review than this is beyond the panel's span. */
const MOST_UNITS = SPAN * 0.6;
const [CHEAP, DEAR, ROUNDS] = [1e-5, 2, 30];

/**
 * Levels of many series together that meet a fill rate with least stock: sales gained per unit of stock are the same everywhere (`marginalLevel`), by the daily panel's laws; the price
 * is found by halving, so that the units expected to be short in a review period are 1 − share of those expected to be asked for. Null for a series beyond the panel's span; all
 * null where the panel would be too small or too young. `weekday`: of the first day, 0 Monday.
 */
export function marginalLevels(series: readonly DailyHistory[], reviewDays: number, share: number, weekday: number): (MarginalLevel | null)[] {
  const days = series[0]?.units.length ?? 0;
  if (series.length < LEAST_SERIES || days < LEAST_DAYS) return series.map(() => null);
  const chains = new Map<string, number[]>();
  for (const s of series) {
    const chain = chains.get(s.sku);
    if (!chain) chains.set(s.sku, [...s.units]);
    else s.units.forEach((n, t) => { chain[t] = (chain[t] ?? 0) + n; });
  }
  const cover = Math.max(1, Math.round(series.reduce((sum, s) => sum + s.leadDays, 0) / series.length) + reviewDays);
  const panel = new DailyPanel(series.map((s) => ({ units: s.units, chain: chains.get(s.sku) ?? s.units })), { known: days, days: days + 1, cover, dayOfWeek: weekday });
  const covers = series.map((s, i) => panel.cover(i, days, s.leadDays, reviewDays));
  const within = covers.map((c) => mean(c.all) <= MOST_UNITS);
  const asked = covers.reduce((sum, c, i) => sum + (within[i] ? mean(c.all) - mean(c.lead) : 0), 0);
  const shortAt = (price: number): number => covers.reduce((sum, c, i) => sum + (within[i] ? shortOf(c, marginalLevel(c.lead, c.all, price)) : 0), 0);
  let [low, high] = [CHEAP, DEAR];
  for (let round = 0; round < ROUNDS; round++) {
    const price = Math.sqrt(low * high);
    if (shortAt(price) > (1 - share) * asked) high = price;
    else low = price;
  }
  return covers.map((c, i) => (within[i] ? { level: marginalLevel(c.lead, c.all, low), reorderPoint: quantile(c.lead, share), law: lawOf(c) } : null));
}

const mean = (p: Float64Array): number => p.reduce((sum, x) => sum + (1 - x), 0);
const quantile = (p: Float64Array, share: number): number => Math.max(0, p.findIndex((x) => x >= share));

/** Expected units short in a review period (docs/replenishment.md, fill rate). */
function shortOf({ lead, all }: Cover, level: number): number {
  let sum = 0;
  for (let k = level; k < all.length; k++) sum += (lead[k] ?? 1) - (all[k] ?? 1);
  return sum;
}

function lawOf({ all }: Cover): NegativeBinomial {
  let [first, second, before] = [0, 0, 0];
  all.forEach((p, k) => {
    first += k * (p - before);
    second += k * k * (p - before);
    before = p;
  });
  return byMoments(first, Math.max(0, second - first * first));
}
