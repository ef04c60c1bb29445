import { FREE, Pricing, type Column, type Prices } from './columns.ts';
import { oneByOne } from './greedy.ts';
import { leastOf, mergeable, single, type Group } from './groups.ts';
import { scarce, taken, toProgram, type Resource } from './master.ts';
import type { Solved, WaveInstance, WavePlan, WaveResult, WaveTools } from './model.ts';

/** Rounds of new columns at most; each ends sooner when nothing is found that would pay. */
const MOST_ROUNDS = 40;
/** Of the time this share is kept for the choice. */
const CHOICE_SHARE = 0.45;
/** A plan stays in the choice while it costs no more beyond the prices than this share of the gap that was asked for: of all the orders' plans in a good choice, none is that far off. */
const KEPT_SHARE = 0.07;
/** Of the time for the choice this share is kept for a quick one, should the whole not come to its end. */
const QUICK_SHARE = 0.12;
/** Columns of the relaxed program that are all but chosen. */
const SURE = 0.9;
const EPSILON = 0.0005;

/**
 * Who gets what: column generation over exact single-order plans, then the best choice of the columns found.
 *
 * The master program chooses one plan for each order (or one for a merged group) within stock and capacity. Its dual prices say what a unit of each scarce resource is worth to the others; under these prices every order
 * is planned again by the exact router, and plans that would pay become columns, until none does. Prices also give the bound: with any prices λ ≥ 0, Σ over groups of the cheapest priced plan − Σ λ·available is below every
 * feasible choice (Lagrange). Whatever happens, the result is no worse than one by one, and is feasible: time over or a solver that fails end it early. Pure but for the tools it is given.
 */
export function solveWave(wave: WaveInstance, tools: WaveTools): WaveResult {
  const started = tools.now();
  const over = (share = 1): boolean => tools.now() - started > tools.seconds * 1000 * share;
  const pricing = new Pricing(wave);
  const clusters = mergeable(wave.orders);
  const groups: Group[] = [...wave.orders.map((_, i) => single(wave.orders, i)), ...clusters.flatMap((c) => c.groups)];
  const apart = [...clusters.map((c) => c.members), ...lone(wave.orders.length, clusters)];
  const alone = wave.orders.map((_, i) => i);
  const resources = scarce(wave);
  const greedy = oneByOne(pricing, groups, alone);
  const columns = new Columns([...greedy, ...alone.map((i) => pricing.plan(groups[i] as Group, i, [], [], FREE).column)]);
  const oneByOneCost = sum(greedy.map((c) => c.cost));

  // Without prices: the plans that each would like best, and a first bound.
  let bound = price(groups, apart, pricing, FREE, resources, columns).bound;
  let rounds = 0;
  let last: Prices | null = null;
  let relaxed: Solved | null = null;
  let failed = false;
  for (; rounds < MOST_ROUNDS && !over(1 - CHOICE_SHARE); rounds++) {
    const next = attempt(() => tools.solve(toProgram(columns.all, groups, wave.orders.length, resources, false), { seconds: Math.max(1, tools.seconds / 2), gap: 0 }));
    if (!next?.optimal) { failed = next === null; break; }
    relaxed = next;
    last = pricesOf(relaxed.duals, resources);
    const found = price(groups, apart, pricing, last, resources, columns);
    bound = Math.max(bound, found.bound);
    if (found.added === 0 || relaxed.objective - bound <= EPSILON + Math.abs(bound) * tools.gap * 0.1) { rounds++; break; }
  }
  // What is cheap at a part of the prices fills the corners that the relaxed program leaves.
  for (const part of [0.5, 0.8, 1.25]) if (last && !over(1 - CHOICE_SHARE)) price(groups, apart, pricing, scaled(last, part), resources, columns);
  const left = (): number => Math.max(0.2, tools.seconds - (tools.now() - started) / 1000);
  // What the solver may leave open of the gap: the rest of it lies between the relaxed program and the bound.
  const open = relaxed === null || relaxed.objective === 0 ? tools.gap / 10 : Math.max(tools.gap / 10, 0.9 * tools.gap - Math.abs((relaxed.objective - bound) / relaxed.objective));
  const near = relaxed === null ? columns.all : nearest(columns.all, groups, resources, relaxed, KEPT_SHARE * tools.gap * Math.abs(relaxed.objective), new Set(greedy));
  const choose = (some: readonly Column[], seconds: number): { chosen: Column[]; optimal: boolean } | null => {
    const choice = attempt(() => tools.solve(toProgram(some, groups, wave.orders.length, resources, true), { seconds, gap: open }));
    const chosen = choice?.feasible ? some.filter((_, j) => (choice.columns.get(`x${j}`) ?? 0) > 0.5) : null;
    return choice && chosen && feasible(chosen, groups, wave.orders.length, resources) ? { chosen, optimal: choice.optimal } : null;
  };
  const whole = choose(near, left() * (1 - QUICK_SHARE));
  const costOf = (some: readonly Column[]): number => sum(some.map((c) => c.cost));
  const within = (some: readonly Column[]): boolean => costOf(some) - bound <= tools.gap * Math.abs(costOf(some));
  const reached = whole !== null && (whole.optimal || within(whole.chosen));
  // It has not come to its end: with what is all but decided taken as decided there is a fair choice within a second.
  const quick = reached || relaxed === null ? null : choose(decided(columns.all, groups, relaxed), left());
  const valid = whole !== null || quick !== null;
  const plans = [whole?.chosen, quick?.chosen].reduce<readonly Column[]>((best, next) => (next && costOf(next) <= costOf(best) + EPSILON ? next : best), greedy);
  const cost = sum(plans.map((c) => c.cost));
  return {
    plans: plans.map((c) => planOf(wave, groups, c)), cost: round(cost), bound: round(Math.min(bound, cost)), gap: cost === 0 ? 0 : Math.max(0, (cost - bound) / Math.abs(cost)), oneByOne: round(oneByOneCost),
    margin: oneByOneCost === 0 ? 0 : (oneByOneCost - cost) / Math.abs(oneByOneCost), merged: plans.reduce((n, c) => n + ((groups[c.group] as Group).members.length > 1 ? (groups[c.group] as Group).members.length : 0), 0),
    unservedLines: plans.reduce((n, c) => n + (groups[c.group] as Group).order.lines.length - c.served.length, 0), columns: columns.all.length, rounds,
    how: failed || !valid ? 'fallback' : reached && !over() ? 'optimal' : 'time',
  };
}

