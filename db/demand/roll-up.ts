import type pg from 'pg';
import { advanceReader } from '../readers.ts';
import { aloneInTransaction } from '../transaction.ts';
import { DEMAND_FACTS } from './facts.ts';
import { notePromotions } from './note-promotions.ts';
import { noteStockOuts } from './stock-outs.ts';

/** Orders a transaction. */
const BATCH = 1_000;
const WORK = 'demand';

/**
 * Brings `daily_demand` and `stock_outs` up to what is committed: notes which orders have changed (up to the oldest transaction that is open, so none is passed over), then works out
 * each anew and adds the difference to what it said before. Every step is one transaction: killed anywhere, run twice or by several processes, every order counts once.
 * Returns how many orders were worked out.
 */
export async function rollUpDemand(pool: pg.Pool, now: Date): Promise<number> {
  await aloneInTransaction(pool, WORK, async (client) => { await noteDirty(client, now); await noteStockOuts(client, now); await notePromotions(client); });
  for (let orders = 0; ;) {
    const done = await aloneInTransaction(pool, WORK, workOff);
    orders += done ?? 0;
    if (done === null || done < BATCH) return orders;
  }
}

/** Works a business day out anew from what its orders say; the sums stay what they were unless somebody has changed them by hand. */
export async function rebuildDemandDay(pool: pg.Pool, day: string): Promise<void> {
  await aloneInTransaction(pool, WORK, async (client) => {
    await client.query('delete from daily_demand where day = $1', [day]);
    await client.query(
      `insert into daily_demand (day, sku_id, location_id, channel_id, country, region, units, revenue, cancelled, returned, lost)
       select day, sku_id, location_id, channel_id, country, region, sum(units), sum(revenue), sum(cancelled), sum(returned), sum(lost) from demand_parts where day = $1 group by 1, 2, 3, 4, 5, 6`, [day]);
  }, true);
}

/** Orders with news, and refusals: those whose order was captured after all among them. A reader that is new begins with all there is. */
async function noteDirty(client: pg.ClientBase, now: Date): Promise<void> {
  const span = await advanceReader(client, 'demand', now, '0');
  if (!span) return;
  await client.query({
    name: 'demand_dirty_note',
    text: `with changed as materialized (select distinct order_id from order_events where xid >= $1::text::xid8 and xid < $2::text::xid8)
      insert into demand_dirty select order_id from changed
        union select f.order_id from refused_demand f where f.xid >= $1::text::xid8 and f.xid < $2::text::xid8
        union select f.order_id from changed c join orders o on o.id = c.order_id join refused_demand f on f.channel_id = o.channel_id and f.external_id = o.external_id
      on conflict do nothing`,
    values: [span.from, span.to],
  });
}

async function workOff(client: pg.ClientBase): Promise<number> {
  const { rows } = await client.query<{ order_id: string }>({
    name: 'demand_dirty_take', text: `delete from demand_dirty where order_id in (select order_id from demand_dirty order by order_id limit ${BATCH}) returning order_id`,
  });
  if (rows.length === 0) return 0;
  await client.query({
    name: 'demand_work_off',
    text: `with ${DEMAND_FACTS},
      old as (delete from demand_parts where order_id = any($1::uuid[]) returning *),
      new as (insert into demand_parts (order_id, line_no, sku_id, day, location_id, channel_id, country, region, units, revenue, cancelled, returned, lost) select * from facts returning *),
      net as (select day, sku_id, location_id, channel_id, country, region, sum(units) units, sum(revenue) revenue, sum(cancelled) cancelled, sum(returned) returned, sum(lost) lost
        from (select day, sku_id, location_id, channel_id, country, region, units, revenue, cancelled, returned, lost from new
          union all select day, sku_id, location_id, channel_id, country, region, -units, -revenue, -cancelled, -returned, -lost from old) x
        group by 1, 2, 3, 4, 5, 6 having (sum(units), sum(revenue), sum(cancelled), sum(returned), sum(lost)) <> (0, 0, 0, 0, 0))
      insert into daily_demand as d (day, sku_id, location_id, channel_id, country, region, units, revenue, cancelled, returned, lost) select * from net order by 2, 1, 3, 4, 5, 6
      on conflict (sku_id, day, location_id, channel_id, country, region) do update set units = d.units + excluded.units, revenue = d.revenue + excluded.revenue,
        cancelled = d.cancelled + excluded.cancelled, returned = d.returned + excluded.returned, lost = d.lost + excluded.lost`,
    values: [rows.map((r) => r.order_id)],
  });
  return rows.length;
}
