import { Problem } from '../../domain/problem.ts';
import { encodeId } from '../../domain/ids.ts';
import { cancelUnits } from '../orders/cancel-order.ts';
import type { FulfillmentOrder, Order } from '../orders/order.ts';
import { settleWanted } from '../orders/replan.ts';
import { liveReservations, openShortages, releaseReservations } from '../orders/reservations.ts';
import { forgetWave } from '../orders/wishes.ts';
import type { Tx } from '../tx.ts';
import { bookRejected } from './reject-stock.ts';
import { cancelPending, rejectFulfillment } from './reject.ts';

/** Units a location could not find: off its books, which are to be recounted, a shortage for the order; with nothing left it counts as a rejection. */
export async function shortPick(tx: Tx, order: Order, f: FulfillmentOrder, lines: readonly { lineNo: number; quantity: number }[], source: string): Promise<void> {
  const rows = await tx.query<{ line_no: number; open: number }>(
    'select line_no, quantity - short_quantity open from fulfillment_order_lines where fulfillment_order_id = $1', [f.id]);
  const open = new Map(rows.map((r) => [r.line_no, r.open]));
  for (const [i, line] of lines.entries()) {
    const left = (open.get(line.lineNo) ?? 0) - line.quantity;
    if (left < 0) throw new Problem('unprocessable', `line ${line.lineNo} has ${open.get(line.lineNo) ?? 0} units here, not ${line.quantity}`, `/lines/${i}/quantity`);
    open.set(line.lineNo, left);
  }
  if ([...open.values()].every((n) => n === 0)) return rejectFulfillment(tx, order, f, 'not_found', source);
  const own = (await liveReservations(tx, order.id)).filter((r) => r.fulfillmentOrderId === f.id);
  const missing = new Map<number, number>();
  for (const line of lines) missing.set(line.lineNo, (missing.get(line.lineNo) ?? 0) + line.quantity);
  const given: { reservation: (typeof own)[number]; units: number }[] = [];
  for (const [lineNo, quantity] of missing) {
    let rest = quantity;
    for (const reservation of own.filter((r) => r.lineNo === lineNo)) {
      const units = Math.min(rest, reservation.quantity);
      given.push({ reservation, units });
      rest -= units;
    }
    await tx.query('update fulfillment_order_lines set short_quantity = short_quantity + $3 where fulfillment_order_id = $1 and line_no = $2', [f.id, lineNo, quantity]);
  }
  await releaseReservations(tx, order.id, given, 'short_pick', 'short', () => 1);
  await tx.query('update fulfillment_orders set ask_again_at = null where id = $1', [f.id]);
  // What is missing of a part is as wrong in the book as what is missing of the whole.
  await bookRejected(tx, order.id, given.flatMap(({ reservation, units }) => (units > 0 ? [{ ...reservation, quantity: units }] : [])), 'not_found');
  if (cancelPending(f)) await cancelUnits(tx, order, missing, 'cancellation', 'not found while a cancellation stood', source);
  else {
    await openShortages(tx, order.id, [...missing].map(([lineNo, quantity]) => ({ lineNo, skuId: own.find((r) => r.lineNo === lineNo)?.skuId ?? null, quantity })),
      'short_pick', new Date(tx.now.getTime() + 7 * 86_400_000));
  }
  await tx.event(order.id, 'fulfillment.short_picked', source, { fulfillmentOrder: encodeId('ful', f.id), lines });
  await forgetWave(tx, order.id, f.locationId);
  await settleWanted(tx, order, source);
  await tx.wake(order.id, order.shipBy);
}
