import { distanceKm, type Place } from '../geo.ts';
import type { InstanceLocation, InstanceOrder, InstancePlan, InstanceRate } from '../routing/model.ts';
import { daysLate, moneyOf } from './money.ts';
import type { RegionFigures, SimulationResult } from './model.ts';

type Sums = Omit<RegionFigures, 'costPerOrder' | 'shipmentsPerOrder' | 'onTimeShare' | 'kmPerShipment'>;
type Sender = Pick<InstanceLocation, 'place' | 'handling' | 'settlementFee' | 'stock'>;
/** A region's name is a key of the result: where a destination names none. */
const NOWHERE = 'unknown';

const empty = (): Sums => ({
  orders: 0, complete: 0, shipments: 0, units: 0, cost: { freight: 0, handling: 0, settlement: 0, total: 0 }, promised: 0, onTime: 0, daysLate: 0, stockOuts: { orders: 0, lines: 0, units: 0 }, km: 0, measured: 0,
});

/** Adds up what plans do, by the province of the destination. */
export class Figures {
  readonly #regions = new Map<string, Sums>();

  /** `senderOf`: the location of a code as it stood when the plan was made. */
  add(order: InstanceOrder, plan: Pick<InstancePlan, 'shipments' | 'unallocated'>, senderOf: (code: string) => Sender, rates: readonly InstanceRate[]): void {
    const name = order.destination.province === '' ? NOWHERE : order.destination.province;
    let sums = this.#regions.get(name);
    if (!sums) this.#regions.set(name, (sums = empty()));
    sums.orders++;
    let late = 0;
    for (const shipment of plan.shipments) {
      const sender = senderOf(shipment.location);
      const money = moneyOf(order, sender, rates, shipment);
      sums.cost.freight += money.freight;
      sums.cost.handling += money.handling;
      sums.cost.settlement += money.settlement;
      sums.cost.total += money.total;
      sums.shipments++;
      for (const { quantity } of shipment.lines) sums.units += quantity;
      late = Math.max(late, daysLate(order, shipment));
      const km = kmBetween(sender.place, order.destination);
      if (km === null) continue;
      sums.km += km;
      sums.measured++;
    }
    const complete = plan.unallocated.length === 0;
    if (complete) sums.complete++;
    else {
      sums.stockOuts.orders++;
      sums.stockOuts.lines += plan.unallocated.length;
      for (const { quantity } of plan.unallocated) sums.stockOuts.units += quantity;
    }
    sums.daysLate += late;
    if (order.promisedBy === null) return;
    sums.promised++;
    if (complete && late === 0) sums.onTime++;
  }

  result(): SimulationResult {
    const names = [...this.#regions.keys()].sort();
    const total = empty();
    for (const name of names) addUp(total, this.#regions.get(name) as Sums);
    // No prototype: a region may be called anything.
    const regions = Object.create(null) as Record<string, RegionFigures>;
    for (const name of names) regions[name] = shares(this.#regions.get(name) as Sums);
    return { total: shares(total), regions };
  }
}

function kmBetween(a: Place, b: Place): number | null {
  return a.lat === null || a.lon === null || b.lat === null || b.lon === null ? null : distanceKm({ lat: a.lat, lon: a.lon }, { lat: b.lat, lon: b.lon });
}

function addUp(total: Sums, part: Sums): void {
  for (const key of ['orders', 'complete', 'shipments', 'units', 'promised', 'onTime', 'daysLate', 'km', 'measured'] as const) total[key] += part[key];
  for (const key of ['freight', 'handling', 'settlement', 'total'] as const) total.cost[key] += part.cost[key];
  for (const key of ['orders', 'lines', 'units'] as const) total.stockOuts[key] += part.stockOuts[key];
}

const rounded = (value: number, digits: number): number => Math.round(value * 10 ** digits) / 10 ** digits;

function shares(sums: Sums): RegionFigures {
  const { orders, shipments, promised, measured } = sums;
  return {
    ...sums, km: rounded(sums.km, 1), costPerOrder: orders === 0 ? 0 : rounded(sums.cost.total / orders, 2), shipmentsPerOrder: orders === 0 ? 0 : rounded(shipments / orders, 4),
    onTimeShare: promised === 0 ? null : rounded(sums.onTime / promised, 4), kmPerShipment: measured === 0 ? null : rounded(sums.km / measured, 1),
  };
}
