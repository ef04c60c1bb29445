/** One SKU over all channels and locations, a number a week; every array has the same weeks, the oldest first. */
export type WeeklySales = {
  units: ArrayLike<number>;
  /** of these, units sold at a reduced price */
  reduced: ArrayLike<number>;
  /** locations that sold it */
  sites: ArrayLike<number>;
  /** mean price paid, 0 where none was sold or it is not known */
  price: ArrayLike<number>;
  /** units of its category; shared between its SKUs */
  category: ArrayLike<number>;
};

/** The weeks that a level is taken from, those that are looked at ahead, and the part of the level at or below which these are a slow-down. */
export const LEVEL_WEEKS = 12;
export const AHEAD_WEEKS = 4;
export const SLOW_SHARE = 0.6;
/** Fewest units in the level's weeks: below it nobody can tell a slow-down from chance. */
export const LEAST_UNITS = 24;

const sum = (x: ArrayLike<number>, from: number, to: number): number => {
  let total = 0;
  for (let t = Math.max(0, from); t < to; t++) total += x[t] ?? 0;
  return total;
};
const log = (now: number, level: number, doubt: number): number => Math.log((now + doubt) / (level + doubt));
/** Pairs of base features whose products tell more than either: recent sales × level, noise, price cuts and the category. */
const PRODUCTS = [[0, 1], [0, 4], [0, 5], [0, 8], [0, 9], [1, 4], [1, 5], [1, 8], [1, 9], [1, 10], [4, 5], [4, 13], [5, 13], [9, 10]] as const;

/** Units of the weeks `[t − 12, t)`; a SKU with fewer than `LEAST_UNITS` has no outlook. */
export const levelUnits = (s: WeeklySales, t: number): number => sum(s.units, t - LEVEL_WEEKS, t);
/** What the SKU sold in the four weeks from week `t` on, as a share of its level before: the outcome that is learned. */
export const shareAhead = (s: WeeklySales, t: number): number => sum(s.units, t, t + AHEAD_WEEKS) / AHEAD_WEEKS / (levelUnits(s, t) / LEVEL_WEEKS);

/** What is known of a SKU before week `t` ≥ 12; nothing of week `t` or later is read. */
export function featuresOf(s: WeeklySales, t: number): Float64Array {
  const weeks = Array.from({ length: LEVEL_WEEKS }, (_, i) => s.units[t - LEVEL_WEEKS + i] ?? 0);
  const units = levelUnits(s, t);
  const mean = units / LEVEL_WEEKS;
  const last = (n: number): number => sum(s.units, t - n, t) / n;
  const variance = weeks.reduce((total, n) => total + (n - mean) ** 2, 0) / (LEVEL_WEEKS - 1);
  const sorted = [...weeks].sort((a, b) => a - b);
  let still = 0;
  while (still < LEVEL_WEEKS && weeks[LEVEL_WEEKS - 1 - still] === 0) still++;
  const reduced = (n: number, otherwise: number): number => (last(n) > 0 ? sum(s.reduced, t - n, t) / sum(s.units, t - n, t) : otherwise);
  const [reduced12] = [reduced(12, 0)];
  const [reduced4] = [reduced(4, reduced12)];
  const price = (n: number): number => {
    let [paid, sold] = [0, 0];
    for (let u = t - n; u < t; u++) if ((s.price[u] ?? 0) > 0) {
      paid += (s.price[u] ?? 0) * (s.units[u] ?? 0);
      sold += s.units[u] ?? 0;
    }
    return sold > 0 ? paid / sold : 0;
  };
  const usual = price(12);
  const against = (n: number): number => (usual > 0 && price(n) > 0 ? Math.log(price(n) / usual) : 0);
  const category = sum(s.category, t - LEVEL_WEEKS, t) / LEVEL_WEEKS;
  const older = t > LEVEL_WEEKS ? sum(s.units, 0, t - LEVEL_WEEKS) / (t - LEVEL_WEEKS) : mean;
  const base = [
    log(last(4), mean, 0.5), log(last(1), mean, 1), log(last(2), mean, 0.7), log(sum(s.units, t - 8, t - 4) / 4, mean, 0.5),
    Math.log(mean), Math.min(3, Math.max(0, variance - mean) / (mean * mean)), log(sum(s.category, t - 4, t) / 4, category, 2), log(s.category[t - 1] ?? 0, category, 2),
    reduced12, reduced4 - reduced12, reduced(1, reduced4) - reduced4,
    log(sum(s.sites, t - 4, t) / 4, sum(s.sites, t - LEVEL_WEEKS, t) / LEVEL_WEEKS, 0.5), Math.log((sum(s.sites, t - LEVEL_WEEKS, t) + 1) / (units + 1)),
    still, Math.max(...weeks) / mean, ((sorted[5] ?? 0) + (sorted[6] ?? 0)) / 2 / mean, weeks.filter((n) => n <= SLOW_SHARE * mean).length / LEVEL_WEEKS,
    against(4), against(1), log(older, mean, 0.5),
  ];
  return Float64Array.from([...base, ...base.map((v) => v * v), ...PRODUCTS.map(([a, b]) => (base[a] ?? 0) * (base[b] ?? 0))]);
}
