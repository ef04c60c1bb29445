import type { TransferLane, VendorTerms } from '../../domain/replenishment/plan-model.ts';
import type { Period } from '../../domain/replenishment/model.ts';
import { seeded } from '../support/random.ts';

export const LOCATIONS = 20;
export const WEEKS = 26;
/** Lead time and review period of every site, in weeks. */
export const LEAD = 3 / 7;
export const REVIEW = 1 / 7;

const codes = Array.from({ length: LOCATIONS }, (_, i) => `L${i}`);
export const locationCode = (i: number): string => codes[i] ?? '';

/** Every location can get from its two neighbours in a day, from the others in three. */
export const lanes: TransferLane[] = codes.flatMap((to, t) => codes.filter((from) => from !== to).map((from) => {
  const near = Math.min(Math.abs(codes.indexOf(from) - t), LOCATIONS - Math.abs(codes.indexOf(from) - t)) <= 2;
  return { from, to, perUnit: near ? 40 : 120, days: near ? 1 : 3 };
}));

export type History = { periods: Period[]; free: number; underWay: number };

/** A SKU's weekly sales in each location (three in ten are slow, some with a stock-out or a promotion), its stock, and what its vendor asks. */
export function skuOf(number: number): { sku: string; value: number; terms: VendorTerms; sites: History[] } {
  const random = seeded(number + 1);
  const sku = `SKU-${number}`;
  const popularity = Math.exp(random() * 4 - 2);
  const sites = codes.map((): History => {
    const rate = popularity * (0.3 + random() * 1.4);
    const periods = Array.from({ length: WEEKS }, (): Period => {
      let units = 0;
      for (let p = random(), floor = Math.exp(-rate); p > floor; p *= random()) units++;
      if (random() < 0.25) units += Math.floor(random() * rate * 2);
      const chance = random();
      return chance < 0.03 ? { units: Math.floor(units / 2), stockedOut: true } : chance < 0.1 ? { units: units + Math.ceil(rate), promoted: true } : { units };
    });
    return { periods, free: Math.floor(random() * rate * 3), underWay: random() < 0.2 ? Math.ceil(rate) : 0 };
  });
  return { sku, value: 300 + Math.floor(random() * 2000), terms: { vendor: `V${number % 200}`, sku, unitCost: 200 + Math.floor(random() * 3000), pack: [1, 1, 6, 12][number % 4] ?? 1, minimum: (number % 3) * 4 }, sites };
}
