import { zone } from '../../../domain/geo.ts';
import type { InstanceLine, InstanceLocation, InstancePlan, InstanceRate, RoutingInstance } from '../../../domain/routing/model.ts';

/** Eligibility as docs/routing.md says it, written a second time. */
const mayServe = (l: InstanceLocation, { order, policy }: RoutingInstance): boolean => {
  for (const r of policy.eligibility ?? []) {
    if (r.channels !== undefined && !r.channels.includes(order.channel)) continue;
    if (r.ways !== undefined && !r.ways.includes(order.way ?? 'ship')) continue;
    const named = [...r.locations ?? []].includes(l.code) || [...r.kinds ?? []].includes(l.kind);
    if ((r.mode === 'never' && named) || (r.mode === 'only' && !named)) return false;
  }
  return true;
};

type Piece = { line: InstanceLine; quantity: number; value: number };

/** The objective of docs/routing.md written a second time, as plainly as can be, and every assignment tried. For small instances. */
export function cheapest(instance: RoutingInstance): { cost: number; served: number; valid: (plan: InstancePlan) => string } {
  const { order, locations, rates, policy } = instance;
  const w = policy.weights;
  const open = locations.filter((l) => policy.kinds.includes(l.kind) && l.shipsAt !== null && mayServe(l, instance) && (l.capacityUnits ?? 1) > 0);
  const most = (l: InstanceLocation, line: InstanceLine): number => ((line.hazardous && !l.hazardous) || (line.oversized && !l.oversized) ? 0 : Math.min(l.stock[line.sku]?.blocked === undefined ? l.stock[line.sku]?.available ?? 0 : 0, l.capacityUnits ?? Infinity));
  const routable = open.filter((l) => rates.some((r) => r.zone === zone(l.place, order.destination) && !order.refused?.some((x) => x.carrier === r.carrier && (x.service ?? r.service ?? 'standard') === (r.service ?? 'standard'))) && order.lines.some((line) => l.stock[line.sku]?.blocked === undefined && (l.stock[line.sku]?.available ?? 0) > 0));
  const weighed = (own: readonly { line: InstanceLine; quantity: number }[]): { weight: number; volume: number } => ({ weight: own.reduce((n, p) => n + p.quantity * p.line.weightG, 0), volume: own.reduce((n, p) => n + p.quantity * (p.line.volumeMm3 ?? 0), 0) });
  const ratesOf = (l: InstanceLocation, own: readonly { line: InstanceLine; quantity: number }[]): [rate: InstanceRate, chargeable: number][] => rates.flatMap((r): [InstanceRate, number][] => {
    const { weight, volume } = weighed(own);
    const chargeable = r.volumetricMm3PerG ? Math.max(weight, Math.ceil(volume / r.volumetricMm3PerG)) : weight;
    const taken = r.zone === zone(l.place, order.destination) && !(own.some((p) => p.line.hazardous) && !r.hazardous) && chargeable <= (r.maxWeightG ?? Infinity)
      && !order.refused?.some((x) => x.carrier === r.carrier && (x.service ?? r.service ?? 'standard') === (r.service ?? 'standard'));
    return taken ? [[r, chargeable]] : [];
  });
  const sends = (l: InstanceLocation, line: InstanceLine, quantity: number): boolean => most(l, line) >= quantity && ratesOf(l, [{ line, quantity }]).length > 0;
  const whole = (line: InstanceLine): boolean => routable.some((l) => sends(l, line, line.quantity));
  /** Whether all lines of a SKU that go whole go whole together: every way tried. */
  const together = (same: readonly InstanceLine[], at = new Map<InstanceLocation, InstanceLine[]>()): boolean => same.length === 0 || routable.some((l) => {
    const [next, ...rest] = same as [InstanceLine, ...InstanceLine[]];
    const own = [...at.get(l) ?? [], next];
    const units = own.reduce((n, x) => n + x.quantity, 0);
    return most(l, next) >= next.quantity && units <= Math.min(l.stock[next.sku]?.available ?? 0, l.capacityUnits ?? Infinity) && ratesOf(l, own.map((line) => ({ line, quantity: line.quantity }))).length > 0 && together(rest, new Map([...at, [l, own]]));
  });
  const parted = (line: InstanceLine): boolean => policy.lineMaySplit && line.quantity > 1
    && (whole(line) ? !together(order.lines.filter((x) => x.sku === line.sku && whole(x))) : routable.some((l) => sends(l, line, 1)));
  const pieces = order.lines.flatMap((line): Piece[] => (parted(line)
    ? Array.from({ length: line.quantity }, () => ({ line, quantity: 1, value: Math.ceil(line.value / line.quantity) }))
    : [{ line, quantity: line.quantity, value: line.value }]));
  const allowed = pieces.map((p) => routable.filter((l) => most(l, p.line) >= p.quantity));
  const ownFirst = pieces.map((p) => policy.dealers === 'after_own' && routable.some((l) => l.kind !== 'dealer' && sends(l, p.line, p.quantity)));
  const shipment = (l: InstanceLocation, own: readonly Piece[]): number => {
    const units = own.reduce((n, p) => n + p.quantity, 0);
    if (units > (l.capacityUnits ?? Infinity)) return Infinity;
    const bySku = new Map<string, number>();
    for (const p of own) bySku.set(p.line.sku, (bySku.get(p.line.sku) ?? 0) + p.quantity);
    let sum = w.handling * (l.handling.perShipment + l.handling.perUnit * units) + w.settlement * (l.settlementFee ?? 0) + w.loadBalance * l.load + (w.rejection ?? 0) * (1000 - (l.reliability ?? 1000));
    for (const [sku, q] of bySku) {
      const s = l.stock[sku]!;
      if (q > s.available) return Infinity;
      sum += w.settlement * (s.settlement ?? 0) * q - w.slowCredit * (s.slowCredit ?? 0) * q;
      const free = Math.max(0, s.available - (s.opportunity?.units ?? 0));
      for (let unit = 1; unit <= q; unit++) if (unit > free) sum += w.opportunity * (s.opportunity?.cost ?? 0);
    }
    let least = Infinity;
    for (const [r, chargeable] of ratesOf(l, own)) {
      const arrives = Date.parse(l.shipsAt!) + (r.transitDays + (l.readyMinute !== undefined && r.cutoffMinute !== undefined && l.readyMinute > r.cutoffMinute ? 1 : 0)) * 86_400_000;
      const promised = order.promisedBy === null ? Infinity : Date.parse(order.promisedBy);
      const late = Math.max(0, Math.ceil((arrives - promised) / 86_400_000)) + (arrives + 86_400_000 > promised ? (r.lateRisk ?? 0) / 1000 : 0);
      least = Math.min(least, w.shipping * (r.firstCost + Math.max(0, Math.ceil((chargeable - r.firstWeightG) / r.stepG)) * r.stepCost) + w.latenessPerDay * Math.round(1000 * late));
    }
    return sum + least;
  };
  // Most items; then the fewest at dealers that an own location could send; then the least cost.
  let best = { served: 0, late: 0, cost: 0 };
  const own = new Map<InstanceLocation, Piece[]>();
  const total = (): number => {
    const used = [...own].filter(([, some]) => some.length > 0);
    if (used.length > policy.maxShipments) return Infinity;
    if (used.length > 1 && used.some(([, some]) => some.reduce((n, p) => n + p.value, 0) < policy.minShipmentValue)) return Infinity;
    return used.reduce((sum, [l, some]) => sum + shipment(l, some), 0) + Math.max(0, used.length - 1) * 1000 * w.splitPenalty;
  };
  const assign = (i: number, served: number, late: number): void => {
    if (i === pieces.length) {
      const cost = served === 0 ? 0 : total();
      if (cost < Infinity && (served > best.served || (served === best.served && (late < best.late || (late === best.late && cost < best.cost))))) best = { served, late, cost };
      return;
    }
    for (const l of allowed[i]!) {
      own.set(l, [...own.get(l) ?? [], pieces[i]!]);
      assign(i + 1, served + 1, late + (ownFirst[i] && l.kind === 'dealer' ? 1 : 0));
      own.set(l, own.get(l)!.slice(0, -1));
    }
    assign(i + 1, served, late);
  };
  assign(0, 0, 0);
  /** What is wrong with a plan; '' when nothing is. */
  const valid = (plan: InstancePlan): string => {
    if (new Set(plan.shipments.map((s) => s.location)).size < plan.shipments.length) return 'a location sends two shipments';
    if (plan.shipments.length > policy.maxShipments) return 'too many shipments';
    const sum = plan.shipments.reduce((n, s) => n + Math.round(s.cost * 1000), 0) + plan.splitPenalty * 1000;
    if (sum !== Math.round(plan.cost * 1000)) return 'the shipments do not add up';
    for (const s of plan.shipments) {
      if (Math.round(Object.values(s.terms).reduce((n, t) => n + t * 1000, 0)) !== Math.round(s.cost * 1000)) return 'the terms do not add up';
      for (const sku of new Set(s.lines.map((l) => l.sku))) {
        const units = s.lines.filter((l) => l.sku === sku).reduce((n, l) => n + l.quantity, 0);
        if (units > (locations.find((l) => l.code === s.location)?.stock[sku]?.available ?? 0)) return 'more than there is';
      }
    }
    for (const line of order.lines) {
      const units = plan.shipments.flatMap((s) => s.lines).filter((l) => l.line === line.line).reduce((n, l) => n + l.quantity, 0) + (plan.unallocated.find((u) => u.line === line.line)?.quantity ?? 0);
      if (units !== line.quantity) return 'units are missing';
    }
    return '';
  };
  return { cost: best.cost / 1000, served: best.served, valid };
}
