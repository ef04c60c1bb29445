import type pg from 'pg';

/** The backstop of a shop: orders changed before `until` are known; `window`: the one under way. ms since epoch. */
export type PollState = { until: number; window: { from: number; to: number; page: string | null } | null; polledAt: number | null; checkedAt: number | null; retriedAt: number | null };

export async function pollState(pool: pg.Pool, channelId: number): Promise<PollState> {
  const { rows: [row] } = await pool.query<{ polled_until: Date; poll_window: PollState['window']; polled_at: Date | null; checked_at: Date | null; retried_at: Date | null }>(
    { name: 'poll_state', text: 'select polled_until, poll_window, polled_at, checked_at, retried_at from channel_shops where channel_id = $1', values: [channelId] });
  if (!row) throw new Error(`channel ${channelId} has no shop account`);
  return { until: row.polled_until.getTime(), window: row.poll_window, polledAt: row.polled_at?.getTime() ?? null, checkedAt: row.checked_at?.getTime() ?? null, retriedAt: row.retried_at?.getTime() ?? null };
}

/** After a page: where to go on. Killed half-way, the next attempt asks for the same page again; what it names is known by then. */
export async function savePoll(pool: pg.Pool, channelId: number, window: PollState['window'], until: number | null, now: Date): Promise<void> {
  await pool.query({
    name: 'poll_save',
    text: `update channel_shops set poll_window = $2, polled_until = coalesce($3, polled_until), polled_at = case when $2::jsonb is null then $4 else polled_at end where channel_id = $1`,
    values: [channelId, window === null ? null : JSON.stringify(window), until === null ? null : new Date(until), now],
  });
}

export async function saveChecked(pool: pg.Pool, channelId: number, now: Date): Promise<void> {
  await pool.query('update channel_shops set checked_at = $2 where channel_id = $1', [channelId, now]);
}

/** When a hint or a report that was postponed comes again, ms since epoch; null: nothing waits. `reportsFrom`: reports wait until then whatever they say. */
export async function nextDue(pool: pg.Pool, channelId: number, reportsFrom: number): Promise<number | null> {
  const { rows: [row] } = await pool.query<{ hint: Date | null; report: Date | null }>(
    `select (select min(due_at) from channel_hints where channel_id = $1 and done_at is null) hint, (select min(due_at) from channel_reports where channel_id = $1 and done_at is null) report`, [channelId]);
  const times = [row?.hint?.getTime() ?? [], row?.report ? Math.max(row.report.getTime(), reportsFrom) : []].flat();
  return times.length === 0 ? null : Math.min(...times);
}
