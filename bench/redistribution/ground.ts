import type { MoveLane } from '../../domain/redistribution/model.ts';
import { readProducts, weekStart, type SalesLines } from '../support/journey-sales.ts';

/** One SKU in one store, with its days; `value`: margin of a unit, cents. */
export type Spot = { sku: string; store: string; daily: Int16Array; value: number };
export type Category = { name: string; spots: Spot[]; lanes: MoveLane[] };
export type Economics = { value: number; tripInCity: number; tripBetween: number; perUnit: number; cities: number };

/** Stores count where a SKU sold so many units in the weeks before the first simulated one. */
const LEAST_UNITS = 6;
const LEAST_STORES = 5;

/**
 * The `skus` SKUs that sold most before `firstWeek` in stores where they sold 6 units or more, five such stores at least, by category. Chosen by the past only. Stores carry no place: a
 * store's city is its number modulo `cities`.
 */
export function readGround(sales: SalesLines, directory: string, skus: number, firstWeek: number, economics: Economics): Category[] {
  const products = readProducts(directory);
  const until = weekStart(firstWeek);
  const days = weekStart(sales.weeks + 1);
  const found = new Map<number, Map<number, { before: number; daily: Int16Array }>>();
  const paid = new Map<number, { money: number; units: number }>();
  for (let i = 0; i < sales.count; i++) {
    const [product, store, day, units] = [sales.product[i]!, sales.store[i]!, sales.day[i]!, sales.quantity[i]!];
    const stores = found.get(product) ?? new Map<number, { before: number; daily: Int16Array }>();
    found.set(product, stores);
    const spot = stores.get(store) ?? { before: 0, daily: new Int16Array(days) };
    stores.set(store, spot);
    spot.daily[day] = spot.daily[day]! + units;
    if (day >= until) continue;
    spot.before += units;
    const sum = paid.get(product) ?? { money: 0, units: 0 };
    paid.set(product, { money: sum.money + sales.paid[i]!, units: sum.units + units });
  }
  const chosen = [...found].map(([product, stores]) => {
    const kept = [...stores].filter(([, s]) => s.before >= LEAST_UNITS).sort((a, b) => a[0] - b[0]);
    return { product, kept, before: kept.reduce((sum, [, s]) => sum + s.before, 0) };
  }).filter((c) => c.kept.length >= LEAST_STORES).sort((a, b) => b.before - a.before || a.product - b.product).slice(0, skus);
  const categories = new Map<string, Spot[]>();
  for (const { product, kept } of chosen) {
    const name = products.get(product)?.category ?? '';
    const price = paid.get(product)!;
    const spots = kept.map(([store, s]) => ({ sku: String(product), store: String(store), daily: s.daily, value: Math.max(1, economics.value * (price.money / price.units)) }));
    categories.set(name, [...(categories.get(name) ?? []), ...spots]);
  }
  return [...categories].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, spots]) => ({ name, spots, lanes: lanesOf([...new Set(spots.map((s) => s.store))], economics) }));
}

function lanesOf(stores: readonly string[], { tripInCity, tripBetween, perUnit, cities }: Economics): MoveLane[] {
  return stores.flatMap((from) => stores.filter((to) => to !== from).map((to) => ({ from, to, perTrip: Number(from) % cities === Number(to) % cities ? tripInCity : tripBetween, perUnit })));
}
