import type { Distribution, Method } from '../model.ts';
import { counted } from './smoothing.ts';

const ALPHA = 0.1;
/** Two demands are needed to know an interval. */
const LEAST = 6;

type Parts = { /** smoothed size of a demand and its variance */ size: number; sizeVariance: number; /** smoothed periods between demands */ interval: number; /** smoothed chance of a demand, updated each period */ chance: number };

/** One pass: size and interval move at demands (Croston 1972), the chance moves every period (Teunter, Syntetos & Babai 2011). Null where nothing was ever sold. */
function parts(units: readonly number[]): Parts | null {
  const sold = units.filter((n) => n > 0);
  const first = units.findIndex((n) => n > 0);
  if (first < 0) return null;
  const mean = sold.reduce((sum, n) => sum + n, 0) / sold.length;
  let [size, interval, chance] = [mean, units.length / sold.length, sold.length / units.length];
  let since = 1;
  for (const n of units.slice(first + 1)) {
    if (n > 0) {
      size += ALPHA * (n - size);
      interval += ALPHA * (since - interval);
      since = 1;
    } else since++;
    chance += ALPHA * ((n > 0 ? 1 : 0) - chance);
  }
  return { size, interval, chance, sizeVariance: sold.reduce((sum, n) => sum + (n - mean) ** 2, 0) / sold.length };
}

/** Demand of size Z with chance p: mean p·E[Z], variance p·Var[Z] + p(1 − p)·E[Z]². */
function compound(chance: number, { size, sizeVariance }: Parts): Distribution {
  const p = Math.min(1, chance);
  return counted(p * size, Math.max(p * size, p * sizeVariance + p * (1 - p) * size * size));
}

const method = (name: string, source: string, chance: (p: Parts) => number): Method => ({
  name, source,
  least: () => LEAST,
  predict(units, horizon) {
    const p = parts(units);
    const next = p === null ? counted(0, 0) : compound(chance(p), p);
    return Array.from({ length: horizon }, () => next);
  },
});

/** Size ÷ interval of demands. */
export const croston = method('croston', 'Croston 1972, Forecasting and stock control for intermittent demands, Operational Research Quarterly 23', (p) => 1 / p.interval);
/** Croston without its bias: × (1 − α/2). */
export const sba = method('syntetos-boylan', 'Syntetos & Boylan 2005, The accuracy of intermittent demand estimates, Int. J. Forecasting 21', (p) => (1 - ALPHA / 2) / p.interval);
/** The chance of a demand falls while nothing sells, so that a dying SKU is seen to die. */
export const tsb = method('teunter-syntetos-babai', 'Teunter, Syntetos & Babai 2011, Intermittent demand: linking forecasting to inventory obsolescence, EJOR 214', (p) => p.chance);
