import { encodeId } from '../../domain/ids.ts';
import { isPaymentDue } from '../../domain/order/payment.ts';
import { TERMINAL, VOID } from '../../domain/order/status.ts';
import { Problem } from '../../domain/problem.ts';
import { claimReference, storeAnswer } from '../stock/receipts.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import { cancelUnits } from './cancel-order.ts';
import { lockOrder, readFulfillments, readLines, refreshStatus, type FulfillmentOrder, type Order, type OrderLine } from './order.ts';
import { askBack, freeUnits, sortPlan, unplan } from './replan.ts';

export type LineCancellation = { reference: string; reason: string; lines: { line: number; quantity: number }[] };
/** `asked`: fulfillment orders whose locations decide about the units of `waiting`. */
export type LineCancellationAnswer = { status: string; cancelled: { line: number; quantity: number }[]; waiting: { line: number; quantity: number }[]; asked: string[] };

/**
 * Cancels units of lines and plans only the rest of what is not packed anew: units without a plan and those that no location knows of at once, units at a location once it has given its
 * fulfillment order back. A plan without any of these units stays as it is. One reference is one cancellation. Throws `conflict` where fewer units can still be cancelled than are asked for. `note` is written with it, once.
 */
export async function cancelLines(writer: StockWriter, orderId: string, wish: LineCancellation, actor: string, note?: (tx: Tx) => Promise<void>): Promise<LineCancellationAnswer> {
  return writer.change(async (tx) => {
    const source = `cancel-lines:${encodeId('ord', orderId)}`;
    const known = await claimReference<LineCancellationAnswer>(tx, source, wish.reference, wish);
    if (known) return known;
    const order = await lockOrder(tx, orderId);
    if (TERMINAL.has(order.status)) throw new Problem('conflict', `the order is ${order.status}: nothing of it can be cancelled`);
    if (isPaymentDue(order.paymentStatus) || order.paymentStatus === 'deposit') throw new Problem('conflict', 'the order is not paid yet: cancel it whole and order anew');
    const wanted = wantedUnits(wish, await readLines(tx.client, orderId));
    const plan = await planOf(tx, order);
    const answer = await cancelFrom(tx, order, wish, wanted, plan, actor);
    await note?.(tx);
    await storeAnswer(tx, source, wish.reference, answer);
    return answer;
  });
}

function wantedUnits(wish: LineCancellation, lines: readonly OrderLine[]): Map<number, number> {
  const wanted = new Map<number, number>();
  wish.lines.forEach(({ line, quantity }, i) => {
    const found = lines.find((l) => l.lineNo === line);
    if (!found) throw new Problem('unprocessable', `the order has no line ${line}`, `/lines/${i}/line`);
    if (wanted.has(line)) throw new Problem('invalid', `line ${line} is given twice`, `/lines/${i}/line`);
    const bundle = found.bundle?.line;
    const apart = bundle === undefined ? undefined : lines.find((l) => l.bundle?.line === bundle && !wish.lines.some((w) => w.line === l.lineNo));
    if (apart) throw new Problem('unprocessable', `line ${line} is a component of a bundle: cancel line ${apart.lineNo} with it`, `/lines/${i}/line`);
    wanted.set(line, quantity);
  });
  return wanted;
}

type Planned = { f: FulfillmentOrder; units: ReadonlyMap<number, number> };

async function planOf(tx: Tx, order: Order): Promise<{ own: Planned[]; askable: Planned[] }> {
  const rows = await tx.query<{ id: string; line: number; units: number }>(
    `select f.id, n.line_no line, n.quantity - n.short_quantity units from fulfillment_orders f join fulfillment_order_lines n on n.fulfillment_order_id = f.id where f.order_id = $1`, [order.id]);
  const { own, askable } = sortPlan((await readFulfillments(tx.client, order.id)).filter((f) => !VOID.has(f.status)));
  const withUnits = (f: FulfillmentOrder): Planned => ({ f, units: new Map(rows.filter((r) => r.id === f.id).map((r) => [r.line, r.units])) });
  return { own: own.map(withUnits), askable: askable.map(withUnits) };
}

async function cancelFrom(
  tx: Tx, order: Order, wish: LineCancellation, wanted: ReadonlyMap<number, number>, plan: { own: Planned[]; askable: Planned[] }, actor: string,
): Promise<LineCancellationAnswer> {
  const lines = [...wanted.keys()];
  const cancelled = await freeUnits(tx, order.id, wanted);
  const left = (line: number): number => (wanted.get(line) ?? 0) - (cancelled.get(line) ?? 0);
  // Plans that nobody knows of, as many as the rest of the units needs.
  const ended: FulfillmentOrder[] = [];
  const covered = new Map<number, number>();
  const open = (line: number): number => left(line) - (covered.get(line) ?? 0);
  const take = ({ units }: Planned): boolean => {
    if (!lines.some((line) => open(line) > 0 && (units.get(line) ?? 0) > 0)) return false;
    for (const line of lines) covered.set(line, (covered.get(line) ?? 0) + (units.get(line) ?? 0));
    return true;
  };
  for (const p of plan.own) if (take(p)) ended.push(p.f);
  if (ended.length > 0) {
    await unplan(tx, order.id, ended, 'line cancelled');
    for (const [line, units] of await freeUnits(tx, order.id, new Map(lines.map((line) => [line, left(line)])))) cancelled.set(line, (cancelled.get(line) ?? 0) + units);
    covered.clear();
  }
  const asked = plan.askable.filter(take).map((p) => p.f);
  const short = lines.find((line) => open(line) > 0);
  if (short !== undefined) throw new Problem('conflict', `of line ${short} ${(wanted.get(short) ?? 0) - open(short)} units can still be cancelled: the others are packed, have left or are cancelled`, `/lines/${lines.indexOf(short)}/quantity`);
  const waiting = lines.flatMap((line) => (left(line) > 0 ? [{ line, quantity: left(line) }] : []));
  for (const { line, quantity } of waiting) await tx.query('update order_lines set cancel_wanted = cancel_wanted + $3 where order_id = $1 and line_no = $2', [order.id, line, quantity]);
  if (asked.length > 0) await askBack(tx, asked, 'line cancelled');
  const done = lines.flatMap((line) => { const quantity = cancelled.get(line) ?? 0; return quantity > 0 ? [{ line, quantity }] : []; });
  await tx.event(order.id, 'order.lines_cancel_requested', actor, { reason: wish.reason, cancelled: done, waiting, asked: asked.map((f) => encodeId('ful', f.id)) });
  if (done.length > 0) await cancelUnits(tx, order, cancelled, 'cancellation', wish.reason, actor);
  const status = await refreshStatus(tx, order, actor);
  await tx.wake(order.id, order.shipBy);
  return { status, cancelled: done, waiting, asked: asked.map((f) => encodeId('ful', f.id)) };
}
