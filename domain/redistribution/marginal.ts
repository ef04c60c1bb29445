import { cumulatedLaw } from '../replenishment/negative-binomial.ts';
import type { MoveSite } from './model.ts';

/** More units of a SKU than this are not moved to or from a location at once. */
const MOST = 200;
/** A unit that sells with less than this chance gains nothing. */
const NEVER = 0.005;

/**
 * What units are worth at a site, one after the other: `takes[k]` the expected margin of the k-th more, `gives[k]` of the k-th fewer. A unit sells if demand goes beyond those before it:
 * value · P(D > position + k − 1) and value · P(D > position − k). The one falls, the other rises, so the sums are concave and convex (marginal analysis: Fox 1966).
 */
export type Worth = { site: MoveSite; takes: Float64Array; gives: Float64Array };

export function worthOf(site: MoveSite): Worth {
  const position = Math.max(0, site.position);
  const upTo = cumulatedLaw(site.law, position + MOST + 1);
  const sells = (k: number): number => (k < 0 ? 1 : Math.max(0, 1 - (upTo[k] ?? 1)));
  const takes: number[] = [];
  while (takes.length < MOST && sells(position + takes.length) > NEVER) takes.push(site.value * sells(position + takes.length));
  const gives = Array.from({ length: Math.min(MOST, Math.max(0, Math.min(site.free, position))) }, (_, k) => site.value * sells(position - 1 - k));
  return { site, takes: Float64Array.from(takes), gives: Float64Array.from(gives) };
}

/** Most that units of a SKU could gain between two sites alone, before the trip's cost. */
export function bestBetween(from: Worth, to: Worth, perUnit: number): number {
  let sum = 0;
  for (let k = 0; k < Math.min(from.gives.length, to.takes.length); k++) {
    const gain = (to.takes[k] ?? 0) - (from.gives[k] ?? 0) - perUnit;
    if (gain <= 0) break;
    sum += gain;
  }
  return sum;
}
