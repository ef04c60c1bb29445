import type { WeeklySales } from '../../domain/slow-movers/features.ts';
import { readProducts, type SalesLines } from '../support/journey-sales.ts';

/** A SKU of the set: its weeks (index 0 is week 2, the first whole one) and its days from day 0. */
export type SkuSales = { product: number; weekly: WeeklySales; daily: Float64Array };

const ones = (n: number): Float64Array => new Float64Array(n);
const add = (into: Float64Array, at: number, n: number): void => { if (at >= 0) into[at] = into[at]! + n; };

/** All SKUs of the set over all stores. */
export function weeklySales(sales: SalesLines, directory: string): SkuSales[] {
  const products = readProducts(directory);
  const weeks = sales.weeks - 1;
  const categories = new Map<string, Float64Array>();
  const skus = new Map<number, { units: Float64Array; reduced: Float64Array; paid: Float64Array; sites: Set<number>[]; daily: Float64Array; category: Float64Array }>();
  for (let i = 0; i < sales.count; i++) {
    const name = products.get(sales.product[i]!)?.category ?? '';
    const category = categories.get(name) ?? ones(weeks);
    categories.set(name, category);
    let sku = skus.get(sales.product[i]!);
    if (!sku) skus.set(sales.product[i]!, (sku = { units: ones(weeks), reduced: ones(weeks), paid: ones(weeks), sites: Array.from({ length: weeks }, () => new Set<number>()), daily: ones(7 * weeks + 1), category }));
    const week = Math.ceil(sales.day[i]! / 7) - 1;
    const units = sales.quantity[i]!;
    add(category, week, units);
    add(sku.daily, sales.day[i]!, units);
    if (week < 0) continue;
    add(sku.units, week, units);
    add(sku.paid, week, sales.paid[i]!);
    if (sales.discount[i]! > 0) add(sku.reduced, week, units);
    sku.sites[week]!.add(sales.store[i]!);
  }
  return [...skus].map(([product, s]) => ({
    product, daily: s.daily, weekly: { units: s.units, reduced: s.reduced, sites: s.sites.map((set) => set.size), price: s.paid.map((p, w) => (s.units[w]! > 0 ? p / s.units[w]! : 0)), category: s.category },
  }));
}
