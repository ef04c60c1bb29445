import type { RoutingWeights } from '../model.ts';
import { cheapestRate, openingCost, unitsCost } from './cost.ts';
import { LAST, type Item } from './items.ts';
import type { Site } from './sites.ts';

/** Items that are alike: the units of one divided line, or one line that is not. */
export type Group = { item: Item; of: number[] };

/** Amounts of groups as one number, mixed radix: like a bit mask, but units of one line are counted, so that 3 of them make 4 states and not 8. */
export class Counts {
  readonly groups: readonly Group[];
  readonly size: number;
  /** pairs of a state and a part of it: what a programme over all of them costs */
  readonly pairs: number;
  readonly full: number;
  /** 2 where the first group is one item: then every even state is without it; else 1 */
  readonly step: 1 | 2;
  readonly #most: readonly number[];
  readonly #stride: readonly number[];
  readonly #scratch: Int32Array;
  /** each state with a field of bits for each group, one more than its amount takes: up to 2^14 states these are 28 at most */
  #packed: Int32Array | null = null;
  #over = 0;
  #slack = 0;

  constructor(items: readonly Item[]) {
    const byLine = new Map<unknown, Group>();
    items.forEach((item, i) => {
      const known = byLine.get(item.line);
      if (known) known.of.push(i);
      else byLine.set(item.line, { item, of: [i] });
    });
    this.groups = [...byLine.values()].sort((a, b) => a.of.length - b.of.length);
    this.#most = this.groups.map((g) => g.of.length);
    this.#stride = this.#most.map((_, g) => this.#most.slice(0, g).reduce((n, m) => n * (m + 1), 1));
    this.size = this.#most.reduce((n, m) => n * (m + 1), 1);
    this.pairs = this.#most.reduce((n, m) => (n * (m + 1) * (m + 2)) / 2, 1);
    this.full = this.size - 1;
    this.step = this.#most[0] === 1 ? 2 : 1;
    this.#scratch = new Int32Array(Math.min(this.size, 1 << 16));
  }

