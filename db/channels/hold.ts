import { belowFloor } from '../../domain/channel/price-floor.ts';
import type { SeenOrder } from '../../domain/channel/seen-order.ts';
import { Problem } from '../../domain/problem.ts';
import type { Listing } from './listings.ts';

/** An order that cannot go on as it is; `key` names what would let it. */
export class Hold extends Error {
  readonly reason: string;
  readonly key: string;
  /** of the listing that it waits for, as it was read */
  readonly version: number | null;
  constructor(reason: string, key: string, detail: string, version: number | null = null) {
    super(detail);
    this.reason = reason;
    this.key = key;
    this.version = version;
  }
}

/** Why something cannot be done for an order, for somebody to see to; null for an error that may pass, or is nobody's to see to. */
export function holdOf(error: unknown): Hold | null {
  if (error instanceof Hold) return error;
  if (!(error instanceof Problem) || error.code === 'unavailable' || error.code === 'overloaded' || error.code === 'internal') return null;
  return new Hold(error.code, `problem:${error.code}`, `${error.message}${error.field === null ? '' : ` (${error.field})`}`);
}

/** Throws Hold where the shop is paid less than a listing's floor. */
export function checkFloors(seen: SeenOrder, listings: ReadonlyMap<string, Listing>): void {
  const low = belowFloor(seen, new Map([...listings].map(([sku, l]) => [sku, l.priceFloor])));
  if (low) throw new Hold('price_below_floor', `listing:${low.platformSku}`, `a unit of listing ${low.platformSku} brings ${low.unit}, its floor is ${low.floor} (${seen.currency}, minor units): lower the floor, or cancel it on the platform`, listings.get(low.platformSku)?.version ?? 0);
}
