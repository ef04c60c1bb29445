import { settleFulfillments } from '../fulfillment/settle-fulfillment.ts';
import { readLines, type Order } from '../orders/order.ts';
import { bookRefund } from '../orders/refunds.ts';
import type { Tx } from '../tx.ts';

/**
 * Refunds the lost parcels of an order that a refund request covers: no goods will come back. Each parcel once, under its own id, also where it is
 * found and lost again. Call under the order's lock; the caller refreshes the status. Returns how many parcels it was.
 */
export async function refundLost(tx: Tx, order: Order, actor: string): Promise<number> {
  const parcels = await tx.query<{ id: string }>(
    `update parcels set lost_refunded_at = $2 where order_id = $1 and milestone = 'lost' and lost_refunded_at is null returning id`, [order.id, tx.now]);
  for (const { id } of parcels.sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const lines = await readLines(tx.client, order.id);
    const packed = await tx.query<{ line_no: number; quantity: number }>('select line_no, quantity from parcel_lines where parcel_id = $1', [id]);
    // Units that were refunded for another reason are not refunded again.
    const units = new Map(packed.map((p) => {
      const line = lines.find((l) => l.lineNo === p.line_no);
      return [p.line_no, line ? Math.min(p.quantity, line.priced.quantity - line.refunded) : 0];
    }));
    await bookRefund(tx, order, lines, units, 'loss', id, actor);
    for (const [lineNo, count] of units) await tx.query('update parcel_lines set refunded_quantity = $3 where parcel_id = $1 and line_no = $2', [id, lineNo, count]);
  }
  if (parcels.length > 0) await settleFulfillments(tx, order, actor);
  return parcels.length;
}

/**
 * Sets received units of lines off against units that were refunded as lost and have turned up since. Returns by line how many of them there are: for
 * those nothing is owed any more. Of which parcel they are nobody can tell, nor does it matter.
 */
export async function offsetFound(tx: Tx, orderId: string, received: ReadonlyMap<number, number>): Promise<Map<number, number>> {
  const found = await tx.query<{ parcel_id: string; line_no: number; open: number }>(
    `select l.parcel_id, l.line_no, l.refunded_quantity - l.offset_quantity open from parcel_lines l join parcels p on p.id = l.parcel_id
     where p.order_id = $1 and p.milestone in ('delivered', 'returned') and l.refunded_quantity > l.offset_quantity order by l.parcel_id, l.line_no`, [orderId]);
  const offset = new Map<number, number>();
  for (const { parcel_id, line_no, open } of found) {
    const before = offset.get(line_no) ?? 0;
    const units = Math.min(open, (received.get(line_no) ?? 0) - before);
    if (units <= 0) continue;
    await tx.query('update parcel_lines set offset_quantity = offset_quantity + $3 where parcel_id = $1 and line_no = $2', [parcel_id, line_no, units]);
    offset.set(line_no, before + units);
  }
  return offset;
}
