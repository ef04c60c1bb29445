import { handOver, handOverDay } from '../promising/hand-over.ts';
import { offsetMinutes } from '../promising/promise.ts';
import type { InstanceLocation, InstanceStock } from '../routing/model.ts';
import type { RecordedOrder, SimulatedArrival, SimulatedLocation, SimulatedSharing, SimulatedStock } from './model.ts';
import { isRuled, offer, Sharing } from './offer.ts';

/** Of one year: where clocks change, they differ. */
const [WINTER, SUMMER] = [Date.UTC(2026, 0, 1), Date.UTC(2026, 6, 1)];
/** `day`: of the hand-over that is shown; `taken`: units by that day; `from`, `until`: the orders that get it; `leaves`: its moment by the clock of their destination (#clockOf), or the own clock's offset on the promised day. */
type Shelf = { location: InstanceLocation; source: SimulatedLocation; day: string; taken: Map<string, number>; from: number; until: number; leaves: Map<string | number, string> };
/** `available` of the instance's stock is never below 0; `units` may be, where units went elsewhere that the simulated orders had taken. */
type Level = { units: number; shown: InstanceStock; keep: number; ruled: SimulatedStock | null };

/**
 * The state that orders contend for: units on the shelves and the capacity of the day of hand-over. The parts of instances are made once and changed in place, so an instance is valid until the
 * next change.
 */
export class Shelves {
  readonly #shelves = new Map<string, Shelf>();
  readonly #bySku = new Map<string, Map<Shelf, Level>>();
  readonly #opportunity: boolean;
  readonly #credited: boolean;
  readonly #sharing: Sharing | null;
  /** whether the hour of an arrival depends on the order: several zones, or clocks that change */
  readonly #clocks: boolean;

