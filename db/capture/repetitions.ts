import type pg from 'pg';
import type { CaptureAnswer } from '../../domain/order/intake.ts';
import { Problem } from '../../domain/problem.ts';
import type { CaptureOutcome } from './outcome.ts';
import type { PreparedOrder } from './prepare.ts';

const IDEMPOTENCY_HOURS = 24;

/** Keys that may be used again. */
export async function cleanKeys(pool: pg.Pool): Promise<void> { await pool.query('delete from idempotency_keys where expires_at < now()'); }

/** Claims the idempotency keys of a batch; whose key is taken gets the stored answer, or 422 when the body differs. */
export async function claimKeys(client: pg.ClientBase, orders: readonly PreparedOrder[], outcomes: Map<PreparedOrder, CaptureOutcome>): Promise<PreparedOrder[]> {
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
export async function storeReplies(client: pg.ClientBase, claimed: readonly PreparedOrder[], outcomes: Map<PreparedOrder, CaptureOutcome>): Promise<void> {
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
export async function readKnown(client: pg.ClientBase, orders: readonly PreparedOrder[], outcomes: Map<PreparedOrder, CaptureOutcome>): Promise<void> {
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
