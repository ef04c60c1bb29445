import type { InstanceLine, RoutingInstance } from '../model.ts';
import { unitsThere, type Site } from './sites.ts';

/** What goes from one location whole: a line, or some units of a line that has to be `divided` (one, where there are few). */
export type Item = { line: InstanceLine; quantity: number; value: number; divided: boolean };

/** More units than these are not looked at one by one: the search would take seconds. */
const MOST_UNITS = 100;
/** Locations whose stock a piece is made to fit. */
const MOST_FITTED = 6;

const usable = (line: InstanceLine, { location }: Site): boolean => (!line.hazardous || location.hazardous === true) && (!line.oversized || location.oversized === true);

/** Units of a line that a site may give it, whatever else it sends. */
export function unitsFor(line: InstanceLine, site: Site): number {
  const { capacityUnits = Number.POSITIVE_INFINITY, stock } = site.location;
  return usable(line, site) ? Math.min(unitsThere(stock[line.sku]), capacityUnits) : 0;
}

/** The sites that may serve each item: with `after_own` a dealer only where no own location has the whole item. */
export function sitesOf(item: Item, sites: readonly Site[], dealers: 'after_own' | 'equal'): boolean[] {
  const can: boolean[] = [];
  let own = false;
  for (const site of sites) {
    const yes = unitsFor(item.line, site) >= item.quantity;
    can.push(yes);
    own ||= yes && site.location.kind !== 'dealer';
  }
  return dealers === 'equal' || !own ? can : can.map((yes, i) => yes && sites[i]?.location.kind !== 'dealer');
}

/**
 * The items of an order. A line is one item, unless no site has it whole and the policy lets it be divided: then each unit is one. Where these would be more than MOST_UNITS they
 * are bundled to pieces that fit what the best-stocked sites have. Values of pieces add up to the line's.
 */
export function itemsOf({ order, policy }: RoutingInstance, sites: readonly Site[]): Item[] {
  const lines = [...order.lines].sort((a, b) => a.line - b.line);
  const divided = new Set(policy.lineMaySplit ? lines.filter((line) => line.quantity > 1 && !sites.some((site) => unitsFor(line, site) >= line.quantity)) : []);
  const units = [...divided].reduce((sum, line) => sum + line.quantity, 0);
  const most = Math.max(1, Math.floor(MOST_UNITS / divided.size));
  return lines.flatMap((line): Item[] => {
    if (!divided.has(line)) return [{ line, quantity: line.quantity, value: line.value, divided: false }];
    const sizes = units <= MOST_UNITS ? Array<number>(line.quantity).fill(1) : piecesOf(line, sites, policy.maxShipments, most);
    let before = 0;
    return sizes.map((quantity) => {
      const [from, to] = [before, (before += quantity)];
      return { line, quantity, value: worth(line, to) - worth(line, from), divided: true };
    });
  });
}

/** What the first units of a line are worth, rounded down; exact for any safe value. */
const worth = (line: InstanceLine, units: number): number => Number((BigInt(line.value) * BigInt(units)) / BigInt(line.quantity));

/** Sizes that add up to a line: what the best-stocked sites have of it, each in halves down to one unit, so that other amounts can be made up of them. */
function piecesOf(line: InstanceLine, sites: readonly Site[], maxShipments: number, most: number): number[] {
  const stocks = sites.map((site) => unitsFor(line, site)).filter((n) => n > 0).sort((a, b) => b - a).slice(0, Math.min(maxShipments, MOST_FITTED));
  const halves = Math.max(1, Math.floor(most / (stocks.length + 1)));
  const sizes: number[] = [];
  let left = line.quantity;
  for (const stock of [...stocks, line.quantity]) {
    let fits = Math.min(stock, left);
    left -= fits;
    for (let n = 1; fits > 0; n++) {
      const size = n < halves ? Math.ceil(fits / 2) : fits;
      sizes.push(size);
      fits -= size;
    }
  }
  return sizes.sort((a, b) => b - a);
}
