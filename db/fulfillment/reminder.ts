import type pg from 'pg';
import { encodeId } from '../../domain/ids.ts';
import { afterOpen } from '../../domain/promising/hours.ts';
import type { Channel, Location, Network } from '../network.ts';
import { lockOrder, readFulfillments, type FulfillmentOrder, type Order } from '../orders/order.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';

/** Seconds of its opening hours to accept, and from the reminder until the order goes elsewhere: the channel's, else the location's; without a second time, as long as the first. */
export function patience(channel: Pick<Channel, 'acceptTimeoutS' | 'rerouteAfterS'> | undefined, location: Pick<Location, 'acceptTimeoutS' | 'rerouteAfterS'>): { acceptS: number; rerouteS: number } {
  const acceptS = channel?.acceptTimeoutS ?? location.acceptTimeoutS;
  return { acceptS, rerouteS: channel?.rerouteAfterS ?? location.rerouteAfterS ?? acceptS };
}

/** Writes that a location is to be reminded, once; the call itself is the workflow's next step. One that works by hand sees it in its list, one that could not be reached knows of nothing. */
export async function remind(tx: Tx, network: Network, order: Order, f: FulfillmentOrder): Promise<void> {
  const location = network.locationById.get(f.locationId);
  if (!location) throw new Error(`location ${f.locationId} is not in the network yet`);
  const rerouteAt = afterOpen(location, tx.now, patience(network.channelById.get(order.channelId), location).rerouteS * 1000);
  const reminder = f.status === 'releasing' ? 'unreachable' : location.partnerUrl === null ? 'by_hand' : 'due';
  await tx.query('update fulfillment_orders set escalated_at = $2, reroute_at = $3, reminder = $4 where id = $1', [f.id, tx.now, rerouteAt, reminder]);
  await tx.event(order.id, 'fulfillment.reminded', 'system', { fulfillmentOrder: encodeId('ful', f.id), location: location.code, rerouteAt: rerouteAt.toISOString(), reason: 'neither accepted nor rejected in time' });
  await tx.wake(order.id, order.shipBy);
}

/** Whom to remind and until when it has time; null when that is done, or not needed any more. */
export async function reminderTarget(pool: pg.Pool, network: Network, fulfillmentOrderId: string): Promise<{ location: Location; rerouteAt: Date } | null> {
  const { rows: [row] } = await pool.query<{ location_id: number; reroute_at: Date }>(
    `select location_id, reroute_at from fulfillment_orders where id = $1 and reminder = 'due' and status = 'released' and cancel_requested_at is null`, [fulfillmentOrderId]);
  const location = row && network.locationById.get(row.location_id);
  return row && location ? { location, rerouteAt: row.reroute_at } : null;
}

/** What came of the call. */
export async function recordReminder(writer: StockWriter, orderId: string, fulfillmentOrderId: string, outcome: 'told' | 'unsupported' | 'unreachable'): Promise<void> {
  await writer.change(async (tx) => {
    await lockOrder(tx, orderId);
    const f = (await readFulfillments(tx.client, orderId)).find((x) => x.id === fulfillmentOrderId);
    if (f) await tx.query(`update fulfillment_orders set reminder = $2 where id = $1 and reminder = 'due'`, [f.id, outcome]);
  });
}
