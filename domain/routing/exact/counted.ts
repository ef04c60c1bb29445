import type { InstancePolicy } from '../model.ts';
import { SCALE } from './cost.ts';
import { CountTables, Counts } from './counts.ts';
import { barredOf, LAST, sitesOf, type Dealers, type Item } from './items.ts';
import type { LargeSolution } from './large.ts';
import { Loading } from './loading.ts';
import type { Site } from './sites.ts';

/** Up to so many states, states × sites and pairs of a state and a part of it the answer takes some tens of ms. */
const MOST_STATES = 1 << 14;
const MOST_TABLE = 1 << 23;
const MOST_PAIRS = 3_000_000;
/** Steps of the search with every site once. */
const MOST_STEPS = 60_000_000;

type Part = { state: number; site: number };

/**
 * The optimum where lines are divided: the programme of partition.ts, and that of apart.ts where it needs one, over how many units of each line are served instead of which. Null: too many states, or the second
 * programme would take too long.
 */
export function solveCounted(items: readonly Item[], sites: readonly Site[], policy: InstancePolicy, dealers: Dealers): LargeSolution | null {
  if (items.some((i) => i.divided && i.quantity !== 1) || !items.some((i) => i.divided)) return null;
  const counts = new Counts(items);
  if (counts.size > MOST_STATES || counts.size * sites.length > MOST_TABLE || counts.pairs > MOST_PAIRS) return null;
  const w = policy.weights;
  const can = items.map((item) => sitesOf(item, sites, dealers, w));
  const last = dealers === 'last' ? barredOf(items, sites, w) : null;
  const ofGroups = (by: readonly boolean[][]): boolean[][] => counts.groups.map((g) => by[g.of[0] as number] as boolean[]);
  const loading = new Loading(items, sites, can, w, last);
  const found = optimum(counts, new CountTables(counts, sites, ofGroups(can), last && ofGroups(last), w), sites.length, policy);
  if (!found) return null;
  const next = counts.groups.map(() => 0);
  const parts = found.parts.map(({ state, site }) => ({
    site, items: counts.groups.flatMap(({ of }, g) => of.slice(next[g], (next[g] = (next[g] as number) + counts.amount(state, g)))).sort((a, b) => a - b),
  }));
  const cost = found.cost - LAST * parts.reduce((n, { site, items: own }) => n + loading.barred(site, own), 0);
  return { parts, cost, bound: cost, most: true, can, costAt: (site, own) => loading.cost(site, own), barred: (site, own) => loading.barred(site, own) };
}

