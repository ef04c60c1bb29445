import type { InstanceLine, InstancePolicy, RoutingInstance, RoutingWeights } from '../model.ts';
import { carries, fitTogether, unitsFor } from './fit.ts';
import type { Site } from './sites.ts';

/** What dealers may serve: as the policy has it; or, `after_own`, these items besides; or `last`: everything, what an own location could serve at `LAST` more (plan.ts). */
export type Dealers = InstancePolicy['dealers'] | ReadonlySet<Item> | 'last';
/** More than plans differ in cost, thousandths of a minor unit; so small that some hundred of them are counted exactly. */
export const LAST = 2 ** 43;

/** What goes from one location whole: a line, or some units of a line that has to be `divided` (one, where there are few). */
export type Item = { line: InstanceLine; quantity: number; value: number; divided: boolean };

/** More units than these are not looked at one by one: the search would take seconds. */
const MOST_UNITS = 100;
/** Locations whose stock a piece is made to fit. */
const MOST_FITTED = 6;

/** The sites that have each item whole: with `after_own` a dealer only where no own location has it and a carrier that takes it. */
export function sitesOf(item: Item, sites: readonly Site[], dealers: Dealers, w: RoutingWeights): boolean[] {
  const { line, quantity } = item;
  const first = dealers === 'after_own' || (typeof dealers !== 'string' && !dealers.has(item));
  const can: boolean[] = [];
  let own = !first;
  for (const site of sites) {
    const yes = unitsFor(line, site) >= quantity;
    can.push(yes);
    own ||= yes && site.location.kind !== 'dealer' && carries(site, line, quantity, w);
  }
  return !first || !own ? can : can.map((yes, i) => yes && sites[i]?.location.kind !== 'dealer');
}

/** By item, the dealers that `after_own` keeps from it: what they serve all the same costs LAST more. */
export function barredOf(items: readonly Item[], sites: readonly Site[], w: RoutingWeights): boolean[][] {
  return items.map((item) => {
    const [any, own] = [sitesOf(item, sites, 'equal', w), sitesOf(item, sites, 'after_own', w)];
    return any.map((yes, s) => yes && own[s] !== true);
  });
}

/**
 * The items of an order. A line is one item, unless the policy lets it be divided and no site can send it whole (it has not so many, or no carrier takes them), or the lines of its SKU do not go
 * together to any sites: then each unit is one. Where these would be more than MOST_UNITS they are bundled to pieces that fit what the best-stocked sites can send. Units of a line are alike: each is worth its
 * share of the line, rounded up.
 */
export function itemsOf({ order, policy }: RoutingInstance, sites: readonly Site[]): Item[] {
  const lines = [...order.lines].sort((a, b) => a.line - b.line);
  const divided = policy.lineMaySplit ? toDivide(lines, sites, policy.weights) : new Set<InstanceLine>();
  const units = [...divided].reduce((sum, line) => sum + line.quantity, 0);
  const most = Math.max(1, Math.floor(MOST_UNITS / divided.size));
  return lines.flatMap((line): Item[] => {
    if (!divided.has(line)) return [{ line, quantity: line.quantity, value: line.value, divided: false }];
    const sizes = units <= MOST_UNITS ? Array<number>(line.quantity).fill(1) : piecesOf(line, sites, policy, most);
    return sizes.map((quantity) => ({ line, quantity, value: quantity * Math.ceil(line.value / line.quantity), divided: true }));
  });
}

function toDivide(lines: readonly InstanceLine[], sites: readonly Site[], w: RoutingWeights): Set<InstanceLine> {
  const sends = (line: InstanceLine, quantity: number): boolean => sites.some((site) => unitsFor(line, site) >= quantity && carries(site, line, quantity, w));
  const divided = new Set(lines.filter((line) => line.quantity > 1 && !sends(line, line.quantity) && sends(line, 1)));
  const bySku = new Map<string, InstanceLine[]>();
  for (const line of lines) if (!divided.has(line)) bySku.set(line.sku, [...bySku.get(line.sku) ?? [], line]);
  for (const same of bySku.values()) {
    if (same.length < 2) continue;
    const whole = same.filter((line) => sends(line, line.quantity));
    if (whole.some((line) => line.quantity > 1) && !fitTogether(whole, sites, w)) for (const line of whole) if (line.quantity > 1) divided.add(line);
  }
  return divided;
}

/** Units of a line that a site can send at once. */
function unitsSent(line: InstanceLine, site: Site, w: RoutingWeights): number {
  let [can, over] = [0, unitsFor(line, site) + 1];
  if (over > 1 && carries(site, line, over - 1, w)) return over - 1;
  while (over - can > 1) {
    const middle = Math.floor((can + over) / 2);
    if (carries(site, line, middle, w)) can = middle;
    else over = middle;
  }
  return can;
}

/** Sizes that add up to a line: what the best-stocked sites can send of it, each in halves down to one unit, so that other amounts can be made up of them. */
function piecesOf(line: InstanceLine, sites: readonly Site[], { maxShipments, weights }: InstancePolicy, most: number): number[] {
  const stocks = sites.map((site) => unitsSent(line, site, weights)).filter((n) => n > 0).sort((a, b) => b - a).slice(0, Math.min(maxShipments, MOST_FITTED));
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
