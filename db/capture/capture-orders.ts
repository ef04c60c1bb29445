import type pg from 'pg';
import type { Problem } from '../../domain/problem.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import { noteRefused } from '../demand/note-refused.ts';
import { lockLevels, type LockedLevel } from '../ledger.ts';
import type { Network } from '../network.ts';
import type { StockProjection } from '../projection.ts';
import type { Vault } from '../vault.ts';
import { answerOf } from './answer.ts';
import { lockBorrowings, writeBorrowings } from './borrowings.ts';
import { decideWithGifts, type Decision } from './decide.ts';
import { refusal, type CaptureOutcome } from './outcome.ts';
import type { PreparedOrder } from './prepare.ts';
import { claimKeys, readKnown, storeReplies } from './repetitions.ts';
import { settle } from './settle.ts';
import { spend, writeSpending, type Refusal } from './spend.ts';
import { Taken } from './taken.ts';
import { writeOrders } from './write-orders.ts';
import { writeStock } from './write-stock.ts';

export type CaptureDeps = { network: Network; projection: StockProjection; vault: Vault };
/** `written`: the last statements, sent but not yet answered, so that the COMMIT can follow them in the same round trip. */
export type BatchResult = { written: Promise<unknown>; outcomes: CaptureOutcome[]; touched: LockedLevel[]; identities: { hash: Buffer | null; person: { id: string; key: Buffer } }[] };

/**
 * Captures a batch inside the caller's transaction; the orders must differ in (channel, external id) and in idempotency key.
 * Lock order: idempotency keys, people, orders, levels. A refusal is an outcome, an exception is a fault of the whole batch.
 */
export async function captureOrders(client: pg.ClientBase, orders: readonly PreparedOrder[], deps: CaptureDeps): Promise<BatchResult> {
  const outcomes = new Map<PreparedOrder, CaptureOutcome>();
  const claimed = await claimKeys(client, orders, outcomes);
  const borrowed = await lockBorrowings(client, claimed, deps.network);
  const taken = new Taken();
  const plans: { order: PreparedOrder; decision: Decision }[] = [];
  const refusals = new Map<PreparedOrder, Problem>();
  const tryAll = (some: readonly PreparedOrder[]): PreparedOrder[] => some.filter((order) => {
    const decision = decideWithGifts(order, deps.network, deps.projection, taken, borrowed);
    const problem = refusal(order, decision);
    if (!problem) plans.push({ order, decision });
    else {
      taken.add(decision.picks, -1);
      refusals.set(order, problem);
    }
    return problem !== null;
  });
  let hopeless = tryAll(claimed);
  if (hopeless.length > 0) {
    // The projection may lag: nobody is refused on its word alone.
    await deps.projection.rereadSkus(client, hopeless.flatMap((o) => o.lines.flatMap((l) => l.skuId ?? [])));
    hopeless = tryAll(hopeless);
  }
  // A refused order may be a repetition of one that was captured while there was stock: then its answer stands.
  await readKnown(client, hopeless, outcomes);
  for (const order of hopeless) {
    if (!outcomes.has(order)) outcomes.set(order, { problem: refusals.get(order) as Problem });
  }
  const persons = await deps.vault.persons(client, plans.map((p) => p.order.identity));
  const heads = plans.map((plan, i) => ({ ...plan, dropped: plan.decision.dropped, contactId: uuidv7(), person: persons[i] as { id: string; key: Buffer } }));
  // Sent together: orders first, then levels, which is the lock order.
  const [written, levels] = heads.length === 0 ? [new Set<string>(), new Map<number, LockedLevel>()]
    : await Promise.all([writeOrders(client, heads, deps.vault), lockLevels(client, heads.flatMap((h) => h.decision.picks.map((p) => p.levelId)))]);
  const mine = heads.filter((h) => written.has(h.order.id));
  // Sent before, or written by another process just now: the row is there.
  await readKnown(client, heads.filter((h) => !written.has(h.order.id)).map((h) => h.order), outcomes);

  const locked = await settle(client, mine, levels, borrowed, deps);
  const refused = mine.filter((h) => refusal(h.order, h.decision));
  for (const { order, decision } of refused) outcomes.set(order, { problem: refusal(order, decision) as Problem });
  const losers = await spendOn(client, mine.filter((h) => !refused.includes(h)), locked, outcomes);
  if (refused.length + losers.length > 0) await unwrite(client, [...refused, ...losers]);

  const kept = mine.filter((h) => !refused.includes(h) && !losers.includes(h));
  await unwriteGifts(client, kept);
  const batch = kept.map(({ order, decision }) => ({ order, decision, answer: answerOf(order, decision, deps.network) }));
  const statements: Promise<unknown>[] = batch.length > 0 ? [writeStock(client, batch), writeBorrowings(client, kept.flatMap((k) => k.decision.picks)), writeSpending(client, kept)] : [];
  for (const { order, answer } of batch) outcomes.set(order, { answer, repeated: false });
  // Repetitions and losers had counted as takers: who was refused for their sake is tried again, in their place.
  const again = kept.length < plans.length ? hopeless.filter((o) => (outcomes.get(o) as { problem?: Problem }).problem === refusals.get(o)) : [];
  // So is who lost units to an order that lost its coupon.
  if (losers.length > 0) again.push(...refused.map((r) => r.order));
  if (again.length > 0) await Promise.all(statements.splice(0));
  const second = again.length > 0 ? await captureOrders(client, again, deps) : null;
  if (second) statements.push(second.written);
  second?.outcomes.forEach((outcome, i) => outcomes.set(again[i] as PreparedOrder, outcome));
  statements.push(storeReplies(client, claimed, outcomes));
  statements.push(noteRefused(client, claimed.flatMap((order) => {
    const outcome = outcomes.get(order) as CaptureOutcome;
    return 'problem' in outcome && !again.includes(order) ? [{ order, problem: outcome.problem }] : [];
  })));
  return {
    written: Promise.all(statements),
    outcomes: orders.map((order) => outcomes.get(order) as CaptureOutcome),
    touched: [...locked.values(), ...second?.touched ?? []],
    identities: [...heads.map((h) => ({ hash: h.order.identity, person: h.person })), ...second?.identities ?? []],
  };
}

