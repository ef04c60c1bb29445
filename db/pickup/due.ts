import { encodeId } from '../../domain/ids.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import { cancelUnissued } from '../orders/cancel-order.ts';
import type { Order } from '../orders/order.ts';
import type { Tx } from '../tx.ts';

const REMIND_MS = 86_400_000;
type Row = { id: string; status: string; readyBy: Date; lateAt: Date | null; until: Date | null; remindedAt: Date | null };

/** What has fallen due on what is to be fetched: not ready in time is noticed, a day before the end the customer is reminded, and who has not come does not get it: the units are sellable again, the money goes back. */
export async function pickupsDue(tx: Tx, order: Order): Promise<boolean> {
  if (order.way === 'ship') return false;
  const rows = await tx.query<Row>(
    `select id, status, ready_by "readyBy", ready_late_at "lateAt", pickup_until "until", pickup_reminded_at "remindedAt" from fulfillment_orders
     where order_id = $1 and ready_by is not null and status in ('releasing', 'released', 'accepted', 'packed') and cancel_requested_at is null order by id`, [order.id]);
  let changed = await broughtLate(tx, order);
  for (const f of rows) {
    const name = { fulfillmentOrder: encodeId('ful', f.id) };
    if (f.status !== 'packed') {
      if (f.lateAt || f.readyBy > tx.now) continue;
      await tx.query('update fulfillment_orders set ready_late_at = $2 where id = $1', [f.id, tx.now]);
      await tx.event(order.id, 'pickup.late', 'system', { ...name, readyBy: f.readyBy.toISOString() });
    } else if (f.until && f.until <= tx.now) {
      await tx.event(order.id, 'pickup.no_show', 'system', name);
      await cancelUnissued(tx, order, 'not fetched', 'system', 'cancellation', uuidv7(), (id) => id === f.id);
    } else if (f.until && !f.remindedAt && f.until.getTime() - REMIND_MS <= tx.now.getTime()) {
      await tx.query('update fulfillment_orders set pickup_reminded_at = $2 where id = $1', [f.id, tx.now]);
      await tx.event(order.id, 'pickup.reminded', 'system', { ...name, until: f.until.toISOString() });
    } else continue;
    changed = true;
  }
  return changed;
}

/** What was to be brought to the shop by a date has not even been given to it: said once. */
async function broughtLate(tx: Tx, order: Order): Promise<boolean> {
  if (order.way !== 'ship_to_store' || !order.deliverBy || order.deliverBy > tx.now) return false;
  if (await tx.one(`select 1 from fulfillment_orders where order_id = $1 and ready_by is not null union all select 1 from order_events where order_id = $1 and type = 'pickup.late' limit 1`, [order.id])) return false;
  await tx.event(order.id, 'pickup.late', 'system', { readyBy: order.deliverBy.toISOString() });
  return true;
}

/** Packed: it can be fetched from now on. */
export async function pickupReady(tx: Tx, order: Order, fulfillmentOrderId: string, actor: string): Promise<void> {
  if (order.way === 'ship') return;
  const row = await tx.one<{ until: Date }>(
    `update fulfillment_orders set pickup_until = coalesce(pickup_until, $2::timestamptz + make_interval(days => (select pickup_keep_days from channels where id = $3)::int)) where id = $1 returning pickup_until "until"`, [fulfillmentOrderId, tx.now, order.channelId]);
  await tx.event(order.id, 'pickup.ready', actor, { fulfillmentOrder: encodeId('ful', fulfillmentOrderId), until: row?.until.toISOString() });
  await tx.wake(order.id);
}
