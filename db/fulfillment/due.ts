import { lockOrder, readFulfillments, refreshStatus, type FulfillmentOrder } from '../orders/order.ts';
import type { Network } from '../network.ts';
import type { StockWriter } from '../stock-writer.ts';
import { pickupsDue } from '../pickup/due.ts';
import { rejectFulfillment } from './reject.ts';
import { remind } from './reminder.ts';

/**
 * Applies what has fallen due on an order: a silent location is reminded, then its order goes elsewhere; an order whose return window
 * is over closes. Nothing due: nothing changes.
 */
export async function applyDue(writer: StockWriter, network: Network, orderId: string): Promise<void> {
  await writer.change(async (tx) => {
    const order = await lockOrder(tx, orderId);
    let changed = await pickupsDue(tx, order);
    for (const f of await readFulfillments(tx.client, orderId)) {
      if ((f.status !== 'released' && f.status !== 'releasing') || f.cancelRequestedAt || !f.acceptBy) continue;
      if (!f.escalatedAt && f.acceptBy <= tx.now) {
        await remind(tx, network, order, f);
        changed = true;
      } else if (order.way === 'ship' && f.escalatedAt && rerouteAt(network, f, f.escalatedAt) <= tx.now) {
        // It was never reached: that is no silence of theirs.
        await rejectFulfillment(tx, order, f, f.status === 'releasing' ? 'unreachable' : 'silent', 'system');
        changed = true;
      }
    }
    if (order.status === 'delivered' && order.returnUntil && order.returnUntil <= tx.now) {
      const open = await tx.one(
        `select 1 from returns where order_id = $1 and not late and status in ('requested', 'authorised', 'received', 'inspected')
         union all select 1 from refund_requests where order_id = $1 and status in ('intercepting', 'intercepted') limit 1`, [orderId]);
      if (!open) {
        order.closedAt = tx.now;
        await tx.query('update orders set closed_at = $2 where id = $1', [orderId, tx.now]);
        // A refund that waited for goods which were never sent back lapses with the window.
        await tx.query('update refund_requests set closed_at = $2 where order_id = $1 and closed_at is null', [orderId, tx.now]);
        changed = true;
      }
    }
    if (changed) await refreshStatus(tx, order, 'system');
  });
}

/** When a reminded location has had its time. Without a date it was reminded before there were any: as long again as it had. */
function rerouteAt(network: Network, f: FulfillmentOrder, remindedAt: Date): Date {
  return f.rerouteAt ?? new Date(remindedAt.getTime() + (network.locationById.get(f.locationId)?.acceptTimeoutS ?? 600) * 1000);
}
