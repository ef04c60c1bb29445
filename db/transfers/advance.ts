import { nextTransferStep, type TransferStatus, type TransferStep } from '../../domain/transfer/flow.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import { cancelLocked } from './cancel.ts';
import { lockTransfer, transferEvent, type Transfer } from './transfer.ts';

/** Takes every step of a transfer that is due by itself, each in its own transaction and safe to repeat, and says what it waits for now. */
export async function advanceTransfer(writer: StockWriter, uuid: string): Promise<{ status: TransferStatus; step: Extract<TransferStep, { do: 'wait' | 'finish' }> }> {
  for (;;) {
    const { status, step } = await writer.change(async (tx) => {
      const transfer = await lockTransfer(tx, uuid);
      const next = nextTransferStep({
        status: transfer.status, decideBy: transfer.decideBy.toISOString(), shipBy: transfer.shipBy?.toISOString() ?? null, giveUpAt: transfer.giveUpAt?.toISOString() ?? null,
        expectedAt: transfer.expectedAt?.toISOString() ?? null, late: transfer.lateAt !== null, overdue: transfer.overdueAt !== null,
      }, tx.now.toISOString());
      await take(tx, transfer, next);
      return { status: transfer.status, step: next };
    });
    if (step.do === 'wait' || step.do === 'finish') return { status, step };
  }
}

async function take(tx: Tx, transfer: Transfer, step: TransferStep): Promise<void> {
  switch (step.do) {
    case 'lapse': return cancelLocked(tx, transfer, 'nobody approved it in time', 'system');
    case 'give_up': return cancelLocked(tx, transfer, 'it was not sent in time', 'system');
    case 'warn_late':
      await tx.query('update transfers set late_at = $2 where id = $1', [transfer.id, tx.now]);
      return transferEvent(tx, transfer.id, 'transfer.late', 'system', { shipBy: transfer.shipBy?.toISOString() ?? null });
    case 'warn_overdue':
      await tx.query('update transfers set overdue_at = $2 where id = $1', [transfer.id, tx.now]);
      return transferEvent(tx, transfer.id, 'transfer.overdue', 'system', { expectedAt: transfer.expectedAt?.toISOString() ?? null });
    case 'close':
      await tx.query(`update transfers set status = 'closed', ended_at = $2 where id = $1`, [transfer.id, tx.now]);
      return transferEvent(tx, transfer.id, 'transfer.closed', 'system');
    case 'wait':
    case 'finish':
  }
}
