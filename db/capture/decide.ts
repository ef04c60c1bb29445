import { firstFit, type Fit } from '../../domain/routing/first-fit.ts';
import { shareOf, type Share } from '../../domain/stock/sharing.ts';
import type { LockedLevel } from '../ledger.ts';
import type { Network } from '../network.ts';
import { dateOf } from '../promise/date.ts';
import type { PoolLevel } from '../stock-pool.ts';
import type { StockProjection } from '../projection.ts';
import { attemptsOf, takes, type Attempt } from './candidates.ts';
import { comesInTime, sourcesOf, type Demand, type Source } from './sources.ts';
import type { PreparedOrder } from './prepare.ts';
import { routeAfter } from './route-after.ts';
import { borrowKey, type Pick, type Taken } from './taken.ts';

export type Missing = { lineNo: number; skuId: number | null; skuCode: string; quantity: number; cause: 'unknown_sku' | 'no_stock' };
/** `dropped`: lines of gifts that go unsent because they are not there. */
export type Decision = { picks: Pick[]; missing: Missing[]; promise: { shipBy: Date; deliverBy: Date } | null; dropped: readonly number[] };
const NO_LINES: readonly number[] = [];
type KnownLine = Demand['lines'][number] & { skuId: number };

/**
 * Chooses levels for one order by first fit on the projection less what the batch has taken; adds its own units to `taken`.
 * Looks in the order's own allotment alone first, then with each further one that its overflow rule allows, at last with what is coming:
 * the first stage that serves the whole order is taken, else what the last one gives. Locations are tried as the policy in effect lets them serve (`attemptsOf`); that of a canary, and a day's capacity,
 * are not known here: routing and the promise's ladder see to them.
 */
export function decide(order: Demand, network: Network, projection: StockProjection, taken: Taken, borrowed: ReadonlyMap<string, number>): Decision {
  const known = order.lines.filter((l) => l.skuId !== null) as KnownLine[];
  const missing: Missing[] = [];
  for (const line of order.lines) {
    if (line.skuId === null) missing.push({ lineNo: line.lineNo, skuId: null, skuCode: line.skuCode, quantity: line.quantity, cause: 'unknown_sku' });
  }
  const ranked = order.pickup ? [order.pickup.location.id] : network.ranked(order.destination);
  const stages = sourcesOf(order, network, projection);
  const share = network.sharing(order.channel.id, order.capturedAt);
  const attempts = attemptsOf(order, network, ranked);
  let picks: Pick[] = [];
  let short: Fit['short'] = [];
  let served: Attempt | null = null;
  for (let n = 0; n < attempts.length && !served; n++) {
    const attempt = attempts[n] as Attempt;
    const taking = takingIn(attempt, order, network);
    for (let i = 0; i < stages.length && !served; i++) {
      const sources = stages[i] as Source[];
      // A pause is over sooner than what is announced comes.
      if (attempt.awake && sources.some((s) => s.horizon !== null)) continue;
      const view = new View(sources, taken, borrowed, share);
      const available = (skuId: number, locationId: number): number => (network.blocked(locationId, skuId, order.capturedAt) ? 0 : view.available(skuId, locationId));
      const fit = firstFit(known, attempt.ids, taking ? (skuId, locationId) => (taking(skuId, locationId) ? available(skuId, locationId) : 0) : available);
      if (fit.short.length > 0 && (n < attempts.length - 1 || i < stages.length - 1)) continue;
      ({ picks, short } = view.take(fit));
      if (short.length === 0) served = attempt;
    }
  }
  taken.add(picks);
  for (const s of short) missing.push({ lineNo: s.lineNo, skuId: s.skuId, skuCode: order.lines.find((l) => l.lineNo === s.lineNo)?.skuCode ?? '', quantity: s.quantity, cause: 'no_stock' });
  const dated = missing.length === 0 && (served === attempts[0] || mayServe(attempts[0] as Attempt, order, picks, network));
  return { picks, missing, promise: dated ? promiseOf(order, picks, network) : null, dropped: NO_LINES };
}

/** What an attempt asks of a location for a SKU, beyond units; null: nothing. */
function takingIn({ awake, careful }: Attempt, order: Demand, network: Network): ((skuId: number, locationId: number) => boolean) | null {
  if (!awake && !careful) return null;
  const codes = new Map(order.lines.map((l) => [l.skuId, l.skuCode]));
  return (skuId, locationId) => !(awake && network.pausedUntil(locationId, order.capturedAt)) && !(careful && !takes(network, locationId, codes.get(skuId) ?? ''));
}

