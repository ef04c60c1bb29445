import type { InstancePolicy } from '../model.ts';
import { cheapestRate, openingCost, SCALE, unitsCost } from './cost.ts';
import { sitesOf, type Item } from './items.ts';
import type { Site } from './sites.ts';

/** Items by site of a plan that was found without proof. `cost` and `bound` in thousandths of a minor unit. */
export type LargeSolution = {
  parts: { items: number[]; site: number }[]; cost: number; bound: number;
  /** by item, then site */
  can: readonly boolean[][]; costAt: (site: number, items: readonly number[]) => number;
};

/** Sites tried for an exchange: those that serve the most items. */
const MOST_TRIED = 60;
const ROUNDS = 20;

/**
 * For more items than the exact search takes: as few sites as cover the items, greedily, then moves of single items and exchanges of sites as long as they save money.
 * With a bound below any plan that serves as many.
 */
export function solveLarge(items: readonly Item[], sites: readonly Site[], policy: InstancePolicy): LargeSolution {
  const w = policy.weights;
  const can = items.map((item) => sitesOf(item, sites, policy.dealers));
  const penalty = SCALE * policy.weights.splitPenalty;
  const costAt = (site: number, own: readonly number[]): number => {
    const at = sites[site] as Site;
    const bySku = new Map<string, number>();
    let [units, weightG, volumeMm3, hazardous] = [0, 0, 0, false];
    for (const i of own) {
      if (!can[i]?.[site]) return Number.POSITIVE_INFINITY;
      const { line, quantity } = items[i] as Item;
      bySku.set(line.sku, (bySku.get(line.sku) ?? 0) + quantity);
      units += quantity;
      weightG += quantity * line.weightG;
      volumeMm3 += quantity * (line.volumeMm3 ?? 0);
      hazardous ||= line.hazardous === true;
    }
    if (units > (at.location.capacityUnits ?? Number.POSITIVE_INFINITY)) return Number.POSITIVE_INFINITY;
    let sum = openingCost(at, w) + cheapestRate(at.rates, { weightG, volumeMm3, hazardous }, w)[0];
    for (const [sku, quantity] of bySku) {
      if (quantity > (at.location.stock[sku]?.available ?? 0)) return Number.POSITIVE_INFINITY;
      sum += unitsCost(at, sku, quantity, w);
    }
    return sum;
  };
  /** Lines, and units of divided ones. */
  const counted = (own: readonly number[]): number => own.reduce((sum, i) => sum + countOf(items[i] as Item), 0);
  const worth = (own: readonly number[]): number => own.reduce((sum, i) => sum + (items[i] as Item).value, 0);
  const total = (plan: ReadonlyMap<number, readonly number[]>): number => {
    const used = [...plan].filter(([, own]) => own.length > 0);
    if (used.length > policy.maxShipments || (used.length > 1 && used.some(([, own]) => worth(own) < policy.minShipmentValue))) return Number.POSITIVE_INFINITY;
    return used.reduce((sum, [site, own]) => sum + costAt(site, own), 0) + Math.max(0, used.length - 1) * penalty;
  };
  /** Items that a site can send together, the first ones first. */
  const fill = (site: number, wanted: readonly number[]): number[] => {
    // What goes together goes in any part, too: mostly everything does.
    const all = wanted.filter((i) => can[i]?.[site]);
    if (all.length > 0 && Number.isFinite(costAt(site, all))) return all;
    const own: number[] = [];
    for (const i of all) if (Number.isFinite(costAt(site, [...own, i]))) own.push(i);
    return own;
  };

  const tried = sites.map((_, s) => [s, can.filter((yes) => yes[s]).length] as const).filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, MOST_TRIED).map(([s]) => s);
  let plan: ReadonlyMap<number, readonly number[]> = greedy(items.length, tried, policy.maxShipments, fill, costAt, counted);
  if (!Number.isFinite(total(plan))) plan = oneSite(items.length, tried, fill, costAt, counted);
  let cost = total(plan);
  const served = (p: ReadonlyMap<number, readonly number[]>): number => [...p.values()].reduce((sum, own) => sum + counted(own), 0);
  for (let round = 0, better = true; better && round < ROUNDS; round++) {
    better = false;
    for (const next of neighbours(plan, tried, fill)) {
      const price = total(next);
      if (price >= cost || served(next) < served(plan)) continue;
      [plan, cost, better] = [next, price, true];
      break;
    }
  }
  return { parts: [...plan].filter(([, own]) => own.length > 0).map(([site, own]) => ({ site, items: [...own].sort((a, b) => a - b) })), cost, bound: Math.min(cost, lowerBound(items, sites, policy, plan, can)), can, costAt };
}

