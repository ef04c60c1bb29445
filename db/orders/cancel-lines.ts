import type pg from 'pg';
import { encodeId } from '../../domain/ids.ts';
import { isPaymentDue } from '../../domain/order/payment.ts';
import { TERMINAL, VOID } from '../../domain/order/status.ts';
import { Problem } from '../../domain/problem.ts';
import { claimReference, storeAnswer } from '../stock/receipts.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import { cancelUnits } from './cancel-order.ts';
import { lockOrder, readFulfillments, readLines, refreshStatus, type FulfillmentOrder, type Order, type OrderLine } from './order.ts';
import { askBack, comesBack, freeUnits, sortPlan, unplan } from './replan.ts';
import { forgetWishes } from './wishes.ts';

/** `once`: a location that has refused such a request before is not asked again. */
export type LineCancellation = { reference: string; reason: string; lines: { line: number; quantity: number }[]; once?: true };
/** `asked`: fulfillment orders whose locations decide about the units of `waiting`. */
export type LineCancellationAnswer = { status: string; cancelled: { line: number; quantity: number }[]; waiting: { line: number; quantity: number }[]; asked: string[] };

const LINE_CANCELLED = 'line cancelled';

/** Tells an attempt to cancel units from those before, which locations have refused: an end for its reference. */
export async function afterRefusals(pool: pg.Pool, orderId: string): Promise<string> {
  const { rows: [row] } = await pool.query<{ n: number }>(`select count(*)::int n from order_events where order_id = $1 and type = 'order.line_cancel_refused'`, [orderId]);
  return row === undefined || row.n === 0 ? '' : ` after ${row.n}`;
}

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
    const plan = await planOf(tx, order, wish.once === true);
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
/** `asked`: comes back already; `spoken`: units of it, by line, that are cancelled then. */
type Plan = { own: Planned[]; askable: Planned[]; asked: Planned[]; spoken: ReadonlyMap<number, number> };

async function planOf(tx: Tx, order: Order, once: boolean): Promise<Plan> {
  const rows = await tx.query<{ id: string; line: number; units: number; refused: boolean }>(
    `select f.id, n.line_no line, n.quantity - n.short_quantity units, f.cancel_outcome is not null and f.cancel_reason = $2 refused
     from fulfillment_orders f join fulfillment_order_lines n on n.fulfillment_order_id = f.id where f.order_id = $1`, [order.id, LINE_CANCELLED]);
  const living = (await readFulfillments(tx.client, order.id)).filter((f) => !VOID.has(f.status));
  const { own, askable } = sortPlan(living);
  const withUnits = (f: FulfillmentOrder): Planned => ({ f, units: new Map(rows.filter((r) => r.id === f.id).map((r) => [r.line, r.units])) });
  const spoken = await tx.query<{ line: number; units: number }>('select line_no line, cancel_wanted units from order_lines where order_id = $1 and cancel_wanted > 0', [order.id]);
  return {
    own: own.map(withUnits), askable: askable.filter((f) => !once || !rows.some((r) => r.id === f.id && r.refused)).map(withUnits),
    asked: living.filter(comesBack).map(withUnits), spoken: new Map(spoken.map((s) => [s.line, s.units])),
  };
}

async function cancelFrom(
  tx: Tx, order: Order, wish: LineCancellation, wanted: ReadonlyMap<number, number>, plan: Plan, actor: string,
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
    await unplan(tx, order.id, ended, LINE_CANCELLED);
    for (const [line, units] of await freeUnits(tx, order.id, new Map(lines.map((line) => [line, left(line)])))) cancelled.set(line, (cancelled.get(line) ?? 0) + units);
    covered.clear();
  }
  // What a location is asked for anyway, for a dispute or another cancellation, needs no second request.
  const coming = plan.asked.filter(({ units }) => lines.some((line) => open(line) > 0 && (units.get(line) ?? 0) > 0));
  for (const line of lines) covered.set(line, (covered.get(line) ?? 0) + Math.max(0, coming.reduce((sum, { units }) => sum + (units.get(line) ?? 0), 0) - (plan.spoken.get(line) ?? 0)));
  const asked = plan.askable.filter(take).map((p) => p.f);
  const deciding = [...coming.map((p) => p.f), ...asked].map((f) => encodeId('ful', f.id));
  const short = lines.find((line) => open(line) > 0);
  if (short !== undefined) throw new Problem('conflict', `of line ${short} ${(wanted.get(short) ?? 0) - open(short)} units can still be cancelled: the others are packed, kept by their location, have left or are cancelled`, `/lines/${lines.indexOf(short)}/quantity`);
  const waiting = lines.flatMap((line) => (left(line) > 0 ? [{ line, quantity: left(line) }] : []));
  for (const { line, quantity } of waiting) await tx.query('update order_lines set cancel_wanted = cancel_wanted + $3 where order_id = $1 and line_no = $2', [order.id, line, quantity]);
  await forgetWishes(tx, order.id);
  if (asked.length > 0) await askBack(tx, asked, LINE_CANCELLED);
  const done = lines.flatMap((line) => { const quantity = cancelled.get(line) ?? 0; return quantity > 0 ? [{ line, quantity }] : []; });
  await tx.event(order.id, 'order.lines_cancel_requested', actor, { reason: wish.reason, cancelled: done, waiting, asked: deciding });
  if (done.length > 0) await cancelUnits(tx, order, cancelled, 'cancellation', wish.reason, actor);
  const status = await refreshStatus(tx, order, actor);
  await tx.wake(order.id, order.shipBy);
  return { status, cancelled: done, waiting, asked: deciding };
}
