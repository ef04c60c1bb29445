import { promise } from '../promising/promise.ts';
import type { InstanceLocation } from '../routing/model.ts';
import type { RecordedOrder, SimulatedArrival, SimulatedLocation, SimulatedStock } from './model.ts';

const DAY_MS = 86_400_000;
type Shelf = { location: InstanceLocation; source: SimulatedLocation; day: number; taken: number; from: number; until: number };
/** `available` of the instance's stock is never below 0; `units` may be, where units went elsewhere that the simulated orders had taken. */
type Level = { units: number; shown: { available: number; opportunity?: { cost: number; units: number } }; keep: number };

/**
 * The state that orders contend for: units on the shelves and the day's capacity. The parts of instances are made once and changed in place, so an instance is valid until the
 * next change.
 */
export class Shelves {
  readonly #shelves = new Map<string, Shelf>();
  readonly #bySku = new Map<string, Map<Shelf, Level>>();
  readonly #opportunity: boolean;

  constructor(locations: readonly SimulatedLocation[], stock: readonly SimulatedStock[], opportunity: boolean) {
    this.#opportunity = opportunity;
    for (const source of [...locations].sort((a, b) => (a.code < b.code ? -1 : 1))) {
      const { calendar: _calendar, dailyCapacity, ...rest } = source;
      const location: InstanceLocation = { ...rest, shipsAt: null, load: 0, ...(dailyCapacity === undefined ? {} : { capacityUnits: dailyCapacity }), stock: {} };
      this.#shelves.set(source.code, { location, source, day: -1, taken: 0, from: 0, until: -1 });
    }
    for (const { location, sku, units, keep } of stock) this.#level(location, sku, keep).units += units;
    for (const levels of this.#bySku.values()) for (const level of levels.values()) level.shown.available = Math.max(0, level.units);
  }

  /** A location as it stands now. */
  location(code: string): InstanceLocation {
    const shelf = this.#shelves.get(code);
    if (!shelf) throw new RangeError(`location ${code} is not in the simulation`);
    return shelf.location;
  }

  /** The locations that have anything of an order now, by code. */
  candidates({ at, order, scheduledFrom, margins }: RecordedOrder): InstanceLocation[] {
    const found = new Set<Shelf>();
    for (const { sku } of order.lines) {
      for (const [shelf, level] of this.#bySku.get(sku) ?? []) {
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
    for (const shelf of found) {
      this.#tick(shelf, at, scheduledFrom ?? 0);
      locations.push(shelf.location);
    }
    return locations;
  }

  /** Units of a plan leave the shelf and use up capacity; `sign` −1 gives them back (the day's capacity only where it is still the same day). */
  take(location: string, lines: readonly { sku: string; quantity: number }[], at: number, sign: 1 | -1 = 1): void {
    const shelf = this.#shelves.get(location) as Shelf;
    for (const { sku, quantity } of lines) {
      this.#add(location, sku, -sign * quantity);
      if (shelf.day === Math.floor(at / DAY_MS)) shelf.taken = Math.max(0, shelf.taken + sign * quantity);
    }
    this.#weigh(shelf);
  }

  arrive({ location, sku, units }: SimulatedArrival): void { if (this.#shelves.has(location)) this.#add(location, sku, units); }

  #add(location: string, sku: string, units: number): void {
    const level = this.#level(location, sku);
    level.units += units;
    level.shown.available = Math.max(0, level.units);
  }

  #level(location: string, sku: string, keep = 0): Level {
    const shelf = this.#shelves.get(location);
    if (!shelf) throw new RangeError(`stock of ${sku} at ${location}: this location is not in the simulation`);
    let levels = this.#bySku.get(sku);
    if (!levels) this.#bySku.set(sku, (levels = new Map<Shelf, Level>()));
    let level = levels.get(shelf);
    if (!level) {
      level = { units: 0, shown: { available: 0 }, keep };
      levels.set(shelf, level);
      shelf.location.stock[sku] = level.shown;
    }
    return level;
  }

  /** The hand-over that an order of this moment gets, and the capacity of its day. */
  #tick(shelf: Shelf, at: number, scheduledFrom: number): void {
    const { source, location } = shelf;
    const day = Math.floor(at / DAY_MS);
    if (day !== shelf.day) {
      shelf.day = day;
      shelf.taken = 0;
      this.#weigh(shelf);
    }
    if (!source.calendar) return;
    if (scheduledFrom > at) {
      location.shipsAt = handOver(source.calendar, scheduledFrom);
      shelf.until = -1;
    } else if (at > shelf.until || at < shelf.from) {
      location.shipsAt = handOver(source.calendar, at);
      // Until its cut-off the answer stays the same: that is the moment it ships by, less the handling.
      shelf.from = at;
      shelf.until = promise({ orderedAt: new Date(at), scheduledFrom: null, location: source.calendar, transitDays: 1 }).shipBy.getTime() - source.calendar.handlingMinutes * 60_000;
    }
  }

  #weigh({ location, source: { dailyCapacity }, taken }: Shelf): void {
    if (dailyCapacity === undefined) return;
    location.load = Math.min(1000, Math.round((taken * 1000) / dailyCapacity));
    location.capacityUnits = Math.max(0, dailyCapacity - taken);
  }
}

/** As routing counts it: the day of the hand-over at the hour at which carriers deliver. */
function handOver(calendar: NonNullable<SimulatedLocation['calendar']>, at: number): string {
  return new Date(promise({ orderedAt: new Date(at), scheduledFrom: null, location: calendar, transitDays: 1 }).deliverBy.getTime() - DAY_MS).toISOString();
}

