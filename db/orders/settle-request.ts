import type { Tx } from '../tx.ts';

/** SQL: parcels of the order `$1` that a carrier has been asked to turn round are still on their way. */
const MOVING = `exists (select from parcels where order_id = $1 and intercept_requested_at is not null and milestone not in ('delivered', 'returned', 'lost'))`;

/**
 * What an order's open refund request waits for, after the carrier's news. It goes on while parcels are on their way or goods are coming back; where the
 * buyer has goods it waits for their return; where there is nothing to come back, because everything else was lost or cancelled, it is done.
 */
export async function settleRequest(tx: Tx, orderId: string): Promise<void> {
  await tx.query(
    `update refund_requests set status = s.status, closed_at = case when s.status = 'refunded' then $2::timestamptz end
     from (select case when exists (select from parcels where order_id = $1 and milestone not in ('returned', 'lost')) then 'awaiting_return' else 'refunded' end status) s
     where order_id = $1 and closed_at is null and refund_requests.status <> s.status and not ${MOVING}
       and not exists (select from returns where order_id = $1 and status in ('requested', 'authorised', 'received', 'inspected'))`, [orderId, tx.now]);
}

/** A return has been refunded, and with it the open request, unless other parcels of it are still being turned round. */
export async function closeRequest(tx: Tx, orderId: string): Promise<void> {
  await tx.query(`update refund_requests set status = 'refunded', closed_at = $2 where order_id = $1 and closed_at is null and not ${MOVING}`, [orderId, tx.now]);
}