/** Columns without repetition. */
class Columns {
  readonly all: Column[] = [];
  readonly #seen = new Set<string>();

  constructor(first: readonly Column[]) { for (const c of first) this.add(c); }

  add(column: Column): boolean {
    const key = `${column.group}:${column.plan.shipments.map((s) => `${s.location}/${s.carrier}/${s.service ?? ''}:${s.lines.map((l) => `${l.line}x${l.quantity}`).join(',')}`).sort().join(';')}`;
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    this.all.push(column);
    return true;
  }
}

/** The orders that no cluster has, each by itself. */
function lone(orders: number, clusters: readonly { members: number[] }[]): number[][] {
  const merged = new Set(clusters.flatMap((c) => c.members));
  return Array.from({ length: orders }, (_, i) => [i]).filter(([i]) => !merged.has(i as number));
}

/** Plans every group under prices; returns the Lagrangian bound and how many columns are new. Of a cluster's orders each is in one group or alone, whatever is cheapest. */
function price(groups: readonly Group[], apart: readonly number[][], pricing: Pricing, prices: Prices, resources: readonly Resource[], columns: Columns): { bound: number; added: number } {
  const locations = pricing.locations(prices);
  const least = new Map<string, number>();
  let added = 0;
  groups.forEach((group, index) => {
    const best = pricing.best(group, index, locations, prices);
    least.set(group.members.join(), best.least);
    if (columns.add(best.column)) added++;
    // Not the best at these prices, but what the whole choice may need.
    for (const t of best.tried) columns.add(t);
  });
  let bound = sum(apart.map((members) => leastOf(members, (some) => least.get(some.join()))));
  for (const r of resources) bound -= r.available * ((r.kind === 'stock' ? prices.stock.get(r.key) : prices.capacity.get(r.key)) ?? 0);
  return { bound, added };
}

