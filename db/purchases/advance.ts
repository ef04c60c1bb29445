import { Problem } from '../../domain/problem.ts';
import { mayPurchase, type PurchaseStatus } from '../../domain/purchase/flow.ts';
import type { Network } from '../network.ts';
import { announceIn } from '../stock/supplies/announce.ts';
import { cancelSupply } from '../stock/supplies/cancel.ts';
import { receiveSupply, type SupplyReceipt, type SupplyReceiptAnswer } from '../stock/supplies/receive.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import { lockPurchase, noSuchPurchase, purchaseEvent, purchaseSupply, type Purchase, type Who } from './purchase.ts';
import { encodeId } from '../../domain/ids.ts';

function step(purchase: Purchase, to: PurchaseStatus): void {
  if (!mayPurchase(purchase.status, to)) throw new Problem('conflict', `the purchase order is ${purchase.status}: it cannot become ${to}`);
}

/** Again: no change. */
export async function approvePurchase(writer: StockWriter, uuid: string, who: Who): Promise<void> {
  await writer.change(async (tx) => {
    const purchase = await lockPurchase(tx, uuid);
    if (purchase.status !== 'proposed' && purchase.status !== 'cancelled') return;
    await approveLocked(tx, purchase, who.actor);
  });
}

export async function approveLocked(tx: Tx, purchase: Purchase, actor: string): Promise<void> {
  step(purchase, 'approved');
  await tx.query(`update purchase_orders set status = 'approved', approved_at = $2, approved_by = $3 where id = $1`, [purchase.id, tx.now, actor]);
  await purchaseEvent(tx, purchase.id, 'purchase.approved', actor);
}

/** It goes to the vendor: from this commit on its units are a supply with a date, sellable by channels whose horizon reaches it. Again: no change. */
export async function sendPurchase(writer: StockWriter, network: Network, uuid: string, expectedAt: string | null, who: Who): Promise<void> {
  const { rows } = await writer.pool.query<{ code: string }>('select k.code from purchase_order_lines l join skus k on k.id = l.sku_id where l.purchase_id = $1', [uuid]);
  await network.loadSkus(rows.map((r) => r.code));
  await writer.change(async (tx) => {
    const purchase = await lockPurchase(tx, uuid);
    if (purchase.supplyId !== null) return;
    await sendLocked(tx, network, purchase, expectedAt, who.actor);
  });
}

/** `expectedAt` null: after the vendor's lead time. */
export async function sendLocked(tx: Tx, network: Network, purchase: Purchase, expectedAt: string | null, actor: string): Promise<void> {
  step(purchase, 'sent');
  const vendor = await tx.one<{ lead_days: number }>('select lead_days from vendors where code = $1', [purchase.vendor]);
  // A vendor that delivers the same day still takes some hours.
  const at = expectedAt ?? new Date(tx.now.getTime() + Math.max(0.25, vendor?.lead_days ?? 1) * 86_400_000).toISOString();
  const lines = await tx.query<{ sku: string; quantity: number }>('select k.code sku, l.quantity from purchase_order_lines l join skus k on k.id = l.sku_id where l.purchase_id = $1 order by l.line_no', [purchase.id]);
  const reference = purchaseSupply(purchase.id);
  await announceIn(tx, network, { reference, kind: 'purchase_order', location: network.locationById.get(purchase.locationId)?.code ?? '', expectedAt: at, lines }, actor);
  await tx.query(`update purchase_orders set status = 'sent', sent_at = $2, expected_at = $3, supply_id = (select id from supplies where reference = $4) where id = $1`, [purchase.id, tx.now, at, reference]);
  await purchaseEvent(tx, purchase.id, 'purchase.sent', actor, { supply: reference, expectedAt: at });
}

/** Cancels an order; one that was sent is cancelled with its supply, whose orders find other units or are short. Again: no change. */
export async function cancelPurchase(writer: StockWriter, network: Network, uuid: string, reason: string, who: Who): Promise<void> {
  const sent = await writer.change(async (tx) => {
    const purchase = await lockPurchase(tx, uuid);
    if (purchase.status === 'cancelled') return false;
    step(purchase, 'cancelled');
    if (purchase.supplyId !== null) {
      await purchaseEvent(tx, uuid, 'purchase.cancel_requested', who.actor, { reason });
      return true;
    }
    await tx.query(`update purchase_orders set status = 'cancelled', ended_at = $2 where id = $1`, [uuid, tx.now]);
    await purchaseEvent(tx, uuid, 'purchase.cancelled', who.actor, { reason });
    return false;
  });
  if (sent) await cancelSupply(writer, network, purchaseSupply(uuid), who.actor);
}

/** What came of a purchase order, once a receipt's reference; too much, too little and damaged are variances. Throws Problem. */
export async function receivePurchase(writer: StockWriter, network: Network, uuid: string, receipt: SupplyReceipt, who: Who): Promise<SupplyReceiptAnswer> {
  const { rows: [row] } = await writer.pool.query<{ sent: boolean; status: string; at: number }>('select supply_id is not null sent, status, location_id "at" from purchase_orders where id = $1', [uuid]);
  if (!row || (who.onlyLocation !== null && who.onlyLocation !== row.at)) throw noSuchPurchase(encodeId('pur', uuid));
  if (!row.sent) throw new Problem('conflict', `the purchase order is ${row.status}: it has not been sent`);
  return receiveSupply(writer, network, purchaseSupply(uuid), receipt, who);
}

/** Received and settled with the vendor: nothing is left to do. Again: no change. */
export async function closePurchase(writer: StockWriter, uuid: string, who: Who): Promise<void> {
  await writer.change(async (tx) => {
    const purchase = await lockPurchase(tx, uuid);
    if (purchase.status === 'closed') return;
    step(purchase, 'closed');
    await tx.query(`update purchase_orders set status = 'closed', ended_at = $2 where id = $1`, [uuid, tx.now]);
    await purchaseEvent(tx, uuid, 'purchase.closed', who.actor);
  });
}
