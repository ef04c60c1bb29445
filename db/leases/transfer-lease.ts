import { encodeId } from '../../domain/ids.ts';
import { isPaymentDue } from '../../domain/order/payment.ts';
import { TERMINAL, VOID } from '../../domain/order/status.ts';
import { Problem } from '../../domain/problem.ts';
import { planTransfer, type TransferPlan } from '../../domain/stock/lease.ts';
import type { Leg } from '../ledger.ts';
import type { Network } from '../network.ts';
import { GAVE_BACK_TO } from '../orders/gave-back.ts';
import { lockOrder, readFulfillments, refreshStatus, type Order } from '../orders/order.ts';
import { liveReservations, type Reservation } from '../orders/reservations.ts';
import { repayBorrowed } from '../stock/allotments/borrowings.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import { lockLease, noSuchLease, readLease, refuseEnded, type Lease, type LeaseView, type TransferOutcome } from './lease.ts';

type Leased = { levelId: number; skuId: number; quantity: number; usable: boolean };
type Shortage = { id: number; lineNo: number; skuId: number; quantity: number };

/**
 * A lease's units become an order's: they serve its open shortages, then replace its own reservations of the same SKU, line by line; what is left goes back
 * to stock. Only for an order of the lease's channel that has no fulfillment order. The same transfer again answers the same. Throws Problem.
 */
export async function transferLease(writer: StockWriter, network: Network, leaseId: string, orderId: string, actor: string): Promise<LeaseView> {
  return writer.change(async (tx) => {
    const [lease, order] = await lockBoth(tx, leaseId, orderId);
    if (lease.status === 'transferred' && lease.orderId === orderId) return readLease(tx.client, leaseId);
    refuseEnded(lease, tx.now);
    if (TERMINAL.has(order.status)) throw new Problem('conflict', `the order is ${order.status}: it takes no more units`, '/order');
    if (order.channelId !== lease.channelId) throw new Problem('conflict', 'the order is of another channel than the reservation', '/order');
    if ((await readFulfillments(tx.client, orderId)).some((f) => !VOID.has(f.status))) throw new Problem('conflict', 'the order has been routed: its units are chosen', '/order');
    const leased = await tx.query<Leased>(
      `select r.level_id "levelId", v.sku_id "skuId", r.quantity, coalesce($3, v.location_id) = v.location_id and v.allotment_id = any($4::int[]) and not ${GAVE_BACK_TO('$1', '$5')} usable
       from reservations r join stock_levels v on v.id = r.level_id where r.order_id = $2 and r.status in ('held', 'confirmed') order by r.line_no, r.seq`,
      [orderId, leaseId, order.forcedLocationId, network.chain(order.allotmentId).map((c) => c.allotmentId), tx.now]);
    const shortages = await tx.query<Shortage>(
      `select id, line_no "lineNo", sku_id "skuId", quantity from shortages where order_id = $1 and status = 'open' and sku_id is not null order by line_no, id for no key update`, [orderId]);
    const own = (await liveReservations(tx, orderId)).filter((r) => r.fulfillmentOrderId === null);
    const plan = planTransfer(leased.filter((l) => l.usable), shortages, own);
    if (plan.served.length + plan.replaced.length === 0) throw new Problem('conflict', 'the order has no use for these units: nothing was changed', '/order');
    await write(tx, lease, order, leased, plan, shortages, own);
    const released = units(leased.map((l) => ({ units: l.quantity }))) - units(plan.served) - units(plan.replaced);
    const outcome: TransferOutcome = { served: units(plan.served), replaced: units(plan.replaced), released };
    await tx.query(`update leases set status = 'transferred', order_id = $2, outcome = $3, ended_at = $4 where id = $1`, [leaseId, orderId, JSON.stringify(outcome), tx.now]);
    await tx.event(orderId, 'order.reservation_received', actor, { reservation: encodeId('res', leaseId), ...outcome });
    await refreshStatus(tx, order, actor);
    await tx.wake(orderId);
    return readLease(tx.client, leaseId);
  });
}

