/**
 * Counts with mean `mean` and variance mean + dispersion · mean²; dispersion 0 is Poisson. The usual law of demand of slow sellers
 * (Snyder, Ord & Beaumont 2012, Forecasting the intermittent demand for slow-moving inventories, Int. J. Forecasting 28).
 */
export type NegativeBinomial = { mean: number; dispersion: number };

/** Below this the Poisson law is meant. */
const SMALL = 1e-9;
/** A walk over counts ends here. */
const WALK = 20_000;

/** By mean and variance; a variance below the mean counts as Poisson. */
export const byMoments = (mean: number, variance: number): NegativeBinomial => ({ mean, dispersion: mean < SMALL ? 0 : Math.max(0, (variance - mean) / (mean * mean)) });

/** P(0), as a logarithm. */
const logZero = ({ mean, dispersion }: NegativeBinomial): number => (dispersion < SMALL ? -mean : -Math.log1p(mean * dispersion) / dispersion);
/** P(k + 1) ÷ P(k). */
const ratio = ({ mean, dispersion }: NegativeBinomial, k: number): number => (dispersion < SMALL ? mean / (k + 1) : ((1 / dispersion + k) / (k + 1)) * ((mean * dispersion) / (1 + mean * dispersion)));

/**
 * Walks the counts from 0 while `visit(count, P(count), P(≤ count))` answers true. Probabilities too small for a number are carried as
 * logarithms until they count.
 */
function walk(law: NegativeBinomial, visit: (count: number, p: number, upTo: number) => boolean): void {
  let log = logZero(law);
  let upTo = 0;
  for (let k = 0; k <= WALK; k++) {
    const p = Math.exp(log);
    upTo += p;
    if (!visit(k, p, Math.min(1, upTo))) return;
    log += Math.log(ratio(law, k));
  }
}

/** P(≤ 0), P(≤ 1) … P(≤ size − 1). */
export function cumulatedLaw(law: NegativeBinomial, size: number): Float64Array {
  const found = new Float64Array(size).fill(1);
  if (law.mean < SMALL) return found;
  walk(law, (k, _p, upTo) => {
    found[k] = upTo;
    return k + 1 < size && upTo < 1 - 1e-12;
  });
  return found;
}

/** Smallest count that demand does not exceed with probability ≥ p. @param p in (0, 1) */
export const quantileOf = (law: NegativeBinomial, p: number): number => quantilesOf(law)(p);

/**
 * The same for many p of one law: counts are walked once, as far as the largest p needs. Means above 5,000 and what lies beyond the walk are taken from the gamma law of the same
 * moments (Wilson & Hilferty 1931), rounded up.
 */
export function quantilesOf(law: NegativeBinomial): (p: number) => number {
  if (law.mean < SMALL) return () => 0;
  if (law.mean > WALK / 4) return (p) => largeQuantile(law, p);
  const reached: number[] = [];
  let log = logZero(law);
  return (p) => {
    // The walk goes on where the last question left it.
    while ((reached.at(-1) ?? 0) < p && reached.length <= WALK) {
      reached.push(Math.min(1, (reached.at(-1) ?? 0) + Math.exp(log)));
      log += Math.log(ratio(law, reached.length - 1));
    }
    if ((reached.at(-1) ?? 0) < p) return Math.max(reached.length, largeQuantile(law, p));
    let [low, high] = [0, reached.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((reached[middle] ?? 1) < p) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

function largeQuantile({ mean, dispersion }: NegativeBinomial, p: number): number {
  const ninth = (mean + dispersion * mean * mean) / (9 * mean * mean);
  return Math.max(0, Math.ceil(mean * Math.max(0, 1 - ninth + normalQuantile(p) * Math.sqrt(ninth)) ** 3));
}

/** P(demand > stock). @param stock a count; below 0 the answer is 1 */
export function shortProbability(law: NegativeBinomial, stock: number): number {
  if (stock < 0) return 1;
  if (law.mean < SMALL) return 0;
  let covered = 0;
  walk(law, (k, _p, upTo) => {
    covered = upTo;
    return k < stock;
  });
  return Math.max(0, 1 - covered);
}

/** Expected units beyond `stock`: E[(D − S)⁺] = mean − Σ_{s<S} P(D > s), the first-order loss (Zipkin 2000, Foundations of Inventory Management, C.3). */
export function expectedShort(law: NegativeBinomial, stock: number): number {
  if (law.mean < SMALL) return 0;
  let short = law.mean;
  if (stock <= 0) return short - Math.min(0, stock);
  walk(law, (k, _p, upTo) => {
    short -= 1 - upTo;
    return k + 1 < stock;
  });
  return Math.max(0, short);
}

/** E[D | D ≥ n] for any n: one walk serves them all. Above a mean of 5,000 the larger of n and the mean. */
export function expectedFrom(law: NegativeBinomial): (n: number) => number {
  if (law.mean < SMALL || law.mean > WALK / 4) return (n) => Math.max(n, law.mean);
  /** P(D ≥ k) */
  const atLeast: number[] = [1];
  walk(law, (_k, _p, upTo) => {
    atLeast.push(1 - upTo);
    return upTo < 1 - 1e-9;
  });
  /** E[(D − k)⁺] = Σ_{j>k} P(D ≥ j) */
  const beyond = new Float64Array(atLeast.length);
  for (let k = atLeast.length - 2; k >= 0; k--) beyond[k] = (beyond[k + 1] ?? 0) + (atLeast[k + 1] ?? 0);
  return (n) => {
    const chance = atLeast[n] ?? 0;
    return chance < 1e-9 ? n : n + (beyond[n] ?? 0) / chance;
  };
}

/** Quantile of the standard normal law, to 1.2e-9 (Acklam's rational approximation, 2003). */
export function normalQuantile(p: number): number {
  const tail = (q: number): number => {
    const r = Math.sqrt(-2 * Math.log(q));
    return (((((-0.007784894002430293 * r - 0.3223964580411365) * r - 2.400758277161838) * r - 2.549732539343734) * r + 4.374664141464968) * r + 2.938163982698783)
      / ((((0.007784695709041462 * r + 0.3224671290700398) * r + 2.445134137142996) * r + 3.754408661907416) * r + 1);
  };
  if (p < 0.02425) return tail(p);
  if (p > 1 - 0.02425) return -tail(1 - p);
  const q = p - 0.5;
  const r = q * q;
  return ((((((-39.69683028665376 * r + 220.9460984245205) * r - 275.9285104469687) * r + 138.357751867269) * r - 30.66479806614716) * r + 2.506628277459239) * q)
    / (((((-54.47609879822406 * r + 161.5858368580409) * r - 155.6989798598866) * r + 66.80131188771972) * r - 13.28068155288572) * r + 1);
}
