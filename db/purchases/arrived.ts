import type { Tx } from '../tx.ts';
import { purchaseEvent } from './purchase.ts';

type Variance = { sku: string; kind: string; units: number };

/** A receipt of a supply has been booked in this transaction: the purchase order that it belongs to, if any, says so, and is over when nothing more comes. */
export async function purchaseArrived(tx: Tx, supplyId: number, receipt: { reference: string; units: number; variances: readonly Variance[]; over: boolean }, actor: string): Promise<void> {
  const row = await tx.one<{ id: string }>(`select id from purchase_orders where supply_id = $1 and status in ('sent', 'partly_received') for no key update`, [supplyId]);
  if (!row) return;
  await purchaseEvent(tx, row.id, 'purchase.receipt', actor, { receipt: receipt.reference, units: receipt.units, variances: receipt.variances.map(({ sku, kind, units }) => ({ sku, kind, units })) });
  if (!receipt.over) {
    await tx.query(`update purchase_orders set status = 'partly_received' where id = $1`, [row.id]);
    return;
  }
  await tx.query(`update purchase_orders set status = 'received', received_at = $2 where id = $1`, [row.id, tx.now]);
  await purchaseEvent(tx, row.id, 'purchase.received', actor);
}

/** Its supply was cancelled: nothing more comes. */
export async function purchaseCancelledWithSupply(tx: Tx, supplyId: number, actor: string): Promise<void> {
  const row = await tx.one<{ id: string }>(`update purchase_orders set status = 'cancelled', ended_at = $2 where supply_id = $1 and status in ('sent', 'partly_received') returning id`, [supplyId, tx.now]);
  if (row) await purchaseEvent(tx, row.id, 'purchase.cancelled', actor, { reason: 'its supply was cancelled' });
}

/** Its supply was given another date. */
export async function purchaseDated(tx: Tx, supplyId: number, expectedAt: Date, actor: string): Promise<void> {
  const row = await tx.one<{ id: string }>(`update purchase_orders set expected_at = $2 where supply_id = $1 and status in ('sent', 'partly_received') returning id`, [supplyId, expectedAt]);
  if (row) await purchaseEvent(tx, row.id, 'purchase.dated', actor, { expectedAt: expectedAt.toISOString() });
}
