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
  await tx.query(`insert into promise_changes (order_id, at, promised_by, reason, actor) values ($1, $2, $3, $4, 'system')`, [order.id, order.capturedAt, deliverBy, order.deliverBy ? 'at capture' : 'as if all of it had been there']);
  if (!order.deliverBy) await tx.query('update orders set deliver_by = $2 where id = $1', [order.id, deliverBy]);
  order.deliverBy = deliverBy;
  return { promisedBy: deliverBy, expectedBy: deliverBy, rung: 'none', until: null, brokenAt: null, waits: false, closedAt: null, ladder: ladder.ladder };
}

/** A new date, kept beside the earlier ones; the ladder begins anew. `waits`: the customer knows that nobody can say more. */
export async function changePromise(tx: Tx, order: Order, promisedBy: Date, waits: boolean, reason: string, actor: string): Promise<void> {
  const from = order.deliverBy;
  await tx.query(`update order_promises set promised_by = $2, rung = 'none', rung_until = null, at_risk_since = null, waits = $3 where order_id = $1`, [order.id, promisedBy, waits]);
  await tx.query('update orders set deliver_by = $2, version = version + 1 where id = $1', [order.id, promisedBy]);
  await tx.query('insert into promise_changes (order_id, at, promised_by, reason, actor) values ($1, $2, $3, $4, $5)', [order.id, tx.now, promisedBy, reason, actor]);
  await tx.event(order.id, 'promise.changed', actor, { from: from?.toISOString() ?? null, to: promisedBy.toISOString(), reason });
  order.deliverBy = promisedBy;
  await lookAtPromise(tx, order.id);
}