/** Whether the policy lets all of it go from where it was found, sooner or later: else routing will say why not, and nobody can give a date. */
function mayServe({ ids, careful }: Attempt, order: Demand, picks: readonly Pick[], network: Network): boolean {
  return picks.every((p) => ids.includes(p.locationId) && (!careful || takes(network, p.locationId, order.lines.find((l) => l.lineNo === p.lineNo)?.skuCode ?? '')));
}

/**
 * As `decide`; an order goes without gifts that are not there, where its promotion says so. Those of `dropped` were left out before and stay so: their lines are not written.
 */
export function decideWithGifts(order: PreparedOrder, network: Network, projection: StockProjection, taken: Taken, borrowed: ReadonlyMap<string, number>, dropped: readonly number[] = NO_LINES): Decision {
  if (!order.lines.some((l) => l.given?.outOfStock === 'drop')) return decide(order, network, projection, taken, borrowed);
  const without = (lines: readonly number[]): Demand => ({ ...order, lines: order.lines.filter((l) => !lines.includes(l.lineNo)) });
  const decision = decide(without(dropped), network, projection, taken, borrowed);
  const gone = decision.missing.filter((m) => order.lines.some((l) => l.lineNo === m.lineNo && l.given?.outOfStock === 'drop')).map((m) => m.lineNo);
  if (gone.length === 0) return { ...decision, dropped };
  taken.add(decision.picks, -1);
  const all = [...dropped, ...gone];
  return { ...decide(without(all), network, projection, taken, borrowed), dropped: all };
}

/** The free units of some sources, less what the batch has taken and what locations do not share with the channel. */
class View {
  readonly #sources: readonly Source[];
  readonly #taken: Taken;
  readonly #borrowed: ReadonlyMap<string, number>;
  readonly #share: Share | null;

  constructor(sources: readonly Source[], taken: Taken, borrowed: ReadonlyMap<string, number>, share: Share | null) {
    this.#sources = sources;
    this.#taken = taken;
    this.#borrowed = borrowed;
    this.#share = share;
  }

