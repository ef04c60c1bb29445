import type { InstanceRate, RoutingWeights } from '../model.ts';
import { cheapestRate, freightOf, openingCost, unitsCost, type Load } from './cost.ts';
import { barredOf, LAST, sitesOf, type Dealers, type Item } from './items.ts';
import type { Site } from './sites.ts';

/** Costs of sending a set of items (a bit mask) as one shipment, and what sets weigh and are worth. */
export type Tables = {
  items: readonly Item[]; sites: readonly Site[]; weights: RoutingWeights; full: number;
  units: Float64Array; value: Float64Array; load: (mask: number) => Load;
  /** cheapest single shipment of a set over all sites (Infinity: nobody can), and the site */
  best: Float64Array; bestSite: Int16Array;
  /** items that a site may serve, each alone */
  mask: Int32Array;
  /** cost of a set from one site; Infinity where it cannot */
  costAt: (site: number, mask: number) => number;
  /** items of a set that LAST makes dearer at a site */
  barred: (site: number, mask: number) => number;
};

const bit = (mask: number): number => 31 - Math.clz32(mask & -mask);

/** What sets of items (bit masks) have in all. */
type Sets = { size: number; units: Float64Array; value: Float64Array; weightG: Float64Array; volumeMm3: Float64Array; hazardous: Uint8Array; load: (mask: number) => Load };

function setsOf(items: readonly Item[]): Sets {
  const size = 1 << items.length;
  const units = new Float64Array(size);
  const value = new Float64Array(size);
  const weightG = new Float64Array(size);
  const volumeMm3 = new Float64Array(size);
  const hazardous = new Uint8Array(size);
  for (let mask = 1; mask < size; mask++) {
    const rest = mask & (mask - 1);
    const { line, quantity, value: worth } = items[bit(mask)] as Item;
    units[mask] = (units[rest] as number) + quantity;
    value[mask] = (value[rest] as number) + worth;
    weightG[mask] = (weightG[rest] as number) + quantity * line.weightG;
    volumeMm3[mask] = (volumeMm3[rest] as number) + quantity * (line.volumeMm3 ?? 0);
    hazardous[mask] = (hazardous[rest] as number) | (line.hazardous ? 1 : 0);
  }
  return { size, units, value, weightG, volumeMm3, hazardous, load: (mask) => ({ weightG: weightG[mask] as number, volumeMm3: volumeMm3[mask] as number, hazardous: hazardous[mask] === 1 }) };
}

function freightOfSets(rate: InstanceRate, { size, weightG, volumeMm3, hazardous }: Sets, weights: RoutingWeights): Float64Array {
  const costs = new Float64Array(size);
  for (let mask = 1; mask < size; mask++) costs[mask] = freightOf(rate, weightG[mask] as number, volumeMm3[mask] as number, hazardous[mask] === 1, weights);
  return costs;
}

/** Items of one SKU: `costs` of each set of them at the site at hand. */
type Alike = { sku: string; of: number; costs: Float64Array; amounts: Amounts };

/** Fills in what the sets of the items `mine` of one SKU cost. */
function costsOfSame({ costs: table, amounts }: Alike, mine: number, units: Float64Array, costOf: (quantity: number) => number): void {
  if ((mine & (mine - 1)) === 0) {
    table[0] = costOf(0);
    table[mine] = costOf(units[mine] as number);
    return;
  }
  // Many sets have as many units: each amount is worked out once.
  const { sums, at } = amounts.of(mine);
  const costs = sums.map(costOf);
  let n = 0;
  for (let set = mine; ; set = (set - 1) & mine) { table[set] = costs[at[n++] as number] as number; if (set === 0) break; }
}

/** Lowers to site `s` what each set of its items costs without freight, where it is cheaper than those before. In a function of its own, as the next two are: short loops are made fast sooner than long functions. */
function sumSets(s: number, all: number, own: Float64Array, n: number, room: number, units: Float64Array, sum: Float64Array, cheapest: Float64Array, who: Int16Array): void {
  const first = s * n + 31;
  for (let mask = all & -all; mask !== 0; mask = (mask - all) & all) {
    const low = mask & -mask;
    const total = (sum[mask ^ low] as number) + (own[first - Math.clz32(low)] as number);
    sum[mask] = total;
    if (total < (cheapest[mask] as number) && (units[mask] as number) <= room) {
      cheapest[mask] = total;
      who[mask] = s;
    }
  }
}

