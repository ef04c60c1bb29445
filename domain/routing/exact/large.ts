import type { InstancePolicy } from '../model.ts';
import { openingCost, SCALE } from './cost.ts';
import { cover } from './cover.ts';
import { barredOf, LAST, sitesOf, type Dealers, type Item } from './items.ts';
import { countOf, Loading } from './loading.ts';
import type { Site } from './sites.ts';

/** Items by site of a plan that was found without proof. `cost` and `bound` in thousandths of a minor unit. `most`: it is certain that no plan serves more. */
export type LargeSolution = {
  parts: { items: number[]; site: number }[]; cost: number; bound: number; most: boolean;
  /** by item, then site */
  can: readonly boolean[][]; costAt: (site: number, items: readonly number[]) => number;
  /** items that a dealer serves though an own location could */
  barred: (site: number, items: readonly number[]) => number;
};

/** Sites tried for an exchange: those that serve the most items. */
const MOST_TRIED = 60;
const ROUNDS = 20;

/**
 * For more items than the exact search takes: as few sites as cover the items, greedily; where that leaves out what some site has, a search for sites that cover more (cover.ts); then moves of single
 * items and exchanges of sites as long as they save money. With a bound below any plan that serves as many.
 */
export function solveLarge(items: readonly Item[], sites: readonly Site[], policy: InstancePolicy, dealers: Dealers): LargeSolution {
  const w = policy.weights;
  const can = items.map((item) => sitesOf(item, sites, dealers, w));
  const loading = new Loading(items, sites, can, w, dealers === 'last' ? barredOf(items, sites, w) : null);
  const penalty = SCALE * w.splitPenalty;
  const partOf = (site: number, own: readonly number[]): Part => ({ site, own, cost: own.length > 0 ? loading.cost(site, own) : 0 });
  const total = (plan: readonly Part[]): number => {
    let [used, sum, least] = [0, 0, Number.POSITIVE_INFINITY];
    for (const { own, cost } of plan) {
      if (own.length === 0) continue;
      used++;
      sum += cost;
      if (policy.minShipmentValue > 0) least = Math.min(least, own.reduce((worth, i) => worth + (items[i] as Item).value, 0));
    }
    return used > policy.maxShipments || (used > 1 && least < policy.minShipmentValue) ? Number.POSITIVE_INFINITY : sum + Math.max(0, used - 1) * penalty;
  };
  /** Lines, and units of divided ones. */
  const counted = (own: readonly number[]): number => {
    let sum = 0;
    for (const i of own) sum += countOf(items[i] as Item);
    return sum;
  };
  const served = (plan: readonly Part[]): number => plan.reduce((sum, { own }) => sum + counted(own), 0);

  const tried = sites.map((_, s) => [s, can.filter((yes) => yes[s]).length] as const).filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, MOST_TRIED).map(([s]) => s);
  const greedy = (most: number): Part[] => {
    const plan: Part[] = [];
    for (let left: readonly number[] = items.map((_, i) => i); left.length > 0 && plan.length < most;) {
      let best: Part | null = null;
      let serves = 0;
      for (const site of tried) {
        if (plan.some((p) => p.site === site)) continue;
        const own = loading.fill(site, left);
        const count = counted(own);
        if (own.length === 0 || count < serves) continue;
        const part = partOf(site, own);
        if (!best || count > serves || part.cost < best.cost) [best, serves] = [part, count];
      }
      if (!best) break;
      const { own } = best;
      plan.push(best);
      left = left.filter((i) => !own.includes(i));
    }
    return plan;
  };
  let plan = greedy(policy.maxShipments);
  if (!Number.isFinite(total(plan))) plan = greedy(1);
  let most = true;
  const placed = new Set(plan.flatMap(({ own }) => own));
  if (items.some((_, i) => !placed.has(i) && can[i]?.includes(true))) {
    const found = cover(items, sites, can, loading, policy, served(plan));
    most = found.most;
    const more = found.parts?.map(({ site, own }) => partOf(site, own));
    if (more && Number.isFinite(total(more))) plan = more;
  }
  let cost = total(plan);
  for (let round = 0, better = true; better && round < ROUNDS; round++) {
    better = false;
    for (const next of neighbours(plan, tried, loading, partOf)) {
      const price = total(next);
      if (price >= cost || served(next) < served(plan)) continue;
      [plan, cost, better] = [next, price, true];
      break;
    }
  }
  // What dealers serve last is dearer to the search only.
  cost -= LAST * plan.reduce((n, { site, own }) => n + loading.barred(site, own), 0);
  return {
    parts: plan.filter(({ own }) => own.length > 0).map(({ site, own }) => ({ site, items: [...own].sort((a, b) => a - b) })), cost, most,
    bound: Math.min(cost, lowerBound(items, sites, policy, served(plan), can)), can, costAt: (site, own) => loading.cost(site, own), barred: (site, own) => loading.barred(site, own),
  };
}

/** Items that leave a site together, and what that costs. */
type Part = { site: number; own: readonly number[]; cost: number };

/** Plans that differ by one item at another used site, or by another site in the place of one. */
function* neighbours(plan: readonly Part[], tried: readonly number[], loading: Loading, partOf: (site: number, own: readonly number[]) => Part): Generator<Part[]> {
  for (const from of plan) {
    for (const i of from.own) {
      const less = plan.length > 1 ? partOf(from.site, from.own.filter((x) => x !== i)) : from;
      for (const to of plan) {
        if (to === from) continue;
        const more = partOf(to.site, [...to.own, i]);
        yield plan.map((p) => (p === from ? less : p === to ? more : p));
      }
    }
    for (const to of tried) {
      if (plan.some((p) => p.site === to) || loading.fill(to, from.own).length < from.own.length) continue;
      const other = partOf(to, from.own);
      yield plan.map((p) => (p === from ? other : p));
    }
  }
}

/**
 * Below any plan that serves as many lines and units, whichever these are: the least own costs of so many (without that of last units, which others may share), the least
 * opening and first weight of one shipment.
 */
function lowerBound(items: readonly Item[], sites: readonly Site[], policy: InstancePolicy, served: number, whole: readonly boolean[][]): number {
  const w = policy.weights;
  let left = served;
  if (left === 0) return 0;
  const least = items.map((item, i): { each: number; count: number } => {
    // A unit of a divided line may come from where a whole piece is not.
    const one: Item = item.divided ? { ...item, quantity: 1 } : item;
    const can = item.divided ? sitesOf(one, sites, 'equal', w) : whole[i] as boolean[];
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
