/** A SKU that a location keeps from every order; `until` null: until somebody ends it. */
export type Block = { locationId: number; skuId: number; reason: string; until: Date | null };

/** Blocks as last read. Each ends by its own date, whether or not anybody has taken it away since. */
export class Blocks {
  readonly #bySku = new Map<number, Map<number, Block>>();

  constructor(blocks: readonly Block[]) {
    for (const b of blocks) {
      const own = this.#bySku.get(b.skuId) ?? new Map<number, Block>();
      own.set(b.locationId, b);
      this.#bySku.set(b.skuId, own);
    }
  }

  /** Asked for every SKU and location that capture looks at: costs nothing where nothing is blocked. */
  has(locationId: number, skuId: number, at: Date): boolean {
    if (this.#bySku.size === 0) return false;
    const found = this.#bySku.get(skuId)?.get(locationId);
    return found !== undefined && (found.until === null || found.until > at);
  }
}
