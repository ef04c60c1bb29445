import { Problem } from '../../domain/problem.ts';
import { encodeId } from '../../domain/ids.ts';
import { TERMINAL } from '../../domain/order/status.ts';
import type { Answer } from '../../domain/promising/ladder.ts';
import type { Network } from '../network.ts';
import { cancelRest } from '../orders/cancel-order.ts';
import { replaceSku } from '../orders/operate/lines.ts';
import { splitOrder } from '../orders/operate/split-order.ts';
import { lockOrder, type Order } from '../orders/order.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import { lookAtPromise } from './look.ts';
import type { Offer } from './options.ts';
import { changePromise, lockPromise } from './row.ts';

type Question = { id: number; options: Offer[]; answer: Answer | null };
export type AnswerResult = { answer: Answer; status: string; promisedBy: string | null; split: string | null };

/** The open question of an order; null: none. */
export async function openQuestion(tx: Tx, orderId: string): Promise<Question | null> {
  return tx.one<Question>('select id, options, answer from promise_questions where order_id = $1 and answered_at is null and moot_at is null for no key update', [orderId]);
}

/** Carries out what the customer chose, or what counts as chosen; under the order's lock. Returns the id of the order that was split off. */
export async function carryOut(tx: Tx, network: Network, order: Order, question: Question, answer: Answer, actor: string): Promise<string | null> {
  const offer = question.options.find((o) => o.answer === answer);
  if (!offer) throw new Problem('unprocessable', `"${answer}" was not offered: ${question.options.map((o) => o.answer).join(', ')}`, '/answer');
  await tx.query('update promise_questions set answer = $2, answered_at = $3, answered_by = $4 where id = $1', [question.id, answer, tx.now, actor]);
  await tx.event(order.id, 'promise.answered', actor, { answer });
  let apart: string | null = null;
  switch (offer.answer) {
    case 'wait':
      await changePromise(tx, order, offer.by === null ? await unknownUntil(tx, network, order) : new Date(offer.by), offer.by === null, 'the customer waits', actor);
      break;
    case 'split':
      apart = await splitOrder(tx, order.id, offer.lines, 'what is there goes now, the rest later', actor, 'missing');
      // The part that comes later has a date of its own, or none that anybody could name.
      await tx.query('update orders set deliver_by = $2, ship_by = null where id = $1', [apart, offer.by]);
      if (offer.by !== null) await tx.query(`insert into promise_changes (order_id, at, promised_by, reason, actor) values ($1, $2, $3, 'split off', $4)`, [apart, tx.now, new Date(offer.by), actor]);
      await anew(tx, order);
      break;
    case 'substitute':
      for (const { line, substitute } of offer.lines) await replaceSku(tx, network, order.id, line, substitute, 'chosen in place of what comes late', actor);
      await anew(tx, order);
      break;
    case 'cancel':
      await cancelRest(tx, order, 'it would come too late', actor);
      break;
  }
  await tx.wake(order.id, order.shipBy);
  return apart;
}

/** The ladder begins again: what was late is not part of the order any more, or something else is. */
async function anew(tx: Tx, order: Order): Promise<void> {
  await tx.query(`update order_promises set rung = 'none', rung_until = null, at_risk_since = null where order_id = $1`, [order.id]);
  await lookAtPromise(tx, order.id);
}

/** Until when units are waited for that nobody has announced. */
async function unknownUntil(tx: Tx, network: Network, order: Order): Promise<Date> {
  const row = await tx.one<{ until: Date | null }>(`select max(deadline) until from shortages where order_id = $1 and status = 'open'`, [order.id]);
  const least = tx.now.getTime() + (network.channelById.get(order.channelId)?.backorderWindowS ?? 604_800) * 1000;
  return row?.until && row.until > tx.now ? row.until : new Date(least);
}

/**
 * The customer's answer. The same answer again changes nothing and is told as it was. Throws Problem: `not_found` where nothing was ever asked, `conflict` where it was answered otherwise, is over, or no
 * longer needs an answer; `unprocessable` where this was not offered, or cannot be done any more (`conflict` names why).
 */
export async function answerQuestion(writer: StockWriter, network: Network, orderId: string, answer: Answer, actor: string): Promise<AnswerResult> {
  return writer.change(async (tx) => {
    const order = await lockOrder(tx, orderId);
    const question = await openQuestion(tx, orderId);
    if (!question) {
      const last = await tx.one<{ answer: Answer | null; by: string | null; moot: boolean }>(
        'select answer, answered_by "by", moot_at is not null moot from promise_questions where order_id = $1 order by id desc limit 1', [orderId]);
      if (!last) throw new Problem('not_found', 'the customer of this order was not asked anything');
      if (last.answer === answer) return told(tx, order, answer, null);
      throw new Problem('conflict', last.answer === null ? 'no answer is needed any more' : `it was answered "${last.answer}" by ${last.by ?? 'nobody'}`);
    }
    if (TERMINAL.has(order.status)) throw new Problem('conflict', `the order is ${order.status}: there is nothing left to decide`);
    await lockPromise(tx, orderId);
    const apart = await carryOut(tx, network, order, question, answer, actor);
    return told(tx, order, answer, apart);
  });
}

async function told(tx: Tx, order: Order, answer: Answer, apart: string | null): Promise<AnswerResult> {
  const row = await tx.one<{ status: string; by: Date | null; child: string | null }>(
    `select status, deliver_by "by", (select id from orders c where c.parent_id = $1 and $2 = 'split' order by c.captured_at desc, c.id desc limit 1) child from orders where id = $1`, [order.id, answer]);
  const split = apart ?? row?.child ?? null;
  return { answer, status: row?.status ?? order.status, promisedBy: row?.by?.toISOString() ?? null, split: split === null ? null : encodeId('ord', split) };
}
