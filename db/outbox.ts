import type pg from 'pg';
import type { Tx } from './tx.ts';

export type OrderOutboxRow = { id: number; topic: 'start' | 'look' | 'start_return'; orderId: string; returnId: string | null; attempts: number; terminal: boolean; channelCode: string; deliverBy: Date | null; status: string };
/** For any other workflow: it says itself what to start. */
export type WorkflowOutboxRow = { id: number; topic: 'start_workflow' | 'look_workflow'; attempts: number; workflow: WorkflowRef };
export type OutboxRow = OrderOutboxRow | WorkflowOutboxRow;

/** `type`: the workflow's exported name; `input`: its one argument, versioned, ids only. */
export type WorkflowRef = { type: string; id: string; input: { v: number } & Record<string, string | number> };

type Leased = Omit<OrderOutboxRow, 'topic' | 'orderId'> & {
  topic: OutboxRow['topic']; orderId: string | null; workflowType: string; workflowId: string; input: WorkflowRef['input'];
};

/**
 * Leases the next rows, urgent ones first, at most one an order or workflow (FIFO: a later row waits for the earlier one). Two relays never
 * get the same row; a relay that dies gives it back when the lease ends.
 */
export async function leaseOutbox(pool: pg.Pool, limit: number, leaseSeconds: number): Promise<OutboxRow[]> {
  const { rows } = await pool.query<Leased>({
    name: 'outbox_lease',
    text: `with next as (
        select id, order_id from outbox o where (leased_until is null or leased_until < now())
          and not exists (select from outbox e where e.order_id = o.order_id and e.id < o.id)
          and not exists (select from outbox e where e.workflow_id = o.workflow_id and e.id < o.id)
        order by priority, id limit $1 for update skip locked)
      update outbox u set leased_until = now() + make_interval(secs => $2), attempts = attempts + 1
      from next left join orders r on r.id = next.order_id left join channels c on c.id = r.channel_id where u.id = next.id and (next.order_id is null or r.id is not null)
      returning u.id, u.topic, u.order_id "orderId", u.return_id "returnId", u.attempts, r.status in ('closed', 'cancelled', 'rejected', 'expired') terminal,
        c.code "channelCode", r.deliver_by "deliverBy", r.status, u.workflow_type "workflowType", u.workflow_id "workflowId", u.input`,
    values: [limit, leaseSeconds],
  });
  return rows.map(({ orderId, workflowType, workflowId, input, ...row }): OutboxRow => (orderId === null
    ? { id: row.id, topic: row.topic as WorkflowOutboxRow['topic'], attempts: row.attempts, workflow: { type: workflowType, id: workflowId, input } }
    : { ...row, orderId, topic: row.topic as OrderOutboxRow['topic'] }));
}

/** Done: the row goes, and with a look the looks for the same workflow that were written before it was delivered. */
export async function acknowledgeOutbox(pool: pg.Pool, ids: readonly number[]): Promise<void> {
  if (ids.length > 0) await pool.query({ name: 'outbox_ack', text: 'delete from outbox where id = any($1::bigint[])', values: [ids] });
}

/** Not done: to be tried again after a while; what went wrong stays readable. */
export async function postponeOutbox(pool: pg.Pool, id: number, seconds: number, error: string): Promise<void> {
  await pool.query('update outbox set leased_until = now() + make_interval(secs => $2), last_error = $3 where id = $1', [id, seconds, error.slice(0, 500)]);
}

/**
 * Asks for a workflow in the command's transaction. `start`: it begins, unless it ever did. `look`: the facts have changed; a workflow that is not
 * running (never started, or over) begins, so its activities must find nothing to do where there is nothing.
 */
export async function askWorkflow(tx: Tx, what: 'start' | 'look', ref: WorkflowRef, priority: Date = tx.now): Promise<void> {
  await tx.query('insert into outbox (topic, workflow_type, workflow_id, input, priority) values ($1, $2, $3, $4, $5)', [`${what}_workflow`, ref.type, ref.id, JSON.stringify(ref.input), priority]);
  tx.woken = true;
}
