import { LEFT, TERMINAL, VOID } from '../../domain/order/status.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import { lockOrder, readFulfillments, refreshStatus, unroutedUnits, type FulfillmentOrder, type Order } from './order.ts';
import { placeHold } from './place-hold.ts';
import { askBack, sortPlan, takeBack } from './replan.ts';

/** Reason of a hold for as long as somebody else decides whether the buyer gets the goods. */
export const DISPUTE = 'after_sale';

/**
 * Keeps what of an order has not left until a dispute is decided: nothing more is released, locations are asked to give back what they have not packed (it is planned anew afterwards), and what they keep they may not hand
 * over: they then keep it for good. Nothing is done where all has left or the order is over. The same dispute twice is one. `ask` false: it is decided already, and locations have been asked for what it takes.
 */
export async function holdDisputed(writer: StockWriter, orderId: string, detail: string, actor: string, ask = true): Promise<void> {
  await writer.change(async (tx) => {
    const order = await lockOrder(tx, orderId);
    if (TERMINAL.has(order.status)) return;
    const living = (await readFulfillments(tx.client, orderId)).filter((f) => !VOID.has(f.status));
    if (living.every((f) => LEFT.has(f.status)) && (await unroutedUnits(tx.client, orderId)).size === 0) return;
    const known = await tx.one('select 1 from order_holds where order_id = $1 and released_at is null and detail = $2', [orderId, detail]);
    if (known) return;
    await placeHold(tx, orderId, DISPUTE, detail, actor);
    const askable = ask ? sortPlan(living).askable : [];
    if (askable.length > 0) await askBack(tx, askable, 'a refund is asked for on the platform');
    await refreshStatus(tx, order, actor);
    await tx.wake(orderId, order.shipBy);
  });
}

/** Whether goods of the order must stay where they are because a dispute about it is open. */
export async function isDisputed(tx: Tx, order: Order): Promise<boolean> {
  return order.holdReason !== null && await tx.one('select 1 from order_holds where order_id = $1 and released_at is null and reason = $2 limit 1', [order.id, DISPUTE]) !== null;
}

/** A location was told to keep what it wanted to hand over: its units are planned anew after the decision, and it and the carrier are told. The caller refreshes the status. */
export async function takeDisputed(tx: Tx, order: Order, f: FulfillmentOrder): Promise<void> {
  await takeBack(tx, order, f);
  await tx.query(`update fulfillment_orders set cancel_requested_at = $2, cancel_reason = 'a refund is asked for on the platform', cancel_outcome = null, replan = false where id = $1`, [f.id, tx.now]);
}
