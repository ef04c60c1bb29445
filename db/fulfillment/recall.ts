import type pg from 'pg';
import { Problem } from '../../domain/problem.ts';
import { AT_LOCATION } from '../../domain/order/status.ts';
import type { Location, Network } from '../network.ts';
import { encodeId } from '../../domain/ids.ts';
import { cancelUnissued } from '../orders/cancel-order.ts';
import { lockOrder, readFulfillments, refreshStatus, type FulfillmentOrder, type Order } from '../orders/order.ts';
import { settleWanted, takeBack } from '../orders/replan.ts';
import type { Tx } from '../tx.ts';
import type { StockWriter } from '../stock-writer.ts';

export type RecallTarget = { location: Location; reason: string; manual: 'cancelled' | 'refused' };

/** What must be taken back and from whom; null when it has been answered. A location without a connector has agreed as long as it has not packed. */
export async function recallTarget(pool: pg.Pool, network: Network, fulfillmentOrderId: string): Promise<RecallTarget | null> {
  const { rows: [row] } = await pool.query<{ location_id: number; cancel_reason: string | null; status: string }>(
    `select location_id, cancel_reason, status from fulfillment_orders where id = $1 and cancel_requested_at is not null and cancel_outcome is null`,
    [fulfillmentOrderId]);
  const location = row && network.locationById.get(row.location_id);
  if (!row || !location) return null;
  return { location, reason: row.cancel_reason ?? 'cancelled', manual: row.status === 'packed' ? 'refused' : 'cancelled' };
}

/**
 * A location's answer to a recall. `cancelled`: its units are cancelled, and its waybill is to be taken back: what the carrier says to that changes nothing of what the location has agreed to; else the order goes on
 * there.
 */
export async function recordRecall(writer: StockWriter, fulfillmentOrderId: string, outcome: 'cancelled' | 'refused' | 'unreachable', reason: string | null): Promise<void> {
  await writer.change(async (tx) => {
    const row = await tx.one<{ order_id: string }>('select order_id from fulfillment_orders where id = $1', [fulfillmentOrderId]);
    if (!row) throw new Problem('not_found', 'this fulfillment order does not exist');
    const order = await lockOrder(tx, row.order_id);
    const f = (await readFulfillments(tx.client, order.id)).find((x) => x.id === fulfillmentOrderId);
    if (!f || f.cancelOutcome !== null) return;
    const goesOn = AT_LOCATION.has(f.status) && outcome !== 'cancelled';
    // Not asked any more: an order that goes on is released, escalated and may be asked again like any other.
    await tx.query(`update fulfillment_orders set cancel_outcome = $2, cancel_requested_at = case when not $3 then cancel_requested_at end where id = $1`,
      [f.id, outcome, goesOn]);
    if (AT_LOCATION.has(f.status) && f.replan) {
      if (outcome === 'cancelled') await takeBack(tx, order, f);
      else await goOn(tx, order, f, reason ?? outcome);
    } else if (AT_LOCATION.has(f.status)) {
      if (outcome === 'cancelled') {
        await cancelUnissued(tx, order, 'cancelled by agreement of the location', 'system', 'cancellation', f.id, (id) => id === f.id);
      } else {
        await tx.event(order.id, 'order.cancel_refused', 'system', { reason: reason ?? outcome });
      }
    }
    await refreshStatus(tx, order, 'system');
  });
}

/** It stays where it is, as it was planned. */
async function goOn(tx: Tx, order: Order, f: FulfillmentOrder, reason: string): Promise<void> {
  await tx.query('update fulfillment_orders set replan = false where id = $1', [f.id]);
  await tx.event(order.id, 'fulfillment.kept', 'system', { fulfillmentOrder: encodeId('ful', f.id), reason });
  await settleWanted(tx, order, 'system');
}
