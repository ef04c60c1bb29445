import type { StockWriter } from '../../stock-writer.ts';
import { applyBuffers } from './apply-buffers.ts';

const DAYS = 28;

/** Counts the units that a location has issued of each SKU in the last 28 days (of any channel). */
export async function countSales(writer: StockWriter, locationId: number): Promise<void> {
  await writer.change(async (tx) => {
    await tx.query('select 1 from locations where id = $1 for no key update', [locationId]);
    await tx.query('delete from sales_rates where location_id = $1', [locationId]);
    await tx.query(
      `insert into sales_rates (location_id, sku_id, units) select $1, v.sku_id, -sum(m.d_on_hand) from stock_levels v
         join stock_movements m on m.level_id = v.id and m.cause = 'goods_issue' and m.at > $2::timestamptz - make_interval(days => ${DAYS})
       where v.location_id = $1 group by v.sku_id having sum(m.d_on_hand) < 0`, [locationId, tx.now]);
  });
}

/** Once an hour: counts sales where a rule is in days of them, and puts every buffer right that a rule made meanwhile has missed. Returns how many changed. */
export async function tendBuffers(writer: StockWriter): Promise<number> {
  const { rows } = await writer.pool.query<{ id: number; days: boolean }>(`select location_id id, bool_or(mode = 'days_of_sale') days from buffer_rules group by 1 order by 1`);
  let changed = 0;
  for (const { id, days } of rows) {
    if (days) await countSales(writer, id);
    changed += await applyBuffers(writer, id, false);
  }
  return changed;
}