/** The same where several items have one SKU. */
function sumSharedSets(
  s: number, all: number, own: Float64Array, n: number, room: number, units: Float64Array, sum: Float64Array, cheapest: Float64Array, who: Int16Array, isShared: number, alike: readonly Alike[],
): void {
  const first = s * n + 31;
  for (let mask = all & -all; mask !== 0; mask = (mask - all) & all) {
    const low = mask & -mask;
    let total = (sum[mask ^ low] as number) + (own[first - Math.clz32(low)] as number);
    sum[mask] = total;
    if ((mask & isShared) !== 0) for (const { of, costs } of alike) total += costs[mask & of] as number;
    if (total < (cheapest[mask] as number) && (units[mask] as number) <= room) {
      cheapest[mask] = total;
      who[mask] = s;
    }
  }
}

/** Lowers the best of all lanes to what a lane's cheapest sites cost with freight. */
function lower(cheapest: Float64Array, who: Int16Array, rates: readonly { costs: Float64Array; late: number }[], best: Float64Array, bestSite: Int16Array): void {
  for (let mask = 1; mask < best.length; mask++) {
    const least = cheapest[mask] as number;
    const known = best[mask] as number;
    if (!(least < known)) continue; // freight makes it no cheaper
    let total = Number.POSITIVE_INFINITY;
    for (let r = 0; r < rates.length; r++) {
      const { costs, late } = rates[r] as (typeof rates)[number];
      const cost = least + ((costs[mask] as number) + late);
      if (cost < total) total = cost;
    }
    if (total < known) {
      best[mask] = total;
      bestSite[mask] = who[mask] as number;
    }
  }
}

/**
 * Every set of items at every site that can send it. Sites of a lane share the freight of a set, so only their cheapest own cost of each set is kept. A site is left out
 * where another of its lane serves all that it serves at no higher cost: over single shipments it can never be needed.
 */
export function buildTables(items: readonly Item[], sites: readonly Site[], dealers: Dealers, weights: RoutingWeights): Tables {
  const n = items.length;
  const sets = setsOf(items);
  const { size, units, value, load } = sets;

  // SKUs that several items have: their units count together, for stock and for what the last ones cost.
  const bySku = new Map<string, number>();
  items.forEach(({ line }, i) => bySku.set(line.sku, (bySku.get(line.sku) ?? 0) | (1 << i)));
  const shared = [...bySku].filter(([, mask]) => (mask & (mask - 1)) !== 0);
  const isShared = shared.reduce((all, [, mask]) => all | mask, 0);

  const can = items.map((item) => sitesOf(item, sites, dealers, weights));
  const last = dealers === 'last' ? barredOf(items, sites, weights) : null;
  // Plain loops: these run once for each of some hundred sites, and `from` with a function costs more than what it fills.
  const masks = new Int32Array(sites.length);
  const open = new Float64Array(sites.length);
  const rooms = new Float64Array(sites.length);
  const own = new Float64Array(sites.length * n).fill(Number.POSITIVE_INFINITY); // by site, then item
  for (let s = 0; s < sites.length; s++) {
    const site = sites[s] as Site;
    open[s] = openingCost(site, weights);
    rooms[s] = site.location.capacityUnits ?? Number.POSITIVE_INFINITY;
    let mask = 0;
    for (let i = 0; i < n; i++) {
      if (can[i]?.[s] !== true) continue;
      const { line, quantity } = items[i] as Item;
      mask |= 1 << i;
      own[s * n + i] = (isShared & (1 << i)) === 0 ? unitsCost(site, line.sku, quantity, weights) : 0; // shared ones are counted below
      if (last?.[i]?.[s] === true) own[s * n + i] = (own[s * n + i] as number) + LAST;
    }
    masks[s] = mask;
  }
  /** What so many units of one SKU cost at a site; Infinity where its stock does not suffice. */
  const unitsAt = (s: number, sku: string, quantity: number): number => {
    const site = sites[s] as Site;
    if (quantity !== 0 && quantity > (site.location.stock[sku]?.available ?? 0)) return Number.POSITIVE_INFINITY;
    return unitsCost(site, sku, quantity, weights);
  };
  /** What a set of items of one SKU costs at a site. */
  const together = (s: number, sku: string, set: number): number => unitsAt(s, sku, units[set] as number);
  const costAt = (s: number, mask: number): number => {
    if ((mask & ~(masks[s] as number)) !== 0 || (units[mask] as number) > (rooms[s] as number)) return Number.POSITIVE_INFINITY;
    let sum = open[s] as number;
    for (let left = mask; left !== 0; left &= left - 1) sum += own[s * n + bit(left)] as number;
    for (const [sku, of] of shared) sum += together(s, sku, mask & of);
    return sum + cheapestRate((sites[s] as Site).rates, load(mask), weights)[0];
  };

  const best = new Float64Array(size).fill(Number.POSITIVE_INFINITY);
  const bestSite = new Int16Array(size).fill(-1);
  const lanes = new Map<string, number[]>();
  sites.forEach((site, s) => {
    if (masks[s] === 0) return;
    const members = lanes.get(site.lane);
    if (members) members.push(s);
    else lanes.set(site.lane, [s]);
  });
  const freight = new Freights((rate) => freightOfSets(rate, sets, weights));
  const cheapest = new Float64Array(size);
  const who = new Int16Array(size);
  const sum = new Float64Array(size);
  // By SKU that several items have: what each set of its items costs at the site at hand.
  const alike = shared.map(([sku, of]): Alike => ({ sku, of, costs: new Float64Array(size), amounts: new Amounts(units) }));
  const compared = alike.map(({ sku, of, amounts }) => ({ of, amounts: (mask: number) => amounts.of(mask), cost: (site: number, quantity: number) => unitsAt(site, sku, quantity) }));
  for (const members of lanes.values()) {
    cheapest.fill(Number.POSITIVE_INFINITY);
    for (const s of frontier(members, masks, open, own, n, rooms, compared)) {
      const all = masks[s] as number;
      for (const same of alike) costsOfSame(same, all & same.of, units, (quantity) => unitsAt(s, same.sku, quantity));
      sum[0] = open[s] as number;
      if ((all & isShared) === 0) sumSets(s, all, own, n, rooms[s] as number, units, sum, cheapest, who);
      else sumSharedSets(s, all, own, n, rooms[s] as number, units, sum, cheapest, who, isShared, alike);
    }
    lower(cheapest, who, (sites[members[0] as number] as Site).rates.map(({ rate, lateMilli }) => ({ costs: freight.of(rate), late: weights.latenessPerDay * lateMilli })), best, bestSite);
  }
  return { items, sites, weights, full: size - 1, units, value, load, best, bestSite, mask: masks, costAt, barred: (s, mask) => (last ? items.filter((_, i) => (mask >> i) & 1 && last[i]?.[s]).length : 0) };
}

