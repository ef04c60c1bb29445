import { decodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import type { StockWriter } from '../stock-writer.ts';
import { lockOrder } from './order.ts';

/** `due → settled`: the money has been paid back under a reference. The same reference again changes nothing; another one is a `conflict`. */
export async function settleRefund(writer: StockWriter, refund: string, reference: string, actor: string): Promise<void> {
  await writer.change(async (tx) => {
    const id = decodeId('ref', refund);
    const head = id === null ? null : await tx.one<{ order_id: string }>('select order_id from refunds where id = $1', [id]);
    if (!head) throw new Problem('not_found', `refund "${refund}" does not exist`);
    await lockOrder(tx, head.order_id);
    const row = await tx.one<{ status: string; reference: string | null; amount: number; currency: string }>(
      'select status, settlement_reference reference, amount, currency from refunds where id = $1', [id]);
    if (row?.status === 'settled') {
      if (row.reference === reference) return;
      throw new Problem('conflict', `the refund is settled under another reference: "${row.reference ?? ''}"`, '/reference');
    }
    await tx.query(`update refunds set status = 'settled', settled_at = $2, settlement_reference = $3 where id = $1`, [id, tx.now, reference]);
    await tx.event(head.order_id, 'refund.settled', actor, { refund, amount: row?.amount, currency: row?.currency, reference });
  });
}
