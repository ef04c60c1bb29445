import { zone } from '../geo.ts';
import type { InstanceLine, InstanceLocation, InstanceOrder, InstanceRate, InstanceShipment } from '../routing/model.ts';
import type { Money } from './model.ts';

const DAY_MS = 86_400_000;

/** What a shipment costs in money, by the rate card, the location's handling and the dealer's settlement with its fee, each as it is: no policy's weights. Minor units. */
export function moneyOf(order: InstanceOrder, location: Pick<InstanceLocation, 'place' | 'handling' | 'settlementFee' | 'stock'>, rates: readonly InstanceRate[], shipment: Pick<InstanceShipment, 'carrier' | 'service' | 'lines'>): Money {
  const to = zone(location.place, order.destination);
  const rate = rates.find((r) => r.carrier === shipment.carrier && r.zone === to && (r.service ?? 'standard') === (shipment.service ?? 'standard'));
  if (!rate) throw new RangeError(`carrier ${shipment.carrier} has no rate for zone ${to}`);
  let [weightG, volumeMm3, units, settlement] = [0, 0, 0, location.settlementFee ?? 0];
  for (const { line, sku, quantity } of shipment.lines) {
    const { weightG: grams, volumeMm3: volume } = order.lines.find((l) => l.line === line) as InstanceLine;
    weightG += grams * quantity;
    volumeMm3 += (volume ?? 0) * quantity;
    units += quantity;
    settlement += (location.stock[sku]?.settlement ?? 0) * quantity;
  }
  const weight = rate.volumetricMm3PerG === undefined ? weightG : Math.max(weightG, Math.ceil(volumeMm3 / rate.volumetricMm3PerG));
  const freight = rate.firstCost + Math.max(0, Math.ceil((weight - rate.firstWeightG) / rate.stepG)) * rate.stepCost;
  const handling = location.handling.perShipment + location.handling.perUnit * units;
  return { freight, handling, settlement, total: freight + handling + settlement };
}

/** Begun days by which a shipment arrives after the promise; 0 where nothing was promised. */
export function daysLate(order: Pick<InstanceOrder, 'promisedBy'>, shipment: Pick<InstanceShipment, 'arrivesAt'>): number {
  return order.promisedBy === null ? 0 : Math.max(0, Math.ceil((Date.parse(shipment.arrivesAt) - Date.parse(order.promisedBy)) / DAY_MS));
}
