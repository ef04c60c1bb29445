import { Problem } from '../../domain/problem.ts';
import { encodeId } from '../../domain/ids.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import { voidWaybills } from '../carriers/waybills.ts';
import type { Leg } from '../ledger.ts';
import type { FulfillmentOrder, Order } from '../orders/order.ts';
import { settleWanted } from '../orders/replan.ts';
import { liveReservations, type Reservation } from '../orders/reservations.ts';
import { bookIssue } from '../settlement/book.ts';
import type { Tx } from '../tx.ts';
import { shortPick } from './short-pick.ts';
import { startParcels } from './track-parcels.ts';
import { writeParcel, type ParcelNews } from './write-parcel.ts';


/**
 * The goods issue: posts the stock that really left (lot by lot), writes shipment and parcels. Units of the fulfillment order that are in
 * no parcel count as short picked. Under the order's lock, so that a refund request comes before it or after it, never within.
 */
export async function issueGoods(tx: Tx, order: Order, f: FulfillmentOrder, parcels: readonly ParcelNews[], source: string): Promise<void> {
  const packed = new Map<number, number>();
  for (const line of parcels.flatMap((p) => p.lines)) packed.set(line.lineNo, (packed.get(line.lineNo) ?? 0) + line.quantity);
  if ([...packed.values()].every((units) => units === 0)) throw new Problem('unprocessable', 'the parcels hold nothing; send "rejected" when nothing can leave', '/parcels');
  const rows = await tx.query<{ line_no: number; open: number }>(
    'select line_no, quantity - short_quantity open from fulfillment_order_lines where fulfillment_order_id = $1 order by line_no', [f.id]);
  const open = new Map(rows.map((r) => [r.line_no, r.open]));
  for (const [lineNo, quantity] of packed) {
    if (quantity > (open.get(lineNo) ?? 0)) throw new Problem('unprocessable', `the parcels hold ${quantity} units of line ${lineNo}, the fulfillment order ${open.get(lineNo) ?? 0}`, '/parcels');
  }
  const missing = rows.flatMap((r) => { const quantity = r.open - (packed.get(r.line_no) ?? 0); return quantity > 0 ? [{ lineNo: r.line_no, quantity }] : []; });
  if (missing.length > 0) await shortPick(tx, order, f, missing, source);

  const own = (await liveReservations(tx, order.id)).filter((r) => r.fulfillmentOrderId === f.id);
  await tx.post('goods_issue', order.id, await issueLegs(tx, f, own, parcels));
  await tx.query(`update reservations set status = 'issued' where order_id = $1 and fulfillment_order_id = $2 and status = 'confirmed'`, [order.id, f.id]);
  const shipment = uuidv7();
  await tx.query('insert into shipments (id, order_id, fulfillment_order_id, location_id, issued_at) values ($1, $2, $3, $4, $5)',
    [shipment, order.id, f.id, f.locationId, tx.now]);
  const left: { id: string; carrier: string; waybillNo: string }[] = [];
  for (const parcel of parcels) left.push({ id: await writeParcel(tx, order, f, shipment, parcel), carrier: parcel.carrier, waybillNo: parcel.waybillNo });
  // It may have left with a number of the location's own, or by another carrier.
  await voidWaybills(tx, encodeId('ful', f.id));
  for (const [lineNo, quantity] of packed) {
    await tx.query('update fulfillment_order_lines set issued_quantity = issued_quantity + $3 where fulfillment_order_id = $1 and line_no = $2', [f.id, lineNo, quantity]);
    await tx.query('update order_lines set issued_quantity = issued_quantity + $3 where order_id = $1 and line_no = $2', [order.id, lineNo, quantity]);
  }
  await bookIssue(tx, order, f, shipment, packed);
  await tx.query(`update fulfillment_orders set status = 'issued', issued_at = $2, accepted_at = coalesce(accepted_at, $2), packed_at = coalesce(packed_at, $2),
    cancel_outcome = case when cancel_requested_at is not null then coalesce(cancel_outcome, 'refused') end where id = $1`, [f.id, tx.now]);
  if (f.cancelRequestedAt && !f.cancelOutcome) await tx.event(order.id, 'order.cancel_refused', source, { reason: 'handed_over' });
  await tx.event(order.id, 'fulfillment.issued', source, {
    fulfillmentOrder: encodeId('ful', f.id), shipment: encodeId('shp', shipment), parcels: parcels.map((p) => ({ carrier: p.carrier, waybillNo: p.waybillNo })),
  });
  if (f.replan) await settleWanted(tx, order, source);
  await startParcels(tx, order, left, source);
  await tx.wake(order.id, order.shipBy);
}

/** Reserved levels give up their units; where another lot really left, that lot's level loses them. */
async function issueLegs(tx: Tx, f: FulfillmentOrder, own: readonly Reservation[], parcels: readonly ParcelNews[]): Promise<Leg[]> {
  const left = own.map((r) => ({ ...r }));
  const legs: Leg[] = [];
  for (const line of parcels.flatMap((p) => p.lines)) {
    const reserved = own.find((r) => r.lineNo === line.lineNo);
    const skuId = reserved?.skuId;
    const lotLevel = line.lot === undefined || skuId === undefined ? null : await tx.one<{ id: number; recalled: boolean }>(
      `select v.id, o.recalled_at is not null recalled from stock_levels v join lots o on o.id = v.lot_id where v.location_id = $1 and v.sku_id = $2 and o.code = $3 and v.condition = 'sellable'
       and v.allotment_id = (select allotment_id from stock_levels where id = $4) and v.supply_id = 0`, [f.locationId, skuId, line.lot, reserved?.levelId]);
    if (lotLevel?.recalled) throw new Problem('handover_blocked', `lot "${line.lot ?? ''}" has been recalled: keep the goods`, '/parcels');
    let rest = line.quantity;
    for (const r of left.sort((a, b) => Number(b.levelId === lotLevel?.id) - Number(a.levelId === lotLevel?.id))) {
      const units = r.lineNo === line.lineNo ? Math.min(rest, r.quantity) : 0;
      if (units === 0) continue;
      r.quantity -= units;
      rest -= units;
      if (lotLevel && lotLevel.id !== r.levelId) legs.push({ levelId: r.levelId, onHand: 0, reserved: -units }, { levelId: lotLevel.id, onHand: -units, reserved: 0 });
      else legs.push({ levelId: r.levelId, onHand: -units, reserved: -units });
    }
    if (rest > 0) throw new Problem('unprocessable', `line ${line.lineNo} has ${rest} units without a reservation here`, '/parcels');
  }
  return legs;
}

