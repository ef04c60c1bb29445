import type { Tx } from '../tx.ts';
import type { StockWriter } from '../stock-writer.ts';

/** Confidences between 0 and 1; `settleAfterS`: seconds after the end within which the settlement waits for payments. */
export type DeclarationPolicy = { uncountedConfidence: number; supplyConfidence: number; settleAfterS: number };

const POLICY = 'select uncounted_confidence "uncountedConfidence", supply_confidence "supplyConfidence", settle_after_s "settleAfterS" from declaration_policy';

export async function readPolicy(db: Pick<Tx, 'one'>): Promise<DeclarationPolicy> {
  const policy = await db.one<DeclarationPolicy>(POLICY);
  if (!policy) throw new Error('declaration_policy has lost its one row: insert it again (see its migration)');
  return policy;
}

/** For declarations from now on; contracts given stay as they are. */
export async function setPolicy(writer: StockWriter, policy: DeclarationPolicy): Promise<DeclarationPolicy> {
  return writer.change(async (tx) => {
    await tx.query('update declaration_policy set uncounted_confidence = $1, supply_confidence = $2, settle_after_s = $3', [policy.uncountedConfidence, policy.supplyConfidence, policy.settleAfterS]);
    return readPolicy(tx);
  });
}
