import type pg from 'pg';
import { Problem } from '../../domain/problem.ts';
import type { CaptureAnswer } from '../../domain/order/intake.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import { noteRefused } from '../demand/note-refused.ts';
import { lockLevels, type LockedLevel } from '../ledger.ts';
import type { Network } from '../network.ts';
import type { StockProjection } from '../projection.ts';
import type { Vault } from '../vault.ts';
import { lockBorrowings, writeBorrowings } from './borrowings.ts';
import { decideWithGifts, takeLocked, withinShares, type Decision } from './decide.ts';
import { sourcesOf } from './sources.ts';
import { Taken } from './taken.ts';
import type { PreparedOrder } from './prepare.ts';
import { answerOf } from './answer.ts';
import { spend, writeSpending, type Refusal } from './spend.ts';
import { writeOrders } from './write-orders.ts';
import { writeStock } from './write-stock.ts';

/** What became of one capture: the answer (`repeated` when the order was there before) or the problem to refuse it with. */
export type CaptureOutcome = { answer: CaptureAnswer; repeated: boolean } | { problem: Problem; /** it must be priced again: a promotion has changed */ stale?: boolean };
export type CaptureDeps = { network: Network; projection: StockProjection; vault: Vault };
/** `written`: the last statements, sent but not yet answered, so that the COMMIT can follow them in the same round trip. */
export type BatchResult = { written: Promise<unknown>; outcomes: CaptureOutcome[]; touched: LockedLevel[]; identities: { hash: Buffer | null; person: { id: string; key: Buffer } }[] };

const ROUNDS = 3;
const IDEMPOTENCY_HOURS = 24;

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

