import { Problem } from '../../domain/problem.ts';
import { lockLevels } from '../ledger.ts';
import type { Network } from '../network.ts';
import { lockOrder, refreshStatus } from '../orders/order.ts';
import { liveReservations, openShortages, releaseReservations } from '../orders/reservations.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import { claimReference, levelsOf, storeAnswer, type StockLine } from './receipts.ts';

export type Adjustment = { reference: string; location: string; reason: string; lines: (StockLine & { delta: number })[] };
export type AdjustmentAnswer = { reference: string; shortened: number };

const WAIT_S = 604_800;

/**
 * Corrects stock after a count or loss. What is gone below the reserved units makes the youngest reservations that have not left `short`, in the same
 * transaction: their orders get a shortage, and are served first when stock comes. More than there is cannot be lost.
 */
export async function adjustStock(writer: StockWriter, network: Network, locationId: number, adjustment: Adjustment, actor: string): Promise<AdjustmentAnswer> {
  await network.loadSkus(adjustment.lines.map((l) => l.sku));
  return writer.change(async (tx) => {
    const source = `adjustment:${adjustment.location}`;
    const known = await claimReference<AdjustmentAnswer>(tx, source, adjustment.reference, adjustment);
    if (known) return known;
    const ids = await levelsOf(tx, network, locationId, adjustment.lines);
    const delta = new Map<number, number>();
    adjustment.lines.forEach((l, i) => delta.set(ids[i] as number, (delta.get(ids[i] as number) ?? 0) + l.delta));
    // Orders before levels, as everywhere: whoever may lose units is locked first, then looked at again.
    const affected = await tx.query<{ order_id: string }>(
      `select distinct order_id from reservations where level_id = any($1::bigint[]) and status in ('held', 'confirmed') order by order_id`, [[...delta].filter(([, d]) => d < 0).map(([id]) => id)]);
    const losing = await ordersToLock(tx, delta) ? affected : [];
    for (const { order_id } of losing) await lockOrder(tx, order_id);
    const levels = await lockLevels(tx.client, delta.keys());
    let shortened = 0;
    for (const [id, change] of delta) {
      const level = levels.get(id);
      if (!level) throw new Error(`level ${id} was made just now`);
      const left = level.onHand + change;
      if (left < 0) throw new Problem('conflict', `${level.onHand} units are on hand: ${-change} cannot be lost`, `/lines/${ids.indexOf(id)}/delta`);
      if (left < level.reserved) shortened += await shorten(tx, id, level.reserved - left, actor);
    }
    await tx.post('adjustment', null, [...delta].map(([levelId, onHand]) => ({ levelId, onHand, reserved: 0 })));
    const answer = { reference: adjustment.reference, shortened };
    await storeAnswer(tx, source, adjustment.reference, answer);
    return answer;
  });
}

async function ordersToLock(tx: Tx, delta: ReadonlyMap<number, number>): Promise<boolean> {
  const rows = await tx.query<{ id: number; on_hand: number; reserved: number }>('select id, on_hand, reserved from stock_levels where id = any($1::bigint[])', [[...delta.keys()]]);
  return rows.some((r) => r.on_hand + (delta.get(r.id) ?? 0) < r.reserved);
}

/** The youngest reservations of a level give up units until enough are free. */
async function shorten(tx: Tx, levelId: number, units: number, actor: string): Promise<number> {
  const rows = await tx.query<{ order_id: string; line_no: number; seq: number }>(
    `select order_id, line_no, seq from reservations where level_id = $1 and status in ('held', 'confirmed') order by created_at desc, order_id desc, line_no, seq`, [levelId]);
  let open = units;
  for (const row of rows) {
    if (open === 0) break;
    const order = await lockOrder(tx, row.order_id);
    const reservation = (await liveReservations(tx, row.order_id)).find((r) => r.lineNo === row.line_no && r.seq === row.seq);
    if (!reservation) continue;
    const taken = Math.min(open, reservation.quantity);
    open -= taken;
    await releaseReservations(tx, row.order_id, [{ reservation, units: taken }], 'short', 'short');
    if (reservation.fulfillmentOrderId !== null) {
      await tx.query('update fulfillment_order_lines set short_quantity = short_quantity + $3 where fulfillment_order_id = $1 and line_no = $2', [reservation.fulfillmentOrderId, reservation.lineNo, taken]);
    }
    await openShortages(tx, row.order_id, [{ lineNo: reservation.lineNo, skuId: reservation.skuId, quantity: taken }], 'stock_loss', new Date(tx.now.getTime() + WAIT_S * 1000));
    await tx.event(row.order_id, 'order.stock_lost', actor, { line: reservation.lineNo, quantity: taken });
    await refreshStatus(tx, order, actor);
    await tx.wake(row.order_id, order.shipBy);
  }
  return units - open;
}
