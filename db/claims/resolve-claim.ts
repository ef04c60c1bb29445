import { Problem } from '../../domain/problem.ts';
import { lockOrder } from '../orders/order.ts';
import type { StockWriter } from '../stock-writer.ts';
import { claimId, claimUuid } from './claim-id.ts';

export type Resolution = { outcome: 'accepted' | 'rejected'; amount?: number; note?: string };

/**
 * `open → accepted | rejected`: what the carrier answered, and what it pays (without `amount`: what was claimed). Said once: the same outcome and amount
 * again change nothing, others are a `conflict`. The first note stays. Throws Problem not_found.
 */
export async function resolveClaim(writer: StockWriter, claim: string, { outcome, amount, note }: Resolution, actor: string): Promise<void> {
  if (outcome === 'rejected' && amount !== undefined) throw new Problem('unprocessable', 'a rejected claim pays nothing: leave the amount out', '/amount');
  await writer.change(async (tx) => {
    const id = claimUuid(claim);
    const head = id === null ? null : await tx.one<{ order_id: string }>('select order_id from claims where id = $1', [id]);
    if (id === null || !head) throw new Problem('not_found', `claim "${claim}" does not exist`);
    const order = await lockOrder(tx, head.order_id);
    const row = await tx.one<{ status: string; amount: number; settled_amount: number | null }>('select status, amount, settled_amount from claims where id = $1', [id]);
    if (!row) throw new Error(`claim ${id} is gone`);
    const settled = outcome === 'accepted' ? amount ?? row.amount : null;
    if (row.status !== 'open') {
      if (row.status === outcome && row.settled_amount === settled) return;
      throw new Problem('conflict', `the claim is ${row.status}${row.settled_amount === null ? '' : ` with ${row.settled_amount}`}: that is final`, row.status === outcome ? '/amount' : '/outcome');
    }
    await tx.query('update claims set status = $2, settled_amount = $3, closed_at = $4, note = $5 where id = $1', [id, outcome, settled, tx.now, note ?? null]);
    await tx.event(order.id, `claim.${outcome}`, actor, { claim: claimId(id), ...(settled === null ? {} : { amount: settled, currency: order.currency }) });
  });
}
