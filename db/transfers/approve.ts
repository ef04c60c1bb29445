import { Problem } from '../../domain/problem.ts';
import { ensureLevels } from '../ledger.ts';
import type { StockWriter } from '../stock-writer.ts';
import { takeFromSource } from '../stock/supplies/announce.ts';
import type { Tx } from '../tx.ts';
import { readTransferPolicy } from './policy.ts';
import { lockTransfer, SET_ASIDE, transferEvent, wakeTransfer, type Transfer, type Who } from './transfer.ts';

/** Approves a proposal: its units are set aside at the sender. Again: no change. Throws Problem `insufficient_stock` with the line at fault, `conflict` where it was cancelled. */
export async function approveTransfer(writer: StockWriter, uuid: string, who: Who): Promise<void> {
  await writer.change(async (tx) => {
    const transfer = await lockTransfer(tx, uuid, who.onlyLocation);
    if (who.onlyLocation !== null) throw new Problem('forbidden', 'this key is bound to a location: the head office approves transfers');
    if (transfer.status === 'cancelled') throw new Problem('conflict', 'the transfer was cancelled');
    if (transfer.status !== 'proposed') return;
    await approveLocked(tx, transfer, who.actor);
    await wakeTransfer(tx, uuid);
  });
}

/** A locked proposal: free units of the shared stock, first expired first, are moved to the holders of what is set aside; all or nothing. Buffers stay. */
export async function approveLocked(tx: Tx, transfer: Transfer, actor: string): Promise<void> {
  if (transfer.decideBy <= tx.now) throw new Problem('conflict', `the proposal lapsed at ${transfer.decideBy.toISOString()}: make a new one`);
  const lines = await tx.query<{ line: number; skuId: number; sku: string; quantity: number }>(
    'select n.line_no line, n.sku_id "skuId", k.code sku, n.quantity from transfer_lines n join skus k on k.id = n.sku_id where n.transfer_id = $1 order by n.line_no', [transfer.id]);
  const parts = await takeFromSource(tx, transfer.fromLocationId, lines.map((l) => ({ known: { id: l.skuId }, sku: l.sku, quantity: l.quantity })));
  const aside = await ensureLevels(tx.client, parts.map((p) => ({ locationId: transfer.fromLocationId, skuId: p.skuId, condition: 'sellable', lotId: p.lotId, allotmentId: SET_ASIDE })));
  await tx.post('transfer_set_aside', transfer.orderId, parts.flatMap((p, i) => [{ levelId: p.fromLevelId, onHand: -p.units, reserved: 0 }, { levelId: aside[i] as number, onHand: p.units, reserved: 0 }]));
  const lineOf = new Map(lines.map((l) => [l.skuId, l.line]));
  await tx.query(
    'insert into transfer_parts (transfer_id, line_no, home_level_id, level_id, lot_id, units) select $1, * from unnest($2::int[], $3::bigint[], $4::bigint[], $5::int[], $6::int[])',
    [transfer.id, parts.map((p) => lineOf.get(p.skuId)), parts.map((p) => p.fromLevelId), aside, parts.map((p) => p.lotId), parts.map((p) => p.units)]);
  const policy = await readTransferPolicy(tx);
  const after = (seconds: number): Date => new Date(tx.now.getTime() + seconds * 1000);
  await tx.query(`update transfers set status = 'approved', approved_at = $2, ship_by = $3, give_up_at = $4 where id = $1`, [transfer.id, tx.now, after(policy.shipWithinS), after(policy.giveUpAfterS)]);
  await transferEvent(tx, transfer.id, 'transfer.approved', actor, { units: parts.reduce((sum, p) => sum + p.units, 0) });
}
