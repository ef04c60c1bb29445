import type { Network } from '../network.ts';
import type { Tx } from '../tx.ts';
import type { Order } from './order.ts';
import { freeChain, lastsUntil } from './order-pools.ts';

export type FreeLevel = { id: number; skuId: number; locationId: number; allotmentId: number; free: number };

/** Levels with free units that an order may be given, by rows and without a lock; `which` (SQL for a level `v`; `$1` is the order, `$6` the moment) says of which places. `incoming`: those of supplies. */
export async function freeLevels(tx: Tx, network: Network, order: Order, skuIds: readonly number[], incoming: boolean, which: string): Promise<FreeLevel[]> {
  return tx.query<FreeLevel>(
    `select v.id, v.sku_id "skuId", v.location_id "locationId", v.allotment_id "allotmentId", v.on_hand - v.reserved - v.buffer free from stock_levels v join lots on lots.id = v.lot_id join supplies p on p.id = v.supply_id
     where v.sku_id = any($2::int[]) and v.condition = 'sellable' and v.allotment_id = any($3::int[]) and (p.id <> 0) = $5 and
       (p.id = 0 or (p.status = 'open' and p.expected_at > $6 and p.expected_at <= $7)) and v.on_hand - v.reserved - v.buffer > 0 and lots.recalled_at is null
       and (lots.expires_on is null or lots.expires_on >= $4::date) and ${which}
     order by array_position($3::int[], v.allotment_id), p.expected_at, lots.expires_on nulls last, v.id`,
    [order.id, skuIds, freeChain(network, order.allotmentId), lastsUntil(network, order.channelId, tx.now), incoming, tx.now,
      new Date(tx.now.getTime() + (network.channelById.get(order.channelId)?.supplyHorizonS ?? 0) * 1000)]);
}
