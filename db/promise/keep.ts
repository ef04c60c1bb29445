import { TERMINAL } from '../../domain/order/status.ts';
import { compensation, newsBy, nextMove, type Answer, type Move, type PromiseView } from '../../domain/promising/ladder.ts';
import type { Network } from '../network.ts';
import { lockOrder, refreshStatus, type Order } from '../orders/order.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import { carryOut, openQuestion } from './answer.ts';
import { expectedParts, usualDate, type Part } from './expected.ts';
import { offers, type Offer } from './options.ts';
import { planAnew } from './plan-anew.ts';
import { changePromise, lockPromise, mootQuestions, openPromise, type PromiseRow } from './row.ts';

/** More moves in a row than a ladder has rungs mean that it goes in a circle. */
const MOST_MOVES = 16;
const MINUTE_MS = 60_000;

/**
 * Looks at the promise of an order and takes the moves that are due (docs/promise.md); each is on the timeline. Ends with the date of the next look. An order whose channel has no ladder, that is held
 * or over, is left as it is. Run again at once it finds nothing to do.
 */
export async function keepPromise(writer: StockWriter, network: Network, orderId: string): Promise<void> {
  await writer.change(async (tx) => {
    const order = await lockOrder(tx, orderId);
    const active = network.ladders.get(order.channelId);
    if (TERMINAL.has(order.status) || order.holdReason !== null || !active) return;
    // A date that was withdrawn, as nobody could say one, is no promise: from now on there is another, where somebody can.
    const withdrawn = !order.deliverBy && await isOpen(tx, orderId);
    const first = order.deliverBy ?? usualDate(network, order, withdrawn ? tx.now : undefined);
    if (!first) return void await tx.query('update orders set promise_over = true where id = $1', [orderId]);
    if (withdrawn) await changePromise(tx, order, first, false, 'a date can be said again', 'system');
    for (let moves = 0; ; moves++) {
      if (moves > MOST_MOVES) throw new Error(`the promise of order ${orderId} goes in a circle`);
      const row = await lockPromise(tx, orderId) ?? await openPromise(tx, order, first, active);
      if (row.closedAt || TERMINAL.has(order.status)) return;
      const look = await viewOf(tx, network, order, row);
      const move = nextMove(row.ladder, { rung: row.rung, until: row.until?.getTime() ?? null, broken: row.brokenAt !== null }, look.view, tx.now.getTime());
      await tx.query('update order_promises set expected_by = $2 where order_id = $1 and expected_by is distinct from $2', [orderId, look.view.expectedBy === null ? null : new Date(look.view.expectedBy)]);
      if (await take(tx, network, order, row, move, look)) return;
    }
  });
}

async function isOpen(tx: Tx, orderId: string): Promise<boolean> {
  const row = await lockPromise(tx, orderId);
  return row !== null && row.closedAt === null;
}

type Look = { view: PromiseView; parts: Part[]; offers: Offer[] };

async function viewOf(tx: Tx, network: Network, order: Order, row: PromiseRow): Promise<Look> {
  const parts = order.deliveredAt ? [] : await expectedParts(tx, network, order, { atRiskMinutes: row.ladder.atRiskMinutes, promisedBy: row.promisedBy, newsBy: new Date(newsBy(row.ladder, row.promisedBy.getTime())) });
  const promisedBy = row.promisedBy.getTime();
  const unknown = parts.some((p) => p.expectedBy === null);
  // Whoever chose to wait without a date is not asked again before the one that was named to him.
  const waited = unknown && row.waits && promisedBy > tx.now.getTime();
  // Without parts nothing says that it will be late.
  const expectedBy = waited || parts.length === 0 ? promisedBy : unknown ? null : Math.max(...parts.map((p) => p.expectedBy?.getTime() ?? 0));
  const changes = parts.map((p) => (p.missedAt ?? p.newsBy ?? new Date((p.expectedBy?.getTime() ?? promisedBy) + MINUTE_MS)).getTime()).filter((t) => t > tx.now.getTime());
  const found = expectedBy !== null && expectedBy <= promisedBy ? [] : await offers(tx, order, parts, row.promisedBy, row.ladder.ask?.options ?? []);
  return {
    parts, offers: found,
    view: {
      promisedBy, expectedBy, silent: expectedBy !== null && expectedBy <= promisedBy && parts.some((p) => p.newsBy), unplaced: parts.some((p) => p.unplaced), movable: parts.some((p) => p.movable && (p.expectedBy === null || p.expectedBy > row.promisedBy)),
      options: found.map((o): Answer => o.answer), deliveredAt: order.deliveredAt?.getTime() ?? null, over: false, lookAt: Math.min(...changes, ...(changes.length === 0 ? [promisedBy + MINUTE_MS] : [])),
    },
  };
}

