import type { InstancePolicy } from '../model.ts';
import { apart as solveApart, popcount, type Part, type Solution } from './apart.ts';
import { SCALE } from './cost.ts';
import type { Tables } from './tables.ts';

/** What of a policy limits a plan. */
export type Limits = Pick<InstancePolicy, 'maxShipments' | 'minShipmentValue' | 'weights'>;

/** The programme over subsets of one order. Costs in thousandths of a minor unit, split penalty included. */
export type Programme = {
  most: number; penalty: number;
  /** by set: cheapest single part of a split */
  part: Float64Array;
  /** by set: cheapest way with at most most − 1 parts, sites repeated; worked out when it is asked for */
  rest: () => Float64Array;
  /** the least that serving exactly this set costs, sites repeated; Infinity where nobody can */
  cheapest: (set: number) => number;
  /** the parts of that, a site perhaps twice; and with those of one site put together, null where it cannot send them so */
  parts: (set: number, cost: number) => { parts: Part[]; together: { parts: Part[]; cost: number } | null };
};

/** Dynamic programming over subsets (Held and Karp's scheme for set partitions): at most `maxShipments` parts, each part of a split worth `minShipmentValue`. A site may be used for several parts. */
export function programme(t: Tables, limits: Limits): Programme {
  const n = t.items.length;
  const size = t.full + 1;
  const most = Math.min(limits.maxShipments, n);
  const penalty = limits.weights.splitPenalty * SCALE;
  const part = limits.minShipmentValue > 0 ? t.best.map((cost, mask) => ((t.value[mask] as number) >= limits.minShipmentValue ? cost : Number.POSITIVE_INFINITY)) : t.best;
  const layersOf = (step: 1 | 2): Float64Array[] => (most < n ? limitedLayers(part, size, most, penalty, step) : unlimitedLayers(part, size, most, penalty, step));
  // What is asked of a set takes the part with its lowest item and the rest of it, so no layer is asked for a set with the lowest item of all: a third of the work.
  const layers = layersOf(2);
  const others = layers.at(-1) as Float64Array;
  return {
    most, penalty, part, rest: () => layersOf(1).at(-1) as Float64Array,
    cheapest: (set) => (most < 2 ? t.best[set] as number : Math.min(t.best[set] as number, extend(part, others, set, penalty))),
    parts: (set, cost) => {
      const parts = trace(t, part, layers, set, cost, penalty, most);
      const together = put(t, parts, penalty);
      return { parts, together: together && { parts: together, cost: costOf(t, together, penalty) } };
    },
  };
}

/**
 * The cheapest way to cut the items into shipments. As many items as can be served are served. The programme may use a site for two parts; then they are put together where that
 * costs no more, else a second programme, over sites (apart.ts), finds the optimum with different sites.
 */
export function partition(t: Tables, limits: Limits): Solution {
  const p = programme(t, limits);
  for (let count = t.items.length; count > 0; count--) {
    let served = 0;
    let bound = Number.POSITIVE_INFINITY;
    for (let set = t.full; set > 0; set--) {
      if (popcount(set) !== count) continue;
      const cost = p.cheapest(set);
      if (cost < bound) {
        bound = cost;
        served = set;
      }
    }
    if (served === 0) continue;
    const { parts, together } = p.parts(served, bound);
    if (together && together.cost <= bound) return { parts: together.parts, served, cost: together.cost, bound: together.cost };
    return solveApart(t, { most: p.most, penalty: p.penalty, part: p.part, rest: p.rest(), cost: p.cheapest }, count, startOf(t, parts, together?.parts ?? null, p.penalty));
  }
  return { parts: [], served: 0, cost: 0, bound: 0 };
}

/** layers[k][S]: serving exactly S with at most k + 1 parts of a split, for k < most − 1: the last step is asked for single sets only. `step` 2: for the sets without the lowest item only. */
function limitedLayers(part: Float64Array, size: number, most: number, penalty: number, step: 1 | 2): Float64Array[] {
  const layers = [part];
  for (let k = 2; k < most; k++) {
    const before = layers.at(-1) as Float64Array;
    const now = before.slice();
    let better = false;
    for (let set = 3 * step; set < size; set += step) {
      const least = extend(part, before, set, penalty);
      if (least >= (now[set] as number)) continue;
      now[set] = least;
      better = true;
    }
    // More parts are of no use to any set.
    layers.push(better ? now : before);
  }
  return layers;
}

