import { encodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import { rankKm } from '../../domain/geo.ts';
import type { Network } from '../network.ts';
import type { StockWriter } from '../stock-writer.ts';
import { createTransfer } from '../transfers/create.ts';

/**
 * What a shop lacks of an order that is to be fetched there is sent to it: by one transfer for each SKU, from the nearest place that has it all to spare, approved at once. Run again it is the same transfers. Where
 * nobody has it, the shortage waits as any does.
 */
export async function sendToStore(writer: StockWriter, network: Network, orderId: string): Promise<void> {
  const { rows } = await writer.pool.query<{ sku: string; sku_id: number; units: number; shop: number }>(
    `select k.code sku, s.sku_id, sum(s.quantity)::int units, o.forced_location_id shop from orders o join shortages s on s.order_id = o.id and s.status = 'open' join skus k on k.id = s.sku_id
     where o.id = $1 and o.way = 'ship_to_store' and o.validated_at is not null and o.hold_reason is null and not exists (select from transfers t join transfer_lines l on l.transfer_id = t.id and l.sku_id = s.sku_id where t.order_id = o.id)
     group by 1, 2, 4 order by 1`, [orderId]);
  for (const { sku, sku_id: skuId, units, shop: shopId } of rows) {
    const shop = network.locationById.get(shopId);
    if (!shop) continue;
    const there = await writer.pool.query<{ id: number }>(
      `select v.location_id id from stock_levels v join lots on lots.id = v.lot_id and lots.recalled_at is null where v.sku_id = $1 and v.location_id <> $2 and v.condition = 'sellable' and v.supply_id = 0 and v.allotment_id = 0
       group by 1 having sum(greatest(0, v.on_hand - v.reserved - v.buffer)) >= $3`, [skuId, shopId, units]);
    const near = there.rows.flatMap((r) => network.locationById.get(r.id) ?? []).filter((l) => l.active && l.kind !== 'dealer' && l.kind !== 'vendor')
      .sort((a, b) => rankKm(a.place, shop.place) - rankKm(b.place, shop.place) || a.id - b.id);
    for (const from of near) {
      try {
        await createTransfer(writer, network, {
          reference: `ship-to-store:${encodeId('ord', orderId)}:${sku}:${from.code}`, reason: 'order', from: from.code, to: shop.code, lines: [{ sku, quantity: units }], order: encodeId('ord', orderId), approve: true,
        }, { actor: 'system', onlyLocation: null });
        break;
      } catch (error) {
        // Taken meanwhile: the next nearest.
        if (!(error instanceof Problem) || error.code !== 'insufficient_stock') throw error;
      }
    }
  }
}
