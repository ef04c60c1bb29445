/** `expires`: the lot's last day (ISO date); `expectedAt`: ms since epoch, of units that are still to come. */
export type PoolLevel = { readonly id: number; free: number; readonly expires: string | null; expectedAt: number | null };

const NONE: readonly PoolLevel[] = [];

/** Free units of one allotment by SKU and location, in the order in which they are taken: first expired, first expected, oldest level. */
export class StockPool {
  readonly #levels = new Map<number, Map<number, PoolLevel[]>>();

  put(skuId: number, locationId: number, id: number, free: number, expires: string | null, expectedAt: number | null): void {
    let places = this.#levels.get(skuId);
    if (!places) this.#levels.set(skuId, (places = new Map()));
    const levels = places.get(locationId);
    if (!levels) return void places.set(locationId, [{ id, free, expires, expectedAt }]);
    const known = levels.find((l) => l.id === id);
    if (known) {
      known.free = free;
      known.expectedAt = expectedAt;
      if (expectedAt === null) return;
    } else levels.push({ id, free, expires, expectedAt });
    levels.sort((a, b) => compare(a.expires ?? '9999', b.expires ?? '9999') || (a.expectedAt ?? 0) - (b.expectedAt ?? 0) || a.id - b.id);
  }

  /** Sets the free units of a level; false when it is not known. */
  set(skuId: number, locationId: number, id: number, free: number): boolean {
    const level = this.#levels.get(skuId)?.get(locationId)?.find((l) => l.id === id);
    if (level) level.free = free;
    return level !== undefined;
  }

  available(skuId: number, locationId: number): number {
    const levels = this.levelsOf(skuId, locationId);
    if (levels.length === 1) return (levels[0] as PoolLevel).free;
    let sum = 0;
    for (const level of levels) sum += level.free;
    return sum;
  }

  levelsOf(skuId: number, locationId: number): readonly PoolLevel[] { return this.#levels.get(skuId)?.get(locationId) ?? NONE; }

  /** Where a SKU has levels: location id → free units. */
  locationsOf(skuId: number): Map<number, number> {
    return new Map([...(this.#levels.get(skuId)?.keys() ?? [])].map((id) => [id, this.available(skuId, id)]));
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