/** The different amounts of units that sets of some items have, 0 included, and by set (downwards from all of them) which of these it has. */
type Amount = { sums: number[]; at: Int32Array };
class Amounts {
  readonly #units: Float64Array;
  readonly #known = new Map<number, Amount>();

  constructor(units: Float64Array) { this.#units = units; }

  of(mask: number): Amount {
    let found = this.#known.get(mask);
    if (found) return found;
    const bySum = new Map<number, number>();
    const at: number[] = [];
    for (let set = mask; ; set = (set - 1) & mask) {
      const quantity = this.#units[set] as number;
      let i = bySum.get(quantity);
      if (i === undefined) bySum.set(quantity, (i = bySum.size));
      at.push(i);
      if (set === 0) break;
    }
    this.#known.set(mask, (found = { sums: [...bySum.keys()], at: Int32Array.from(at) }));
    return found;
  }
}

/** The freight of every set, worked out once for each rate: lanes differ in the days that they are late. */
class Freights {
  readonly #of: (rate: InstanceRate) => Float64Array;
  readonly #byRate = new Map<InstanceRate, Float64Array>();

  constructor(of: (rate: InstanceRate) => Float64Array) { this.#of = of; }

  of(rate: InstanceRate): Float64Array {
    let costs = this.#byRate.get(rate);
    if (!costs) this.#byRate.set(rate, (costs = this.#of(rate)));
    return costs;
  }
}

/** Members of a lane that no other member dominates: one that serves all of its items, in any number of units, at no higher cost. */
function frontier(
  members: readonly number[], masks: Int32Array, open: Float64Array, own: Float64Array, n: number, rooms: Float64Array,
  shared: readonly { of: number; amounts: (mask: number) => Amount; cost: (site: number, quantity: number) => number }[],
): readonly number[] {
  const kept: number[] = [];
  const dominates = (t: number, s: number): boolean => {
    const mask = masks[s] as number;
    if ((mask & ~(masks[t] as number)) !== 0 || (rooms[t] as number) < (rooms[s] as number)) return false;
    for (let left = mask; left !== 0; left &= left - 1) {
      const i = bit(left);
      if ((own[t * n + i] as number) > (own[s * n + i] as number)) return false;
    }
    for (const { of, amounts, cost } of shared) for (const quantity of amounts(mask & of).sums) if (cost(t, quantity) > cost(s, quantity)) return false;
    return true;
  };
  for (const s of [...members].sort((a, b) => (open[a] as number) - (open[b] as number) || a - b)) if (!kept.some((t) => dominates(t, s))) kept.push(s);
  return kept.sort((a, b) => a - b);
}
