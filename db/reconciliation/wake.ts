import type pg from 'pg';

/** Asks the `reconciliation/<location>` workflows of these locations to look (it starts where it does not run), in the transaction of the fact. */
export async function wakeReconciliation(client: pg.ClientBase | pg.Pool, locationCodes: readonly string[], now: Date): Promise<void> {
  if (locationCodes.length === 0) return;
  await client.query(
    `insert into outbox (topic, workflow_type, workflow_id, input, priority)
     select 'look_workflow', 'reconciliation', 'reconciliation/' || code, jsonb_build_object('v', 1, 'location', code), $2 from unnest($1::text[]) code order by code`, [locationCodes, now]);
  await client.query('notify outbox');
}