/** Takes one move. True: nothing more is due now. */
async function take(tx: Tx, network: Network, order: Order, row: PromiseRow, move: Move, look: Look): Promise<boolean> {
  const { expectedBy } = look.view;
  const dates = { promisedBy: row.promisedBy.toISOString(), expectedBy: expectedBy === null ? null : new Date(expectedBy).toISOString() };
  switch (move.do) {
    case 'rest':
      await tx.query('update orders set promise_check_at = $2 where id = $1', [order.id, new Date(move.until)]);
      return true;
    case 'close':
      await mootQuestions(tx, order.id);
      if (!(await cameInTime(tx, order, row))) await compensateLate(tx, order, row);
      await tx.query(`update order_promises set closed_at = $2, rung = 'none', rung_until = null where order_id = $1`, [order.id, tx.now]);
      await tx.query('update orders set promise_over = true, promise_check_at = null where id = $1', [order.id]);
      return true;
    case 'recover':
      await mootQuestions(tx, order.id);
      await tx.query(`update order_promises set rung = 'none', rung_until = null, at_risk_since = null where order_id = $1`, [order.id]);
      await tx.event(order.id, 'promise.recovered', 'system', dates);
      return false;
    case 'break':
      await breakPromise(tx, order, row, move, dates);
      return false;
    case 'assume':
      await assume(tx, network, order, move.answer);
      return false;
    case 'enter':
      await enter(tx, network, order, row, move, look, dates);
      return false;
  }
}

async function enter(tx: Tx, network: Network, order: Order, row: PromiseRow, move: Extract<Move, { do: 'enter' }>, look: Look, dates: Record<string, string | null>): Promise<void> {
  let until = move.until === null ? null : new Date(move.until);
  if (move.rung === 're_source' || move.rung === 'upgrade') {
    const how = move.rung === 're_source'
      ? { do: 're_source' as const, latenessPerDay: row.ladder.reSource?.latenessPerDay ?? 0 } : { do: 'upgrade' as const, most: row.ladder.upgrade?.maxExtraCost ?? 0 };
    const outcome = await planAnew(tx, network, order, look.parts, how, row.promisedBy);
    if (outcome.found) await refreshStatus(tx, order, 'system');
    else until = null; // the next rung at once
    await tx.event(order.id, `promise.${move.rung}`, 'system', { ...dates, ...outcome });
  } else if (move.rung === 'ask') {
    await tx.query('insert into promise_questions (order_id, asked_at, answer_by, options) values ($1, $2, $3, $4)', [order.id, tx.now, until, JSON.stringify(look.offers)]);
    await tx.event(order.id, 'promise.asked', 'system', { ...dates, options: look.offers.map((o) => o.answer), answerBy: until?.toISOString() ?? null });
  } else {
    await tx.event(order.id, `promise.${move.rung}`, 'system', dates);
  }
  await tx.query('update order_promises set rung = $2, rung_until = $3, at_risk_since = coalesce(at_risk_since, $4) where order_id = $1', [order.id, move.rung, until, tx.now]);
}

async function breakPromise(tx: Tx, order: Order, row: PromiseRow, move: Extract<Move, { do: 'break' }>, dates: Record<string, string | null>): Promise<void> {
  await tx.query('update order_promises set broken_at = $2 where order_id = $1', [order.id, tx.now]);
  await tx.event(order.id, 'promise.broken', 'system', { ...dates, lateMinutes: move.lateMinutes });
  if (move.compensate) await owe(tx, order, row, row.promisedBy, move.lateMinutes);
}

