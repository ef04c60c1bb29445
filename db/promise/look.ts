import type { Tx } from '../tx.ts';

/** News that may break a promise: it is looked at now, where its channel has a ladder. */
export async function lookAtPromise(tx: Tx, orderId: string): Promise<void> {
  await tx.query('update orders set promise_check_at = $2 where id = $1 and not promise_over', [orderId, tx.now]);
}
