/** Sales of a SKU from one location into one region of a country: units of each day of the windows, the oldest first, and how much of each day the location had none to sell (0–1). */
export type SalesCell = { location: string; country: string; region: string; daily: ArrayLike<number>; out: ArrayLike<number> };
/**
 * What a SKU sells now against before, both windows of the same number of days. `now`, `before`: units. `rawChange`: as they stand (−0.4: 40 % less; null where nothing sold before). `change`: demand
 * with stock-outs made up for, single bursts cut and the season taken out. `season`: what the season alone does (1: nothing). `without`: the change without the location that fell most; null under
 * three locations. `doubt`: standard error of ln(1 + change).
 */
export type Trend = { days: number; now: number; before: number; rawChange: number | null; change: number; season: number; locations: number; without: number | null; doubt: number };

/** A location that could sell in less than this share of a window tells nothing about it: it is left out of both. */
const LEAST_AVAILABLE = 0.2;
/** A day that sold more than so many times the mean of the location's other days, and more than so many units, is one customer's burst: it counts as that. */
const BURST = 6;
const LEAST_BURST = 8;

type Rate = { now: number; before: number };

/** @param season change of sales that the season alone explains, as a factor. Null where no location could sell in both windows or nothing was sold before. */
export function trendOf(cells: readonly SalesCell[], season: number): Trend | null {
  const days = Math.floor(Math.max(0, ...cells.map((c) => c.daily.length)) / 2);
  const rates = new Map<string, Rate>();
  const total = new Float64Array(2 * days);
  let [now, before] = [0, 0];
  for (const cell of cells) {
    const daily = Array.from(cell.daily);
    const half = (x: readonly number[], second: boolean): number => x.slice(second ? days : 0, second ? 2 * days : days).reduce((a, b) => a + b, 0);
    now += half(daily, true);
    before += half(daily, false);
    const [availableBefore, availableNow] = [false, true].map((second) => 1 - half(Array.from(cell.out), second) / days) as [number, number];
    if (availableBefore < LEAST_AVAILABLE || availableNow < LEAST_AVAILABLE) continue;
    const cut = withoutBursts(daily);
    cut.forEach((n, d) => { total[d] = (total[d] ?? 0) + n; });
    const rate = rates.get(cell.location) ?? { now: 0, before: 0 };
    rates.set(cell.location, { now: rate.now + half(cut, true) / availableNow, before: rate.before + half(cut, false) / availableBefore });
  }
  const all = sumOf([...rates.values()]);
  if (all.before <= 0) return null;
  const change = (r: Rate): number => r.now / r.before / season - 1;
  const fell = [...rates.values()].sort((a, b) => a.now - a.before - (b.now - b.before));
  const rest = fell.length >= 3 ? sumOf(fell.slice(1)) : null;
  return {
    days, now, before, rawChange: before > 0 ? now / before - 1 : null, change: change(all), season, locations: rates.size,
    without: rest && rest.before > 0 ? change(rest) : null, doubt: Math.sqrt(spread(total, days) * (1 / Math.max(1, all.now) + 1 / all.before)),
  };
}

/**
 * Is that a fall of at least `fall` (0.4: 40 %)? It must be more than chance (one-sided, 10 %: ln(1 + change) against its standard error), and not one location's doing: three quarters of it must
 * be left without the location that fell most.
 */
export function falls(trend: Trend, fall: number, leastUnits: number): boolean {
  if (trend.change > -fall || trend.now + trend.before < leastUnits) return false;
  if (Math.log(Math.max(0.01, 1 + trend.change)) / trend.doubt > -1.28) return false;
  return trend.without === null || trend.without <= -0.75 * fall;
}

const sumOf = (rates: readonly Rate[]): Rate => rates.reduce((a, b) => ({ now: a.now + b.now, before: a.before + b.before }), { now: 0, before: 0 });

function withoutBursts(daily: readonly number[]): number[] {
  const sum = daily.reduce((a, b) => a + b, 0);
  return daily.map((n) => Math.min(n, Math.max(LEAST_BURST, (BURST * (sum - n)) / Math.max(1, daily.length - 1))));
}

/** Variance ÷ mean of a day's units within each window, 1 at least: what counts vary more than Poisson's law says. */
function spread(total: Float64Array, days: number): number {
  let [square, mean] = [0, 0];
  for (const part of [total.subarray(0, days), total.subarray(days)]) {
    const m = part.reduce((a, b) => a + b, 0) / Math.max(1, days);
    mean += m / 2;
    square += part.reduce((a, b) => a + (b - m) ** 2, 0) / Math.max(1, 2 * (days - 1));
  }
  return Math.max(1, mean > 0 ? square / mean : 1);
}
