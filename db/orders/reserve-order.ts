import type { Way } from '../../domain/order/intake.ts';
import { firstFit } from '../../domain/routing/first-fit.ts';
import { isPaymentDue } from '../../domain/order/payment.ts';
import { TERMINAL } from '../../domain/order/status.ts';
import { limitLevels } from '../../domain/stock/sharing.ts';
import { lockLevels } from '../ledger.ts';
import type { Network } from '../network.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import { cancelUnits } from './cancel-order.ts';
import { freeLevels } from './free-levels.ts';
import { GAVE_BACK_TO } from './gave-back.ts';
import { holdGivenBack } from './hold-given-back.ts';
import { lockOrder, refreshStatus, type Order } from './order.ts';
import { addReservations } from './reservations.ts';

export type Shortage = { id: number; lineNo: number; skuId: number | null; quantity: number; deadline: Date };

/**
 * Turns the captured hold into a confirmed reservation, serves open shortages from what is there now, and gives up those
 * whose deadline has passed (their units are cancelled and refunded). What lies only where the order was given back holds it. Returns the order's way.
 */
export async function reserveOrder(writer: StockWriter, network: Network, orderId: string): Promise<Way> {
  return writer.change(async (tx) => {
    const order = await lockOrder(tx, orderId);
    if (TERMINAL.has(order.status) || order.holdReason || isPaymentDue(order.paymentStatus)) return order.way;
    const confirmed = await tx.query(
      `update reservations set status = 'confirmed', expires_at = null where order_id = $1 and status = 'held' returning 1`, [orderId]);
    if (confirmed.length > 0) await tx.event(orderId, 'order.reserved', 'system', null);
    const open = await tx.query<Shortage>(
      `select id, line_no "lineNo", sku_id "skuId", quantity, deadline from shortages where order_id = $1 and status = 'open' order by id for no key update`, [orderId]);
    if (open.length > 0) {
      // What is there first, in one place if it can be; what is on its way only for the rest.
      const missing = await serve(tx, network, order, open, false);
      const ahead = network.channelById.get(order.channelId)?.supplyHorizonS ?? 0;
      const left = missing.length > 0 && ahead > 0 ? await serve(tx, network, order, missing, true) : missing;
      for (const shortage of left.filter((s) => s.deadline <= tx.now)) {
        await tx.query(`update shortages set status = 'cancelled', closed_at = $2 where id = $1`, [shortage.id, tx.now]);
        await cancelUnits(tx, order, new Map([[shortage.lineNo, shortage.quantity]]), 'shortage', 'no stock came before the deadline', 'system');
      }
      const waiting = left.flatMap((s) => (s.deadline > tx.now && s.skuId !== null ? [s.skuId] : []));
      if (waiting.length > 0) await holdGivenBack(tx, network, order, [...new Set(waiting)]);
    }
    await refreshStatus(tx, order, 'system');
    return order.way;
  });
}

/** Reserves what it can for the shortages; returns what is still missing. Reads the rows themselves, not the projection. */
export async function serve(tx: Tx, network: Network, order: Order, open: readonly Shortage[], incoming: boolean): Promise<Shortage[]> {
  const skuIds = [...new Set(open.flatMap((s) => s.skuId ?? []))];
  const levels = await freeLevels(tx, network, order, skuIds, incoming, `not ${GAVE_BACK_TO('$1', '$6')}`);
  const locked = await lockLevels(tx.client, levels.map((l) => l.id));
  const at = (skuId: number, locationId: number) => levels.filter((l) => l.skuId === skuId && l.locationId === locationId);
  const share = network.sharing(order.channelId, tx.now);
  if (share) await network.skusById(skuIds);
  const truth = levels.map((l) => { const now = locked.get(l.id); return { ...l, free: now && !network.blocked(l.locationId, l.skuId, tx.now) ? now.onHand - now.reserved - now.buffer : 0 }; });
  const free = new Map(limitLevels(truth, share).map((l) => [l.id, l.free]));
  const ranked = order.forcedLocationId !== null ? [order.forcedLocationId] : network.ranked(network.place(order.country, order.province, order.city));
  const wanted = open.flatMap((s) => (s.skuId === null ? [] : [{ lineNo: s.id, skuId: s.skuId, quantity: s.quantity }]));
  const fit = firstFit(wanted, ranked, (skuId, locationId) => at(skuId, locationId).reduce((sum, l) => sum + Math.max(0, free.get(l.id) ?? 0), 0));
  const rows: { lineNo: number; levelId: number; quantity: number; fulfillmentOrderId: null }[] = [];
  const served = new Map<number, number>();
  for (const pick of fit.picks) {
    let rest = pick.quantity;
    for (const level of at(pick.skuId, pick.locationId)) {
      const quantity = Math.min(rest, free.get(level.id) ?? 0);
      if (quantity <= 0) continue;
      free.set(level.id, (free.get(level.id) ?? 0) - quantity);
      rest -= quantity;
      const shortage = open.find((s) => s.id === pick.lineNo) as Shortage;
      rows.push({ lineNo: shortage.lineNo, levelId: level.id, quantity, fulfillmentOrderId: null });
      served.set(shortage.id, (served.get(shortage.id) ?? 0) + quantity);
    }
  }
  await tx.post('reserve', order.id, rows.map((r) => ({ levelId: r.levelId, onHand: 0, reserved: r.quantity })));
  await addReservations(tx, order.id, rows);
  const left: Shortage[] = [];
  for (const shortage of open) {
    const units = served.get(shortage.id) ?? 0;
    if (units === shortage.quantity) await tx.query(`update shortages set status = 'served', closed_at = $2 where id = $1`, [shortage.id, tx.now]);
    else {
      if (units > 0) await tx.query('update shortages set quantity = quantity - $2 where id = $1', [shortage.id, units]);
      left.push({ ...shortage, quantity: shortage.quantity - units });
    }
  }
  if (rows.length > 0) await tx.event(order.id, 'order.shortage_served', 'system', { units: rows.reduce((sum, r) => sum + r.quantity, 0) });
  return left;
}
