import type { World } from './world.ts';

/** Demand as the roll-up would have it: `[first day, last day, units a day]` of a SKU, from a location into a region, by the own channel. Money 1,000 a unit. */
export async function demandDays(world: World, sku: string, location: string, region: string, spans: readonly (readonly [from: string, to: string, units: number])[]): Promise<void> {
  for (const [from, to, units] of spans) {
    await world.store.pool.query(
      `insert into daily_demand select g::date, (select id from skus where code = $1), $2, (select id from channels where code = 'own'), 'CN', $3, $6::bigint, $6::bigint * 1000, 0, 0, 0
       from generate_series($4::date, $5::date, interval '1 day') g`, [sku, world.locationId(location), region, from, to, units]);
  }
}

/** Dates every movement so far to that moment. */
export async function movedAt(world: World, at: string): Promise<void> { await world.store.pool.query('update stock_movements set at = $1', [at]); }