/** Takes coupons and limits for orders that have their stock; who loses gives its units back. Returns the losers. */
async function spendOn<T extends { order: PreparedOrder; decision: Decision; person: { id: string } }>(
  client: pg.ClientBase, rows: readonly T[], locked: Map<number, LockedLevel>, outcomes: Map<PreparedOrder, CaptureOutcome>,
): Promise<T[]> {
  const lost: ReadonlyMap<PreparedOrder, Refusal> = await spend(client, rows);
  const losers = rows.filter((r) => lost.has(r.order));
  for (const { order, decision } of losers) {
    outcomes.set(order, lost.get(order) as Refusal);
    for (const pick of decision.picks) (locked.get(pick.levelId) as LockedLevel).reserved -= pick.quantity;
  }
  return losers;
}

/** Takes back what was written before the stock was known to be gone. */
async function unwrite(client: pg.ClientBase, rows: readonly { order: PreparedOrder; contactId: string }[]): Promise<void> {
  await client.query(
    `with heads as (delete from orders where id = any($1::uuid[])), contacts as (delete from vault_records where id = any($2::uuid[]))
     delete from order_lines where order_id = any($1::uuid[])`,
    [rows.map((r) => r.order.id), rows.map((r) => r.contactId)]);
}

/** Lines of gifts that were there when the order was written and are gone now. */
async function unwriteGifts(client: pg.ClientBase, rows: readonly { order: PreparedOrder; decision: Decision; dropped: readonly number[] }[]): Promise<void> {
  const gone = rows.flatMap(({ order, decision, dropped }) => decision.dropped.filter((n) => !dropped.includes(n)).map((lineNo) => ({ id: order.id, lineNo })));
  if (gone.length === 0) return;
  await client.query('delete from order_lines l using unnest($1::uuid[], $2::int[]) as t(o, n) where l.order_id = t.o and l.line_no = t.n', [gone.map((g) => g.id), gone.map((g) => g.lineNo)]);
}
