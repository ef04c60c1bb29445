import { timingSafeEqual } from 'node:crypto';
import { Problem } from '../../domain/problem.ts';
import { encodeId } from '../../domain/ids.ts';
import { issueGoods } from '../fulfillment/issue-goods.ts';
import { settleFulfillments } from '../fulfillment/settle-fulfillment.ts';
import { lockOrder, readFulfillments, refreshStatus, type FulfillmentOrder, type Order } from '../orders/order.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import type { Vault } from '../vault.ts';
import { PICKUP } from './instance.ts';

/** Wrong codes before only somebody who says why may hand it out. */
const MOST_ATTEMPTS = 5;
export type HandOut = { code: string } | { override: string };

/** The fulfillment order of a pickup under its order's lock. Another location's is as if it did not exist. Throws Problem. */
async function lockPickup(tx: Tx, id: string, onlyLocation: number | null): Promise<{ order: Order; f: FulfillmentOrder & { handedOut: boolean; attempts: number } }> {
  const gone = (): Problem => new Problem('not_found', `fulfillment order "${encodeId('ful', id)}" does not exist, or nobody fetches it`);
  const found = await tx.one<{ order_id: string }>('select order_id from fulfillment_orders where id = $1 and ($2::int is null or location_id = $2)', [id, onlyLocation]);
  if (!found) throw gone();
  const order = await lockOrder(tx, found.order_id);
  const f = (await readFulfillments(tx.client, order.id)).find((x) => x.id === id);
  const extra = await tx.one<{ handed: boolean; attempts: number }>('select handed_out_at is not null handed, pickup_attempts attempts from fulfillment_orders where id = $1', [id]);
  if (order.way === 'ship' || !f || !extra) throw gone();
  return { order, f: { ...f, handedOut: extra.handed, attempts: extra.attempts } };
}

/**
 * Hands it to who shows the code, or says why without one. Again it stays handed out. Throws Problem: `conflict` where it is not ready, was not fetched in time or cancelled, or too many wrong codes were shown;
 * `forbidden` for a wrong one, which is counted.
 */
export async function handOut(writer: StockWriter, vault: Vault, id: string, by: HandOut, onlyLocation: number | null, actor: string): Promise<void> {
  const wrong = await writer.change(async (tx) => {
    const { order, f } = await lockPickup(tx, id, onlyLocation);
    if (f.handedOut) return null;
    if (f.status !== 'packed' || f.cancelRequestedAt) throw new Problem('conflict', f.status === 'packed' ? 'a cancellation stands: keep the goods' : `the fulfillment order is ${f.status}: only what is packed can be handed out`);
    if ('code' in by) {
      if (f.attempts >= MOST_ATTEMPTS) throw new Problem('conflict', 'too many wrong codes: hand it out with `override`, saying how the customer was known', '/code');
      const right = Buffer.from(vault.pickupCode(encodeId('ful', id)));
      const shown = Buffer.from(by.code);
      if (shown.length !== right.length || !timingSafeEqual(shown, right)) {
        await tx.query('update fulfillment_orders set pickup_attempts = pickup_attempts + 1 where id = $1', [id]);
        await tx.event(order.id, 'pickup.wrong_code', actor, { fulfillmentOrder: encodeId('ful', id), attempt: f.attempts + 1 });
        return MOST_ATTEMPTS - f.attempts - 1; // kept, and told after the commit
      }
    }
    const lines = await tx.query<{ lineNo: number; quantity: number }>('select line_no "lineNo", quantity - short_quantity quantity from fulfillment_order_lines where fulfillment_order_id = $1 and quantity > short_quantity order by 1', [id]);
    await issueGoods(tx, order, f, [{ parcelNo: 1, carrier: PICKUP, waybillNo: encodeId('ful', id), lines }], actor);
    await tx.query(`update parcels set milestone = 'delivered', milestone_at = $3, delivered_at = $3 where carrier = $1 and waybill_no = $2`, [PICKUP, encodeId('ful', id), tx.now]);
    await tx.query('update fulfillment_orders set handed_out_at = $2 where id = $1', [id, tx.now]);
    await tx.event(order.id, 'pickup.handed_out', actor, { fulfillmentOrder: encodeId('ful', id), ...('override' in by ? { without: 'code', reason: by.override } : {}) });
    await settleFulfillments(tx, order, actor);
    await refreshStatus(tx, order, actor);
    await tx.wake(order.id);
    return null;
  });
  if (wrong !== null) throw new Problem('forbidden', `this is not its code; ${wrong} more may be tried`, '/code');
}

/** The customer waits outside, at a bay or in a vehicle. Again, or with another note, the last word counts. Throws Problem. */
export async function arrived(writer: StockWriter, id: string, note: string | null, onlyLocation: number | null, actor: string): Promise<void> {
  await writer.change(async (tx) => {
    const { order, f } = await lockPickup(tx, id, onlyLocation);
    if (f.handedOut || f.status !== 'packed') throw new Problem('conflict', f.handedOut ? 'it was handed out' : `the fulfillment order is ${f.status}: it is not ready`);
    const changed = await tx.query('update fulfillment_orders set arrived_at = $2, arrived_note = $3 where id = $1 and (arrived_at is null or arrived_note is distinct from $3) returning 1', [id, tx.now, note]);
    if (changed.length > 0) await tx.event(order.id, 'pickup.arrived', actor, { fulfillmentOrder: encodeId('ful', id) });
  });
}