/** Duals of `≤` rows of a minimum are not positive: a price is what one unit more would save. Thousandths of a minor unit, so that the router counts them exactly. */
function pricesOf(duals: ReadonlyMap<string, number>, resources: readonly Resource[]): Prices {
  const prices = { stock: new Map<string, number>(), capacity: new Map<string, number>() };
  for (const r of resources) {
    const worth = Math.round(Math.max(0, -(duals.get(r.name) ?? 0)) * 1000) / 1000;
    if (worth > 0) prices[r.kind].set(r.key, worth);
  }
  return prices;
}

function scaled({ stock, capacity }: Prices, part: number): Prices {
  const times = (prices: ReadonlyMap<string, number>): Map<string, number> => new Map([...prices].map(([key, worth]) => [key, Math.round(worth * part * 1000) / 1000]));
  return { stock: times(stock), capacity: times(capacity) };
}

/** Columns whose cost beyond the prices of the relaxed program is not above `most`; those that serve nobody and `always` stay, so that there is a choice whatever happens. */
function nearest(columns: readonly Column[], groups: readonly Group[], resources: readonly Resource[], { duals }: Solved, most: number, always: ReadonlySet<Column>): Column[] {
  const stock = new Map<string, number>();
  const places = new Map<string, { resource: Resource; dual: number }>();
  for (const r of resources) {
    const dual = duals.get(r.name) ?? 0;
    if (dual === 0) continue;
    if (r.kind === 'stock') stock.set(r.key, dual);
    else places.set(r.key, { resource: r, dual });
  }
  return columns.filter((c) => {
    if (c.uses.size === 0 || always.has(c)) return true;
    let beyond = c.cost;
    for (const m of (groups[c.group] as Group).members) beyond -= duals.get(`o${m}`) ?? 0;
    for (const [key, units] of c.uses) beyond -= units * (stock.get(key) ?? 0);
    for (const code of new Set(c.plan.shipments.map((s) => s.location))) { const p = places.get(code); if (p) beyond -= taken(c, p.resource) * p.dual; }
    return beyond <= most;
  });
}

/** For members of a column that is all but chosen that column alone; for the others all columns that do not concern them. */
function decided(columns: readonly Column[], groups: readonly Group[], { columns: values }: Solved): Column[] {
  const sure = new Set(columns.filter((_, j) => (values.get(`x${j}`) ?? 0) > SURE));
  const done = new Set([...sure].flatMap((c) => (groups[c.group] as Group).members));
  return columns.filter((c) => sure.has(c) || !(groups[c.group] as Group).members.some((m) => done.has(m)));
}

/** Nobody twice, nobody forgotten, nothing beyond what is there: whatever the solver said. */
function feasible(chosen: readonly Column[], groups: readonly Group[], orders: number, resources: readonly Resource[]): boolean {
  const seen = new Set<number>();
  for (const c of chosen) for (const m of (groups[c.group] as Group).members) {
    if (seen.has(m)) return false;
    seen.add(m);
  }
  return seen.size === orders && resources.every((r) => chosen.reduce((units, c) => units + taken(c, r), 0) <= r.available);
}

function planOf(wave: WaveInstance, groups: readonly Group[], column: Column): WavePlan {
  const group = groups[column.group] as Group;
  const id = (member: number): string => wave.orders[member]?.id ?? '';
  return {
    orders: group.members.map(id), plan: column.plan, cost: round(column.cost), lines: group.from.map(({ member, line }, i) => ({ order: id(member), line, planned: group.order.lines[i]?.line ?? i + 1 })),
    unserved: group.order.lines.flatMap((l, i) => (column.served.includes(l.line) ? [] : [{ order: id(group.from[i]?.member ?? 0), line: group.from[i]?.line ?? l.line }])),
  };
}

function attempt<T>(run: () => T): T | null {
  try {
    return run();
  } catch {
    return null; // the answer says `fallback`
  }
}
const sum = (costs: readonly number[]): number => costs.reduce((a, b) => a + b, 0);
const round = (n: number): number => Math.round(n * 1000) / 1000;
