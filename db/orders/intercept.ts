import { encodeId } from '../../domain/ids.ts';
import { TERMINAL } from '../../domain/order/status.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import { lockOrder } from './order.ts';

/** Notes that carriers are to be asked to turn round parcels of an order (null: all), where they are on their way and were not asked before. Returns which. Under the order's lock. */
export async function askToTurnRound(tx: Tx, orderId: string, parcelIds: readonly string[] | null): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `update parcels set intercept_requested_at = $3 where order_id = $1 and ($2::uuid[] is null or id = any($2::uuid[])) and milestone not in ('delivered', 'returned', 'lost') and intercept_requested_at is null returning id`,
    [orderId, parcelIds, tx.now]);
  return rows.map((r) => r.id);
}

/** Has carriers asked to turn round parcels of an order, where they are on their way and were not asked before: what comes back is a return. The rest of the order goes on. */
export async function interceptParcels(writer: StockWriter, orderId: string, parcelIds: readonly string[], actor: string): Promise<void> {
  if (parcelIds.length === 0) return;
  await writer.change(async (tx) => {
    const order = await lockOrder(tx, orderId);
    if (TERMINAL.has(order.status)) return;
    const asked = await askToTurnRound(tx, orderId, parcelIds);
    for (const id of asked) await tx.event(orderId, 'parcel.intercept_requested', actor, { parcel: encodeId('par', id) });
    if (asked.length > 0) await tx.wake(orderId);
  });
}
