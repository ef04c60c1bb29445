import type { Ladder, Rung } from '../../domain/promising/ladder.ts';
import { lookAtPromise } from './look.ts';
import type { Order } from '../orders/order.ts';
import type { Tx } from '../tx.ts';

export type PromiseRow = { promisedBy: Date; expectedBy: Date | null; rung: Rung; until: Date | null; brokenAt: Date | null; waits: boolean; closedAt: Date | null; ladder: Ladder };

/** The promise of an order with the ladder that it began with, locked; null before it was looked at. */
export async function lockPromise(tx: Tx, orderId: string): Promise<PromiseRow | null> {
  return tx.one<PromiseRow>(
    `select p.promised_by "promisedBy", p.expected_by "expectedBy", p.rung, p.rung_until "until", p.broken_at "brokenAt", p.waits, p.closed_at "closedAt", l.body ladder
     from order_promises p join promise_ladders l on l.id = p.ladder_id where p.order_id = $1 for no key update of p`, [orderId]);
}

/** Begins the promise of an order with the date that it was captured with, or (units were missing, it had none) the one that its customer could expect. */
export async function openPromise(tx: Tx, order: Order, deliverBy: Date, ladder: { id: number; ladder: Ladder }): Promise<PromiseRow> {
  await tx.query(`insert into order_promises (order_id, ladder_id, first_promised_by, promised_by, expected_by, rung) values ($1, $2, $3, $3, $3, 'none')`, [order.id, ladder.id, deliverBy]);
  await keepFirst(tx, order, deliverBy);
  if (!order.deliverBy) await tx.query('update orders set deliver_by = $2 where id = $1', [order.id, deliverBy]);
  order.deliverBy = deliverBy;
  return { promisedBy: deliverBy, expectedBy: deliverBy, rung: 'none', until: null, brokenAt: null, waits: false, closedAt: null, ladder: ladder.ladder };
}

/** The first date of an order's history, where it has none yet. */
async function keepFirst(tx: Tx, order: Order, deliverBy: Date): Promise<void> {
  await tx.query(`insert into promise_changes (order_id, at, promised_by, reason, actor) select $1, $2, $3, $4, 'system' where not exists (select from promise_changes where order_id = $1)`,
    [order.id, order.capturedAt, deliverBy, order.deliverBy ? 'at capture' : 'as if all of it had been there']);
}

/** On time after all, over, or dated anew before anybody answered: no answer is needed any more. */
export async function mootQuestions(tx: Tx, orderId: string): Promise<void> {
  await tx.query('update promise_questions set moot_at = $2 where order_id = $1 and answered_at is null and moot_at is null', [orderId, tx.now]);
}

/** A new date, kept beside the earlier ones; the ladder begins anew. `waits`: the customer knows that nobody can say more. */
export async function changePromise(tx: Tx, order: Order, promisedBy: Date, waits: boolean, reason: string, actor: string): Promise<void> {
  const from = order.deliverBy;
  if (from) await keepFirst(tx, order, from);
  await mootQuestions(tx, order.id);
  const looked = await tx.query(`update order_promises set promised_by = $2, rung = 'none', rung_until = null, at_risk_since = null, waits = $3 where order_id = $1 returning 1`, [order.id, promisedBy, waits]);
  await tx.query('update orders set deliver_by = $2, version = version + 1 where id = $1', [order.id, promisedBy]);
  await tx.query('insert into promise_changes (order_id, at, promised_by, reason, actor) values ($1, $2, $3, $4, $5)', [order.id, tx.now, promisedBy, reason, actor]);
  await tx.event(order.id, 'promise.changed', actor, { from: from?.toISOString() ?? null, to: promisedBy.toISOString(), reason });
  order.deliverBy = promisedBy;
  // Before its first look an order needs none now: that comes in time.
  if (looked.length > 0) await lookAtPromise(tx, order.id);
}

/** Nobody can say a date any more (no carrier goes to the new address): the order is without one until somebody says how it goes. */
export async function forgetPromise(tx: Tx, order: Order, from: Date, reason: string, actor: string): Promise<void> {
  await keepFirst(tx, order, from);
  await mootQuestions(tx, order.id);
  await tx.query(`update order_promises set rung = 'none', rung_until = null, at_risk_since = null, expected_by = null where order_id = $1`, [order.id]);
  const row = await tx.one<{ at: Date | null }>('update orders set deliver_by = null, ship_by = case when ship_by_given then ship_by end, promise_check_at = null, version = version + 1 where id = $1 returning ship_by at', [order.id]);
  await tx.event(order.id, 'promise.changed', actor, { from: from.toISOString(), to: null, reason });
  order.deliverBy = null;
  order.shipBy = row?.at ?? null;
}
