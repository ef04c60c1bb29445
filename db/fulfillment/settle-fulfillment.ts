import type { Tx } from '../tx.ts';

/**
 * Ends the fulfillment orders of which every parcel has been delivered, has come back, or was lost and refunded: `delivered` where one arrived,
 * else `returned` where one came back, else `lost`. A lost parcel that nobody has refunded may still be found: it keeps its fulfillment order open.
 */
export async function settleFulfillments(tx: Tx, orderId: string): Promise<void> {
  await tx.query(
    `update fulfillment_orders f set status = s.status, ended_at = $2 from (
       select s.fulfillment_order_id id, case when bool_or(p.milestone = 'delivered') then 'delivered' when bool_or(p.milestone = 'returned') then 'returned' else 'lost' end status
       from parcels p join shipments s on s.id = p.shipment_id where p.order_id = $1 group by 1
       having bool_and(p.milestone in ('delivered', 'returned') or (p.milestone = 'lost' and p.lost_refunded_at is not null))) s
     where f.id = s.id and f.status <> s.status`, [orderId, tx.now]);
}
