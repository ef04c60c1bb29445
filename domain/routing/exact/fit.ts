import type { InstanceLine, RoutingWeights } from '../model.ts';
import { cheapestRate } from './cost.ts';
import { unitsThere, type Site } from './sites.ts';

/** Tries of a line at a site: what is not settled by then counts as not fitting. */
const MOST_TRIES = 2000;

const usable = (line: InstanceLine, { location }: Site): boolean => (!line.hazardous || location.hazardous === true) && (!line.oversized || location.oversized === true);

/** Units of a line that a site may give it, whatever else it sends. */
export function unitsFor(line: InstanceLine, site: Site): number {
  const { capacityUnits = Number.POSITIVE_INFINITY, stock } = site.location;
  return usable(line, site) ? Math.min(unitsThere(stock[line.sku]), capacityUnits) : 0;
}

/** Whether some carrier takes so many units of a line from a site. */
export function carries({ rates }: Site, { weightG, volumeMm3 = 0, hazardous = false }: InstanceLine, quantity: number, w: RoutingWeights): boolean {
  return cheapestRate(rates, { weightG: quantity * weightG, volumeMm3: quantity * volumeMm3, hazardous }, w)[1] >= 0;
}

/**
 * Whether lines of one SKU, each of which some site can send, can all be sent whole, whatever else the order has: each from one site, within its stock, capacity and carriers. Of each line the sites with the most are
 * enough, as many as there are lines: what goes to others fits there, too.
 */
export function fitTogether(lines: readonly InstanceLine[], sites: readonly Site[], w: RoutingWeights): boolean {
  const order = [...lines].sort((a, b) => b.quantity - a.quantity || a.line - b.line);
  const near = new Set(order.flatMap((line) => sites.map((site) => ({ site, units: unitsFor(line, site) })).filter(({ site, units }) => units >= line.quantity && carries(site, line, line.quantity, w)).sort((a, b) => b.units - a.units).slice(0, lines.length).map(({ site }) => site)));
  const at = [...near].map((site) => ({ site, left: Math.min(unitsThere(site.location.stock[order[0]?.sku ?? '']), site.location.capacityUnits ?? Number.POSITIVE_INFINITY), own: [] as InstanceLine[] }));
  at.sort((a, b) => b.left - a.left);
  const goes = ({ rates }: Site, own: readonly InstanceLine[]): boolean => cheapestRate(rates, {
    weightG: own.reduce((sum, l) => sum + l.quantity * l.weightG, 0), volumeMm3: own.reduce((sum, l) => sum + l.quantity * (l.volumeMm3 ?? 0), 0), hazardous: own.some((l) => l.hazardous === true),
  }, w)[1] >= 0;
  let tries = 0;
  const place = (n: number): boolean => {
    const line = order[n];
    if (!line) return true;
    for (const to of at) {
      if (++tries > MOST_TRIES) return false;
      if (to.left < line.quantity || unitsFor(line, to.site) < line.quantity || !goes(to.site, [...to.own, line])) continue;
      to.own.push(line);
      to.left -= line.quantity;
      if (place(n + 1)) return true;
      to.own.pop();
      to.left += line.quantity;
    }
    return false;
  };
  return place(0);
}
