import type pg from 'pg';
import { afterTry, slowFor } from '../../domain/webhooks/catalogue.ts';
import { inTransaction } from '../transaction.ts';

/** So many tries of an event the later ones of its order wait for: five minutes, by the times of `afterTry`. */
const WAITED_FOR = 3;

/** `superseded`: somebody else had settled it meanwhile. */
export type TryOutcome = ReturnType<typeof afterTry>['status'] | 'superseded';
export type DueDelivery = { id: number; endpointId: string; eventId: string; url: string; secrets: Buffer; body: string; attempts: number; tries: number };

/**
 * Takes deliveries that are due: for each endpoint what happened later to an order waits for what happened before, while that has had fewer than three tries: one that the receiver never takes must not make its
 * successors late by three days each. At most `each` an endpoint at a time, so that one that
 * hangs delays nobody else. `until`: when they are given back if their process dies.
 */
export async function leaseDeliveries(pool: pg.Pool, now: Date, until: Date, each: number, limit: number): Promise<DueDelivery[]> {
  if (limit <= 0) return [];
  const { rows } = await pool.query<DueDelivery>({
    name: 'webhooks_lease',
    text: `with next as (select d.id from webhook_endpoints e cross join lateral (
          select w.id, w.due_at from webhook_deliveries w where w.endpoint_id = e.id and w.status = 'waiting' and w.due_at <= $1 and (w.leased_until is null or w.leased_until <= $1)
            and not exists (select from webhook_deliveries b where b.endpoint_id = w.endpoint_id and b.order_id = w.order_id and b.status = 'waiting' and b.attempts < $5 and b.id < w.id)
          order by w.due_at, w.id limit greatest(0, $3 - (select count(*) from webhook_deliveries l where l.endpoint_id = e.id and l.status = 'waiting' and l.leased_until > $1))) d
        where e.status = 'active' and (e.slow_until is null or e.slow_until <= $1) order by d.due_at, d.id limit $4)
      update webhook_deliveries d set leased_until = $2 from next, webhook_endpoints e, webhook_events v
      where d.id = next.id and d.status = 'waiting' and (d.leased_until is null or d.leased_until <= $1) and e.id = d.endpoint_id and v.id = d.event_id
      returning d.id, d.endpoint_id "endpointId", d.event_id "eventId", e.url, e.secrets, v.body, d.attempts, d.tries`,
    values: [now, until, each, limit, WAITED_FOR],
  });
  return rows;
}

/** How a try went: the log's row, what follows, and whether its endpoint is left alone or gone. `ms`: how long it took. A delivery that somebody else has settled meanwhile keeps that. Returns what became of it. */
export async function settleDelivery(
  pool: pg.Pool, d: Pick<DueDelivery, 'id' | 'endpointId' | 'attempts' | 'tries'>, outcome: { answer: number | null; error: string | null; retryAfterS: number | null; ms: number }, now: Date,
): Promise<TryOutcome> {
  const next = afterTry(d.attempts + 1, outcome.answer, outcome.retryAfterS);
  return inTransaction(pool, async (client) => {
    const { rowCount } = await client.query({
      name: 'webhook_settle',
      text: `update webhook_deliveries set status = $3, attempts = attempts + 1, tries = tries + 1, answer = $4, error = $5, due_at = coalesce($6, due_at), leased_until = null, settled_at = case when $3 = 'waiting' then null else $7::timestamptz end
        where id = $1 and tries = $2 and status = 'waiting'`,
      values: [d.id, d.tries, next.status === 'gone' ? 'cancelled' : next.status, outcome.answer, outcome.error, next.status === 'waiting' ? new Date(now.getTime() + next.inS * 1000) : null, now],
    });
    if (rowCount !== 1) return 'superseded';
    await client.query({
      name: 'webhook_attempt', text: 'insert into webhook_attempts (delivery_id, no, at, ms, answer, error) values ($1, $2, $3, $4, $5, $6)',
      values: [d.id, d.tries + 1, now, Math.round(outcome.ms), outcome.answer, outcome.error],
    });
    if (next.status === 'gone') await gone(client, d.endpointId, now);
    else if (next.status === 'waiting' && next.slow) await slow(client, d.endpointId, outcome.retryAfterS, now);
    else if (next.status === 'delivered') await client.query({ name: 'webhook_well', text: 'update webhook_endpoints set slowed = 0, slow_until = null where id = $1 and slowed > 0', values: [d.endpointId] });
    return next.status;
  });
}

async function gone(client: pg.ClientBase, endpointId: string, now: Date): Promise<void> {
  await client.query(`update webhook_endpoints set status = 'gone', updated_at = $2 where id = $1`, [endpointId, now]);
  await client.query(`update webhook_deliveries set status = 'cancelled', error = 'the endpoint is gone (410)', settled_at = $2, leased_until = null where endpoint_id = $1 and status = 'waiting'`, [endpointId, now]);
}

async function slow(client: pg.ClientBase, endpointId: string, retryAfterS: number | null, now: Date): Promise<void> {
  // Those that were under way together count once.
  const { rows: [row] } = await client.query<{ slowed: number }>({
    name: 'webhook_slow', text: `select slowed + 1 slowed from webhook_endpoints where id = $1 and (slow_until is null or slow_until <= $2) for no key update`, values: [endpointId, now],
  });
  if (row) await client.query({ name: 'webhook_slowed', text: 'update webhook_endpoints set slowed = $2, slow_until = $3 where id = $1', values: [endpointId, row.slowed, new Date(now.getTime() + slowFor(row.slowed, retryAfterS) * 1000)] });
}
