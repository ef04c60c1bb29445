import { Problem } from '../../domain/problem.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import { sendHome } from './aside.ts';
import { lockTransfer, transferEvent, wakeTransfer, type Transfer, type Who } from './transfer.ts';

/** Cancels a transfer that has not left: its units are free again at the sender. Again: no change. Throws Problem conflict once it has left. */
export async function cancelTransfer(writer: StockWriter, uuid: string, reason: string, who: Who): Promise<void> {
  await writer.change(async (tx) => {
    const transfer = await lockTransfer(tx, uuid, who.onlyLocation);
    if (transfer.status === 'cancelled') return;
    // A location may withdraw what it has proposed itself; what was approved is the head office's.
    if (who.onlyLocation !== null && (transfer.status !== 'proposed' || who.onlyLocation !== transfer.toLocationId)) throw new Problem('forbidden', 'this key is bound to a location: the head office cancels transfers that were approved');
    if (transfer.supplyId !== null) throw new Problem('conflict', 'the transfer has left: receive what came, or cancel its supply');
    await cancelLocked(tx, transfer, reason, who.actor);
    await wakeTransfer(tx, uuid);
  });
}

/** A locked transfer that has not left. */
export async function cancelLocked(tx: Tx, transfer: Transfer, reason: string, actor: string): Promise<void> {
  const units = await sendHome(tx, transfer.id, transfer.orderId, 'transfer_cancelled');
  await tx.query(`update transfers set status = 'cancelled', ended_at = $2 where id = $1`, [transfer.id, tx.now]);
  await transferEvent(tx, transfer.id, 'transfer.cancelled', actor, { reason, units });
  // Somebody else is to bring it.
  if (transfer.orderId !== null) await tx.wake(transfer.orderId);
}