function optimum(counts: Counts, t: CountTables, sites: number, policy: InstancePolicy): { parts: Part[]; cost: number } | null {
  const { size, full } = counts;
  const { count, best } = t;
  const most = Math.min(policy.maxShipments, count[full] as number);
  const penalty = SCALE * policy.weights.splitPenalty;
  const part = policy.minShipmentValue > 0 ? best.map((cost, state) => ((t.value[state] as number) >= policy.minShipmentValue ? cost : Number.POSITIVE_INFINITY)) : best;
  const extend = (before: Float64Array, state: number): number => {
    let least = Number.POSITIVE_INFINITY;
    const list = counts.parts(state, true);
    for (let i = 0; i < list.length; i++) {
      const sub = list[i] as number;
      if (sub === state) continue;
      const cost = (part[sub] as number) + (before[state - sub] as number);
      if (cost < least) least = cost;
    }
    return least + penalty;
  };
  // layers[k][S]: exactly S with at most k + 1 parts of a split.
  const layersOf = (step: 1 | 2): Float64Array[] => {
    const made = [part];
    for (let k = 2, better = true; k < most; k++) {
      const before = made.at(-1) as Float64Array;
      const now = before.slice();
      if (better) {
        better = false;
        for (let state = step; state < size; state += step) {
          const least = extend(before, state);
          if (least < (now[state] as number)) [now[state], better] = [least, true];
        }
      }
      made.push(better ? now : before);
    }
    return made;
  };
  // What is asked of a state takes the part with its lowest group first: no layer is asked for a state with the first group where that is one item.
  const layers = layersOf(counts.step);
  const others = layers.at(-1) as Float64Array;
  const known = new Float64Array(size).fill(Number.NaN);
  const cheapest = (state: number): number => {
    if (Number.isNaN(known[state])) known[state] = most < 2 ? best[state] as number : Math.min(best[state] as number, extend(others, state));
    return known[state] as number;
  };
  const trace = (state: number): Part[] => {
    if (best[state] === cheapest(state)) return [{ state, site: t.bestSite[state] as number }];
    const parts: Part[] = [];
    let [left, rest] = [state, cheapest(state)];
    for (let k = most - 2; left !== 0; k--) {
      if (part[left] === rest && parts.length > 0) {
        parts.push({ state: left, site: t.bestSite[left] as number });
        break;
      }
      const before = layers[Math.max(0, k)] as Float64Array;
      const chosen = counts.parts(left, true).find((sub) => sub !== left && (part[sub] as number) + (before[left - sub] as number) + penalty === rest);
      if (chosen === undefined) throw new Error('a cost of the programme has parts');
      parts.push({ state: chosen, site: t.bestSite[chosen] as number });
      rest -= (part[chosen] as number) + penalty;
      left -= chosen;
    }
    return parts;
  };
  const priceOf = ({ state, site }: Part): number => {
    const at = t.states.subarray(0, t.costs(site)).indexOf(state);
    return at < 0 ? Number.POSITIVE_INFINITY : t.sums[at] as number;
  };
  for (let served = count[full] as number; served > 0; served--) {
    let goal = -1;
    for (let state = full; state > 0; state--) if (count[state] === served && cheapest(state) < (goal < 0 ? Number.POSITIVE_INFINITY : cheapest(goal))) goal = state;
    if (goal < 0) continue;
    const bySite = new Map<number, number>();
    for (const { site, state } of trace(goal)) bySite.set(site, (bySite.get(site) ?? 0) + state);
    const together = [...bySite].map(([site, state]): Part => ({ site, state }));
    const cost = together.reduce((sum, p) => sum + priceOf(p), 0) + (together.length - 1) * penalty;
    if (cost <= cheapest(goal)) return { parts: together, cost };
    return everySiteOnce(counts, t, sites, { most, penalty, part, rest: layersOf(1).at(-1) as Float64Array, cheapest }, served, cost < Number.POSITIVE_INFINITY ? { parts: together, cost } : null);
  }
  return { parts: [], cost: 0 };
}

type Relaxed = { most: number; penalty: number; part: Float64Array; rest: Float64Array; cheapest: (state: number) => number };

