import { encodeId } from '../../domain/ids.ts';
import type { StockWriter } from '../stock-writer.ts';
import { endLeases } from './end-leases.ts';
import { lockLease, noSuchLease, readLease, refuseEnded, type LeaseView } from './lease.ts';
import { Problem } from '../../domain/problem.ts';

/** A lease expires this many seconds from now, instead of when it did. Throws Problem `conflict` once it has ended or is due. */
export async function extendLease(writer: StockWriter, id: string, expiresInS: number): Promise<LeaseView> {
  return writer.change(async (tx) => {
    const lease = await lockLease(tx, id);
    if (!lease) throw noSuchLease(encodeId('res', id));
    refuseEnded(lease, tx.now);
    const expiresAt = new Date(tx.now.getTime() + expiresInS * 1000);
    await tx.query('update leases set expires_at = $2 where id = $1', [id, expiresAt]);
    await tx.query(`update reservations set expires_at = $2 where order_id = $1 and status = 'held'`, [id, expiresAt]);
    return readLease(tx.client, id);
  });
}

/** Gives a lease's units back. One that has been released or has expired stays as it is; throws Problem `conflict` when an order has its units. */
export async function releaseLease(writer: StockWriter, id: string): Promise<LeaseView> {
  return writer.change(async (tx) => {
    const lease = await lockLease(tx, id);
    if (!lease) throw noSuchLease(encodeId('res', id));
    if (lease.orderId !== null) throw new Problem('conflict', `order ${encodeId('ord', lease.orderId)} has its units: cancel that instead`);
    if (lease.status === 'active') await endLeases(tx, [id], 'released');
    return readLease(tx.client, id);
  });
}
