import { Problem } from '../../domain/problem.ts';
import type { Network } from '../network.ts';
import { receiveSupply, type SupplyReceipt, type SupplyReceiptAnswer } from '../stock/supplies/receive.ts';
import type { StockWriter } from '../stock-writer.ts';
import { noSuchTransfer, supplyReference, type Who } from './transfer.ts';
import { encodeId } from '../../domain/ids.ts';

/**
 * What came of a transfer is booked in at the receiver, once a receipt's reference; with `final`, or when nothing is left to come, it is over. Too much, too little and
 * damaged are variances. Throws Problem.
 */
export async function receiveTransfer(writer: StockWriter, network: Network, uuid: string, receipt: SupplyReceipt, who: Who): Promise<SupplyReceiptAnswer> {
  const { rows: [transfer] } = await writer.pool.query<{ to: number; status: string; sent: boolean }>(
    'select to_location_id "to", status, supply_id is not null sent from transfers where id = $1 and ($2::int is null or $2 in (from_location_id, to_location_id))', [uuid, who.onlyLocation]);
  if (!transfer) throw noSuchTransfer(encodeId('trf', uuid));
  if (who.onlyLocation !== null && who.onlyLocation !== transfer.to) throw new Problem('forbidden', 'the receiving location does that');
  if (!transfer.sent) throw new Problem('conflict', `the transfer is ${transfer.status}: it has not left`);
  return receiveSupply(writer, network, supplyReference(uuid), receipt, who);
}
