import type pg from 'pg';
import { decodeId, encodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import { endpointUuid } from './endpoints.ts';

export const DELIVERY_STATUSES = ['waiting', 'delivered', 'failed', 'cancelled'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];
/** `event`: the `webhook-id`, the same for every try and replay. `tries`: ever. */
export type DeliveryView = {
  event: string; type: string; order: string | null; at: string; status: DeliveryStatus; tries: number; replays: number; dueAt: string; answer: number | null; error: string | null; settledAt: string | null; body: string;
  attempts: { no: number; at: string; ms: number; answer: number | null; error: string | null }[];
};
type Row = Omit<DeliveryView, 'event' | 'order' | 'at' | 'dueAt' | 'settledAt'> & { event: string; orderId: string | null; at: Date; dueAt: Date; settledAt: Date | null };

/** The delivery log of an endpoint, newest event first. `after`: the event of the last row of the page before. */
export async function listDeliveries(pool: pg.Pool, endpoint: string, filter: { status: DeliveryStatus | null; event: string | null; after: string | null; limit: number }): Promise<{ deliveries: DeliveryView[]; next: string | null }> {
  const { rows } = await pool.query<Row>({
    name: 'webhook_log',
    text: `select d.event_id event, v.type, d.order_id "orderId", d.at, d.status, d.tries, d.replays, d.due_at "dueAt", d.answer, d.error, d.settled_at "settledAt", v.body,
        coalesce((select json_agg(json_build_object('no', a.no, 'at', to_char(a.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'ms', a.ms, 'answer', a.answer, 'error', a.error) order by a.no) from webhook_attempts a where a.delivery_id = d.id), '[]') attempts
      from webhook_deliveries d join webhook_events v on v.id = d.event_id
      where d.endpoint_id = $1 and ($2::text is null or d.status = $2) and ($3::uuid is null or d.event_id = $3) and ($4::uuid is null or d.event_id < $4) order by d.event_id desc limit $5`,
    values: [endpointUuid(endpoint), filter.status, filter.event, filter.after, filter.limit + 1],
  });
  const deliveries = rows.slice(0, filter.limit).map(({ event, orderId, at, dueAt, settledAt, ...row }) => ({
    event: encodeId('evt', event), order: orderId === null ? null : encodeId('ord', orderId), at: at.toISOString(), dueAt: dueAt.toISOString(), settledAt: settledAt?.toISOString() ?? null, ...row,
  }));
  return { deliveries, next: rows.length > filter.limit ? deliveries.at(-1)?.event ?? null : null };
}

/**
 * Sends again what an endpoint has been sent: one event, or all of [from, to) (optionally of one status), with the same ids and bytes; in the order of each order id. What still waits is left as it is.
 * Returns how many. Throws not_found, and `conflict` for an endpoint that is not active.
 */
export async function replay(pool: pg.Pool, endpoint: string, what: { event: string } | { from: Date; to: Date; status: DeliveryStatus | null }, now: Date): Promise<number> {
  const id = endpointUuid(endpoint);
  const { rows: [row] } = await pool.query<{ status: string }>('select status from webhook_endpoints where id = $1', [id]);
  if (!row) throw new Problem('not_found', `webhook "${endpoint}" does not exist`);
  if (row.status !== 'active') throw new Problem('conflict', `this webhook is ${row.status}: make it active first with PUT`);
  const one = 'event' in what ? decodeId('evt', what.event) : null;
  if ('event' in what && one === null) throw new Problem('not_found', `event "${what.event}" does not exist`);
  const { rowCount } = await pool.query(
    `update webhook_deliveries set status = 'waiting', attempts = 0, replays = replays + 1, due_at = $2, since = $2, error = null, answer = null, settled_at = null, leased_until = null
     where endpoint_id = $1 and status <> 'waiting' and ($3::uuid is null or event_id = $3) and ($4::timestamptz is null or at >= $4) and ($5::timestamptz is null or at < $5) and ($6::text is null or status = $6)`,
    [id, now, one, 'from' in what ? what.from : null, 'to' in what ? what.to : null, 'status' in what ? what.status : null]);
  if (one !== null && rowCount === 0) {
    const { rowCount: waits } = await pool.query('select 1 from webhook_deliveries where endpoint_id = $1 and event_id = $2', [id, one]);
    if (waits === 0) throw new Problem('not_found', `event "${'event' in what ? what.event : ''}" was never sent to this webhook`);
  }
  return rowCount ?? 0;
}