  available(skuId: number, locationId: number): number {
    let sum = 0;
    for (const source of this.#sources) {
      const units = this.#share && source.shared ? this.given(this.#share, source, skuId, locationId) : this.#units(source, skuId, locationId);
      sum += source.borrow ? Math.min(units, this.#lendable(source.borrow, skuId, 0)) : units;
    }
    return sum;
  }

  /** Turns the fit into levels, own units before others; what a borrowing limit keeps back is short. */
  take(fit: Fit): { picks: Pick[]; short: Fit['short'] } {
    const picks: Pick[] = [];
    const used = new Map<number, number>();
    const lent = new Map<string, number>();
    const given = new Map<string, number>();
    const short = fit.short.map((s) => ({ ...s }));
    for (const { lineNo, skuId, locationId, quantity } of fit.picks) {
      let rest = quantity;
      for (const source of this.#sources) {
        const key = source.borrow && borrowKey(source.borrow.allotmentId, skuId);
        const quota = this.#share && source.shared ? this.given(this.#share, source, skuId, locationId) : null;
        const place = quota === null ? '' : `${skuId}|${locationId}|${source.horizon === null}`;
        for (const level of source.pool.levelsOf(skuId, locationId)) {
          let units = Math.min(rest, this.#free(source, level) - (used.get(level.id) ?? 0));
          if (source.borrow && key !== null) units = Math.min(units, this.#lendable(source.borrow, skuId, lent.get(key) ?? 0));
          if (quota !== null) units = Math.min(units, quota - (given.get(place) ?? 0));
          if (units <= 0) continue;
          if (quota !== null) given.set(place, (given.get(place) ?? 0) + units);
          picks.push({ lineNo, skuId, locationId, levelId: level.id, quantity: units, borrower: source.borrow?.allotmentId ?? null, expectedAt: level.expectedAt });
          used.set(level.id, (used.get(level.id) ?? 0) + units);
          if (key !== null) lent.set(key, (lent.get(key) ?? 0) + units);
          rest -= units;
          if (rest === 0) break;
        }
        if (rest === 0) break;
      }
      if (rest === 0) continue;
      const known = short.find((s) => s.lineNo === lineNo);
      if (known) known.quantity += rest;
      else short.push({ lineNo, skuId, quantity: rest });
    }
    return { picks, short };
  }

  #units(source: Source, skuId: number, locationId: number): number {
    const { pool } = source;
    if (pool.single(skuId, locationId)) {
      if (source.horizon !== null) return 0; // units to come have a date
      return Math.max(0, pool.free - (this.#taken.levels.get(pool.id) ?? 0));
    }
    let units = 0;
    for (const level of pool.levelsOf(skuId, locationId)) units += this.#free(source, level);
    return units;
  }

  /** What a location shares of a source: of units to come what it shares of both together, less what it shares of those that are there. */
  given(share: Share, source: Source, skuId: number, locationId: number): number {
    const units = this.#units(source, skuId, locationId);
    const there = source.horizon === null ? null : this.#sources.find((s) => s.shared && s.horizon === null);
    if (!there) return share(skuId, locationId, units);
    return shareOf(share, skuId, locationId, this.#units(there, skuId, locationId), units).coming;
  }

  #free(source: Source, level: PoolLevel): number {
    if (level.expires !== null && source.lastsUntil !== null && level.expires < source.lastsUntil) return 0;
    if (!comesInTime(source, level.expectedAt)) return 0;
    const free = level.free - (this.#taken.levels.get(level.id) ?? 0);
    return free > 0 ? free : 0;
  }

  #lendable({ allotmentId, limit }: { allotmentId: number; limit: number }, skuId: number, more: number): number {
    const key = borrowKey(allotmentId, skuId);
    return Math.max(0, limit - (this.#borrowed.get(key) ?? 0) - (this.#taken.borrowed.get(key) ?? 0) - more);
  }
}

/** The date of the whole order, from when routing may begin: nothing leaves before that. */
function promiseOf(order: Demand, picks: readonly Pick[], network: Network): Decision['promise'] {
  const begins = Math.max(order.capturedAt.getTime(), routeAfter(order)?.getTime() ?? 0);
  return dateOf(network, { channel: order.channel, destination: order.destination, scheduledFrom: order.scheduledFrom, pickup: order.pickup?.location ?? null }, begins, picks);
}

/**
 * True when no location gives the order's channel more than it shares, by what the projection says now (of locked levels the truth) less what the batch has `taken`.
 * Asked before `takeLocked`; where nothing is limited it costs nothing.
 */
export function withinShares(order: Omit<Demand, 'lines'>, picks: readonly Pick[], network: Network, projection: StockProjection, taken: Taken): boolean {
  const share = network.sharing(order.channel.id, order.capturedAt);
  if (!share || picks.length === 0) return true;
  const sources = sourcesOf({ ...order, lines: [] }, network, projection).at(-1)?.filter((s) => s.shared) ?? [];
  const view = new View(sources, taken, new Map(), share);
  const want = new Map<string, { pick: Pick; source: Source; units: number }>();
  for (const pick of picks) {
    const source = sources.find((s) => (s.horizon === null) === (pick.expectedAt === null) && s.pool.levelsOf(pick.skuId, pick.locationId).some((l) => l.id === pick.levelId));
    if (!source) continue; // of an allotment: it was set apart for them
    const key = `${pick.skuId}|${pick.locationId}|${source.horizon === null}`;
    const known = want.get(key);
    if (known) known.units += pick.quantity;
    else want.set(key, { pick, source, units: pick.quantity });
  }
  return [...want.values()].every(({ pick, source, units }) => units <= view.given(share, source, pick.skuId, pick.locationId));
}

/** True when the locked levels still hold what was picked; then it is taken from them. */
export function takeLocked(picks: readonly Pick[], locked: Map<number, LockedLevel>): boolean {
  const free = new Map<number, number>();
  for (const pick of picks) {
    const level = locked.get(pick.levelId);
    if (!level?.sellable) return false;
    const left = (free.get(pick.levelId) ?? level.onHand - level.reserved - level.buffer) - pick.quantity;
    if (left < 0) return false;
    free.set(pick.levelId, left);
  }
  for (const pick of picks) (locked.get(pick.levelId) as LockedLevel).reserved += pick.quantity;
  return true;
}
