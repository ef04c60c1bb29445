import type { Tx } from '../tx.ts';
import { transferEvent, wakeTransfer } from './transfer.ts';

type Variance = { sku: string; kind: string; units: number };

/** A receipt of a supply has been booked in this transaction: the transfer that it belongs to, if any, says so, and has arrived when nothing more comes. */
export async function transferArrived(tx: Tx, supplyId: number, receipt: { reference: string; units: number; variances: readonly Variance[]; over: boolean }, actor: string): Promise<void> {
  const row = await tx.one<{ id: string }>(`select id from transfers where supply_id = $1 and status = 'shipped' for no key update`, [supplyId]);
  if (!row) return;
  await transferEvent(tx, row.id, 'transfer.receipt', actor, { receipt: receipt.reference, units: receipt.units, variances: receipt.variances.map(({ sku, kind, units }) => ({ sku, kind, units })) });
  if (!receipt.over) return;
  await tx.query(`update transfers set status = 'received', received_at = $2 where id = $1`, [row.id, tx.now]);
  await transferEvent(tx, row.id, 'transfer.received', actor);
  await wakeTransfer(tx, row.id);
}

/** The supply was cancelled on its way and its units are the sender's again: so is the transfer. */
export async function transferReturned(tx: Tx, supplyId: number, units: number, actor: string): Promise<void> {
  const row = await tx.one<{ id: string }>(`update transfers set status = 'cancelled', ended_at = $2 where supply_id = $1 and status = 'shipped' returning id`, [supplyId, tx.now]);
  if (!row) return;
  await transferEvent(tx, row.id, 'transfer.cancelled', actor, { reason: 'its supply was cancelled on its way', units });
  await wakeTransfer(tx, row.id);
}

/** Its supply was given another date. */
export async function transferDated(tx: Tx, supplyId: number, expectedAt: Date, actor: string): Promise<void> {
  const row = await tx.one<{ id: string }>(`update transfers set expected_at = $2, overdue_at = null where supply_id = $1 and status = 'shipped' returning id`, [supplyId, expectedAt]);
  if (!row) return;
  await transferEvent(tx, row.id, 'transfer.dated', actor, { expectedAt: expectedAt.toISOString() });
  await wakeTransfer(tx, row.id);
}
