import type { Tx } from '../tx.ts';

/** The channel of sales at a shop's own tills, where the receipt names none. No channel has this id. */
export const TILL_CHANNEL = { id: 0, code: 'till' } as const;

/** Has the demand of receipts worked out anew, in the transaction that books or voids them: of the receipt by that number, and of returns of it, which belong to its day. */
export async function noteReceipt(tx: Tx, locationId: number, till: string, receiptNo: string): Promise<void> {
  await tx.query(
    `insert into demand_dirty select id from till_receipts where location_id = $1 and ((till = $2 and receipt_no = $3 and kind <> 'void') or (kind = 'return' and refers_to = $3)) order by id on conflict do nothing`,
    [locationId, till, receiptNo]);
}