/** The date that was broken, whatever was agreed since; null: none was, or the goods have not come. `lateMinutes`: by how much the goods came after it, by what the carrier says. */
async function brokenDate(tx: Tx, order: Order, row: PromiseRow): Promise<{ by: Date; lateMinutes: number } | null> {
  if (!row.brokenAt || !order.deliveredAt) return null;
  const broken = await tx.one<{ by: Date }>('select promised_by "by" from promise_changes where order_id = $1 and at < $2 order by id desc limit 1', [order.id, row.brokenAt]);
  return broken && { by: broken.by, lateMinutes: Math.floor((order.deliveredAt.getTime() - broken.by.getTime()) / MINUTE_MS) };
}

/** What was not paid when its promise was broken (cash on delivery) is compensated when it has come and is paid. */
async function compensateLate(tx: Tx, order: Order, row: PromiseRow): Promise<void> {
  const broken = await brokenDate(tx, order, row);
  if (broken && broken.lateMinutes >= (row.ladder.compensate?.lateMinutes ?? 0)) await owe(tx, order, row, broken.by, broken.lateMinutes);
}

/** The news was later still than the ladder waits for it, and says that the goods came in time: the promise was kept, and what is not paid out yet is not owed. True where it was so. */
async function cameInTime(tx: Tx, order: Order, row: PromiseRow): Promise<boolean> {
  const broken = await brokenDate(tx, order, row);
  if (!broken || !order.deliveredAt || (order.deliveredAt > broken.by && broken.lateMinutes >= (row.ladder.compensate?.lateMinutes ?? 0))) return false;
  if (order.deliveredAt <= broken.by) {
    await tx.query('update order_promises set broken_at = null where order_id = $1', [order.id]);
    await tx.event(order.id, 'promise.kept', 'system', { deliveredAt: order.deliveredAt.toISOString() });
  }
  const voided = await tx.query(`update compensations set status = 'void', voided_at = $2 where order_id = $1 and status = 'due' returning 1`, [order.id, tx.now]);
  if (voided.length > 0) await tx.event(order.id, 'promise.compensation_voided', 'system');
  return true;
}

/** Owes what the ladder says for the units that were not there by the promised date, once, where the order is paid. */
async function owe(tx: Tx, order: Order, row: PromiseRow, promisedBy: Date, lateMinutes: number): Promise<void> {
  const rule = row.ladder.compensate;
  const amount = rule && order.paymentStatus === 'paid' ? compensation(rule, await lateValue(tx, order.id, promisedBy)) : 0;
  if (!rule || amount === 0) return;
  const written = await tx.query(
    'insert into compensations (order_id, kind, amount, currency, late_minutes, created_at) values ($1, $2, $3, $4, $5, $6) on conflict (order_id) do nothing returning 1', [order.id, rule.kind, amount, order.currency, lateMinutes, tx.now]);
  if (written.length > 0) await tx.event(order.id, 'promise.compensated', 'system', { kind: rule.kind, amount, currency: order.currency });
}

/** What was paid for the units that were not there by the promised date, minor units. */
async function lateValue(tx: Tx, orderId: string, promisedBy: Date): Promise<number> {
  const row = await tx.one<{ net: number }>(
    `with there as (select pl.line_no, sum(pl.quantity) units from parcels p join parcel_lines pl on pl.parcel_id = p.id where p.order_id = $1 and p.milestone = 'delivered' and p.delivered_at <= $2 group by 1)
     select coalesce(sum(floor(l.net_amount::numeric * greatest(0, l.quantity - l.cancelled_quantity - coalesce(t.units, 0)) / l.quantity)), 0)::bigint net
     from order_lines l left join there t on t.line_no = l.line_no where l.order_id = $1`, [orderId, promisedBy]);
  return Number(row?.net ?? 0);
}

/** Nobody answered in time: what the ladder says counts as the answer; where that was not offered, the question is closed and an operator's. */
async function assume(tx: Tx, network: Network, order: Order, answer: 'wait' | 'cancel'): Promise<void> {
  const question = await openQuestion(tx, order.id);
  if (question?.options.some((o) => o.answer === answer)) {
    await carryOut(tx, network, order, question, answer, 'system');
    return;
  }
  await mootQuestions(tx, order.id);
  await tx.query(`update order_promises set rung = 'exhausted', rung_until = null where order_id = $1`, [order.id]);
  await tx.event(order.id, 'promise.exhausted', 'system');
}
