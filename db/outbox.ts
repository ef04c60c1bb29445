import type pg from 'pg';

export type OutboxRow = { id: number; topic: 'start' | 'look' | 'start_return'; orderId: string; returnId: string | null; attempts: number; terminal: boolean; channelCode: string; deliverBy: Date | null; status: string };

/**
 * Leases the next rows, urgent ones first, at most one an order (FIFO: a later row waits for the earlier one). Two relays never
 * get the same row; a relay that dies gives it back when the lease ends.
 */
export async function leaseOutbox(pool: pg.Pool, limit: number, leaseSeconds: number): Promise<OutboxRow[]> {
  const { rows } = await pool.query<OutboxRow>({
    name: 'outbox_lease',
    text: `with next as (
        select id from outbox o where (leased_until is null or leased_until < now())
          and not exists (select from outbox e where e.order_id = o.order_id and e.id < o.id)
        order by priority, id limit $1 for update skip locked)
      update outbox u set leased_until = now() + make_interval(secs => $2), attempts = attempts + 1
      from next, orders r, channels c where u.id = next.id and r.id = u.order_id and c.id = r.channel_id
      returning u.id, u.topic, u.order_id "orderId", u.return_id "returnId", u.attempts, r.status in ('closed', 'cancelled', 'rejected', 'expired') terminal,
        c.code "channelCode", r.deliver_by "deliverBy", r.status`,
    values: [limit, leaseSeconds],
  });
  return rows;
}

/** Done: the row goes, and with a look the looks for the same workflow that were written before it was delivered. */
export async function acknowledgeOutbox(pool: pg.Pool, ids: readonly number[]): Promise<void> {
  if (ids.length > 0) await pool.query({ name: 'outbox_ack', text: 'delete from outbox where id = any($1::bigint[])', values: [ids] });
}

/** Not done: to be tried again after a while; what went wrong stays readable. */
export async function postponeOutbox(pool: pg.Pool, id: number, seconds: number, error: string): Promise<void> {
  await pool.query('update outbox set leased_until = now() + make_interval(secs => $2), last_error = $3 where id = $1', [id, seconds, error.slice(0, 500)]);
}
