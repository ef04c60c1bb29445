import { Problem } from '../../../domain/problem.ts';
import type { Network, Sku } from '../../network.ts';
import type { Tx } from '../../tx.ts';
import { readLines } from '../order.ts';
import { liveReservations, openShortages, releaseReservations } from '../reservations.ts';
import { forgetWishes } from '../wishes.ts';
import { lockChangeable, recheck, releaseMendedHold } from './guard.ts';

async function skuOf(network: Network, code: string): Promise<Sku> {
  await network.loadSkus([code]);
  const sku = network.knownSku(code);
  if (!sku?.active) throw new Problem('unknown_sku', `SKU "${code}" is not known or not active`, '/params/sku');
  if (network.components(sku.id).length > 0) throw new Problem('unprocessable', `SKU "${code}" is a bundle: name its components`, '/params/sku');
  return sku;
}

const deadlineOf = (tx: Tx, network: Network, channelId: number): Date => new Date(tx.now.getTime() + (network.channelById.get(channelId)?.backorderWindowS ?? 604_800) * 1000);

/**
 * Another SKU for a line, at the line's price: the old units are given back, the new ones reserved by the workflow. It also mends a line
 * whose SKU was not known; with the last of them the hold for it is released.
 */
export async function replaceSku(tx: Tx, network: Network, orderId: string, lineNo: number, code: string, reason: string, actor: string): Promise<void> {
  const sku = await skuOf(network, code);
  const order = await lockChangeable(tx, orderId);
  const line = (await readLines(tx.client, orderId)).find((l) => l.lineNo === lineNo);
  if (!line || line.quantity === line.cancelled) throw new Problem('unprocessable', `the order has no open line ${lineNo}`, '/params/line');
  if (line.skuId === sku.id) throw new Problem('unprocessable', `line ${lineNo} is of this SKU already`, '/params/sku');
  const own = (await liveReservations(tx, orderId)).filter((r) => r.lineNo === lineNo);
  await releaseReservations(tx, orderId, own.map((r) => ({ reservation: r, units: r.quantity })), 'replace_sku');
  await tx.query(`update shortages set status = 'cancelled', closed_at = $3 where order_id = $1 and line_no = $2 and status = 'open'`, [orderId, lineNo, tx.now]);
  await tx.query('update order_lines set sku_id = $3, sku_code = $4 where order_id = $1 and line_no = $2', [orderId, lineNo, sku.id, sku.code]);
  await openShortages(tx, orderId, [{ lineNo, skuId: sku.id, quantity: line.quantity - line.cancelled }], 'replaced', deadlineOf(tx, network, order.channelId));
  await releaseMendedHold(tx, orderId, 'SKU mended', actor);
  await forgetWishes(tx, order.id);
  await recheck(tx, order, 'order.sku_replaced', actor, { line: lineNo, from: line.skuCode, to: code, reason });
}

/** A gift (赠品): a line at no price. */
export async function addGift(tx: Tx, network: Network, orderId: string, code: string, quantity: number, reason: string, actor: string): Promise<void> {
  const sku = await skuOf(network, code);
  const order = await lockChangeable(tx, orderId);
  const row = await tx.one<{ line_no: number }>(
    `insert into order_lines (order_id, line_no, sku_id, sku_code, quantity, unit_price, list_amount, discount_amount, freight_share, net_amount, gift)
     select $1, max(line_no) + 1, $2, $3, $4, 0, 0, 0, 0, 0, true from order_lines where order_id = $1 returning line_no`, [orderId, sku.id, sku.code, quantity]);
  if (!row) throw new Error('an order has lines');
  await openShortages(tx, orderId, [{ lineNo: row.line_no, skuId: sku.id, quantity }], 'gift', deadlineOf(tx, network, order.channelId));
  await forgetWishes(tx, order.id);
  await recheck(tx, order, 'order.gift_added', actor, { line: row.line_no, sku: code, quantity, reason });
}
