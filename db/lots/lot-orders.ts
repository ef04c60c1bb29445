import type pg from 'pg';
import { encodeId } from '../../domain/ids.ts';
import { ownOrder } from '../read/own-orders.ts';
import type { Lot } from './lot.ts';

/** An order that a lot went to, in units: `issued` have left, `held` are reserved, `takenBack` were reserved and recalled or lost. No personal data. */
export type LotOrder = { order: string; channel: string; externalId: string; status: string; issued: number; held: number; takenBack: number };
export type LotOrders = { orders: LotOrder[]; next: string | null };

/** Orders that have had units of a lot, oldest first. What left is known by the movements of the goods issue, which name the lot that really left. */
export async function ordersOfLot(pool: pg.Pool, lot: Lot, page: { after: string | null; limit: number; onlyLocation: number | null }): Promise<LotOrders> {
  const { rows } = await pool.query<Omit<LotOrder, 'order'> & { id: string }>(
    `with levels as materialized (select array(select id from stock_levels where sku_id = $1 and lot_id = $2) ids),
       parts as (
         select order_id, -d_on_hand issued, 0 held, 0 taken from stock_movements where level_id = any(array(select unnest(ids) from levels)) and cause = 'goods_issue' and d_on_hand < 0
         union all select order_id, 0, quantity, 0 from reservations where level_id = any(array(select unnest(ids) from levels)) and status in ('held', 'confirmed')
         union all select order_id, 0, 0, quantity from reservations where level_id = any(array(select unnest(ids) from levels)) and status = 'short')
     select o.id, c.code channel, o.external_id "externalId", o.status, sum(p.issued)::int issued, sum(p.held)::int held, sum(p.taken)::int "takenBack"
     from parts p join orders o on o.id = p.order_id join channels c on c.id = o.channel_id
     where ($3::uuid is null or o.id > $3) and ($5::int is null or ${ownOrder('o', '$5')}) group by o.id, c.code order by o.id limit $4`,
    [lot.skuId, lot.id, page.after, page.limit, page.onlyLocation]);
  const orders = rows.map(({ id, ...row }): LotOrder => ({ order: encodeId('ord', id), ...row }));
  return { orders, next: rows.length === page.limit ? orders.at(-1)?.order ?? null : null };
}
