import type pg from 'pg';
import type { MessageParams, Purpose, Template, Way } from '../../domain/messages/message.ts';

/** A message to be sent, with the words it has. `begunAt`: a try was handed to `messenger` and nobody knows what came of it. */
export type LeasedMessage = {
  id: string; round: number; contactId: string; orderId: string | null; purpose: Purpose; template: string; params: MessageParams; ways: Way[]; refusedWays: Way[]; way: Way | null; messenger: string | null;
  begunAt: Date | null; attempts: number; dueAt: Date; expiresAt: Date; error: string | null; texts: Partial<Record<Way | '*', Template>>; quiet: { from: number; to: number; timeZone: string };
};

/** Takes the next messages that are due, so that no other sender has them until `until`: then whoever died with them gives them back. */
export async function leaseMessages(pool: pg.Pool, now: Date, until: Date, limit: number): Promise<LeasedMessage[]> {
  const { rows } = await pool.query<LeasedMessage>({
    name: 'messages_lease',
    text: `with next as (select id from messages where status = 'waiting' and due_at <= $1 and (leased_until is null or leased_until <= $1) order by due_at, id limit $3 for no key update skip locked),
      taken as (update messages m set leased_until = $2 from next where m.id = next.id returning m.*)
      select m.id, m.round, m.contact_id "contactId", m.order_id "orderId", m.purpose, m.template, m.params, m.ways, m.refused_ways "refusedWays", m.way, m.messenger, m.begun_at "begunAt", m.attempts,
        m.due_at "dueAt", m.expires_at "expiresAt", m.error, json_build_object('from', r.quiet_from, 'to', r.quiet_to, 'timeZone', r.time_zone) quiet,
        coalesce((select json_object_agg(t.way, json_build_object('subject', t.subject, 'body', t.body, 'providerTemplate', t.provider_template)) from message_templates t where t.key = m.template), '{}') texts
      from taken m join message_rules r on r.purpose = m.purpose order by m.due_at, m.id`,
    values: [now, until, limit],
  });
  return rows;
}

/** Noted before the call, so that a process that dies in it leaves the question behind, not a second message. False: somebody else has the message now. */
export async function beginTry(pool: pg.Pool, message: { id: string; attempts: number }, way: Way, messenger: string, now: Date): Promise<boolean> {
  const { rowCount } = await pool.query({
    name: 'message_begin', text: `update messages set begun_at = coalesce(begun_at, $5), way = $3, messenger = $4, attempts = attempts + 1 where id = $1 and attempts = $2 and status = 'waiting'`,
    values: [message.id, message.attempts, way, messenger, now],
  });
  return rowCount === 1;
}

/** Later. `begun`: what became of the try is still not known. `refused`: the way that will not carry it. `attempts`: as `beginTry` left them, or as they were without it. */
export async function postponeMessage(
  pool: pg.Pool, message: { id: string; attempts: number }, later: { dueAt: Date; error: string | null; begun: boolean; refused: Way | null },
): Promise<void> {
  await pool.query({
    name: 'message_postpone',
    text: `update messages set due_at = $3, error = coalesce($4, error), begun_at = case when $5 then begun_at end, refused_ways = case when $6::text is null then refused_ways else refused_ways || $6::text end,
        leased_until = null where id = $1 and attempts = $2 and status = 'waiting'`,
    values: [message.id, message.attempts, later.dueAt, later.error?.slice(0, 500) ?? null, later.begun, later.refused],
  });
}
