import type { InstanceLocation, InstancePlan, InstancePolicy, RoutingInstance } from '../model.ts';
import { planOrder } from '../plan.ts';
import { planSets } from '../sets.ts';
import { floorOf } from './floor.ts';
import type { Group } from './groups.ts';
import type { WaveInstance } from './model.ts';

/** What a unit costs beyond its plan because others want it, minor units: stock by `location|sku`, capacity by location. */
export type Prices = { stock: ReadonlyMap<string, number>; capacity: ReadonlyMap<string, number> };
export const FREE: Prices = { stock: new Map(), capacity: new Map() };
/** One way to deal with a group. `cost`: without prices, what is unserved included. `uses`: units by `location|sku`. */
export type Column = { group: number; plan: InstancePlan; served: number[]; cost: number; uses: Map<string, number> };

/** Plans kept of each look at a group: the best set of its lines and the next ones, which the whole choice may need. */
const MOST_TRIED = 3;
/** `after_own` of one order is a rule; among many it is a price: a line from a dealer costs this much of an unserved line's base more, spread over its units, so that it goes before nothing, and after our own. Per mille. */
const DEALER_PER_MILLE = 500;

type Priced = { column: Column; reduced: number; least: number };

/** The wave's instance as each group's plans are made from it: dealers by price, weights so that prices count as they are. */
export class Pricing {
  readonly #wave: WaveInstance;
  readonly #policy: InstancePolicy;
  readonly #base: readonly InstanceLocation[];

  constructor(wave: WaveInstance) {
    this.#wave = wave;
    this.#policy = { ...wave.policy, dealers: 'equal', weights: { ...wave.policy.weights, settlement: 1 } };
    this.#base = wave.locations.map((l) => this.#priced(l, FREE));
  }

  unservedCost(value: number): number { return this.#wave.unserved.base + Math.round((value * this.#wave.unserved.perMilleOfValue) / 1000); }

  /** The locations under these prices; without any the same objects again. */
  locations(prices: Prices): readonly InstanceLocation[] {
    return prices.stock.size + prices.capacity.size === 0 ? this.#base : this.#wave.locations.map((l) => this.#priced(l, prices));
  }

  #priced(l: InstanceLocation, prices: Prices): InstanceLocation {
    const { weights } = this.#wave.policy;
    const capacity = prices.capacity.get(l.code) ?? 0;
    return {
      ...l, ...(l.settlementFee === undefined ? {} : { settlementFee: Math.round(l.settlementFee * weights.settlement) }), stock: Object.fromEntries(Object.entries(l.stock).map(([sku, s]) => {
        // In thousandths of a minor unit, which the weight 1 (per mille) makes of it: whole numbers, so the router stays exact.
        const settlement = Math.round((s.settlement ?? 0) * weights.settlement) + Math.round((capacity + (prices.stock.get(`${l.code}|${sku}`) ?? 0)) * 1000);
        return [sku, { ...s, settlement }];
      })),
    };
  }