function greedy(
  count: number, tried: readonly number[], most: number, fill: (site: number, wanted: readonly number[]) => number[], costAt: (site: number, own: readonly number[]) => number,
  counted: (own: readonly number[]) => number,
): Map<number, number[]> {
  const plan = new Map<number, number[]>();
  let left = Array.from({ length: count }, (_, i) => i);
  while (left.length > 0 && plan.size < most) {
    let best: { site: number; own: number[]; price: number } | null = null;
    for (const site of tried) {
      if (plan.has(site)) continue;
      const own = fill(site, left);
      const price = own.length > 0 ? costAt(site, own) : 0;
      if (own.length > 0 && (!best || counted(own) > counted(best.own) || (counted(own) === counted(best.own) && price < best.price))) best = { site, own, price };
    }
    if (!best) break;
    const { site, own } = best;
    plan.set(site, own);
    left = left.filter((i) => !own.includes(i));
  }
  return plan;
}

function oneSite(
  count: number, tried: readonly number[], fill: (site: number, wanted: readonly number[]) => number[], costAt: (site: number, own: readonly number[]) => number, counted: (own: readonly number[]) => number,
): Map<number, number[]> {
  return greedy(count, tried, 1, fill, costAt, counted);
}

/** Plans that differ by one item at another used site, or by another site in the place of one. */
function* neighbours(plan: ReadonlyMap<number, readonly number[]>, tried: readonly number[], fill: (site: number, wanted: readonly number[]) => number[]): Generator<Map<number, readonly number[]>> {
  for (const [from, own] of plan) {
    for (const i of own) {
      for (const to of plan.keys()) {
        if (to === from) continue;
        yield new Map([...plan].map(([s, some]) => [s, s === from ? some.filter((x) => x !== i) : s === to ? [...some, i] : some] as const));
      }
    }
    for (const to of tried) {
      if (plan.has(to) || fill(to, own).length < own.length) continue;
      yield new Map([...plan].map(([s, some]) => [s === from ? to : s, some] as const));
    }
  }
}

const countOf = ({ divided, quantity }: Item): number => (divided ? quantity : 1);

/**
 * Below any plan that serves as many lines and units, whichever these are: the least own costs of so many (without that of last units, which others may share), the least
 * opening and first weight of one shipment.
 */
function lowerBound(items: readonly Item[], sites: readonly Site[], policy: InstancePolicy, plan: ReadonlyMap<number, readonly number[]>, whole: readonly boolean[][]): number {
  const w = policy.weights;
  let left = [...plan.values()].flat().reduce((sum, i) => sum + countOf(items[i] as Item), 0);
  if (left === 0) return 0;
  const least = items.map((item, i): { each: number; count: number } => {
    // A unit of a divided line may come from where a whole piece is not.
    const one: Item = item.divided ? { ...item, quantity: 1 } : item;
    const can = item.divided ? sitesOf(one, sites, 'equal') : whole[i] as boolean[];
    const each = sites.reduce((min, { location }, s) => {
      const stock = can[s] ? location.stock[item.line.sku] : undefined;
      return stock ? Math.min(min, one.quantity * (w.handling * location.handling.perUnit + w.settlement * (stock.settlement ?? 0) - w.slowCredit * (stock.slowCredit ?? 0))) : min;
    }, Number.POSITIVE_INFINITY);
    return { each, count: countOf(item) };
  }).sort((a, b) => (a.each < b.each ? -1 : a.each > b.each ? 1 : 0));
  let sum = Math.min(...sites.map((site) => openingCost(site, w) + Math.min(...site.rates.map(({ rate, lateMilli }) => w.shipping * rate.firstCost + w.latenessPerDay * lateMilli))));
  for (const { each, count: there } of least) {
    const taken = Math.min(left, there);
    if (taken > 0) sum += taken * each;
    left -= taken;
  }
  return sum;
}
