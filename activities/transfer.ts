import { advanceTransfer } from '../db/transfers/advance.ts';
import type { TransferStatus } from '../domain/transfer/flow.ts';
import { uuidOf, type ActivityDeps } from './deps.ts';

/** `wakeAt`: when there is something to look at again, ISO 8601; null when the transfer is over. */
export type TransferProgress = { status: TransferStatus; wakeAt: string | null };

/** The one activity of `transfer/<id>`. */
export function createTransfers(deps: ActivityDeps) {
  return {
    /** Takes the steps that are due by themselves (lapse, warn, give up, close) and says when to look again. */
    async advanceTransfer({ transfer }: { transfer: string }): Promise<TransferProgress> {
      const { status, step } = await advanceTransfer(deps.writer, uuidOf('trf', transfer));
      return { status, wakeAt: step.do === 'wait' ? step.until : null };
    },
  };
}