/** As many parts as there are items: one pass, smaller sets first. */
function unlimitedLayers(part: Float64Array, size: number, most: number, penalty: number, step: 1 | 2): Float64Array[] {
  const all = part.slice();
  for (let set = 3 * step; set < size; set += step) {
    const least = extend(part, all, set, penalty);
    if (least < (all[set] as number)) all[set] = least;
  }
  return Array.from({ length: Math.max(1, most - 1) }, () => all);
}

/** The least of: a part that has the lowest item of a set, and the rest of it in the layer before. */
function extend(part: Float64Array, before: Float64Array, set: number, penalty: number): number {
  const low = set & -set;
  const others = set ^ low;
  let least = Number.POSITIVE_INFINITY;
  // Every proper subset of the others, with the lowest item.
  for (let sub = (others - 1) & others; others !== 0; sub = (sub - 1) & others) {
    const cost = (part[sub | low] as number) + (before[others ^ sub] as number);
    if (cost < least) least = cost;
    if (sub === 0) break;
  }
  return least + penalty;
}

/** Which parts make up a cost of the programme: fewest parts first, then in the order of subsets. */
function trace(t: Tables, part: Float64Array, layers: readonly Float64Array[], set: number, cost: number, penalty: number, most: number): Part[] {
  if (t.best[set] === cost) return [{ mask: set, site: t.bestSite[set] as number }];
  const parts: Part[] = [];
  let left = set;
  let rest = cost;
  for (let k = most - 2; left !== 0; k--) {
    // As few parts as reach it.
    while (k > 0 && reaches(part, layers[k - 1] as Float64Array, left, penalty) === rest) k--;
    if (part[left] === rest) {
      parts.push({ mask: left, site: t.bestSite[left] as number });
      break;
    }
    const before = layers[Math.max(0, k)] as Float64Array;
    const low = left & -left;
    const others = left ^ low;
    let chosen = -1;
    for (let sub = (others - 1) & others; ; sub = (sub - 1) & others) {
      if ((part[sub | low] as number) + (before[others ^ sub] as number) + penalty === rest) {
        chosen = sub | low;
        break;
      }
      if (sub === 0) break;
    }
    if (chosen < 0) throw new Error('a cost of the programme has parts');
    parts.push({ mask: chosen, site: t.bestSite[chosen] as number });
    rest -= (part[chosen] as number) + penalty;
    left ^= chosen;
  }
  return parts;
}

const reaches = (part: Float64Array, before: Float64Array, set: number, penalty: number): number => Math.min(part[set] as number, extend(part, before, set, penalty));

function costOf(t: Tables, parts: readonly Part[], penalty: number): number {
  return parts.reduce((sum, p) => sum + t.costAt(p.site, p.mask), 0) + (parts.length - 1) * penalty;
}

/** Parts of one site as one shipment; null where it cannot send them together. */
function put(t: Tables, parts: readonly Part[], penalty: number): Part[] | null {
  const bySite = new Map<number, number>();
  for (const { mask, site } of parts) bySite.set(site, (bySite.get(site) ?? 0) | mask);
  const together = [...bySite].map(([site, mask]): Part => ({ site, mask }));
  return Number.isFinite(costOf(t, together, penalty)) ? together : null;
}

/** The cheaper of two plans to start from: parts of one site put together, or each part at its cheapest site that is still free. */
function startOf(t: Tables, parts: readonly Part[], together: Part[] | null, penalty: number): { parts: Part[]; cost: number } | null {
  const used = new Set<number>();
  const spread = parts.map(({ mask }): Part => {
    let [site, least] = [-1, Number.POSITIVE_INFINITY];
    for (let s = 0; s < t.sites.length; s++) {
      const cost = used.has(s) ? Number.POSITIVE_INFINITY : t.costAt(s, mask);
      if (cost < least) [site, least] = [s, cost];
    }
    used.add(site);
    return { mask, site };
  });
  const plans = [together, spread.every((p) => p.site >= 0) ? spread : null].flatMap((plan) => (plan ? [{ parts: plan, cost: costOf(t, plan, penalty) }] : []));
  return plans.sort((a, b) => a.cost - b.cost)[0] ?? null;
}
