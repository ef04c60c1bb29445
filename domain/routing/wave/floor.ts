import { SCALE } from '../exact/cost.ts';
import type { RoutingInstance } from '../model.ts';

/**
 * What no way to deal with an order goes below that leaves out a unit at least, minor units: every unit at what it costs where it costs least (no freight, nothing opened) or at what leaving it out costs, whatever is less;
 * what the whole network lacks is left out. `unserved`: what each line costs that nobody gets, in the order of the lines. `complete`: there is a way to serve all, so each other one leaves out a unit that could be served.
 */
export function floorOf({ order, locations, policy: { weights: w } }: RoutingInstance, unserved: readonly number[], complete: boolean): number {
  let floor = 0;
  let more = Number.POSITIVE_INFINITY;
  order.lines.forEach((line, i) => {
    const out = (unserved[i] ?? 0) / line.quantity;
    let there = 0;
    let cost = Number.POSITIVE_INFINITY;
    for (const l of locations) {
      const stock = l.stock[line.sku];
      if (stock === undefined || stock.available <= 0) continue;
      there += stock.available;
      cost = Math.min(cost, (w.handling * l.handling.perUnit + w.settlement * (stock.settlement ?? 0) - w.slowCredit * (stock.slowCredit ?? 0)) / SCALE);
    }
    const served = Math.min(there, line.quantity);
    // What a line costs unserved is rounded.
    floor += (line.quantity - served) * out - 0.5;
    if (served > 0) {
      floor += served * Math.min(out, cost);
      more = Math.min(more, Math.max(0, out - cost));
    }
  });
  return complete && more !== Number.POSITIVE_INFINITY ? floor + more : floor;
}
