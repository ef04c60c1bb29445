import type pg from 'pg';

/** Asks `channel-sync/<channel>` to look, in the transaction of the fact; at most one wake that nobody has taken waits at a time. */
export async function wakeChannels(client: pg.ClientBase | pg.Pool, codes: readonly string[], now: Date): Promise<void> {
  if (codes.length === 0) return;
  // A wake under way (leased) may have been seen before this fact: it does not count.
  const { rowCount } = await client.query({
    name: 'wake_channels',
    text: `insert into outbox (topic, workflow_type, workflow_id, input, priority)
      select 'look_workflow', 'channelSync', 'channel-sync/' || code, jsonb_build_object('v', 1, 'channel', code), $2 from unnest($1::text[]) code
      where not exists (select from outbox o where o.workflow_id = 'channel-sync/' || code and o.leased_until is null)`,
    values: [[...new Set(codes)].sort(), now],
  });
  if ((rowCount ?? 0) > 0) await client.query('notify outbox');
}
