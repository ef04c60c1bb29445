import type { InstanceLocation } from '../model.ts';
import { FREE, type Column, type Pricing } from './columns.ts';
import type { Group } from './groups.ts';

/** Orders one after the other, each by the exact router on what the earlier ones have left, as they would be routed without a wave. */
export function oneByOne(pricing: Pricing, groups: readonly Group[], order: readonly number[]): Column[] {
  const left = pricing.locations(FREE).map((l): InstanceLocation => ({ ...l, stock: Object.fromEntries(Object.entries(l.stock).map(([sku, s]) => [sku, { ...s }])) }));
  const byCode = new Map(left.map((l) => [l.code, l]));
  return order.map((index) => {
    const { column } = pricing.best(groups[index] as Group, index, left, FREE);
    for (const s of column.plan.shipments) {
      const location = byCode.get(s.location);
      if (!location) throw new RangeError(`the plan ships from ${s.location}, which is not in the wave`);
      for (const { sku, quantity } of s.lines) {
        const stock = location.stock[sku];
        if (stock) stock.available -= quantity;
        if (location.capacityUnits !== undefined) location.capacityUnits -= quantity;
      }
    }
    return column;
  });
}