/** Strict channels refuse what cannot be served whole; and nobody gets an order at a price that does not hold. */
function refusal(order: PreparedOrder, decision: Decision): Problem | null {
  if (order.promotions?.refused) return order.promotions.refused;
  // What a shop lacks is sent to it.
  if (order.channel.intakeMode !== 'strict' || decision.missing.length === 0 || order.pickup?.way === 'ship_to_store') return null;
  const first = decision.missing[0] as Decision['missing'][number];
  const line = order.lines[first.lineNo - 1];
  const ordered = line?.bundle?.line ?? first.lineNo;
  if (line?.given) return new Problem('insufficient_stock', `the gift "${first.skuCode}" of promotion "${line.given.code}" lacks ${first.quantity}`, null, { promotion: line.given.promotion });
  return new Problem('insufficient_stock', `SKU "${first.skuCode}" lacks ${first.quantity}; this channel takes only what is in stock`,
    `/lines/${ordered - 1}/quantity`, { missing: decision.missing.map((m) => ({ line: m.lineNo, sku: m.skuCode, quantity: m.quantity })) });
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

/** Checks what was chosen against the locked levels (and locks more where that changes); who loses is decided again on the true figures, at last with what is left. */
async function settle(
  client: pg.ClientBase, rows: { order: PreparedOrder; decision: Decision }[], locked: Map<number, LockedLevel>, borrowed: ReadonlyMap<string, number>, deps: CaptureDeps,
): Promise<Map<number, LockedLevel>> {
  for (const level of locked.values()) deps.projection.committed(level);
  const settled: typeof rows = [];
  const changed: typeof rows = [];
  let open = [...rows];
  for (let round = 1; open.length > 0 && round <= ROUNDS; round++) {
    const ids = new Set(open.flatMap((r) => r.decision.picks.map((p) => p.levelId)));
    for (const id of locked.keys()) ids.delete(id);
    for (const [id, level] of await lockLevels(client, ids)) {
      locked.set(id, level);
      // What is locked is the committed truth, whatever becomes of this batch.
      deps.projection.committed(level);
    }
    const taken = new Taken();
    for (const { decision } of settled) taken.add(decision.picks);
    const losers = open.filter((r) => {
      if (refusal(r.order, r.decision) || !withinShares(r.order, r.decision.picks, deps.network, deps.projection, taken) || !takeLocked(r.decision.picks, locked)) return true;
      settled.push(r);
      taken.add(r.decision.picks);
      return false;
    });
    // The last word is spoken over everything there is of these SKUs, locked: then nobody goes without while there is stock.
    if (losers.length > 0 && round === ROUNDS - 1) await lockAll(client, losers, locked, taken, deps);
    for (const loser of losers) {
      loser.decision = round < ROUNDS ? decideWithGifts(loser.order, deps.network, deps.projection, taken, borrowed, loser.decision.dropped) : nothing(loser.order);
      if (refusal(loser.order, loser.decision)) taken.add(loser.decision.picks, -1);
      changed.push(loser);
    }
    open = losers.filter((l) => !refusal(l.order, l.decision));
  }
  const kept = [...new Set(changed)].filter((r) => !refusal(r.order, r.decision));
  if (kept.length > 0) {
    await client.query(
      `update orders o set deliver_by = d.b, ship_by = coalesce(d.p, d.s) from unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[]) as d(id, s, b, p)
       where o.id = d.id`,
      [kept.map((r) => r.order.id), kept.map((r) => r.decision.promise?.shipBy ?? null), kept.map((r) => r.decision.promise?.deliverBy ?? null),
        kept.map((r) => r.order.shipBy)]);
  }
  return locked;
}

/** Locks every level of the SKUs of some orders and shows the projection what they held before this batch took `taken`. */
async function lockAll(client: pg.ClientBase, rows: readonly { order: PreparedOrder }[], locked: Map<number, LockedLevel>, taken: Taken, { projection, network }: CaptureDeps): Promise<void> {
  const skuIds = new Set(rows.flatMap((r) => r.order.lines.flatMap((l) => l.skuId ?? [])));
  await projection.rereadSkus(client, [...skuIds]);
  const ids = rows.flatMap(({ order }) => (sourcesOf(order, network, projection).at(-1) ?? []).flatMap(({ pool }) => order.lines.flatMap(({ skuId }) =>
    (skuId === null ? [] : [...pool.locationsOf(skuId).keys()].flatMap((at) => pool.levelsOf(skuId, at).map((l) => l.id))))));
  for (const [id, level] of await lockLevels(client, ids.filter((id) => !locked.has(id)))) locked.set(id, level);
  for (const [id, level] of locked) projection.committed({ ...level, reserved: level.reserved - (taken.levels.get(id) ?? 0) });
}

function nothing(order: PreparedOrder): Decision {
  const dropped = order.lines.filter((l) => l.given?.outOfStock === 'drop').map((l) => l.lineNo);
  return {
    picks: [], promise: null, dropped,
    missing: order.lines.filter((l) => !dropped.includes(l.lineNo)).map((l) => ({ lineNo: l.lineNo, skuId: l.skuId, skuCode: l.skuCode, quantity: l.quantity, cause: l.skuId === null ? 'unknown_sku' : 'no_stock' })),
  };
}

/** Claims the idempotency keys of a batch; whose key is taken gets the stored answer, or 422 when the body differs. */
async function claimKeys(client: pg.ClientBase, orders: readonly PreparedOrder[], outcomes: Map<PreparedOrder, CaptureOutcome>): Promise<PreparedOrder[]> {
  const keyed = orders.filter((o) => o.idempotency !== null);
  if (keyed.length === 0) return [...orders];
  const sorted = keyed.sort((a, b) => (a.idempotency?.key ?? '') < (b.idempotency?.key ?? '') ? -1 : 1);
  const values = [sorted.map((o) => o.idempotency?.apiKeyId), sorted.map((o) => o.idempotency?.key)];
  await client.query({
    name: 'keys_claim',
    text: `insert into idempotency_keys (api_key_id, key, body_hash, status, response, expires_at)
      select a, k, h, 0, '{}', now() + make_interval(hours => $4) from unnest($1::int[], $2::text[], $3::bytea[]) as t(a, k, h)
      on conflict (api_key_id, key) do update set body_hash = excluded.body_hash, status = 0, response = '{}', order_id = null, expires_at = excluded.expires_at
        where idempotency_keys.expires_at < now()`,
    values: [...values, sorted.map((o) => o.bodyHash), IDEMPOTENCY_HOURS],
  });
  const { rows } = await client.query<{ api_key_id: number; key: string; body_hash: Buffer; status: number; response: Record<string, unknown> }>({
    name: 'keys_read',
    text: `select k.api_key_id, k.key, k.body_hash, k.status, k.response from idempotency_keys k join unnest($1::int[], $2::text[]) as t(a, n) on k.api_key_id = t.a and k.key = t.n`,
    values,
  });
  const stored = new Map(rows.map((r) => [`${r.api_key_id}|${r.key}`, r]));
  return orders.filter((order) => {
    const row = order.idempotency && stored.get(`${order.idempotency.apiKeyId}|${order.idempotency.key}`);
    if (!row) return true;
    if (!row.body_hash.equals(order.bodyHash)) {
      outcomes.set(order, { problem: new Problem('idempotency_mismatch', 'this Idempotency-Key was used with another body; take a new key for another order', '/headers/Idempotency-Key') });
      return false;
    }
    if (row.status === 0) return true; // ours, claimed just now
    outcomes.set(order, row.status < 300 ? { answer: row.response as unknown as CaptureAnswer, repeated: true } : { problem: storedProblem(row.response) });
    return false;
  });
}

type StoredProblem = { code: Problem['code']; detail: string; field: string | null; extra: Record<string, unknown> };
function storedProblem(response: Record<string, unknown>): Problem {
  const p = response as unknown as StoredProblem;
  return new Problem(p.code, p.detail, p.field, p.extra);
}

/** Writes the replies under the keys that this batch claimed: answers and refusals alike, for 24 hours. */
async function storeReplies(client: pg.ClientBase, claimed: readonly PreparedOrder[], outcomes: Map<PreparedOrder, CaptureOutcome>): Promise<void> {
  // A stale price is no answer: the key stays open for the next attempt.
  const keyed = claimed.filter((o) => o.idempotency !== null && (outcomes.get(o) as { stale?: boolean } | undefined)?.stale !== true);
  if (keyed.length === 0) return;
  const replies = keyed.map((o) => {
    const outcome = outcomes.get(o) as CaptureOutcome;
    if ('answer' in outcome) return { status: 201, body: JSON.stringify(outcome.answer) };
    const { code, message, field, extra } = outcome.problem;
    return { status: outcome.problem.status, body: JSON.stringify({ code, detail: message, field, extra }) };
  });
  await client.query({
    name: 'keys_reply',
    text: `update idempotency_keys k set status = t.s, response = t.r::jsonb from unnest($1::int[], $2::text[], $3::smallint[], $4::text[]) as t(a, n, s, r)
      where k.api_key_id = t.a and k.key = t.n`,
    values: [keyed.map((o) => o.idempotency?.apiKeyId), keyed.map((o) => o.idempotency?.key), replies.map((r) => r.status), replies.map((r) => r.body)],
  });
}

/** Answers orders that were captured before; another body under the same id is refused. */
async function readKnown(client: pg.ClientBase, orders: readonly PreparedOrder[], outcomes: Map<PreparedOrder, CaptureOutcome>): Promise<void> {
  if (orders.length === 0) return;
  const { rows } = await client.query<{ channel_id: number; external_id: string; body_hash: Buffer; data: CaptureAnswer }>({
    name: 'orders_known',
    text: `select o.channel_id, o.external_id, o.body_hash, e.data from unnest($1::smallint[], $2::text[]) as t(c, x)
      join orders o on o.channel_id = t.c and o.external_id = t.x
      join lateral (select data from order_events where order_id = o.id and type = 'order.captured' order by id limit 1) e on true`,
    values: [orders.map((o) => o.channel.id), orders.map((o) => o.intake.externalId)],
  });
  const known = new Map(rows.map((r) => [`${r.channel_id}|${r.external_id}`, r]));
  for (const order of orders) {
    const row = known.get(`${order.channel.id}|${order.intake.externalId}`);
    if (!row) continue;
    outcomes.set(order, row.body_hash.equals(order.bodyHash) ? { answer: row.data, repeated: true } : {
      problem: new Problem('duplicate_with_other_body', `channel ${order.channel.code} has sent order "${order.intake.externalId}" before, with another body`, '/externalId'),
    });
  }
}
