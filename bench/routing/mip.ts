import { zone } from '../../domain/geo.ts';
import type { InstanceLocation, InstancePlan, InstanceRate, RoutingInstance } from '../../domain/routing/model.ts';

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

/** What an order costs that is left out of the plan: more than any plan. */
export const UNSERVED = 10_000_000;
/** What a line costs more that a dealer sends though an own location could: more than plans differ, less than to leave it out. */
export const LAST = 500_000;

const open = ({ locations, policy, ...rest }: RoutingInstance): InstanceLocation[] => locations.filter((l) => policy.kinds.includes(l.kind) && l.shipsAt !== null && mayServe(l, { locations, policy, ...rest }));
const can = ({ order }: RoutingInstance, l: InstanceLocation, i: number): boolean => Math.min(l.stock[order.lines[i]!.sku]?.blocked === undefined ? l.stock[order.lines[i]!.sku]?.available ?? 0 : 0, l.capacityUnits ?? Infinity) >= order.lines[i]!.quantity;
const lanesOf = ({ order, rates }: RoutingInstance, l: InstanceLocation): (readonly [InstanceRate, number])[] => rates.map((r, k) => [r, k] as const).filter(([r]) => r.zone === zone(l.place, order.destination) && !order.refused?.some((x) => x.carrier === r.carrier && (x.service ?? r.service ?? 'standard') === (r.service ?? 'standard')));
/** By line, whether an own location could send it by itself. */
function shipsOwn(instance: RoutingInstance): boolean[] {
  const takes = (r: InstanceRate, i: number): boolean => {
    const { quantity, weightG, volumeMm3 = 0, hazardous } = instance.order.lines[i]!;
    return (!hazardous || r.hazardous === true) && Math.max(quantity * weightG, r.volumetricMm3PerG ? Math.ceil((quantity * volumeMm3) / r.volumetricMm3PerG) : 0) <= (r.maxWeightG ?? Infinity);
  };
  return instance.order.lines.map((_, i) => open(instance).some((l) => l.kind !== 'dealer' && can(instance, l, i) && lanesOf(instance, l).some(([r]) => takes(r, i))));
}

/** Lines of a plan that count LAST more. */
export function lastLines(instance: RoutingInstance, { shipments }: InstancePlan): number {
  const own = shipsOwn(instance);
  const dealers = new Set(instance.locations.filter((l) => l.kind === 'dealer').map((l) => l.code));
  return instance.policy.dealers === 'equal' ? 0 : shipments.filter((s) => dealers.has(s.location)).flatMap((s) => s.lines).filter((x) => own[instance.order.lines.findIndex((l) => l.line === x.line)]).length;
}

/**
 * The model of docs/routing.md as a mixed-integer program in CPLEX LP format, written from the formula and not from the solver: nothing is pruned. Binary x (line l from location s
 * with rate k), y (s sends with rate k), integer n (weight steps), binary z (more than one shipment, where that matters), continuous o (last units taken). x is divided by rate so that
 * every limit is one times y, without a big constant: the relaxation is near the optimum, and HiGHS proves it in seconds. Minor units; the constant −splitPenalty is left out. `last`: dealers may send what own
 * locations could, at LAST more: asked where something is left out.
 */