  /** One unit of a group as a state. */
  stride(group: number): number { return this.#stride[group] as number; }

  amount(state: number, group: number): number { return Math.floor(state / (this.#stride[group] as number)) % ((this.#most[group] as number) + 1); }

  /** The lowest group of a state: its number, its amount, and the state without it. */
  lowest(state: number): { group: number; amount: number; rest: number } {
    let group = 0;
    while (this.amount(state, group) === 0) group++;
    const amount = this.amount(state, group);
    return { group, amount, rest: state - amount * (this.#stride[group] as number) };
  }

  /** What `fits` wants to know of a state. Of up to 2^14 states. */
  room(state: number): number {
    this.#packed ??= this.#pack();
    return (this.#packed[state] as number) + this.#slack;
  }

  /** Whether a state can be added to the one whose `room` this is: no group has more units than there are. */
  fits(state: number, room: number): boolean { return ((((this.#packed as Int32Array)[state] as number) + room) & this.#over) === 0; }

  #pack(): Int32Array {
    const packed = new Int32Array(this.size);
    let shift = 0;
    this.#most.forEach((most, g) => {
      const width = 32 - Math.clz32(most);
      for (let state = 0; state < this.size; state++) packed[state] = (packed[state] as number) | (this.amount(state, g) << shift);
      // Beyond `most` a sum runs into the field's last bit.
      this.#slack |= ((1 << width) - 1 - most) << shift;
      this.#over |= 1 << (shift + width);
      shift += width + 1;
    });
    return packed;
  }

  /** Every part of a state, itself and nothing included; `low`: those alone that have some of its lowest group. The list is valid until the next call. */
  parts(state: number, low: boolean): Int32Array {
    const list = this.#scratch;
    let n = 1;
    list[0] = 0;
    let first = low;
    for (let g = 0; g < this.#most.length; g++) {
      const amount = this.amount(state, g);
      if (amount === 0) continue;
      const stride = this.#stride[g] as number;
      const before = n;
      for (let k = 1; k <= amount; k++) for (let i = 0; i < before; i++) list[n++] = (list[i] as number) + k * stride;
      if (first) {
        list.copyWithin(0, 1, n);
        n--;
        first = false;
      }
    }
    return list.subarray(0, n);
  }
}

/** What amounts weigh, are worth and cost at each site, thousandths of a minor unit. */
export class CountTables {
  readonly count: Int32Array;
  readonly value: Float64Array;
  /** cheapest single shipment over all sites; Infinity: nobody can */
  readonly best: Float64Array;
  readonly bestSite: Int16Array;
  /** what `costs` has found last */
  readonly states: Int32Array;
  readonly sums: Float64Array;
  readonly #sites: readonly Site[];
  readonly #weights: RoutingWeights;
  readonly #can: readonly boolean[][];
  readonly #last: readonly boolean[][] | null;
  readonly #counts: Counts;
  readonly #units: Float64Array;
  readonly #freight = new Map<string, Float64Array>();
  readonly #freightOf: (site: Site) => Float64Array;
  /** SKUs of several groups, with their units in each state */
  readonly #shared: { sku: string; units: Float64Array; most: number }[];

  /** `can`, `last` by group, then site. */
  constructor(counts: Counts, sites: readonly Site[], can: readonly boolean[][], last: readonly boolean[][] | null, weights: RoutingWeights) {
    [this.#counts, this.#sites, this.#can, this.#last, this.#weights] = [counts, sites, can, last, weights];
    const { size, groups } = counts;
    const numbers = (): Float64Array => new Float64Array(size);
    const [weightG, volumeMm3, hazardous] = [numbers(), numbers(), new Uint8Array(size)];
    [this.count, this.value, this.#units] = [new Int32Array(size), numbers(), numbers()];
    const skus = new Set(groups.map((g) => g.item.line.sku));
    this.#shared = [...skus].filter((sku) => groups.filter((g) => g.item.line.sku === sku).length > 1).map((sku) => ({ sku, units: numbers(), most: 0 }));
    for (let state = 1; state < size; state++) {
      const { group, amount, rest } = counts.lowest(state);
      const { line, quantity, value } = (groups[group] as Group).item;
      const add = (to: Float64Array | Int32Array, more: number): void => { to[state] = (to[rest] as number) + amount * more; };
      add(this.count, 1);
      add(this.value, value);
      add(this.#units, quantity);
      add(weightG, quantity * line.weightG);
      add(volumeMm3, quantity * (line.volumeMm3 ?? 0));
      hazardous[state] = (hazardous[rest] as number) | (line.hazardous ? 1 : 0);
      for (const s of this.#shared) {
        add(s.units, s.sku === line.sku ? quantity : 0);
        s.most = Math.max(s.most, s.units[state] as number);
      }
    }
    this.#freightOf = ({ lane, rates }) => {
      let known = this.#freight.get(lane);
      if (!known) {
        known = numbers();
        for (let state = 1; state < size; state++) known[state] = cheapestRate(rates, { weightG: weightG[state] as number, volumeMm3: volumeMm3[state] as number, hazardous: hazardous[state] === 1 }, weights)[0];
        this.#freight.set(lane, known);
      }
      return known;
    };
    this.best = numbers().fill(Number.POSITIVE_INFINITY);
    this.bestSite = new Int16Array(size).fill(-1);
    [this.states, this.sums] = [new Int32Array(size), numbers()];
    sites.forEach((_, s) => {
      for (let n = this.costs(s) - 1; n > 0; n--) {
        const state = this.states[n] as number;
        if ((this.sums[n] as number) < (this.best[state] as number)) [this.best[state], this.bestSite[state]] = [this.sums[n] as number, s];
      }
    });
  }

  /** Fills `states` with what a site has (nothing first) and `sums` with what each costs from there, Infinity where it cannot be sent so; returns how many they are. */
  costs(s: number): number {
    const site = this.#sites[s] as Site;
    const { groups } = this.#counts;
    const stock = (sku: string): number => site.location.stock[sku]?.available ?? 0;
    const { states, sums } = this;
    let n = 1;
    [states[0], sums[0]] = [0, openingCost(site, this.#weights)];
    for (let g = 0; g < groups.length; g++) {
      if (!this.#can[g]?.[s]) continue;
      const { item: { line, quantity }, of } = groups[g] as Group;
      const shared = this.#shared.some((x) => x.sku === line.sku);
      const last = this.#last?.[g]?.[s] ? LAST : 0;
      const before = n;
      for (let k = 1; k <= of.length && k * quantity <= stock(line.sku); k++) {
        const [own, more] = [(shared ? 0 : unitsCost(site, line.sku, k * quantity, this.#weights)) + k * last, k * this.#counts.stride(g)];
        for (let i = 0; i < before; i++, n++) {
          states[n] = (states[i] as number) + more;
          sums[n] = (sums[i] as number) + own;
        }
      }
    }
    const together = this.#shared.map(({ sku, most, units }) => ({ units, costs: Float64Array.from({ length: most + 1 }, (_, units_) => (units_ > stock(sku) ? Number.POSITIVE_INFINITY : unitsCost(site, sku, units_, this.#weights))) }));
    const freight = this.#freightOf(site);
    const room = site.location.capacityUnits ?? Number.POSITIVE_INFINITY;
    for (let i = 1; i < n; i++) {
      const state = states[i] as number;
      let sum = (this.#units[state] as number) > room ? Number.POSITIVE_INFINITY : (sums[i] as number) + (freight[state] as number);
      for (const { units, costs } of together) sum += costs[units[state] as number] as number;
      sums[i] = sum;
    }
    return n;
  }
}
