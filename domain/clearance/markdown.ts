import { allocate } from '../money.ts';
import type { Elasticity } from './elasticity.ts';
import { floorPrice, priceAfter } from './plan.ts';

/** A SKU at a moment of a markdown stage: money in minor units, units of what is still to be sold for the campaign's target. */
export type MarkdownCase = {
  sku: string; listPrice: number; cost: number; price: number; toSell: number; daysLeft: number; elasticity: Elasticity;
};
export type MarkdownRules = { floorMargin: number; mostPercentOff: number; roundTo: number };
/**
 * `price` ≤ the price of now. `expected`: units until the end at that price, at `kept` at the old one. `reachable`: the target is expected to be met; where it is not even at the
 * floor, `limit` says what stands in the way.
 */
export type Markdown = { sku: string; from: number; price: number; expected: number; kept: number; toSell: number; reachable: boolean; limit: 'floor' | 'most' | null; e: number; sd: number; perDay: number };

/**
 * The next price: the highest at which what is left is expected to be sold in the time that is left. With constant elasticity the run-out price is
 * list · (perDay · days ÷ toSell)^(1 ÷ e): the deterministic optimum of clearance pricing where demand is elastic and nothing is worth anything afterwards
 * (Gallego & van Ryzin 1994; Smith & Achabal 1998 for retail chains). A price is never raised, never below the floor margin, never deeper than the stage allows.
 */
export function nextMarkdown(c: MarkdownCase, rules: MarkdownRules): Markdown {
  const { e, sd, perDay } = c.elasticity;
  const expectedAt = (price: number): number => perDay * c.daysLeft * (price / c.listPrice) ** -e;
  const floor = floorPrice(c.cost, rules.floorMargin);
  const deepest = priceAfter(c.listPrice, rules.mostPercentOff, rules.roundTo);
  const lowest = Math.max(deepest, Math.min(c.listPrice, Math.ceil(floor / rules.roundTo) * rules.roundTo));
  const runOut = c.toSell <= 0 ? c.price : perDay <= 0 || c.daysLeft <= 0 ? 0 : c.listPrice * ((perDay * c.daysLeft) / c.toSell) ** (1 / e);
  const rounded = Math.floor(runOut / rules.roundTo) * rules.roundTo; // down: rounding up would sell less than is needed
  const price = Math.min(c.price, Math.max(lowest, rounded));
  const expected = expectedAt(price);
  const reachable = expected >= c.toSell - 1e-9;
  return {
    sku: c.sku, from: c.price, price, expected: tenth(expected), kept: tenth(expectedAt(c.price)), toSell: c.toSell, reachable,
    limit: reachable ? null : lowest > deepest ? 'floor' : 'most', e: hundredth(e), sd: hundredth(sd), perDay: hundredth(perDay),
  };
}

/** Units that each SKU still has to sell, so that the whole campaign reaches its target: what is missing, by what they have left. */
export function shareOut(missing: number, left: readonly number[]): number[] {
  return allocate(Math.max(0, Math.min(missing, left.reduce((a, b) => a + b, 0))), left);
}

const tenth = (x: number): number => Math.round(x * 10) / 10;
const hundredth = (x: number): number => Math.round(x * 100) / 100;
