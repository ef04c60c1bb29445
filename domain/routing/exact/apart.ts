import { cheapestRate, openingCost, unitsCost } from './cost.ts';
import type { Tables } from './tables.ts';

/** One shipment of a solution: a set of items and the index of its site. */
export type Part = { mask: number; site: number };
/** `cost` in thousandths of a minor unit, split penalty included. `bound`: no solution that serves as many items costs less. */
export type Solution = { parts: Part[]; served: number; cost: number; bound: number };
/** What the programme over subsets knows when it has used a site twice. Costs in thousandths of a minor unit. */
export type Relaxed = {
  /** shipments of a split at most */
  most: number; penalty: number;
  /** by set: cheapest single part of a split; cheapest way with at most most − 1 parts, sites repeated */
  part: Float64Array; rest: Float64Array;
  /** cheapest way to serve exactly this set, sites repeated */
  cost: (set: number) => number;
};

/** Items of a set. */
export const popcount = (mask: number): number => {
  let n = 0;
  for (let left = mask; left !== 0; left &= left - 1) n++;
  return n;
};

/**
 * The optimum with every site used once, for certain: site after site, each sends one set of items or nothing (dynamic programming over what is served by now and in how many
 * shipments). Two things keep it small and neither can lose the optimum. Of `most` shipments at different sites each is at one of the `most` cheapest sites of its set: were one not,
 * one of those would be free, and no dearer. And a set whose cost plus the relaxed cost of all the rest reaches a plan that is known is in no better one.
 * `count`: the most items that the relaxation serves; `start`: a plan that serves so many, or null. Where none serves so many the answer is the best of those that serve the most.
 */
export function apart(t: Tables, relaxed: Relaxed, count: number, start: { parts: Part[]; cost: number } | null): Solution {
  const size = t.full + 1;
  const { most, penalty } = relaxed;
  const goals: number[] = [];
  let known = start;
  for (let set = t.full; set > 0; set--) {
    const items = popcount(set);
    if (items > count || (known && items < count) || !(relaxed.cost(set) < (known?.cost ?? Number.POSITIVE_INFINITY))) continue;
    goals.push(set);
    if (items === count && (t.best[set] as number) < (known?.cost ?? Number.POSITIVE_INFINITY)) known = { parts: [{ mask: set, site: t.bestSite[set] as number }], cost: t.best[set] as number };
  }
  const limit = known?.cost ?? Number.POSITIVE_INFINITY;
  // By set: the least that serving the rest of a goal can cost.
  const toCome = new Float64Array(size).fill(Number.POSITIVE_INFINITY);
  for (const goal of goals) {
    toCome[goal] = 0;
    for (let sub = (goal - 1) & goal; sub > 0; sub = (sub - 1) & goal) toCome[sub] = Math.min(toCome[sub] as number, penalty + (relaxed.rest[goal ^ sub] as number));
  }
  const bySite = shortlist(t, relaxed, toCome, limit);

  // cost[k][S]: exactly S in k shipments of the sites seen so far; how[k][S]: the last of them, linked to the one before.
  const cost = Array.from({ length: most + 1 }, () => new Float64Array(size).fill(Number.POSITIVE_INFINITY));
  const how = Array.from({ length: most + 1 }, () => new Int32Array(size).fill(-1));
  const steps: { site: number; mask: number; before: number }[] = [];
  (cost[0] as Float64Array)[0] = 0;
  bySite.forEach((options, site) => {
    // Downwards, so that a site never follows itself.
    for (let k = most - 1; k >= 0 && options.length > 0; k--) {
      const [from, to, fromHow, toHow] = [cost[k] as Float64Array, cost[k + 1] as Float64Array, how[k] as Int32Array, how[k + 1] as Int32Array];
      const extra = k === 0 ? 0 : penalty;
      for (const { mask, price } of options) {
        const others = k === 0 ? 0 : t.full ^ mask;
        for (let done = others; ; done = (done - 1) & others) {
          const set = done | mask;
          const sum = (from[done] as number) + price + extra;
          if (sum < (to[set] as number) && sum + (toCome[set] as number) < limit) {
            to[set] = sum;
            toHow[set] = steps.push({ site, mask, before: fromHow[done] as number }) - 1;
          }
          if (done === 0) break;
        }
      }
    }
  });

  let best: Solution | null = known && { parts: known.parts, served: known.parts.reduce((all, p) => all | p.mask, 0), cost: known.cost, bound: known.cost };
  for (const goal of goals) {
    const items = popcount(goal);
    const better = (sum: number): boolean => sum < Number.POSITIVE_INFINITY && (!best || items > popcount(best.served) || (items === popcount(best.served) && sum < best.cost));
    const alone = t.best[goal] as number;
    if (better(alone)) best = { parts: [{ mask: goal, site: t.bestSite[goal] as number }], served: goal, cost: alone, bound: alone };
    for (let k = 2; k <= most; k++) {
      const sum = (cost[k] as Float64Array)[goal] as number;
      if (!better(sum)) continue;
      const parts: Part[] = [];
      for (let at = (how[k] as Int32Array)[goal] as number; at >= 0; at = steps[at]?.before ?? -1) parts.push({ site: steps[at]?.site as number, mask: steps[at]?.mask as number });
      best = { parts, served: goal, cost: sum, bound: sum };
    }
  }
  return best ?? { parts: [], served: 0, cost: 0, bound: 0 };
}

