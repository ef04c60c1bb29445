import type { NegativeBinomial } from './negative-binomial.ts';
import { byMoments } from './negative-binomial.ts';

/** Probabilities of 0, 1, 2 … units; they sum to 1, the last one holding the rest. */
export type Probabilities = Float64Array;

/** Larger days count as this: no shelf is planned for them. */
export const MOST = 80;

/** Probabilities of the units of one day from past days, each counting `fade` less for each day of age; `prior` is worth `doubt` days. */
export function dayOf(past: ArrayLike<number>, days: number, fade: number, prior: Probabilities, doubt: number): Probabilities {
  const found = new Float64Array(MOST);
  let weight = 1;
  let sum = 0;
  for (let t = days - 1; t >= 0; t--) {
    const units = Math.min(MOST - 1, past[t] ?? 0);
    found[units] = (found[units] ?? 0) + weight;
    sum += weight;
    weight *= 1 - fade;
  }
  for (let k = 0; k < MOST; k++) found[k] = ((found[k] ?? 0) + doubt * (prior[k] ?? 0)) / (sum + doubt);
  return found;
}

/** The same day with demands `factor` times as frequent, their sizes as they were: P(none) becomes P(none)^factor, as with a Poisson stream of buyers. */
export function asFrequent(day: Probabilities, factor: number): Probabilities {
  const some = 1 - (day[0] ?? 0);
  if (some <= 0) return day;
  const wanted = Math.min(0.95, 1 - (1 - some) ** factor);
  const found = day.map((p) => (p * wanted) / some);
  found[0] = 1 - wanted;
  return found;
}

/** Probabilities of the sum of two independent counts, up to `most` − 1. */
export function sumOf(a: Probabilities, b: Probabilities, most: number): Probabilities {
  const found = new Float64Array(Math.min(most, a.length + b.length - 1));
  for (let i = 0; i < a.length; i++) {
    const p = a[i] as number;
    if (p < 1e-12) continue;
    for (let j = 0; j < b.length && i + j < found.length; j++) found[i + j] = (found[i + j] as number) + p * (b[j] as number);
  }
  return found;
}

/** P(≤ 0), P(≤ 1) … of `size` counts. */
export function cumulated(p: Probabilities, size: number): Float64Array {
  const found = new Float64Array(size);
  let sum = 0;
  for (let k = 0; k < size; k++) {
    sum += p[k] ?? 0;
    found[k] = Math.min(1, sum);
  }
  return found;
}

/** Mean and variance of a count, as a negative binomial of `days` such days that are independent. */
export function lawOfDays(day: Probabilities, days: number): NegativeBinomial {
  let [mean, square] = [0, 0];
  day.forEach((p, k) => {
    mean += p * k;
    square += p * k * k;
  });
  return byMoments(days * mean, days * Math.max(mean, square - mean * mean));
}
