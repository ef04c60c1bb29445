import type { InstanceRate, InstanceStock, RoutingWeights } from '../model.ts';
import type { Site } from './sites.ts';

/** All costs inside the solver are integers in thousandths of a minor unit. */
export const SCALE = 1000;

/** What a shipment of a site costs whatever is in it. */
export function openingCost({ location }: Site, w: RoutingWeights): number {
  return w.handling * location.handling.perShipment + w.settlement * (location.settlementFee ?? 0) + w.loadBalance * location.load + rejectionCost(location, w);
}

/** Expected rejections of a shipment × what one costs: per mille × minor units are thousandths. */
export function rejectionCost({ reliability = SCALE }: Site['location'], w: RoutingWeights): number { return (w.rejection ?? 0) * (SCALE - reliability); }

/** The last units of a location cost what it would have earned with them. Never less for more units. */
export function opportunityUnits(stock: InstanceStock, quantity: number): number {
  return stock.opportunity ? Math.max(0, quantity - Math.max(0, stock.available - stock.opportunity.units)) : 0;
}

/** What units of one SKU cost beyond shipping: depends on how many of it one shipment takes. */
export function unitsCost({ location }: Site, sku: string, quantity: number, w: RoutingWeights): number {
  const stock = location.stock[sku];
  if (!stock || quantity === 0) return 0;
  return quantity * (w.handling * location.handling.perUnit + w.settlement * (stock.settlement ?? 0) - w.slowCredit * (stock.slowCredit ?? 0))
    + w.opportunity * (stock.opportunity?.cost ?? 0) * opportunityUnits(stock, quantity);
}

/** A load as carriers see it: grams, mm³, whether anything in it is hazardous. */
export type Load = { weightG: number; volumeMm3: number; hazardous: boolean };

/** What a carrier's rate costs for a load by its chargeable weight, without lateness; Infinity where it does not take it. */
export function freightOf(rate: InstanceRate, weightG: number, volumeMm3: number, hazardous: boolean, w: RoutingWeights): number {
  const weight = rate.volumetricMm3PerG === undefined ? weightG : Math.max(weightG, Math.ceil(volumeMm3 / rate.volumetricMm3PerG));
  if ((hazardous && rate.hazardous !== true) || (rate.maxWeightG !== undefined && weight > rate.maxWeightG)) return Number.POSITIVE_INFINITY;
  const steps = weight > rate.firstWeightG ? Math.ceil((weight - rate.firstWeightG) / rate.stepG) : 0;
  return w.shipping * (rate.firstCost + steps * rate.stepCost);
}

/** The cheapest carrier of a lane for a load, lateness included: [cost, index of the rate]; no carrier takes it: [Infinity, -1]. Of equal ones the first. */
export function cheapestRate(rates: Site['rates'], load: Load, w: RoutingWeights): [cost: number, rate: number] {
  let best = Number.POSITIVE_INFINITY;
  let at = -1;
  for (let i = 0; i < rates.length; i++) {
    const { rate, lateMilli } = rates[i] as Site['rates'][number];
    const cost = freightOf(rate, load.weightG, load.volumeMm3, load.hazardous, w) + w.latenessPerDay * lateMilli;
    if (cost < best) {
      best = cost;
      at = i;
    }
  }
  return [best, at];
}
