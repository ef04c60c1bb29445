import type { Candidate, Worths } from './lanes.ts';
import type { MoveLane } from './model.ts';

/** Units of one SKU by one lane; `gain` before the trip's cost. */
export type Flow = { lane: MoveLane; sku: string; units: number; gain: number };

/** Where things stand while a plan is made: how many units each site has given and taken. */
export class Shelves {
  readonly #worths: Worths;
  readonly #given = new Map<string, number>();
  readonly #taken = new Map<string, number>();

  constructor(worths: Worths) { this.#worths = worths; }

  /** What could go by a lane now. A site that has given takes none, and the other way round: a unit does not pass through. */
  best({ lane, skus }: Candidate): Flow[] {
    const flows: Flow[] = [];
    for (const sku of skus) {
      const [from, to] = [this.#worths.get(lane.from)?.get(sku), this.#worths.get(lane.to)?.get(sku)];
      const [there, here] = [`${lane.to}\n${sku}`, `${lane.from}\n${sku}`];
      if (!from || !to || this.#given.has(there) || this.#taken.has(here)) continue;
      const [given, taken] = [this.#given.get(here) ?? 0, this.#taken.get(there) ?? 0];
      let [units, gain] = [0, 0];
      while (given + units < from.gives.length && taken + units < to.takes.length) {
        const next = (to.takes[taken + units] ?? 0) - (from.gives[given + units] ?? 0) - lane.perUnit;
        if (next <= 0) break;
        units++;
        gain += next;
      }
      if (units > 0) flows.push({ lane, sku, units, gain });
    }
    return flows;
  }

  take(flows: readonly Flow[]): void {
    for (const { lane, sku, units } of flows) {
      this.#given.set(`${lane.from}\n${sku}`, (this.#given.get(`${lane.from}\n${sku}`) ?? 0) + units);
      this.#taken.set(`${lane.to}\n${sku}`, (this.#taken.get(`${lane.to}\n${sku}`) ?? 0) + units);
    }
  }
}