const units = (rows: readonly { units: number }[]): number => rows.reduce((sum, r) => sum + r.units, 0);

/** By id, as everybody who locks several orders or leases. */
async function lockBoth(tx: Tx, leaseId: string, orderId: string): Promise<[Lease, Order]> {
  const orderFirst = orderId < leaseId ? await lockOrder(tx, orderId) : null;
  const lease = await lockLease(tx, leaseId);
  if (!lease) throw noSuchLease(encodeId('res', leaseId));
  return [lease, orderFirst ?? await lockOrder(tx, orderId)];
}

async function write(
  tx: Tx, lease: Lease, order: Order, leased: readonly Leased[], plan: TransferPlan, shortages: readonly Shortage[], own: readonly Reservation[],
): Promise<void> {
  const net = new Map<number, number>();
  const add = (levelId: number, change: number): void => void net.set(levelId, (net.get(levelId) ?? 0) + change);
  for (const l of leased) add(l.levelId, -l.quantity);
  for (const a of [...plan.served, ...plan.replaced]) add(a.levelId, a.units);
  const given = new Map<number, number>();
  for (const { to, units: count } of plan.replaced) given.set(to, (given.get(to) ?? 0) + count);
  const gone = [...given].map(([to, count]) => ({ reservation: own[to] as Reservation, units: count }));
  for (const { reservation, units: count } of gone) add(reservation.levelId, -count);
  await repayBorrowed(tx, order.id, gone.map(({ reservation, units: count }) => ({ levelId: reservation.levelId, units: count })));
  await tx.query(`update reservations set status = 'released' where order_id = $1 and status in ('held', 'confirmed')`, [lease.id]);
  for (const { reservation: r, units: count } of gone) {
    await tx.query(
      `with old as (update reservations set status = 'released', quantity = $4 where order_id = $1 and line_no = $2 and seq = $3 returning 1)
       insert into reservations (order_id, line_no, seq, level_id, quantity, status, expires_at)
       select order_id, line_no, (select max(seq) + 1 from reservations where order_id = $1), level_id, quantity - $4, status, expires_at from reservations
       where order_id = $1 and line_no = $2 and seq = $3 and quantity > $4`, [order.id, r.lineNo, r.seq, count]);
  }
  const rows = [...plan.served.map((a) => ({ ...a, lineNo: (shortages[a.to] as Shortage).lineNo })), ...plan.replaced.map((a) => ({ ...a, lineNo: (own[a.to] as Reservation).lineNo }))];
  // Like captured ones until the order's workflow has confirmed them.
  const unpaid = isPaymentDue(order.paymentStatus);
  const confirmed = !unpaid && order.validatedAt !== null && order.holdReason === null;
  await tx.query(
    `insert into reservations (order_id, line_no, seq, level_id, quantity, status, expires_at)
     select $1, n, coalesce((select max(seq) from reservations where order_id = $1), -1) + i, v, q, $5, $6 from unnest($2::int[], $3::bigint[], $4::int[]) with ordinality as t(n, v, q, i)`,
    [order.id, rows.map((r) => r.lineNo), rows.map((r) => r.levelId), rows.map((r) => r.units), confirmed ? 'confirmed' : 'held', unpaid ? order.paymentDueAt : null]);
  for (const [i, shortage] of shortages.entries()) {
    const served = units(plan.served.filter((a) => a.to === i));
    if (served === shortage.quantity) await tx.query(`update shortages set status = 'served', closed_at = $2 where id = $1`, [shortage.id, tx.now]);
    else if (served > 0) await tx.query('update shortages set quantity = quantity - $2 where id = $1', [shortage.id, served]);
  }
  const legs: Leg[] = [...net].map(([levelId, reserved]) => ({ levelId, onHand: 0, reserved }));
  await tx.post('lease_transferred', order.id, legs);
}
