import type { SlowStock } from '../../domain/routing/slow-credit.ts';
import type { Reader } from './reader.ts';

/** SKUs that an alert says are slow, by id; snoozed alerts count: the stock is there all the same. */
export async function readSlowStock(tx: Reader, skuIds: readonly number[]): Promise<Map<number, SlowStock>> {
  const rows = await tx.query<SlowStock & { sku: number }>(
    `select sku_id sku, money_at_risk "moneyAtRisk", (coalesce((figures->>'onHand')::numeric, 0) + coalesce((figures->>'coming')::numeric, 0))::float8 stock, coalesce((figures->>'daysLeft')::numeric, 0)::float8 "daysLeft"
     from slow_mover_alerts where sku_id = any($1::int[]) and kind = 'sku' and closed_at is null and money_at_risk > 0`, [skuIds]);
  return new Map(rows.map(({ sku, ...slow }) => [sku, slow]));
}
