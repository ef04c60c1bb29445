import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';

/** Seconds: until a proposal lapses; from the approval until it should have left, and until its units are free again; on the way, where a transfer does not say. */
export type TransferPolicy = { decideWithinS: number; shipWithinS: number; giveUpAfterS: number; transitS: number };

export async function readTransferPolicy(tx: Pick<Tx, 'one'>): Promise<TransferPolicy> {
  const policy = await tx.one<TransferPolicy>('select decide_within_s "decideWithinS", ship_within_s "shipWithinS", give_up_after_s "giveUpAfterS", transit_s "transitS" from transfer_policy');
  if (!policy) throw new Error('transfer_policy has lost its one row: insert it again (see its migration)');
  return policy;
}

/** For transfers that are proposed, and approvals that are given, from now on. */
export async function setTransferPolicy(writer: StockWriter, policy: TransferPolicy): Promise<TransferPolicy> {
  return writer.change(async (tx) => {
    await tx.query('update transfer_policy set decide_within_s = $1, ship_within_s = $2, give_up_after_s = $3, transit_s = $4', [policy.decideWithinS, policy.shipWithinS, policy.giveUpAfterS, policy.transitS]);
    return readTransferPolicy(tx);
  });
}
