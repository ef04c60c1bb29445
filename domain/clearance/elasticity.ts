/**
 * Price elasticity, measured while the campaign runs. Constant elasticity: sales per day at price p are r · (p ÷ list)^−e. Units are counts and often 0, so the log-log
 * regression is fitted as a Poisson one (Santos Silva & Tenreyro 2006, "The Log of Gravity"), with r profiled out: for a given e its best value is units ÷ Σ days · (p ÷ list)^−e.
 * Few price steps say little, so e is shrunk to a prior: a SKU's to its category's, the category's to what studies found on the whole (Bijmolt, van Heerde & Pieters 2005,
 * 1,851 elasticities: mean −2.62; Tellis 1988: −1.76). The posterior is taken at its mode, its spread from the curvature there (Laplace).
 */

/** One price that was public for a while: price ÷ list price, days live with stock at hand, units sold. */
export type PriceStep = { ratio: number; days: number; units: number };
export type SkuSteps = { sku: string; category: string | null; steps: readonly PriceStep[] };
export type Prior = { mean: number; sd: number };
/** `e` > 0: sales rise by e % when the price falls by 1 %. `perDay`: sales a day at list price. `steps`: prices that sales were seen at. */
export type Elasticity = { e: number; sd: number; perDay: number; prior: Prior; steps: number };

export const PRIOR: Prior = { mean: 2.62, sd: 1 };
/** How far SKUs of one category lie apart. */
export const WITHIN_CATEGORY_SD = 0.5;
const LEAST = 0.1;
const MOST = 8;

/** Elasticities by SKU. A category is fitted first over all its SKUs, then is the prior of each of them. */
export function measure(skus: readonly SkuSteps[], priors: ReadonlyMap<string, Prior> = new Map()): Map<string, Elasticity> {
  const byCategory = new Map<string, SkuSteps[]>();
  for (const s of skus) byCategory.set(s.category ?? '', [...(byCategory.get(s.category ?? '') ?? []), s]);
  const result = new Map<string, Elasticity>();
  for (const [category, members] of byCategory) {
    const known = priors.get(category) ?? PRIOR;
    const common = fit(members.map((m) => m.steps), known);
    for (const { sku, steps } of members) {
      // What the category does not know for sure either is uncertain for each of its SKUs.
      const prior = { mean: common.e, sd: Math.hypot(common.sd, WITHIN_CATEGORY_SD) };
      const own = members.length === 1 ? common : fit([steps], prior);
      result.set(sku, { ...own, perDay: rate(steps, own.e), prior: members.length === 1 ? known : prior, steps: new Set(steps.filter((s) => s.days > 0).map((s) => s.ratio)).size });
    }
  }
  return result;
}

/** Sales a day at list price, given the elasticity. */
export function rate(steps: readonly PriceStep[], e: number): number {
  let units = 0;
  let exposure = 0;
  for (const s of steps) {
    units += s.units;
    exposure += s.days * s.ratio ** -e;
  }
  return exposure > 0 ? units / exposure : 0;
}

/**
 * The mode of the posterior by bisection on its slope: the log likelihood is concave in e, so the slope falls. For one SKU, with x = −ln ratio and w = days · ratio^−e:
 * slope Σ units·x − N·E[x], curvature −N·Var[x], moments weighted by w.
 */
function fit(series: readonly (readonly PriceStep[])[], prior: Prior): { e: number; sd: number } {
  const slope = (e: number): { first: number; second: number } => {
    let first = (prior.mean - e) / prior.sd ** 2;
    let second = -1 / prior.sd ** 2;
    for (const steps of series) {
      let [n, nx, w, wx, wxx] = [0, 0, 0, 0, 0];
      for (const s of steps) {
        if (s.days <= 0 || s.ratio <= 0) continue;
        const x = -Math.log(s.ratio);
        const weight = s.days * Math.exp(e * x);
        n += s.units;
        nx += s.units * x;
        w += weight;
        wx += weight * x;
        wxx += weight * x * x;
      }
      if (w === 0) continue;
      const mean = wx / w;
      first += nx - n * mean;
      second -= n * Math.max(0, wxx / w - mean * mean);
    }
    return { first, second };
  };
  let [low, high] = [LEAST, MOST];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (slope(middle).first > 0) low = middle; else high = middle;
  }
  const e = (low + high) / 2;
  return { e, sd: 1 / Math.sqrt(-slope(e).second) };
}
