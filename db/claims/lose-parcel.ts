import { encodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import { refundForUnits } from '../../domain/returns/refund.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import { lockOrder, readLines, refreshStatus, type Order } from '../orders/order.ts';
import { settleRequest } from '../orders/settle-request.ts';
import { raiseException } from '../carriers/exceptions.ts';
import { tellMilestone } from '../carriers/milestone-messages.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import { claimId } from './claim-id.ts';
import { refundLost } from './refund-lost.ts';

/**
 * What follows when a parcel has become lost: a claim on its carrier, and the refund where one has been asked for. Call under the order's lock,
 * after the milestone is written; the caller settles the refund request and refreshes the status.
 */
export async function parcelLost(tx: Tx, order: Order, parcel: { id: string; carrier: string; waybillNo: string }, actor: string, reason?: string): Promise<void> {
  const { id: parcelId, carrier } = parcel;
  const id = uuidv7();
  const amount = await goodsNet(tx, order, parcelId);
  const opened = await tx.query(
    `insert into claims (id, parcel_id, order_id, kind, carrier, amount, opened_at) values ($1, $2, $3, 'lost', $4, $5, $6)
     on conflict (parcel_id, kind) where status <> 'rejected' do nothing returning 1`, [id, parcelId, order.id, carrier, amount, tx.now]);
  if (opened.length > 0) {
    await tx.event(order.id, 'claim.opened', actor, { claim: claimId(id), parcel: encodeId('par', parcelId), kind: 'lost', carrier, amount, currency: order.currency });
  }
  await raiseException(tx, order, parcel, 'lost', reason ?? 'the carrier has lost it', actor);
  if (await tx.one('select 1 from refund_requests where order_id = $1 and closed_at is null', [order.id])) await refundLost(tx, order, actor);
}

/**
 * List price less discounts of a parcel's units, without freight, minor units. The units of a line are counted through its parcels, so that the values
 * of all parcels add up to the line's to the minor unit.
 */
async function goodsNet(tx: Tx, order: Order, parcelId: string): Promise<number> {
  const packed = await tx.query<{ line_no: number; quantity: number; before: number }>(
    `select l.line_no, l.quantity, coalesce((select sum(e.quantity) from parcel_lines e join parcels p on p.id = e.parcel_id
       where p.order_id = $2 and e.line_no = l.line_no and p.id < l.parcel_id), 0)::int before
     from parcel_lines l where l.parcel_id = $1`, [parcelId, order.id]);
  const lines = new Map((await readLines(tx.client, order.id)).map((l) => [l.lineNo, l]));
  return packed.reduce((sum, p) => {
    const line = lines.get(p.line_no);
    return sum + (line ? refundForUnits(line.priced, p.before, p.quantity, { freight: false }).amount : 0);
  }, 0);
}

/**
 * An operator says that a parcel is lost. What was lost before stays as it was; what has arrived or come back cannot be lost (`conflict`).
 * Throws Problem not_found.
 */
export async function reportLost(writer: StockWriter, parcelId: string, reason: string, actor: string): Promise<void> {
  await writer.change(async (tx) => {
    const head = await tx.one<{ order_id: string }>('select order_id from parcels where id = $1', [parcelId]);
    if (!head) throw new Problem('not_found', `parcel "${encodeId('par', parcelId)}" does not exist`);
    const order = await lockOrder(tx, head.order_id);
    const parcel = await tx.one<{ milestone: string; carrier: string; waybill_no: string }>('select milestone, carrier, waybill_no from parcels where id = $1', [parcelId]);
    if (!parcel || parcel.milestone === 'lost') return;
    if (parcel.milestone === 'delivered' || parcel.milestone === 'returned') throw new Problem('conflict', `the parcel is ${parcel.milestone}: it cannot be lost`);
    await tx.query(`update parcels set milestone = 'lost', milestone_at = $2 where id = $1`, [parcelId, tx.now]);
    await tx.event(order.id, 'parcel.lost', actor, { parcel: encodeId('par', parcelId), carrier: parcel.carrier, waybillNo: parcel.waybill_no, at: tx.now.toISOString(), reason });
    await parcelLost(tx, order, { id: parcelId, carrier: parcel.carrier, waybillNo: parcel.waybill_no }, actor, reason);
    await tellMilestone(tx, order, { id: parcelId, carrier: parcel.carrier, waybillNo: parcel.waybill_no }, 'lost');
    await settleRequest(tx, order.id);
    await refreshStatus(tx, order, actor);
    await tx.wake(order.id, order.shipBy);
  });
}
