/**
 * What a quantile forecast costs: q per unit below, 1 − q per unit above the truth; least, on average, for the true quantile
 * (Koenker & Bassett 1978, Regression quantiles, Econometrica 46).
 */
export const pinball = (truth: number, q: number, forecast: number): number => (truth >= forecast ? q * (truth - forecast) : (1 - q) * (forecast - truth));

/** Values with weights, sorted once, so that many quantiles cost little: the smallest value with at least the share p of the weight at or below it. */
export function weightedQuantiles(values: readonly number[], weights: readonly number[]): (p: number) => number {
  const order = values.map((_, i) => i).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const total = weights.reduce((sum, w) => sum + w, 0);
  return (p) => {
    let below = 0;
    for (const i of order) {
      below += weights[i] ?? 0;
      if (below >= p * total - 1e-12) return values[i] ?? 0;
    }
    return values[order.at(-1) ?? 0] ?? 0;
  };
}