export function toMip(instance: RoutingInstance, last: boolean): string {
  const { order, policy } = instance;
  const w = policy.weights;
  const per = (n: number): number => n / 1000;
  const objective: string[] = [];
  const rows: string[] = [];
  const binaries: string[] = [];
  const generals: string[] = [];
  const add = (coefficient: number, name: string): string => `${coefficient < 0 ? '-' : '+'} ${Math.abs(coefficient)} ${name}`;
  const own = shipsOwn(instance);
  const barred = (l: InstanceLocation, i: number): boolean => policy.dealers === 'after_own' && l.kind === 'dealer' && own[i] === true;
  const ys: string[] = [];
  const covers = order.lines.map((_, i) => [`u${i}`]);
  const valued = policy.minShipmentValue > 0;
  order.lines.forEach((_, i) => { objective.push(add(UNSERVED, `u${i}`)); binaries.push(`u${i}`); });
  open(instance).forEach((l, s) => {
    const lanes = lanesOf(instance, l);
    const mine = order.lines.map((_, i) => i).filter((i) => can(instance, l, i) && (last || !barred(l, i)));
    if (lanes.length === 0 || mine.length === 0) return;
    const y = lanes.map(([, k]) => `y${s}_${k}`);
    ys.push(...y);
    binaries.push(...y);
    rows.push(`${y.join(' + ')} <= 1`);
    const total = (value: (i: number) => number, of: readonly number[]): string => lanes.map(([, k]) => of.map((i) => add(value(i), `x${i}_${s}_${k}`)).join(' ')).join(' ');
    const upTo = (most: number): string => `${y.map((name) => add(-most, name)).join(' ')} <= 0`;
    for (const sku of new Set(mine.map((i) => order.lines[i]!.sku))) {
      const same = mine.filter((i) => order.lines[i]!.sku === sku);
      const stock = l.stock[sku]!;
      const taken = total((i) => order.lines[i]!.quantity, same);
      rows.push(`${taken} ${upTo(stock.available)}`);
      if (stock.opportunity && stock.opportunity.cost > 0 && stock.opportunity.units > 0) {
        objective.push(add(per(w.opportunity) * stock.opportunity.cost, `o${s}_${sku}`));
        rows.push(`${taken} - o${s}_${sku} ${upTo(Math.max(0, stock.available - stock.opportunity.units))}`);
      }
    }
    if (l.capacityUnits !== undefined) rows.push(`${total((i) => order.lines[i]!.quantity, mine)} ${upTo(l.capacityUnits)}`);
    for (const [r, k] of lanes) {
      const late = order.promisedBy === null ? 0 : lateDays(l, r, Date.parse(order.promisedBy));
      objective.push(add(per(w.shipping) * r.firstCost + per(w.handling) * l.handling.perShipment + per(w.settlement) * (l.settlementFee ?? 0) + per(w.loadBalance) * l.load + (w.rejection ?? 0) * (1 - (l.reliability ?? 1000) / 1000) + w.latenessPerDay * late + w.splitPenalty, `y${s}_${k}`), add(per(w.shipping) * r.stepCost, `n${s}_${k}`));
      generals.push(`n${s}_${k}`);
      for (const i of mine) {
        const { sku, quantity } = order.lines[i]!;
        const stock = l.stock[sku]!;
        binaries.push(`x${i}_${s}_${k}`);
        covers[i]!.push(`x${i}_${s}_${k}`);
        objective.push(add((barred(l, i) ? LAST : 0) + quantity * (per(w.handling) * l.handling.perUnit + per(w.settlement) * (stock.settlement ?? 0) - per(w.slowCredit) * (stock.slowCredit ?? 0)), `x${i}_${s}_${k}`));
        rows.push(`x${i}_${s}_${k} - y${s}_${k} <= 0`);
      }
      const sum = (value: (i: number) => number): string => mine.map((i) => add(value(i), `x${i}_${s}_${k}`)).join(' ');
      const grams = (i: number): number => order.lines[i]!.quantity * order.lines[i]!.weightG;
      const volume = (i: number): number => (order.lines[i]!.quantity * order.lines[i]!.volumeMm3!) / (r.volumetricMm3PerG ?? 1);
      if (valued) rows.push(`${sum((i) => order.lines[i]!.value)} - ${policy.minShipmentValue} y${s}_${k} - ${policy.minShipmentValue} z >= -${policy.minShipmentValue}`);
      for (const value of r.volumetricMm3PerG === undefined ? [grams] : [grams, volume]) rows.push(`${sum(value)} - ${r.stepG} n${s}_${k} - ${r.firstWeightG} y${s}_${k} <= 0`);
      if (r.maxWeightG !== undefined) rows.push(`${sum(grams)} - ${r.maxWeightG} y${s}_${k} <= 0`, ...(r.volumetricMm3PerG === undefined ? [] : [`${sum(volume)} - ${r.maxWeightG} y${s}_${k} <= 0`]));
    }
  });
  for (const names of covers) rows.push(`${names.join(' + ')} = 1`);
  if (ys.length > 0) rows.push(valued ? `${ys.join(' + ')} - ${Math.max(0, policy.maxShipments - 1)} z <= 1` : `${ys.join(' + ')} <= ${policy.maxShipments}`);
  if (valued) binaries.push('z');
  return `Minimize\n obj: ${objective.join('\n  ')}\nSubject To\n${rows.map((r, i) => ` c${i}: ${r}`).join('\n')}\nGenerals\n ${generals.join('\n ')}\nBinaries\n ${binaries.join('\n ')}\nEnd\n`;
}

/** Expected days late: begun ones, and the carrier's risk of one more where that would be late. */
function lateDays(l: InstanceLocation, r: InstanceRate, promisedBy: number): number {
  const day = 86_400_000;
  const arrives = Date.parse(l.shipsAt!) + (r.transitDays + ((l.readyMinute ?? 0) > (r.cutoffMinute ?? 1440) ? 1 : 0)) * day;
  return Math.max(0, Math.ceil((arrives - promisedBy) / day)) + (arrives + day > promisedBy ? (r.lateRisk ?? 0) / 1000 : 0);
}
