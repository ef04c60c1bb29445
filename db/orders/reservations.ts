import type { Leg } from '../ledger.ts';
import { repayBorrowed } from '../stock/allotments/borrowings.ts';
import type { Tx } from '../tx.ts';

/** `incoming`: on a supply that has not come yet. */
export type Reservation = { lineNo: number; seq: number; levelId: number; locationId: number; skuId: number; quantity: number; status: string; fulfillmentOrderId: string | null; incoming: boolean };

/** Held and confirmed reservations of an order, oldest first. */
export async function liveReservations(tx: Tx, orderId: string): Promise<Reservation[]> {
  return tx.query<Reservation>(
    `select r.line_no "lineNo", r.seq, r.level_id "levelId", v.location_id "locationId", v.sku_id "skuId", r.quantity, r.status, r.fulfillment_order_id "fulfillmentOrderId", v.supply_id <> 0 incoming
     from reservations r join stock_levels v on v.id = r.level_id where r.order_id = $1 and r.status in ('held', 'confirmed') order by r.line_no, r.seq`, [orderId]);
}

/** Gives up to `units` of each reservation back; a rest stays reserved under a new row. What was borrowed is paid back. The stock is posted under one command. */
export async function releaseReservations(
  tx: Tx, orderId: string, rows: readonly { reservation: Reservation; units: number }[], cause: string, as: 'released' | 'short' = 'released',
  onHand: (r: Reservation) => number = () => 0,
): Promise<void> {
  const legs: Leg[] = [];
  await repayBorrowed(tx, orderId, rows.flatMap(({ reservation, units }) => (units > 0 ? [{ levelId: reservation.levelId, units }] : [])));
  for (const { reservation: r, units } of rows) {
    if (units <= 0) continue;
    legs.push({ levelId: r.levelId, onHand: -onHand(r) * units, reserved: -units });
    await tx.query('update reservations set status = $4, quantity = $5 where order_id = $1 and line_no = $2 and seq = $3', [orderId, r.lineNo, r.seq, as, units]);
    if (units < r.quantity) {
      await addReservations(tx, orderId, [{ lineNo: r.lineNo, levelId: r.levelId, quantity: r.quantity - units, fulfillmentOrderId: r.fulfillmentOrderId }], r.status);
    }
  }
  await tx.post(cause, orderId, legs);
}

/** Writes reservation rows (not the stock). */
export async function addReservations(
  tx: Tx, orderId: string, rows: readonly { lineNo: number; levelId: number; quantity: number; fulfillmentOrderId: string | null }[], status = 'confirmed',
): Promise<void> {
  if (rows.length === 0) return;
  await tx.query(
    `insert into reservations (order_id, line_no, seq, level_id, quantity, status, fulfillment_order_id)
     select $1, t.n, coalesce((select max(seq) from reservations where order_id = $1), -1) + t.i, t.v, t.q, $6, t.f
     from unnest($2::int[], $3::bigint[], $4::int[], $5::uuid[]) with ordinality as t(n, v, q, f, i)`,
    [orderId, rows.map((r) => r.lineNo), rows.map((r) => r.levelId), rows.map((r) => r.quantity), rows.map((r) => r.fulfillmentOrderId), status]);
}

/** Opens shortages: units that are wanted and have no stock. */
export async function openShortages(
  tx: Tx, orderId: string, rows: readonly { lineNo: number; skuId: number | null; quantity: number }[], cause: string, deadline: Date,
): Promise<void> {
  for (const row of rows) {
    if (row.quantity <= 0) continue;
    await tx.query('insert into shortages (order_id, line_no, sku_id, quantity, cause, deadline) values ($1, $2, $3, $4, $5, $6)',
      [orderId, row.lineNo, row.skuId, row.quantity, cause, deadline]);
  }
}
