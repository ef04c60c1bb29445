import { pickedLines } from './events.ts';
import type { Order } from './order.ts';

/** Units on the shelves of one location, by SKU. */
export type Shelves = Readonly<Record<string, number>>;
export type StockItem = { readonly sku: string; readonly condition: 'sellable'; readonly quantity: number };

export const stockSchema = {
  type: 'object', additionalProperties: { type: 'object', additionalProperties: { type: 'integer', minimum: 0, maximum: 1_000_000_000 } },
} as const;

/** What a location knows it has: what it was told (`PUT /_control/stock`), less what has left since. */
export class StockBook {
  readonly #locations = new Map<string, Map<string, number>>();

  /** Sets what is named and leaves the rest. */
  put(stock: Readonly<Record<string, Shelves>>): void {
    for (const [location, shelves] of Object.entries(stock)) {
      let known = this.#locations.get(location);
      if (!known) this.#locations.set(location, (known = new Map()));
      for (const [sku, units] of Object.entries(shelves)) known.set(sku, units);
    }
  }

  /** The order's goods have left. A location that was never told what it has goes on knowing nothing. */
  left(order: Order): void {
    const known = this.#locations.get(order.locationCode);
    if (!known) return;
    const found = new Map(pickedLines(order).map((line) => [line.lineNo, line.quantity]));
    for (const { lineNo, sku } of order.lines) {
      const units = known.get(sku);
      if (units !== undefined) known.set(sku, Math.max(0, units - (found.get(lineNo) ?? 0)));
    }
  }

  /** A page in the order of SKUs, of those behind `after`; undefined for a location without stock of its own. */
  page(location: string, after: string, limit: number): { items: StockItem[]; next: string | null } | undefined {
    const known = this.#locations.get(location);
    if (!known) return undefined;
    const skus = [...known.keys()].filter((sku) => sku > after).sort((a, b) => (a < b ? -1 : 1));
    const items = skus.slice(0, limit).map((sku): StockItem => ({ sku, condition: 'sellable', quantity: known.get(sku) ?? 0 }));
    return { items, next: skus.length > limit ? (items.at(-1)?.sku ?? null) : null };
  }
}