/** Site after site, as apart.ts does it for sets. `served`: what the relaxation serves at most; `start`: a plan that serves so many. Null: it would take too long. */
function everySiteOnce(counts: Counts, t: CountTables, sites: number, { most, penalty, part, rest, cheapest }: Relaxed, served: number, start: { parts: Part[]; cost: number } | null): { parts: Part[]; cost: number } | null {
  const { size, full } = counts;
  const limit = start?.cost ?? Number.POSITIVE_INFINITY;
  const goals: number[] = [];
  const toCome = new Float64Array(size).fill(Number.POSITIVE_INFINITY);
  for (let state = full; state > 0; state--) {
    if ((t.count[state] as number) > served || (start && (t.count[state] as number) < served) || !(cheapest(state) < limit)) continue;
    goals.push(state);
    for (const sub of counts.parts(state, false)) if (sub !== 0) toCome[sub] = Math.min(toCome[sub] as number, sub === state ? 0 : penalty + (rest[state - sub] as number));
  }
  // Of a state the `most` cheapest sites are enough: were one of an optimal plan elsewhere, one of those would be free.
  const price = new Float64Array(size * most).fill(Number.POSITIVE_INFINITY);
  const who = new Int16Array(size * most).fill(-1);
  for (let s = 0; s < sites; s++) {
    for (let n = t.costs(s) - 1; n > 0; n--) {
      const [state, sum] = [t.states[n] as number, t.sums[n] as number];
      if ((part[state] as number) + (toCome[state] as number) >= limit || sum + (toCome[state] as number) >= limit) continue;
      let to = state * most + most - 1;
      if (!(sum < (price[to] as number))) continue;
      for (; to > state * most && sum < (price[to - 1] as number); to--) [price[to], who[to]] = [price[to - 1] as number, who[to - 1] as number];
      [price[to], who[to]] = [sum, s];
    }
  }
  const bySite: { state: number; price: number }[][] = Array.from({ length: sites }, () => []);
  for (let i = 0; i < who.length; i++) if ((who[i] as number) >= 0) bySite[who[i] as number]?.push({ state: Math.floor(i / most), price: price[i] as number });

  const cost = Array.from({ length: most + 1 }, () => new Float64Array(size).fill(Number.POSITIVE_INFINITY));
  // What k sites can serve, ascending: of all parts of a state that is a few in a hundred.
  const reached = Array.from({ length: most + 1 }, (_, k) => (k === 0 ? Int32Array.of(0) : new Int32Array(0)));
  const how = Array.from({ length: most + 1 }, () => new Int32Array(size).fill(-1));
  const steps: (Part & { before: number })[] = [];
  (cost[0] as Float64Array)[0] = 0;
  let spent = 0;
  for (let site = 0; site < sites; site++) {
    const options = bySite[site] ?? [];
    // Downwards, so that a site never follows itself.
    for (let k = most - 1; k >= 0 && options.length > 0; k--) {
      const [from, to, fromHow, toHow] = [cost[k] as Float64Array, cost[k + 1] as Float64Array, how[k] as Int32Array, how[k + 1] as Int32Array];
      const before = reached[k] as Int32Array;
      const fresh: number[] = [];
      for (const { state, price: own } of options) {
        if ((spent += before.length) > MOST_STEPS) return null;
        const room = counts.room(state);
        for (let i = 0; i < before.length; i++) {
          const done = before[i] as number;
          if (!counts.fits(done, room)) continue;
          const set = done + state;
          const sum = (from[done] as number) + own + (k === 0 ? 0 : penalty);
          if (!(sum < (to[set] as number)) || sum + (toCome[set] as number) >= limit) continue;
          if (to[set] === Number.POSITIVE_INFINITY) fresh.push(set);
          to[set] = sum;
          toHow[set] = steps.push({ site, state, before: fromHow[done] as number }) - 1;
        }
      }
      if (fresh.length > 0) reached[k + 1] = Int32Array.of(...(reached[k + 1] as Int32Array), ...fresh).sort();
    }
  }
  let found = start;
  let foundServed = start ? served : 0;
  for (const goal of goals) {
    const items = t.count[goal] as number;
    const better = (sum: number): boolean => sum < Number.POSITIVE_INFINITY && (items > foundServed || (items === foundServed && (!found || sum < found.cost)));
    const take = (plan: { parts: Part[]; cost: number }): void => { [found, foundServed] = [plan, items]; };
    // One shipment alone may be worth less than a part of a split.
    if (better(t.best[goal] as number)) take({ parts: [{ state: goal, site: t.bestSite[goal] as number }], cost: t.best[goal] as number });
    for (let k = 2; k <= most; k++) {
      const sum = (cost[k] as Float64Array)[goal] as number;
      if (!better(sum)) continue;
      const parts: Part[] = [];
      for (let step = (how[k] as Int32Array)[goal] as number; step >= 0; step = steps[step]?.before ?? -1) parts.push({ site: steps[step]?.site as number, state: steps[step]?.state as number });
      take({ parts, cost: sum });
    }
  }
  return found ?? { parts: [], cost: 0 };
}