/** By site: the sets that it may send in an optimal plan, because it is one of the `most` cheapest for them. */
function shortlist(t: Tables, { most, part }: Relaxed, toCome: Float64Array, limit: number): { mask: number; price: number }[][] {
  const active: number[] = [];
  // The programme's part is the cheapest of a set: where it is too dear every site is.
  for (let mask = 1; mask <= t.full; mask++) if ((part[mask] as number) + (toCome[mask] as number) < limit) active.push(mask);
  const price = new Float64Array(active.length * most).fill(Number.POSITIVE_INFINITY);
  const who = new Int16Array(active.length * most).fill(-1);
  const lanes = new Map<string, Float64Array>();
  t.sites.forEach((site, s) => {
    const can = t.mask[s] as number;
    if (can === 0) return;
    let freight = lanes.get(site.lane);
    if (!freight) lanes.set(site.lane, (freight = Float64Array.from(active, (mask) => cheapestRate(site.rates, t.load(mask), t.weights)[0])));
    const own = Float64Array.from(t.items, ({ line, quantity }, i) => ((can >> i) & 1 ? unitsCost(site, line.sku, quantity, t.weights) : Number.POSITIVE_INFINITY));
    const open = openingCost(site, t.weights);
    const room = site.location.capacityUnits ?? Number.POSITIVE_INFINITY;
    active.forEach((mask, a) => {
      if ((mask & ~can) !== 0 || (t.units[mask] as number) > room) return;
      const last = a * most + most - 1;
      // A floor first: items of one SKU together cost no less than each alone.
      let sum = open + (freight[a] as number);
      for (let left = mask; left !== 0; left &= left - 1) sum += own[31 - Math.clz32(left & -left)] as number;
      if (!(sum < (price[last] as number)) || !(sum + (toCome[mask] as number) < limit)) return;
      sum = t.costAt(s, mask);
      if (!(sum < (price[last] as number)) || !(sum + (toCome[mask] as number) < limit)) return;
      let at = last;
      for (; at > a * most && sum < (price[at - 1] as number); at--) {
        price[at] = price[at - 1] as number;
        who[at] = who[at - 1] as number;
      }
      price[at] = sum;
      who[at] = s;
    });
  });
  const bySite: { mask: number; price: number }[][] = t.sites.map(() => []);
  for (let at = 0; at < who.length; at++) if ((who[at] as number) >= 0) bySite[who[at] as number]?.push({ mask: active[Math.floor(at / most)] as number, price: price[at] as number });
  return bySite;
}
