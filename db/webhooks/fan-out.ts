import type pg from 'pg';
import { encodeId } from '../../domain/ids.ts';
import { GIVE_UP_S, WEBHOOK_EVENT_TYPES, webhookBody } from '../../domain/webhooks/catalogue.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import { advanceReader } from '../readers.ts';
import { inSteps } from '../steps.ts';
import { aloneInTransaction } from '../transaction.ts';

type Fact = { orderId: string; type: string; at: Date; channel: string; data: Record<string, unknown> | null };

/** So many facts are in memory, and written by one statement, at a time. */
const STEP = 1_000;
const CLEANED = 5_000;

/**
 * Reads the orders' events since it last did and writes who must be told: one event, one delivery for each endpoint that wants its type, in the order of the facts. The reader moves in the same
 * transaction, so nothing is told twice or passed over; it stops below the oldest running transaction. One process does it at a time. Returns how many deliveries are new.
 */
export async function fanOut(pool: pg.Pool, now: Date, step = STEP): Promise<number> {
  const { rowCount: any } = await pool.query({ name: 'webhooks_any', text: `select 1 from webhook_endpoints where status <> 'gone' limit 1` });
  if (any === 0) return 0;
  const told = await aloneInTransaction(pool, 'webhooks', async (client) => {
    const span = await advanceReader(client, 'webhooks', now);
    if (span === null) return 0;
    // Not cut into spans of transactions: their ids are not in the order in which they had an order's lock, as those of its events are.
    await client.query({
      text: `declare webhook_facts no scroll cursor for select e.order_id "orderId", e.type, e.at, c.code channel, e.data from order_events e join orders o on o.id = e.order_id join channels c on c.id = o.channel_id
        where e.xid >= $1::text::xid8 and e.xid < $2::text::xid8 and e.type = any($3::text[]) order by e.id`,
      values: [span.from, span.to, WEBHOOK_EVENT_TYPES],
    });
    for (let made = 0; ;) {
      const { rows } = await client.query<Fact>(`fetch ${step} from webhook_facts`);
      made += await write(client, rows, now);
      if (rows.length < step) return made;
    }
  });
  return told ?? 0;
}

async function write(client: pg.ClientBase, found: readonly Fact[], now: Date): Promise<number> {
  const events = found.flatMap((f) => {
    const body = webhookBody(f.type, f.at.toISOString(), { id: encodeId('ord', f.orderId), channel: f.channel }, f.data ?? {});
    return body === null ? [] : [{ id: uuidv7(), type: f.type, orderId: f.orderId, at: f.at, body }];
  });
  if (events.length === 0) return 0;
  const { rowCount } = await client.query({
    name: 'webhook_events_write',
    text: `with fresh as (insert into webhook_events (id, type, order_id, body, at) select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::timestamptz[]) returning id, type, order_id, at)
      insert into webhook_deliveries (endpoint_id, event_id, order_id, at, due_at, since) select e.id, f.id, f.order_id, f.at, $6, $6 from fresh f join webhook_endpoints e on e.status <> 'gone' and (f.type = any(e.events) or '*' = any(e.events)) order by f.id, e.id`,
    values: [events.map((e) => e.id), events.map((e) => e.type), events.map((e) => e.orderId), events.map((e) => e.body), events.map((e) => e.at), now],
  });
  return rowCount ?? 0;
}

/** An event of no order, for one endpoint alone, to try the way. */
export async function tellTest(pool: pg.Pool, endpointId: string, now: Date): Promise<void> {
  await pool.query(
    `with fresh as (insert into webhook_events (id, type, body, at) values ($1, 'webhook.test', $2, $3) returning id) insert into webhook_deliveries (endpoint_id, event_id, at, due_at, since) select $4, id, $3, $3, $3 from fresh`,
    [uuidv7(), webhookBody('webhook.test', now.toISOString(), null, {}), now, endpointId]);
}

/** Events are kept for replay, with what became of them; those that still wait longer, but for those of webhooks that have been paused for as long. A few at a time. */
export async function cleanWebhooks(pool: pg.Pool, before: Date, most = CLEANED): Promise<void> {
  await inSteps(most, async (n) => (await pool.query(
    `delete from webhook_events where id in (select e.id from webhook_events e where e.at < $1 and not exists (
       select from webhook_deliveries d join webhook_endpoints p on p.id = d.endpoint_id and p.status <> 'paused' where d.event_id = e.id and d.status = 'waiting') order by e.at limit $2)`, [before, n])).rowCount ?? 0);
}

/** Gives up what an active endpoint has left waiting for too long, however seldom it could be tried: one that hangs takes fewer than happen. A few at a time. */
export async function giveUpWebhooks(pool: pg.Pool, now: Date, most = CLEANED): Promise<void> {
  await inSteps(most, async (n) => (await pool.query(
    `update webhook_deliveries set status = 'failed', error = 'given up: it has waited for too long', settled_at = $1, leased_until = null where status = 'waiting' and id in (
       select d.id from webhook_endpoints e cross join lateral (select w.id from webhook_deliveries w where w.endpoint_id = e.id and w.status = 'waiting' and w.since < $2
         and (w.leased_until is null or w.leased_until <= $1) order by w.since limit $3) d where e.status = 'active' and e.active_since < $2 limit $3)`, [now, new Date(now.getTime() - GIVE_UP_S * 1000), n])).rowCount ?? 0);
}
