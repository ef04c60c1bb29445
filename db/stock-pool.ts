/** `expires`: the lot's last day (ISO date); `expectedAt`: ms since epoch, of units that are still to come. */
export type PoolLevel = { readonly id: number; free: number; readonly expires: string | null; expectedAt: number | null };
type Visit = (locationId: number, id: number, free: number, expires: string | null, expectedAt: number | null) => void;

const NONE: readonly PoolLevel[] = [];
/** An entry: location, free units, level id in two halves. The first entry's first number is the count of entries. */
const STEP = 4;
const LOW = 0x1_0000_0000;
/** In place of the upper half of an id: the place has several levels, or one with a lot's expiry or a date; they stand in `#many`. */
const MANY = -1;
const MOST_LOCATIONS = 4_194_304;

/**
 * Free units of one allotment by SKU and location, in the order in which they are taken: first expired, first expected, oldest level.
 * Made for millions of levels: a SKU's usual ones (one level a location, no expiry, no date) are 16 bytes each in one array sorted by location.
 */
export class StockPool {
  readonly #skus = new Map<number, Int32Array>();
  readonly #many = new Map<number, PoolLevel[]>();
  /** what `single` found */
  id = 0;
  free = 0;

  put(skuId: number, locationId: number, id: number, free: number, expires: string | null, expectedAt: number | null): void {
    const entries = this.#skus.get(skuId);
    const at = entries ? find(entries, locationId) : 0;
    if (entries && at > 0) {
      if (entries[at + 3] !== MANY) {
        if (idAt(entries, at) === id && expires === null && expectedAt === null) return void (entries[at + 1] = free);
        const only = { id: idAt(entries, at), free: entries[at + 1] as number, expires: null, expectedAt: null };
        this.#many.set(skuId * MOST_LOCATIONS + locationId, [only]);
        entries[at + 3] = MANY;
      }
      return putMany(this.#many.get(skuId * MOST_LOCATIONS + locationId) as PoolLevel[], id, free, expires, expectedAt);
    }
    const plain = expires === null && expectedAt === null;
    if (!plain) this.#many.set(skuId * MOST_LOCATIONS + locationId, [{ id, free, expires, expectedAt }]);
    const grown = insert(entries, locationId, free, id, plain);
    if (grown !== entries) this.#skus.set(skuId, grown);
  }

  /** Sets the free units of a level; false when it is not known. */
  set(skuId: number, locationId: number, id: number, free: number): boolean {
    const entries = this.#skus.get(skuId);
    const at = entries ? find(entries, locationId) : 0;
    if (!entries || at <= 0) return false;
    if (entries[at + 3] !== MANY) {
      if (idAt(entries, at) !== id) return false;
      entries[at + 1] = free;
      return true;
    }
    const level = this.#many.get(skuId * MOST_LOCATIONS + locationId)?.find((l) => l.id === id);
    if (level) level.free = free;
    return level !== undefined;
  }

  available(skuId: number, locationId: number): number {
    if (this.single(skuId, locationId)) return this.free;
    let sum = 0;
    for (const level of this.#many.get(skuId * MOST_LOCATIONS + locationId) ?? NONE) sum += level.free;
    return sum;
  }

  /** True when there is just one level here, of no lot and no date: then `id` and `free` tell of it, without an object. */
  single(skuId: number, locationId: number): boolean {
    const entries = this.#skus.get(skuId);
    const at = entries ? find(entries, locationId) : 0;
    if (!entries || at <= 0 || entries[at + 3] === MANY) return false;
    this.free = entries[at + 1] as number;
    this.id = idAt(entries, at);
    return true;
  }

  levelsOf(skuId: number, locationId: number): readonly PoolLevel[] {
    if (this.single(skuId, locationId)) return [{ id: this.id, free: this.free, expires: null, expectedAt: null }];
    return this.#many.get(skuId * MOST_LOCATIONS + locationId) ?? NONE;
  }

  /** Every level of a SKU, by location, in the order in which they are taken. */
  visit(skuId: number, visit: Visit): void {
    const entries = this.#skus.get(skuId);
    if (!entries) return;
    const end = (entries[0] as number) * STEP;
    for (let at = STEP; at <= end; at += STEP) {
      const locationId = entries[at] as number;
      if (entries[at + 3] !== MANY) visit(locationId, idAt(entries, at), entries[at + 1] as number, null, null);
      else for (const l of this.#many.get(skuId * MOST_LOCATIONS + locationId) ?? NONE) visit(locationId, l.id, l.free, l.expires, l.expectedAt);
    }
  }

  /** Where a SKU has levels: location id → free units. */
  locationsOf(skuId: number): Map<number, number> {
    const places = new Map<number, number>();
    this.visit(skuId, (locationId, _id, free) => { places.set(locationId, (places.get(locationId) ?? 0) + free); });
    return places;
  }
}

function idAt(entries: Int32Array, at: number): number { return (entries[at + 3] as number) * LOW + ((entries[at + 2] as number) >>> 0); }

/** Where a location's entry begins; else, below 0, where it would have to stand. */
function find(entries: Int32Array, locationId: number): number {
  let low = 1;
  let high = entries[0] as number;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const found = entries[middle * STEP] as number;
    if (found === locationId) return middle * STEP;
    if (found < locationId) low = middle + 1;
    else high = middle - 1;
  }
  return -low * STEP;
}

function insert(entries: Int32Array | undefined, locationId: number, free: number, id: number, plain: boolean): Int32Array {
  const count = entries?.[0] ?? 0;
  const at = entries ? -find(entries, locationId) : STEP;
  let into = entries ?? new Int32Array(2 * STEP);
  if ((count + 2) * STEP > into.length) {
    into = new Int32Array(Math.ceil(1.25 * (count + 2)) * STEP);
    if (entries) into.set(entries);
  }
  into.copyWithin(at + STEP, at, (count + 1) * STEP);
  into[0] = count + 1;
  into[at] = locationId;
  into[at + 1] = free;
  into[at + 2] = id % LOW;
  into[at + 3] = plain ? Math.floor(id / LOW) : MANY;
  return into;
}

function putMany(levels: PoolLevel[], id: number, free: number, expires: string | null, expectedAt: number | null): void {
  const known = levels.find((l) => l.id === id);
  if (known) {
    known.free = free;
    known.expectedAt = expectedAt;
    if (expectedAt === null) return;
  } else levels.push({ id, free, expires, expectedAt });
  levels.sort((a, b) => compare(a.expires ?? '9999', b.expires ?? '9999') || (a.expectedAt ?? 0) - (b.expectedAt ?? 0) || a.id - b.id);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
