import type { InstanceLine, RoutingInstance } from '../model.ts';
import type { Site } from './sites.ts';

/** What goes from one location whole: a line, or one unit of a line that has to be divided. */
export type Item = { line: InstanceLine; quantity: number; value: number };

const usable = (line: InstanceLine, { location }: Site): boolean => (!line.hazardous || location.hazardous === true) && (!line.oversized || location.oversized === true);

/** Units of a line that a site may give it, whatever else it sends. */
export function unitsFor(line: InstanceLine, site: Site): number {
  const { capacityUnits = Number.POSITIVE_INFINITY, stock } = site.location;
  return usable(line, site) ? Math.min(stock[line.sku]?.available ?? 0, capacityUnits) : 0;
}

/** The sites that may serve each item: with `after_own` a dealer only where no own location has the whole item. */
export function sitesOf(item: Item, sites: readonly Site[], dealers: 'after_own' | 'equal'): boolean[] {
  const can = sites.map((site) => unitsFor(item.line, site) >= item.quantity);
  if (dealers === 'equal' || !sites.some((site, i) => can[i] && site.location.kind !== 'dealer')) return can;
  return can.map((yes, i) => yes && sites[i]?.location.kind !== 'dealer');
}

/**
 * The items of an order. A line is one item, unless no site has it whole and the policy lets it be divided: then each unit that any site has is one, the rest of the line stays
 * over. Values of units add up to the line's.
 */
export function itemsOf({ order, policy }: RoutingInstance, sites: readonly Site[]): Item[] {
  return [...order.lines].sort((a, b) => a.line - b.line).flatMap((line): Item[] => {
    const whole: Item = { line, quantity: line.quantity, value: line.value };
    if (!policy.lineMaySplit || line.quantity === 1 || sites.some((site) => unitsFor(line, site) >= line.quantity)) return [whole];
    return Array.from({ length: line.quantity }, (_, i) => ({ line, quantity: 1, value: Math.floor((line.value * (i + 1)) / line.quantity) - Math.floor((line.value * i) / line.quantity) }));
  });
}