  /** `opportunity`, `credited`: whether last units and slow stock are priced. */
  constructor(locations: readonly SimulatedLocation[], stock: readonly SimulatedStock[], opportunity: boolean, credited = false, sharing: SimulatedSharing | null = null) {
    this.#opportunity = opportunity;
    this.#credited = credited;
    this.#sharing = sharing && new Sharing(sharing, locations);
    const zones = new Set(locations.flatMap((l) => l.calendar?.timeZone ?? []));
    this.#clocks = zones.size > 1 || [...zones].some((zone) => offsetMinutes(zone, WINTER) !== offsetMinutes(zone, SUMMER));
    for (const source of [...locations].sort((a, b) => (a.code < b.code ? -1 : 1))) {
      const { calendar: _calendar, dailyCapacity, ...rest } = source;
      const location: InstanceLocation = { ...rest, shipsAt: null, load: 0, ...(dailyCapacity === undefined ? {} : { capacityUnits: dailyCapacity }), stock: {} };
      this.#shelves.set(source.code, { location, source, day: '', taken: new Map(), from: 0, until: -1, leaves: new Map() });
    }
    for (const own of stock) this.#level(own.location, own.sku, own).units += own.units;
    for (const levels of this.#bySku.values()) for (const level of levels.values()) level.shown.available = Math.max(0, level.units);
  }

  /** A location as it stands now. */
  location(code: string): InstanceLocation {
    const shelf = this.#shelves.get(code);
    if (!shelf) throw new RangeError(`location ${code} is not in the simulation`);
    return shelf.location;
  }

  /** The locations that have anything of an order now, by code. */
  candidates(recorded: RecordedOrder): InstanceLocation[] {
    const { order, margins } = recorded;
    const found = new Set<Shelf>();
    for (const { sku } of order.lines) {
      for (const [shelf, level] of this.#bySku.get(sku) ?? []) {
        if (level.ruled) offer(level.shown, level.ruled, level.units, recorded, this.#sharing, this.#credited);
        if (level.shown.available <= 0) continue;
        found.add(shelf);
        if (!this.#opportunity) continue;
        const cost = margins?.[sku] ?? 0;
        if (level.keep > 0 && cost > 0) level.shown.opportunity = { cost, units: level.keep };
        else delete level.shown.opportunity;
      }
    }
    // No order among them: the router sorts them itself, by distance, kind and code.
    const locations: InstanceLocation[] = [];
    const promisedAt = order.promisedBy === null ? null : Date.parse(order.promisedBy);
    const clock = this.#clockOf(recorded, promisedAt);
    for (const shelf of found) {
      this.#tick(shelf, recorded, promisedAt, clock);
      locations.push(shelf.location);
    }
    return locations;
  }

  /** Units of a plan leave the shelf and use up capacity; `at` and `scheduledFrom` are the order's, by which it has its day; `sign` −1 gives them back. */
  take(location: string, lines: readonly { sku: string; quantity: number }[], at: number, sign: 1 | -1 = 1, scheduledFrom = 0): void {
    const shelf = this.#shelves.get(location) as Shelf;
    for (const { sku, quantity } of lines) this.#add(location, sku, -sign * quantity);
    const { calendar, dailyCapacity } = shelf.source;
    if (calendar === null || dailyCapacity === undefined) return;
    const day = scheduledFrom <= at && at >= shelf.from && at <= shelf.until ? shelf.day : handOverDay(calendar, new Date(Math.max(at, scheduledFrom)), null).day;
    shelf.taken.set(day, Math.max(0, (shelf.taken.get(day) ?? 0) + sign * lines.reduce((n, l) => n + l.quantity, 0)));
    this.#weigh(shelf);
  }

  arrive({ location, sku, units }: SimulatedArrival): void { if (this.#shelves.has(location)) this.#add(location, sku, units); }

  #add(location: string, sku: string, units: number): void {
    const level = this.#level(location, sku);
    level.units += units;
    level.shown.available = Math.max(0, level.units);
  }

  #level(location: string, sku: string, own: SimulatedStock = { location, sku, units: 0 }): Level {
    const shelf = this.#shelves.get(location);
    if (!shelf) throw new RangeError(`stock of ${sku} at ${location}: this location is not in the simulation`);
    let levels = this.#bySku.get(sku);
    if (!levels) this.#bySku.set(sku, (levels = new Map<Shelf, Level>()));
    let level = levels.get(shelf);
    if (!level) {
      level = { units: 0, shown: { available: 0 }, keep: own.keep ?? 0, ruled: isRuled(own, this.#sharing) ? own : null };
      levels.set(shelf, level);
      shelf.location.stock[sku] = level.shown;
    }
    return level;
  }

  /** Orders of one clock see the same hour of a hand-over; null: it is the location's own. */
  #clockOf({ arrivesIn }: RecordedOrder, promisedAt: number | null): string | null {
    if (!this.#clocks) return '';
    if (arrivesIn === undefined) return null;
    return promisedAt === null ? arrivesIn : `${arrivesIn} ${offsetMinutes(arrivesIn, promisedAt)}`;
  }

  /** The hand-over that an order of this moment gets, and the capacity of its day. */
  #tick(shelf: Shelf, { at, scheduledFrom = 0, arrivesIn }: RecordedOrder, promisedAt: number | null, clock: string | null): void {
    const { source: { calendar }, location } = shelf;
    if (!calendar) return;
    const ahead = scheduledFrom > at;
    const from = ahead ? scheduledFrom : at;
    // Until its cut-off the answer stays the same.
    if (ahead || at > shelf.until || at < shelf.from) {
      const { day, cutoff } = handOverDay(calendar, new Date(from), null);
      [shelf.from, shelf.until] = ahead ? [0, -1] : [at, cutoff.getTime()];
      shelf.day = day;
      shelf.leaves.clear();
      this.#weigh(shelf);
    }
    const hour = clock ?? (promisedAt === null ? '' : offsetMinutes(calendar.timeZone, promisedAt));
    let leaves = shelf.leaves.get(hour);
    if (leaves === undefined) {
      leaves = new Date(handOver({ orderedAt: new Date(from), scheduledFrom: null, location: calendar, arrivesIn }, promisedAt)).toISOString();
      shelf.leaves.set(hour, leaves);
    }
    location.shipsAt = leaves;
  }

  #weigh({ location, source: { dailyCapacity }, taken: byDay, day }: Shelf): void {
    if (dailyCapacity === undefined) return;
    const taken = byDay.get(day) ?? 0;
    location.load = Math.min(1000, Math.round((taken * 1000) / dailyCapacity));
    location.capacityUnits = Math.max(0, dailyCapacity - taken);
  }
}

