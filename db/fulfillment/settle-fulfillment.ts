import type { Order } from '../orders/order.ts';
import { settleCash } from '../orders/refunds.ts';
import type { Tx } from '../tx.ts';

/**
 * Ends the fulfillment orders of which every parcel has been delivered, has come back, or was lost and refunded: `delivered` where one arrived,
 * else `returned` where one came back, else `lost`. A lost parcel that nobody has refunded may still be found: it keeps its fulfillment order open.
 * One that arrived has collected its cash on delivery, whatever becomes of the goods afterwards.
 */
export async function settleFulfillments(tx: Tx, order: Order, actor: string): Promise<void> {
  const ended = await tx.query<{ id: string; collects: boolean }>(
    `update fulfillment_orders f set status = s.status, ended_at = $2,
       cod_collected_at = case when s.status = 'delivered' and f.cod_amount is not null then coalesce(f.cod_collected_at, $2) else f.cod_collected_at end from (
       select s.fulfillment_order_id id, case when bool_or(p.milestone = 'delivered') then 'delivered' when bool_or(p.milestone = 'returned') then 'returned' else 'lost' end status
       from parcels p join shipments s on s.id = p.shipment_id where p.order_id = $1 group by 1
       having bool_and(p.milestone in ('delivered', 'returned') or (p.milestone = 'lost' and p.lost_refunded_at is not null))) s
     where f.id = s.id and f.status <> s.status returning f.id, s.status = 'delivered' and f.cod_amount is not null collects`, [order.id, tx.now]);
  for (const f of ended.filter((e) => e.collects).sort((a, b) => (a.id < b.id ? -1 : 1))) await settleCash(tx, order, f.id, actor);
}
