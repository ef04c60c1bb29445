import type { RoutingWeights } from '../model.ts';
import { cheapestRate, openingCost, unitsCost } from './cost.ts';
import { LAST, type Item } from './items.ts';
import type { Site } from './sites.ts';

/** What an item counts: a line, or its units where it is divided. */
export const countOf = ({ divided, quantity }: Item): number => (divided ? quantity : 1);

/** What sites can send in one shipment, and for how much. */
export class Loading {
  readonly #items: readonly Item[];
  readonly #sites: readonly Site[];
  readonly #can: readonly boolean[][];
  readonly #weights: RoutingWeights;
  readonly #last: readonly boolean[][] | null;
  /** number of its SKU, by item */
  readonly #skuOf: readonly number[];
  /** units by SKU of the items at hand; all 0 between calls */
  readonly #units: Float64Array;

  /** `last`: by item, the sites where it costs LAST more; null: none. */
  constructor(items: readonly Item[], sites: readonly Site[], can: readonly boolean[][], weights: RoutingWeights, last: readonly boolean[][] | null) {
    [this.#items, this.#sites, this.#can, this.#weights, this.#last] = [items, sites, can, weights, last];
    const skus = [...new Set(items.map(({ line }) => line.sku))];
    this.#skuOf = items.map(({ line }) => skus.indexOf(line.sku));
    this.#units = new Float64Array(skus.length);
  }

  /** Infinity where the site cannot send them together. */
  cost(site: number, own: readonly number[]): number {
    const at = this.#sites[site] as Site;
    const load = { weightG: 0, volumeMm3: 0, hazardous: false };
    let units = 0;
    for (const i of own) {
      if (!this.#can[i]?.[site]) return Number.POSITIVE_INFINITY;
      const { line, quantity } = this.#items[i] as Item;
      units += quantity;
      load.weightG += quantity * line.weightG;
      load.volumeMm3 += quantity * (line.volumeMm3 ?? 0);
      load.hazardous ||= line.hazardous === true;
    }
    if (units > (at.location.capacityUnits ?? Number.POSITIVE_INFINITY)) return Number.POSITIVE_INFINITY;
    let sum = openingCost(at, this.#weights) + cheapestRate(at.rates, load, this.#weights)[0] + LAST * this.barred(site, own);
    for (const i of own) this.#add(i, (this.#items[i] as Item).quantity);
    for (const i of own) {
      const quantity = this.#of(i);
      if (quantity === 0) continue; // counted with the first item of its SKU
      this.#add(i, -quantity);
      const { sku } = (this.#items[i] as Item).line;
      sum = quantity > (at.location.stock[sku]?.available ?? 0) ? Number.POSITIVE_INFINITY : sum + unitsCost(at, sku, quantity, this.#weights);
    }
    return sum;
  }

  /** Items that LAST makes dearer there. */
  barred(site: number, own: readonly number[]): number {
    let n = 0;
    if (this.#last) for (const i of own) if (this.#last[i]?.[site]) n++;
    return n;
  }

  /** Items that a site can send together, the first ones first; the same list where it is all of them. What goes together goes in any part, too, so one pass tells. */
  fill(site: number, wanted: readonly number[]): readonly number[] {
    const at = this.#sites[site] as Site;
    const room = at.location.capacityUnits ?? Number.POSITIVE_INFINITY;
    const own: number[] = [];
    let load = { weightG: 0, volumeMm3: 0, hazardous: false };
    let units = 0;
    for (const i of wanted) {
      if (!this.#can[i]?.[site]) continue;
      const { line, quantity } = this.#items[i] as Item;
      const more = { weightG: load.weightG + quantity * line.weightG, volumeMm3: load.volumeMm3 + quantity * (line.volumeMm3 ?? 0), hazardous: load.hazardous || line.hazardous === true };
      if (units + quantity > room || this.#of(i) + quantity > (at.location.stock[line.sku]?.available ?? 0) || cheapestRate(at.rates, more, this.#weights)[1] < 0) continue;
      own.push(i);
      [load, units] = [more, units + quantity];
      this.#add(i, quantity);
    }
    for (const i of own) this.#units[this.#skuOf[i] as number] = 0;
    return own.length === wanted.length ? wanted : own;
  }

  #of(item: number): number { return this.#units[this.#skuOf[item] as number] as number; }
  #add(item: number, units: number): void { this.#units[this.#skuOf[item] as number] = this.#of(item) + units; }
}
