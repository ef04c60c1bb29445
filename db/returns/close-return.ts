import { offsetFound } from '../claims/refund-lost.ts';
import { ensureLevels } from '../ledger.ts';
import { deriveOrder } from '../orders/derive-order.ts';
import { readLines, refreshStatus } from '../orders/order.ts';
import { bookRefund } from '../orders/refunds.ts';
import { closeRequest } from '../orders/settle-request.ts';
import { bookReturn } from '../settlement/book.ts';
import type { StockWriter } from '../stock-writer.ts';
import { restockInto } from './restock.ts';
import { lockReturn, returnLines } from './returns.ts';

/**
 * `inspected → closed`: what came back is put on stock under its condition, sellable units where they came from (thrown-away units are
 * never stock again), and the accepted units are refunded. An exchange owes goods instead of money. Units that were refunded before, when their parcel
 * was lost, are owed nothing. The return's id is the command id: a repetition posts and pays nothing.
 */
export async function closeReturn(writer: StockWriter, rma: string, backorderWindowS: (channelId: number) => number): Promise<void> {
  await writer.change(async (tx) => {
    const { order, row } = await lockReturn(tx, rma);
    if (row.status !== 'inspected' || row.locationId === null) return;
    const lines = (await returnLines(tx, row.id)).filter((l) => l.received > 0);
    const orderLines = await readLines(tx.client, order.id);
    const kept = lines.flatMap((l) => {
      const line = orderLines.find((o) => o.lineNo === l.line);
      return !line || line.skuId === null || l.disposition === 'dispose' ? [] : [{ lineNo: l.line, skuId: line.skuId, units: l.received, before: line.returned, restock: l.disposition === 'restock' }];
    });
    const back = [
      ...(await restockInto(tx, order.id, kept.filter((k) => k.restock))).map((b) => ({ ...b, condition: 'sellable' })),
      ...kept.filter((k) => !k.restock).map((k) => ({ skuId: k.skuId, units: k.units, allotmentId: 0, condition: 'damaged' })),
    ];
    const levels = await ensureLevels(tx.client, back.map((b) => ({ locationId: row.locationId as number, skuId: b.skuId, condition: b.condition, lotId: 0, allotmentId: b.allotmentId })));
    await tx.post('return', order.id, back.map((b, i) => ({ levelId: levels[i] as number, onHand: b.units, reserved: 0 })), row.id);
    for (const l of lines) {
      await tx.query('update order_lines set returned_quantity = returned_quantity + $3 where order_id = $1 and line_no = $2', [order.id, l.line, l.received]);
    }
    await bookReturn(tx, order, row.locationId, row.id, new Map(kept.filter((k) => k.restock).map((k) => [k.lineNo, k.units])));
    await tx.query(`update returns set status = 'closed', closed_at = $2 where id = $1`, [row.id, tx.now]);
    const paid = await offsetFound(tx, order.id, new Map(lines.map((l) => [l.line, l.received])));
    const accepted = new Map(lines.map((l) => [l.line, Math.max(0, l.accepted - (paid.get(l.line) ?? 0))]));
    if (row.kind === 'refund') {
      await bookRefund(tx, order, orderLines, accepted, 'return', row.id, 'system');
      await closeRequest(tx, order.id);
    }
    if (row.kind === 'exchange') {
      const owed = orderLines.flatMap((o) => {
        const quantity = accepted.get(o.lineNo) ?? 0;
        return o.skuId !== null && quantity > 0 ? [{ skuId: o.skuId, skuCode: o.skuCode, quantity }] : [];
      });
      const exchange = owed.length > 0 ? await deriveOrder(tx, order, rma, owed, backorderWindowS(order.channelId), 'system') : null;
      await tx.query('update returns set exchange_order_id = $2 where id = $1', [row.id, exchange]);
    }
    await tx.event(order.id, 'return.closed', 'system', { return: rma, kind: row.kind });
    await refreshStatus(tx, order, 'system');
  });
}
