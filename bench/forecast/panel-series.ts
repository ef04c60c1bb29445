import type { PanelSeries } from '../../domain/replenishment/panel/features.ts';
import { readProducts, type Pair, type SalesLines } from '../support/journey-sales.ts';

/** The pairs with what went on around them, by week; index 0 is week 2, the first whole one. */
export function panelSeries(sales: SalesLines, pairs: readonly Pair[], directory: string): PanelSeries[] {
  const products = readProducts(directory);
  const typeOf = (product: number): string => products.get(product)?.type ?? '';
  const zeros = (): Float64Array => new Float64Array(sales.weeks + 1);
  const skus = new Map(pairs.map((p) => [p.product, { units: zeros(), paid: zeros(), reduced: zeros() }]));
  const types = new Map(pairs.map((p) => [typeOf(p.product), zeros()]));
  for (let i = 0; i < sales.count; i++) {
    const week = 1 + Math.ceil(sales.day[i]! / 7);
    const type = types.get(typeOf(sales.product[i]!));
    if (type) type[week] = type[week]! + sales.quantity[i]!;
    const sku = skus.get(sales.product[i]!);
    if (!sku) continue;
    sku.units[week] = sku.units[week]! + sales.quantity[i]!;
    sku.paid[week] = sku.paid[week]! + sales.paid[i]!;
    if (sales.discount[i]! > 0) sku.reduced[week] = sku.reduced[week]! + sales.quantity[i]!;
  }
  return pairs.map((p) => {
    const sku = skus.get(p.product)!;
    const weeks = (read: (week: number) => number): number[] => Array.from({ length: sales.weeks - 1 }, (_, i) => read(i + 2));
    const per = (sum: Float64Array) => (week: number): number => (sku.units[week]! > 0 ? sum[week]! / sku.units[week]! : 0);
    return { units: weeks((w) => p.weekly[w]!), elsewhere: weeks((w) => sku.units[w]! - p.weekly[w]!), category: weeks((w) => types.get(typeOf(p.product))![w]!), reduced: weeks(per(sku.reduced)), price: weeks(per(sku.paid)) };
  });
}
