import { allocate } from '../../domain/money.ts';
import { encodeId } from '../../domain/ids.ts';
import { refundForUnits } from '../../domain/returns/refund.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import type { Tx } from '../tx.ts';
import { readCash, worthOf } from './cash-on-delivery.ts';
import { readLines, type Order, type OrderLine } from './order.ts';

/** `overpaid`: collected at the door for units that were cancelled after the amount was told. */
export type RefundCause = 'cancellation' | 'refund_request' | 'return' | 'shortage' | 'loss' | 'overpaid';
type Part = { line: number; units: number } & ReturnType<typeof refundForUnits>;

/**
 * Books a refund for units of lines from the shares frozen at capture; exact to the minor unit over any number of refunds.
 * Unpaid orders and orders that cost nothing owe nothing: the units are only marked. Of what was to be collected at the door no more is owed than was collected beyond what the rest is worth. One refund a cause: a
 * repetition changes nothing.
 */
export async function bookRefund(
  tx: Tx, order: Order, lines: readonly OrderLine[], units: ReadonlyMap<number, number>, cause: RefundCause, causeId: string, actor: string,
): Promise<number> {
  const parts = lines.flatMap((line): Part[] => {
    const count = units.get(line.lineNo) ?? 0;
    return count > 0 ? [{ line: line.lineNo, units: count, ...refundForUnits(line.priced, line.refunded, count, { freight: true }) }] : [];
  });
  if (parts.length === 0) return 0;
  const amount = parts.reduce((sum, p) => sum + p.amount, 0);
  const owed = Math.min(amount, await paidBeyond(tx, order, lines, units));
  if (owed > 0 && !await writeRefund(tx, order, owed === amount ? parts : reduced(parts, owed), cause, causeId, actor)) return 0;
  for (const part of parts) {
    await tx.query('update order_lines set refunded_quantity = refunded_quantity + $3 where order_id = $1 and line_no = $2', [order.id, part.line, part.units]);
  }
  if (order.paymentStatus === 'cash_on_delivery') await paidByRest(tx, order, worthOf(lines, units));
  return owed;
}

/** The most that can be owed once these units are refunded. */
async function paidBeyond(tx: Tx, order: Order, lines: readonly OrderLine[], units: ReadonlyMap<number, number>): Promise<number> {
  if (order.paymentStatus !== 'paid' && order.paymentStatus !== 'cash_on_delivery') return 0;
  const cash = await readCash(tx, order.id);
  if (cash === null) return order.paymentStatus === 'paid' ? Infinity : 0;
  return Math.max(0, cash.collected - cash.booked - worthOf(lines, units));
}

/** What the order was worth beyond what has been collected was that of the goods which nobody took: refunded, they leave it paid. */
async function paidByRest(tx: Tx, order: Order, worth: number): Promise<void> {
  const cash = await readCash(tx, order.id);
  if (cash !== null && cash.collected > 0 && cash.collected >= worth) await paidAtTheDoor(tx, order);
}

async function paidAtTheDoor(tx: Tx, order: Order): Promise<void> {
  order.paymentStatus = 'paid';
  await tx.query(`update orders set payment_status = 'paid' where id = $1`, [order.id]);
  await tx.event(order.id, 'order.paid', 'system', { how: 'cash_on_delivery' });
}

/**
 * A parcel that collects cash has been delivered: the order is paid as soon as what was collected covers what it is worth, and what was collected beyond that is owed back. Under the order's lock, after the collection is
 * written; what is owed already is not owed again.
 */
export async function settleCash(tx: Tx, order: Order, fulfillmentOrderId: string, actor: string): Promise<void> {
  const cash = await readCash(tx, order.id);
  if (cash === null) return;
  const lines = await readLines(tx.client, order.id);
  const worth = worthOf(lines);
  if (order.paymentStatus === 'cash_on_delivery' && cash.collected >= worth) await paidAtTheDoor(tx, order);
  const excess = cash.collected - cash.booked - worth;
  if (excess <= 0) return;
  const parts = await unbooked(tx, order.id, lines);
  // A parcel that was given up, and so collected for by another, has arrived after all: of no units in particular.
  const twice = parts.reduce((sum, p) => sum + p.amount, 0) < excess;
  await writeRefund(tx, order, reduced(twice ? lines.map((l) => ({ ...refundForUnits(l.priced, 0, l.quantity, { freight: true }), line: l.lineNo, units: 0 })) : parts, excess), 'overpaid', fulfillmentOrderId, actor);
}

/** Units that were cancelled or refunded while nothing was owed for them. */
async function unbooked(tx: Tx, orderId: string, lines: readonly OrderLine[]): Promise<Part[]> {
  const booked = new Map((await tx.query<{ line: number; units: number; amount: number }>(
    `select p.line, sum(p.units)::int units, sum(p.amount)::bigint amount from refunds r, jsonb_to_recordset(r.lines) as p(line integer, units integer, amount bigint) where r.order_id = $1 group by 1`, [orderId])).map((b) => [b.line, b]));
  return lines.flatMap((l): Part[] => {
    const before = booked.get(l.lineNo);
    const all = refundForUnits(l.priced, 0, l.refunded, { freight: true });
    const amount = all.amount - Number(before?.amount ?? 0);
    return amount > 0 ? [{ ...all, line: l.lineNo, units: Math.max(0, l.refunded - (before?.units ?? 0)), amount }] : [];
  });
}

/** Spreads an amount over parts by what they are worth; of discounts and freight nothing is told then. */
function reduced(parts: readonly Part[], amount: number): Part[] {
  const shares = allocate(amount, parts.map((p) => p.amount));
  return parts.flatMap((p, i): Part[] => {
    const share = shares[i] ?? 0;
    return share > 0 ? [{ line: p.line, units: p.units, amount: share, list: share, freight: 0, byBearer: { platform: 0, shop: 0, influencer: 0, brand: 0 } }] : [];
  });
}

/** False where this cause has its refund already. */
async function writeRefund(tx: Tx, order: Order, parts: readonly Part[], cause: RefundCause, causeId: string, actor: string): Promise<boolean> {
  const id = uuidv7();
  const amount = parts.reduce((sum, p) => sum + p.amount, 0);
  const written = await tx.query(
    `insert into refunds (id, order_id, cause, cause_id, amount, currency, lines, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (cause, cause_id) do nothing returning 1`,
    [id, order.id, cause, causeId, amount, order.currency, JSON.stringify(parts), tx.now]);
  if (written.length > 0) await tx.event(order.id, 'refund.due', actor, { refund: encodeId('ref', id), amount, currency: order.currency, cause });
  return written.length > 0;
}