  /** The plan of some lines of a group. `reduced`: with prices, what is unserved included. */
  plan(group: Group, index: number, lines: readonly number[], locations: readonly InstanceLocation[], prices: Prices): Priced {
    const wanted = group.order.lines.filter((l) => lines.includes(l.line));
    const plan = wanted.length === 0 ? nothing(this.#policy) : planOrder(this.#instance(group, wanted, locations), false);
    return this.#priceOf(group, index, lines, plan, prices);
  }

  /** The best plans of a group under prices, over sets of its lines: all of them where no line is divided, else those of `#tried`. `least`: the cost that no way to deal with the group goes below; `tried`: all that were looked at. */
  best(group: Group, index: number, locations: readonly InstanceLocation[], prices: Prices): { column: Column; least: number; tried: Column[] } {
    const costs = group.order.lines.map((l) => this.unservedCost(l.value));
    const instance = this.#instance(group, group.order.lines, locations);
    const sets = planSets(instance, costs, MOST_TRIED);
    const plans = sets?.map(({ lines, plan }) => this.#priceOf(group, index, lines, plan, prices)) ?? this.#tried(group, index, locations, prices, costs);
    const best = plans.reduce((a, b) => (b.reduced < a.reduced ? b : a));
    const floor = sets ? Number.POSITIVE_INFINITY : floorOf(instance, costs, plans[0]?.column.plan.unallocated.length === 0);
    return { column: best.column, least: plans.reduce((n, p) => Math.min(n, p.least), floor), tried: plans.map((p) => p.column) };
  }

  /** Set by set, each with a look of its own: all lines; without one line, or without one parcel, and so on from the best of these while that is better; and none. */
  #tried(group: Group, index: number, locations: readonly InstanceLocation[], prices: Prices, costs: readonly number[]): [Priced, ...Priced[]] {
    const all = group.order.lines.map((l) => l.line);
    const first = this.plan(group, index, all, locations, prices);
    const tried: [Priced, ...Priced[]] = [first];
    // Slow stock is credited: a plan may cost less than nothing, so none is passed over.
    const credited = this.#policy.weights.slowCredit > 0 && locations.some((l) => group.order.lines.some((x) => (l.stock[x.sku]?.slowCredit ?? 0) > 0));
    let best = first;
    const seen = new Set([all.join()]);
    const look = (lines: readonly number[]): void => {
      // Leaving out a line costs at least the cheapest one: often more than all of them do.
      const without = all.reduce((sum, line, i) => (lines.includes(line) ? sum : sum + (costs[i] ?? 0)), 0);
      if (seen.has(lines.join()) || (!credited && without >= best.reduced)) return;
      seen.add(lines.join());
      const other = this.plan(group, index, lines, locations, prices);
      tried.push(other);
      if (other.reduced < best.reduced) best = other;
    };
    look([]);
    for (let from: Priced | null = first; from !== null;) {
      const { plan, served }: Column = from.column;
      for (const line of served) look(served.filter((l) => l !== line));
      for (const s of plan.shipments) look(served.filter((l) => !s.lines.some((x) => x.line === l)));
      from = best === from || best.column.served.length === 0 ? null : best;
    }
    return tried;
  }

  #instance(group: Group, wanted: RoutingInstance['order']['lines'], locations: readonly InstanceLocation[]): RoutingInstance {
    const skus = [...new Set(wanted.map((l) => l.sku))];
    const some = locations.filter((l) => { for (const sku of skus) if ((l.stock[sku]?.available ?? 0) > 0) return true; return false; });
    return {
      order: { ...group.order, lines: wanted }, rates: this.#wave.rates, policy: this.#policy,
      locations: this.#wave.policy.dealers === 'after_own' ? some.map((l) => (l.kind === 'dealer' ? this.#after(l, group.order.lines) : l)) : some,
    };
  }

  /** A dealer after our own: what a whole line from it costs more is the same however many units the line has. */
  #after(dealer: InstanceLocation, lines: RoutingInstance['order']['lines']): InstanceLocation {
    const stock = { ...dealer.stock };
    for (const sku of new Set(lines.map((l) => l.sku))) {
      const s = stock[sku];
      const units = lines.reduce((most, l) => (l.sku === sku ? Math.max(most, l.quantity) : most), 1);
      if (s) stock[sku] = { ...s, settlement: (s.settlement ?? 0) + Math.round((this.#wave.unserved.base * DEALER_PER_MILLE) / units) };
    }
    return { ...dealer, stock };
  }

  #priceOf(group: Group, index: number, lines: readonly number[], plan: InstancePlan, prices: Prices): Priced {
    const missing = new Map(plan.unallocated.map((u) => [u.line, u.quantity]));
    let unserved = 0;
    const served: number[] = [];
    for (const l of group.order.lines) {
      const lacks = lines.includes(l.line) ? missing.get(l.line) ?? 0 : l.quantity;
      if (lacks > 0) unserved += Math.round((this.unservedCost(l.value) * lacks) / l.quantity);
      if (lacks < l.quantity) served.push(l.line);
    }
    const uses = new Map<string, number>();
    let extra = 0;
    for (const s of plan.shipments) for (const { sku, quantity } of s.lines) {
      const key = `${s.location}|${sku}`;
      uses.set(key, (uses.get(key) ?? 0) + quantity);
      extra += quantity * ((prices.stock.get(key) ?? 0) + (prices.capacity.get(s.location) ?? 0));
    }
    const reduced = plan.cost + unserved;
    return { column: { group: index, plan, served, cost: reduced - extra, uses }, reduced, least: reduced - plan.cost + plan.bound };
  }
}

function nothing(policy: InstancePolicy): InstancePlan {
  return { policy: { code: policy.code, version: policy.version }, shipments: [], cost: 0, splitPenalty: 0, bound: 0, optimal: true, unallocated: [], rejected: [], reasons: [] };
}
