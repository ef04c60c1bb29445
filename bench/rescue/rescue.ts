import { planOrder } from '../../domain/routing/plan.ts';
import type { InstancePolicy } from '../../domain/routing/model.ts';
import { daysLate, moneyOf } from '../../domain/simulation/money.ts';
import { Shelves } from '../../domain/simulation/shelves.ts';
import { calibrateNode } from '../support/calibrate-node.ts';
import { JOURNEY } from '../support/journey-sales.ts';
import { rescueCase, type Case } from './case.ts';

const POLICY: InstancePolicy = {
  code: 'rescue', version: 1, kinds: ['warehouse', 'store'], maxShipments: 3, lineMaySplit: true, minShipmentValue: 300, dealers: 'equal',
  weights: { shipping: 1000, handling: 1000, splitPenalty: 0, latenessPerDay: 50, loadBalance: 0, opportunity: 500, slowCredit: 0, settlement: 1000 },
};
/** Money in cents. `onTime`: orders served whole, by the promise, of all orders. */
type Outcome = { sales: number; cost: number; walkIns: number; orders: number; served: number; shipments: number; split: number; whole: number; onTime: number; rescued: number };

/** The week as it comes: orders and walk-ins by the clock, each taking what is there. Without pooling an order is its own region's warehouse's alone. */
function run({ locations, stock, rates, online, walkIns }: Case, pooling: boolean): Outcome {
  const shelves = new Shelves(locations, stock, true);
  const out: Outcome = { sales: 0, cost: 0, walkIns: 0, orders: 0, served: 0, shipments: 0, split: 0, whole: 0, onTime: 0, rescued: 0 };
  const counter = (w: Case['walkIns'][number]): void => {
    const there = shelves.location(w.location).stock[w.sku]?.available ?? 0;
    const units = Math.min(there, w.quantity);
    if (units === 0) return;
    shelves.take(w.location, [{ sku: w.sku, quantity: units }], w.at);
    out.walkIns += (w.value * units) / w.quantity;
  };
  let next = 0;
  for (const order of online) {
    for (; (walkIns[next]?.at ?? Infinity) <= order.at; next++) counter(walkIns[next] as Case['walkIns'][number]);
    const home = locations.find((l) => l.kind === 'warehouse' && l.place.city === order.order.destination.city)?.code;
    const there = shelves.candidates(order).filter((l) => pooling || l.code === home);
    const plan = planOrder({ order: order.order, locations: there, rates, policy: POLICY }, false);
    out.orders++;
    if (plan.shipments.length === 0) continue;
    out.served++;
    out.shipments += plan.shipments.length;
    if (plan.shipments.length > 1) out.split++;
    let late = 0;
    for (const shipment of plan.shipments) {
      const sender = shelves.location(shipment.location);
      out.cost += moneyOf(order.order, sender, rates, shipment).total;
      late = Math.max(late, daysLate(order.order, shipment));
      for (const l of shipment.lines) {
        const line = order.order.lines.find((x) => x.line === l.line);
        const value = line ? (line.value * l.quantity) / line.quantity : 0;
        out.sales += value;
        if (shipment.location !== home) out.rescued += value;
      }
      shelves.take(shipment.location, shipment.lines, order.at);
    }
    if (plan.unallocated.length > 0) continue;
    out.whole++;
    if (late === 0) out.onTime++;
  }
  for (; next < walkIns.length; next++) counter(walkIns[next] as Case['walkIns'][number]);
  return out;
}

/**
 * The seed's case on real baskets: warehouses sold out, shops overstocked, the same demand with every stock for itself and pooled. `recoveredSales`: what online sales gain, less what parcels cost more and what
 * shops then lack over the counter, as a share of what customers wanted online; `ofSales`: as a share of what was sold without pooling. Arguments: week, weeks of cover in shops, folder of the set.
 */
export function rescue(args: string[]): Promise<Record<string, unknown>> {
  const calibration = calibrateNode();
  const [week, cover] = [Number(args[0] ?? 38), Number(args[1] ?? 2)];
  const input = rescueCase(args[2] ?? JOURNEY, week, cover);
  const demand = input.online.reduce((sum, o) => sum + o.order.lines.reduce((s, l) => s + l.value, 0), 0);
  const [off, on] = [run(input, false), run(input, true)];
  const gained = on.sales - off.sales;
  const net = gained - (on.cost - off.cost) - Math.max(0, off.walkIns - on.walkIns);
  const round = (n: number): number => Math.round(n * 1000) / 1000;
  const said = (o: Outcome) => ({
    sales: Math.round(o.sales), fillRate: round(o.sales / demand), cost: o.cost, costPerOrder: Math.round(o.cost / Math.max(1, o.served)), splitRate: round(o.split / Math.max(1, o.served)), wholeShare: round(o.whole / o.orders), onTimeShare: round(o.onTime / o.orders),
  });
  return Promise.resolve({
    bench: 'rescue', week, coverWeeks: cover, orders: input.online.length, locations: input.locations.length, demand, recoveredSales: round(net / demand), ofSales: round(net / off.sales), gained: Math.round(gained), extraCost: on.cost - off.cost,
    walkInsLost: Math.round(off.walkIns - on.walkIns), off: said(off), on: said(on), calibration,
  });
}
