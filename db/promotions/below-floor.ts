import type { OrderLine } from '../orders/order.ts';
import type { Tx } from '../tx.ts';

/**
 * SKUs of an order of which we get less for a unit than the price book's floor for the channel: goods after all discounts, those that the platform bears put back. Gifts are free on purpose, and a line that a promotion
 * of ours priced has that promotion's floor.
 */
export async function belowFloor(tx: Tx, channelId: number, currency: string, lines: readonly OrderLine[]): Promise<string[]> {
  const open = lines.filter((l) => l.skuId !== null && !l.gift && l.quantity > l.cancelled && l.priced.discounts.every((d) => d.promotion === undefined));
  if (open.length === 0) return [];
  const rows = await tx.query<{ id: number; floor: number | null }>(
    'select distinct on (sku_id) sku_id id, floor from sku_prices where sku_id = any($1::int[]) and currency = $2 and (channel_id = $3 or channel_id is null) order by sku_id, channel_id nulls last',
    [open.map((l) => l.skuId), currency, channelId]);
  const floors = new Map(rows.map((r) => [r.id, r.floor]));
  return open.filter((l) => {
    const platform = l.priced.discounts.reduce((sum, d) => sum + (d.bearer === 'platform' ? d.amount : 0), 0);
    return l.priced.listAmount - l.priced.discountAmount + platform < (floors.get(l.skuId as number) ?? 0) * l.quantity;
  }).map((l) => l.skuCode);
}
