import type pg from 'pg';
import { advanceReader } from '../readers.ts';

/**
 * Notes where a location has nothing left of a SKU that it carried, and where it has again. What is set aside for transfers and what is to come cannot be sold now; what an
 * allotment holds can. The moment is the last movement's, as long before `now` as it was written before this look: an outage shorter than two looks (a second) is not seen.
 */
export async function noteStockOuts(client: pg.ClientBase, now: Date): Promise<void> {
  const span = await advanceReader(client, 'stock-outs', now, '0');
  if (!span) return;
  await client.query({
    name: 'stock_outs_note',
    text: `with moved as materialized (
        select v.sku_id, v.location_id, max(m.at) moved_at
        from stock_movements m join stock_levels v on v.id = m.level_id where m.xid >= $1::text::xid8 and m.xid < $2::text::xid8
          and v.condition = 'sellable' and v.supply_id = 0 and v.allotment_id <> -1 group by 1, 2),
      state as (select m.sku_id, m.location_id, $3::timestamptz - (clock_timestamp() - m.moved_at) as at,
          (select coalesce(sum(greatest(0, v.on_hand - v.reserved - v.buffer)), 0) from stock_levels v left join lots t on t.id = v.lot_id
            where v.sku_id = m.sku_id and v.location_id = m.location_id and v.condition = 'sellable' and v.supply_id = 0 and v.allotment_id <> -1 and t.recalled_at is null) free
        from moved m),
      ended as (update stock_outs s set until = greatest(s.since, state.at) from state where s.sku_id = state.sku_id and s.location_id = state.location_id and s.until is null and state.free > 0)
      insert into stock_outs (sku_id, location_id, since) select sku_id, location_id, at from state where free = 0 order by 1, 2 on conflict do nothing`,
    values: [span.from, span.to, now],
  });
}
