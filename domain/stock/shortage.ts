/** Who can end a shortage: `product_data` maps or makes the SKU, `planner` brings stock, `buyer` talks to the vendor or the sending location, `location` looks for what its book says it has. */
export const SHORTAGE_ACTORS = ['product_data', 'planner', 'buyer', 'location'] as const;
export type ShortageActor = (typeof SHORTAGE_ACTORS)[number];

const ACTS: Readonly<Record<string, ShortageActor>> = {
  unknown_sku: 'product_data',
  supply_variance: 'buyer', supply_cancelled: 'buyer',
  stock_loss: 'location', short_pick: 'location',
};

/** Who acts on a shortage by its cause; whatever only lacks units (sold without stock, rejected, replaced, recalled, resent) is the planner's. */
export function whoActs(cause: string): ShortageActor { return ACTS[cause] ?? 'planner'; }

/** The causes on which somebody acts; for the planner: all that are nobody else's. */
export function causesOf(actor: ShortageActor): { only: string[] } | { not: string[] } {
  const own = Object.keys(ACTS).filter((cause) => ACTS[cause] === actor);
  return actor === 'planner' ? { not: Object.keys(ACTS) } : { only: own };
}
