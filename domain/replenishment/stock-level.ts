import { expectedShort, shortProbability, quantileOf, type NegativeBinomial } from './negative-binomial.ts';

/** A level beyond this many units is an error of the input, not a plan. */
const HIGHEST = 1_000_000;

/** What a target asks for: `cycle`: the share of cycles without a stock-out; `fill`: the share of units served. Within (0, 1). */
export type ServiceTarget = { kind: 'cycle' | 'fill'; share: number };

/**
 * Smallest order-up-to level for demand over lead time + review period that meets the target.
 * - `cycle`: the quantile of demand (Silver, Pyke & Thomas 2017, Inventory and Production Management in Supply Chains, 6.7).
 * - `fill`: expected units short in a cycle ≤ (1 − share) · demand of a review period, where a cycle's shortage is the difference of the losses over lead time + review and
 *   over lead time alone (Silver, Pyke & Thomas 2017, 7.7; Johansen 2005 for lost sales): what was short before the cycle's delivery is not counted again.
 */
export function orderUpTo(overLead: NegativeBinomial, overAll: NegativeBinomial, target: ServiceTarget): number {
  if (overAll.mean <= 0) return 0;
  if (target.kind === 'cycle') return quantileOf(overAll, target.share);
  const allowed = (1 - target.share) * Math.max(0, overAll.mean - overLead.mean);
  let [low, high] = [0, Math.max(1, Math.ceil(overAll.mean))];
  const short = (level: number): number => expectedShort(overAll, level) - expectedShort(overLead, level);
  while (short(high) > allowed && high < HIGHEST) [low, high] = [high, high * 2];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (short(middle) > allowed) low = middle;
    else high = middle;
  }
  return short(low) <= allowed ? low : high;
}

/** The part of a level that covers uncertainty: level − mean demand over lead time + review period, not below 0. */
export const safetyStock = (level: number, overAll: NegativeBinomial): number => Math.max(0, level - overAll.mean);

/** Available stock at which an order must be placed now, or the next review is too late: the quantile of demand over the lead time. */
export const reorderPoint = (overLead: NegativeBinomial, share: number): number => quantileOf(overLead, share);

/** What the unit after `stock` would sell in a cycle: P(D > stock) over lead time + review. */
export const nextUnitSells = (law: NegativeBinomial, stock: number): number => shortProbability(law, stock);

/**
 * Order-up-to level that equalises, over all series, the sales gained per unit of stock: units are added while
 *
 *     P(D of lead time + review > s) − P(D of lead time > s)  >  price · P(D of lead time ≤ s)
 *
 * The left side is what unit s + 1 sells in a review period, the right side how much of the time it lies on the shelf, at `price`. With one price for all, no other
 * levels hold less stock at the same units sold (marginal allocation: Fox 1966, Discrete optimization via marginal analysis, Management Science 13; for
 * spare parts Sherbrooke 1968, METRIC). `price` is swept, or found, for the fill rate that is wanted.
 * @param lead cumulated probabilities of demand over the lead time, `all` over lead time + review; of one length
 */
export function marginalLevel(lead: ArrayLike<number>, all: ArrayLike<number>, price: number): number {
  let level = 0;
  while (level < lead.length - 1 && (lead[level] ?? 1) - (all[level] ?? 1) > price * Math.max(0.02, lead[level] ?? 1)) level++;
  return level;
}
