import { refundForUnits } from '../../domain/returns/refund.ts';
import type { Tx } from '../tx.ts';
import type { Order, OrderLine } from './order.ts';

/** What units that are neither cancelled nor refunded are worth to the buyer, minor units. `less`: units by line that are about to be refunded. */
export function worthOf(lines: readonly OrderLine[], less: ReadonlyMap<number, number> = new Map()): number {
  return lines.reduce((sum, l) => {
    const gone = l.refunded + (less.get(l.lineNo) ?? 0);
    return sum + refundForUnits(l.priced, gone, l.quantity - gone, { freight: true }).amount;
  }, 0);
}

/** SQL: the fulfillment order `o` collects nothing any more: all that it sent has turned round, has come back or was lost. */
const UNCOLLECTED = `o.cod_collected_at is null and exists (select from shipments s where s.fulfillment_order_id = o.id)
  and not exists (select from shipments s join parcels p on p.shipment_id = s.id where s.fulfillment_order_id = o.id and (p.delivered_at is not null or p.milestone not in ('returning', 'returned', 'lost')))`;

/**
 * What the parcel of a fulfillment order collects at the door: what the order is worth now without the goods that nobody takes, less what others that count collect already. Said once: whoever asks again gets the same,
 * because location and carrier may have been told. Under the order's lock.
 */
export async function cashToCollect(tx: Tx, order: Order, fulfillmentOrderId: string, lines: readonly OrderLine[]): Promise<number> {
  const row = await tx.one<{ amount: number }>(
    `update fulfillment_orders f set cod_amount = coalesce(f.cod_amount, greatest(0, $3::bigint - (select coalesce(sum(o.cod_amount), 0) from fulfillment_orders o
       where o.order_id = $1 and o.id <> $2 and o.status not in ('rejected', 'cancelled') and not (${UNCOLLECTED})))) where f.id = $2 returning f.cod_amount amount`,
    [order.id, fulfillmentOrderId, worthOf(lines, await notTaken(tx, order.id, lines))]);
  return Number(row?.amount ?? 0);
}

/** Units by line that nobody takes and that are not refunded yet: what comes back is when its return closes, what is lost when it is asked for. */
async function notTaken(tx: Tx, orderId: string, lines: readonly OrderLine[]): Promise<Map<number, number>> {
  const rows = await tx.query<{ line: number; units: number }>(
    `select l.line_no line, sum(greatest(0, l.quantity - l.refunded_quantity - coalesce((select sum(b.accepted_quantity) from returns r join return_lines b on b.return_id = r.id
         where r.order_id = $1 and r.status = 'closed' and r.carrier = p.carrier and r.waybill_no = p.waybill_no and b.line_no = l.line_no), 0)))::int units
     from fulfillment_orders o join shipments t on t.fulfillment_order_id = o.id join parcels p on p.shipment_id = t.id join parcel_lines l on l.parcel_id = p.id where o.order_id = $1 and ${UNCOLLECTED} group by 1`, [orderId]);
  return new Map(rows.map(({ line, units }) => { const l = lines.find((x) => x.lineNo === line); return [line, l ? Math.min(units, l.quantity - l.refunded) : 0]; }));
}

/** What has been collected at the door and what of it is owed back already, minor units; null where nothing was ever to be collected. */
export async function readCash(tx: Tx, orderId: string): Promise<{ collected: number; booked: number } | null> {
  const row = await tx.one<{ parcels: number; collected: number; booked: number }>(
    `select count(*)::int parcels, coalesce(sum(cod_amount) filter (where cod_collected_at is not null), 0)::bigint collected,
       (select coalesce(sum(amount), 0)::bigint from refunds where order_id = $1) booked from fulfillment_orders where order_id = $1 and cod_amount is not null`, [orderId]);
  return row && row.parcels > 0 ? { collected: Number(row.collected), booked: Number(row.booked) } : null;
}
