import { encodeId } from '../../domain/ids.ts';
import { AT_LOCATION } from '../../domain/order/status.ts';
import { voidWaybills } from '../carriers/waybills.ts';
import { cancelPending } from '../fulfillment/reject.ts';
import { lockLease } from '../leases/lease.ts';
import { cancelUnits } from '../orders/cancel-order.ts';
import { lockOrder, readFulfillments, refreshStatus, type FulfillmentOrder, type Order } from '../orders/order.ts';
import { liveReservations, openShortages, releaseReservations, type Reservation } from '../orders/reservations.ts';
import type { Tx } from '../tx.ts';

/** Why reserved units are taken away: they are gone, their lot has been recalled, or the supply that should bring them does not. */
export type ShortCause = 'stock_loss' | 'recalled' | 'supply_variance' | 'supply_cancelled';
/** How long the units may be waited for, seconds. */
const WAIT_S = 604_800;
/** SQL for reservations `r` of one level: who gives up units first. */
export const YOUNGEST_FIRST = 'r.created_at desc, r.order_id desc, r.line_no, r.seq';

/**
 * The youngest reservations of a locked level that have not left give up units until enough are free. Returns how many they gave. An order gets a shortage;
 * a lease just has fewer units.
 */
export async function shortenReservations(tx: Tx, levelId: number, units: number, actor: string, cause: ShortCause = 'stock_loss'): Promise<number> {
  const rows = await tx.query<{ order_id: string; line_no: number; seq: number; quantity: number; lease: boolean }>(
    `select order_id, line_no, seq, quantity, exists (select from leases l where l.id = r.order_id) lease from reservations r where level_id = $1 and status in ('held', 'confirmed') order by ${YOUNGEST_FIRST}`, [levelId]);
  let open = units;
  for (const row of rows) {
    if (open === 0) break;
    const order = row.lease ? null : await lockOrder(tx, row.order_id);
    if (!order) await lockLease(tx, row.order_id);
    const reservation = (await liveReservations(tx, row.order_id)).find((r) => r.lineNo === row.line_no && r.seq === row.seq);
    if (!reservation) continue;
    const taken = Math.min(open, reservation.quantity);
    open -= taken;
    if (order) await shortenOne(tx, order, reservation, taken, actor, cause);
    else await releaseReservations(tx, row.order_id, [{ reservation, units: taken }], 'short', 'short');
  }
  return units - open;
}

async function shortenOne(tx: Tx, order: Order, reservation: Reservation, units: number, actor: string, cause: ShortCause): Promise<void> {
  const { lineNo, skuId } = reservation;
  await releaseReservations(tx, order.id, [{ reservation, units }], 'short', 'short');
  await tx.event(order.id, 'order.stock_lost', actor, { line: lineNo, quantity: units, cause });
  const f = reservation.fulfillmentOrderId === null ? undefined : (await readFulfillments(tx.client, order.id)).find((x) => x.id === reservation.fulfillmentOrderId);
  if (f) await takeFromPlan(tx, order, f, lineNo, units, actor, cause);
  // What the buyer wants cancelled, and the location has not answered for yet, is not looked for elsewhere.
  if (f && cancelPending(f)) await cancelUnits(tx, order, new Map([[lineNo, units]]), 'cancellation', 'lost while a cancellation stood', actor);
  else await openShortages(tx, order.id, [{ lineNo, skuId, quantity: units }], cause, new Date(tx.now.getTime() + WAIT_S * 1000));
  await refreshStatus(tx, order, actor);
  await tx.wake(order.id, order.shipBy);
}

/**
 * A fulfillment order carries fewer units. They are not short picked: the location gave nothing back and may be asked for them again once it has stock.
 * With nothing left to carry it ends, a location that knows of it is told, and its number is taken back.
 */
async function takeFromPlan(tx: Tx, order: Order, f: FulfillmentOrder, lineNo: number, units: number, actor: string, cause: ShortCause): Promise<void> {
  const left = await tx.one<{ units: number }>('select sum(quantity - short_quantity)::int - $2::int units from fulfillment_order_lines where fulfillment_order_id = $1', [f.id, units]);
  if (left && left.units > 0) {
    await tx.query('delete from fulfillment_order_lines where fulfillment_order_id = $1 and line_no = $2 and quantity = $3', [f.id, lineNo, units]);
    await tx.query('update fulfillment_order_lines set quantity = quantity - $3 where fulfillment_order_id = $1 and line_no = $2', [f.id, lineNo, units]);
    return;
  }
  await tx.query(
    `update fulfillment_orders set status = 'cancelled', ended_at = $2, end_reason = $4, cancel_reason = coalesce(cancel_reason, $4),
       cancel_requested_at = case when $3 then coalesce(cancel_requested_at, $2) else cancel_requested_at end, cancel_outcome = case when not $3 then cancel_outcome end where id = $1`,
    [f.id, tx.now, AT_LOCATION.has(f.status) && f.cancelOutcome !== 'cancelled', cause]);
  if (AT_LOCATION.has(f.status)) await voidWaybills(tx, encodeId('ful', f.id));
  await tx.event(order.id, 'fulfillment.cancelled', actor, { fulfillmentOrder: encodeId('ful', f.id), reason: cause });
}
