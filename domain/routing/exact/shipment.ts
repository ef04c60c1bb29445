import { cheapestRate, opportunityUnits, rejectionCost, SCALE } from './cost.ts';
import { arrival, type Site } from './sites.ts';
import type { Item } from './items.ts';
import type { CostTerm, InstanceShipment, InstanceStock, RoutingInstance } from '../model.ts';

/** One shipment with its cost by term; the terms add up to it. */
export function shipmentOf({ policy: { weights: w } }: RoutingInstance, site: Site, items: readonly Item[]): InstanceShipment {
  const { location } = site;
  const lines = new Map<number, { line: number; sku: string; quantity: number }>();
  for (const { line, quantity } of items) {
    const known = lines.get(line.line);
    if (known) known.quantity += quantity;
    else lines.set(line.line, { line: line.line, sku: line.sku, quantity });
  }
  const bySku = new Map<string, number>();
  for (const { sku, quantity } of lines.values()) bySku.set(sku, (bySku.get(sku) ?? 0) + quantity);
  const of = (value: (stock: InstanceStock, quantity: number) => number): number => [...bySku].reduce((sum, [sku, quantity]) => sum + value(location.stock[sku] ?? { available: 0 }, quantity), 0);
  const units = [...bySku.values()].reduce((sum, n) => sum + n, 0);
  const load = {
    weightG: items.reduce((sum, i) => sum + i.quantity * i.line.weightG, 0), volumeMm3: items.reduce((sum, i) => sum + i.quantity * (i.line.volumeMm3 ?? 0), 0),
    hazardous: items.some((i) => i.line.hazardous === true),
  };
  const [carriage, at] = cheapestRate(site.rates, load, w);
  const { rate, lateMilli } = site.rates[at] as Site['rates'][number];
  const lateness = w.latenessPerDay * lateMilli;
  const terms: InstanceShipment['terms'] = {
    shipping: carriage - lateness, handling: w.handling * (location.handling.perShipment + location.handling.perUnit * units), lateness, load: w.loadBalance * location.load,
    opportunity: w.opportunity * of((s, q) => (s.opportunity?.cost ?? 0) * opportunityUnits(s, q)), slowCredit: 0 - w.slowCredit * of((s, q) => (s.slowCredit ?? 0) * q),
    settlement: w.settlement * ((location.settlementFee ?? 0) + of((s, q) => (s.settlement ?? 0) * q)), ...(w.rejection === undefined ? {} : { rejection: rejectionCost(location, w) }),
  };
  const cost = Object.values(terms).reduce((sum, n) => sum + n, 0);
  for (const key of Object.keys(terms) as CostTerm[]) terms[key] = (terms[key] ?? 0) / SCALE || 0;
  return {
    location: location.code, carrier: rate.carrier, ...(rate.service === undefined || rate.service === 'standard' ? {} : { service: rate.service }), shipsAt: new Date(site.shipsAt).toISOString(), arrivesAt: new Date(arrival(site.shipsAt, rate, location.readyMinute)).toISOString(), lines: [...lines.values()], terms, cost: cost / SCALE,
  };
}
