import { Problem } from '../../domain/problem.ts';
import { encodeId } from '../../domain/ids.ts';
import { TERMINAL, VOID } from '../../domain/order/status.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import type pg from 'pg';
import { refundLost } from '../claims/refund-lost.ts';
import type { StockWriter } from '../stock-writer.ts';
import { cancelUnissued } from './cancel-order.ts';
import { askToTurnRound } from './intercept.ts';
import { lockOrder, readFulfillments, refreshStatus } from './order.ts';

export type RefundRequestAnswer = { id: string; status: 'refunded' | 'intercepting' | 'awaiting_return'; cancelledUnits: number };

/**
 * A buyer wants the money back. What has not left is cancelled in this transaction: from its commit on, a goods issue is refused. What is
 * on its way is intercepted at the carrier; what has arrived must come back as a return; what is lost is refunded now. One open request an order.
 */
export async function requestRefund(writer: StockWriter, orderId: string, reason: string, actor: string): Promise<RefundRequestAnswer> {
  return writer.change(async (tx) => {
    const order = await lockOrder(tx, orderId);
    const open = await tx.one<{ id: string; status: 'intercepting' | 'intercepted' | 'awaiting_return' }>(
      'select id, status from refund_requests where order_id = $1 and closed_at is null', [orderId]);
    if (open) return { id: encodeId('rrq', open.id), status: open.status === 'awaiting_return' ? open.status : 'intercepting', cancelledUnits: 0 };
    if (TERMINAL.has(order.status)) throw new Problem('conflict', `the order is ${order.status}: nothing is left to refund this way; a return can still be requested where goods arrived`);
    const id = uuidv7();
    const living = (await readFulfillments(tx.client, orderId)).filter((f) => !VOID.has(f.status));
    const moving = await askToTurnRound(tx, orderId, null);
    const there = await tx.one('select 1 from parcels where order_id = $1 and milestone <> $2 limit 1', [orderId, 'lost']);
    if (!there && living.length > 0 && living.every((f) => f.status === 'lost')) throw new Problem('conflict', 'everything of the order was lost and has been refunded');
    const status = moving.length > 0 ? 'intercepting' : there ? 'awaiting_return' : 'refunded';
    await tx.query('insert into refund_requests (id, order_id, status, reason, requested_at, requested_by, closed_at) values ($1, $2, $3, $4, $5, $6, $7)',
      [id, orderId, status, reason, tx.now, actor, status === 'refunded' ? tx.now : null]);
    await tx.event(orderId, 'refund.requested', actor, { request: encodeId('rrq', id), outcome: status });
    await refundLost(tx, order, actor);
    const cancelledUnits = await cancelUnissued(tx, order, 'refund requested before goods issue', actor, 'refund_request', id);
    await refreshStatus(tx, order, actor);
    await tx.wake(orderId);
    return { id: encodeId('rrq', id), status, cancelledUnits };
  });
}

/** The parcel to turn round; null when the carrier has answered. */
export async function interceptTarget(pool: pg.Pool, parcelId: string): Promise<{ carrier: string; waybillNo: string } | null> {
  const { rows: [row] } = await pool.query<{ carrier: string; waybillNo: string }>(
    `select carrier, waybill_no "waybillNo" from parcels where id = $1 and intercept_requested_at is not null and intercept_outcome is null`, [parcelId]);
  return row ?? null;
}

/** A carrier's answer to an interception. `accepted`: the parcel turns round and comes as a return; else the buyer must send it back. */
export async function recordIntercept(writer: StockWriter, parcelId: string, outcome: 'accepted' | 'refused' | 'unreachable', reason: string | null): Promise<void> {
  await writer.change(async (tx) => {
    const row = await tx.one<{ order_id: string }>('select order_id from parcels where id = $1', [parcelId]);
    if (!row) throw new Problem('not_found', 'this parcel does not exist');
    const order = await lockOrder(tx, row.order_id);
    const written = await tx.query('update parcels set intercept_outcome = $2 where id = $1 and intercept_outcome is null returning 1', [parcelId, outcome]);
    if (written.length === 0) return;
    await tx.event(order.id, outcome === 'accepted' ? 'parcel.intercepted' : 'parcel.intercept_refused', 'system', { parcel: encodeId('par', parcelId), reason });
    await tx.query(
      `update refund_requests set status = case when exists (select from parcels where order_id = $1 and intercept_outcome = 'accepted' and milestone not in ('delivered', 'lost')) then 'intercepted' else 'awaiting_return' end
       where order_id = $1 and closed_at is null`, [order.id]);
  });
}

