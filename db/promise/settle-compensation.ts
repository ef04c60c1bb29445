import { Problem } from '../../domain/problem.ts';
import { lockOrder } from '../orders/order.ts';
import type { StockWriter } from '../stock-writer.ts';

/** A compensation was paid out, or its voucher sent. The same reference again changes nothing. Throws Problem: `not_found` where none is owed, `conflict` where it was settled under another reference, or is not owed any more. */
export async function settleCompensation(writer: StockWriter, orderId: string, reference: string, actor: string): Promise<void> {
  await writer.change(async (tx) => {
    const order = await lockOrder(tx, orderId);
    const row = await tx.one<{ status: string; reference: string | null }>('select status, settlement_reference reference from compensations where order_id = $1', [orderId]);
    if (!row) throw new Problem('not_found', 'no compensation is owed for this order');
    if (row.status === 'settled') {
      if (row.reference === reference) return;
      throw new Problem('conflict', `it was settled as "${row.reference ?? ''}"`, '/reference');
    }
    if (row.status === 'void') throw new Problem('conflict', 'nothing is owed any more: the goods came in time');
    await tx.query(`update compensations set status = 'settled', settled_at = $2, settlement_reference = $3 where order_id = $1`, [orderId, tx.now, reference]);
    await tx.event(order.id, 'promise.compensation_settled', actor, { reference });
  });
}
