import { slowCredit } from '../routing/slow-credit.ts';
import type { InstanceStock } from '../routing/model.ts';
import { owed } from '../settlement/terms.ts';
import { SharingBook } from '../stock/sharing.ts';
import type { RecordedOrder, SimulatedLocation, SimulatedSharing, SimulatedStock } from './model.ts';

/** What locations share of their own stock, by codes (docs/stock.md). */
export class Sharing {
  readonly #book: SharingBook;
  readonly #locations: ReadonlyMap<string, number>;
  readonly #channels = new Map<string, number>();
  readonly #skus = new Map<string, number>();

  constructor({ rules, categories }: SimulatedSharing, locations: readonly SimulatedLocation[]) {
    const number = (numbers: Map<string, number>, code: string): number => {
      const known = numbers.get(code) ?? numbers.size + 1;
      numbers.set(code, known);
      return known;
    };
    this.#locations = new Map(locations.map((l, i) => [l.code, i]));
    const category = new Map(Object.entries(categories).map(([sku, name]) => [number(this.#skus, sku), name]));
    this.#book = new SharingBook(
      rules.flatMap(({ location, channel, skus, ...rule }) => {
        const locationId = this.#locations.get(location);
        return locationId === undefined ? [] : [{ ...rule, locationId, channelId: channel === null ? null : number(this.#channels, channel), skuIds: skus && new Set(skus.map((s) => number(this.#skus, s))) }];
      }),
      (id) => locations[id]?.calendar?.timeZone ?? 'UTC', (id) => category.get(id) ?? null);
  }

  /** Units of `free` ones that a location gives to a channel at a moment (ms since epoch). No rule names a channel or SKU without a number. */
  units(location: string, sku: string, channel: string, at: number, free: number): number {
    return this.#book.units(this.#skus.get(sku) ?? 0, this.#locations.get(location) ?? -1, this.#channels.get(channel) ?? 0, at, free);
  }
}

/** Whether anything but the number of units decides what an order gets of this stock, and at what cost. */
export const isRuled = (stock: SimulatedStock, sharing: Sharing | null): boolean => (sharing !== null && stock.allotted !== true) || stock.blocked !== undefined || stock.terms !== undefined || stock.slow !== undefined;

/** Sets what an order sees of `units` units: those that are shared with its channel, none of a blocked SKU, what a dealer is owed and what clearing slow stock is worth. */
export function offer(shown: InstanceStock, stock: SimulatedStock, units: number, { at, order, nets }: RecordedOrder, sharing: Sharing | null, credited: boolean): void {
  const { location, sku, allotted, blocked, terms, slow, perDay = 0 } = stock;
  const isBlocked = blocked !== undefined && blocked.from <= at && (blocked.until === null || blocked.until > at);
  const free = isBlocked ? 0 : Math.max(0, units);
  shown.available = sharing && allotted !== true ? sharing.units(location, sku, order.channel, at, free) : free;
  const term = terms?.findLast((t) => t.from <= at);
  if (terms) shown.settlement = term ? owed(term, 1, nets?.[sku] ?? 0) : 0;
  const alert = credited ? slow?.find((s) => s.from <= at && (s.until === null || s.until > at)) : undefined;
  if (slow) shown.slowCredit = alert ? slowCredit(alert, { units: shown.available, perDay }) : 0;
}
