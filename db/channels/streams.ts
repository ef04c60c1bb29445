import type pg from 'pg';

/** How a connection does, as its holder knows it. Times: Date; `kept`: messages kept and acknowledged since this holder last said so. */
export type StreamNews = { key: string; heardAt: Date | null; kept: number };

/**
 * Takes the connections that nobody holds and renews those of `holder`, for so many seconds of the database's clock: one clock for all workers. Returns the keys that are its own now;
 * it must give a connection up before that time has passed, counted from before it asked.
 */
export async function leaseStreams(pool: pg.Pool, holder: string, streams: readonly StreamNews[], seconds: number): Promise<Set<string>> {
  const sorted = [...streams].sort((a, b) => (a.key < b.key ? -1 : 1));
  const { rows } = await pool.query<{ key: string }>({
    name: 'streams_lease',
    text: `insert into channel_streams as s (key, holder, leased_until, heard_at, kept)
      select k, $1, now() + make_interval(secs => $2), h, n from unnest($3::text[], $4::timestamptz[], $5::bigint[]) as u(k, h, n)
        where not exists (select from channel_streams o where o.key = k and o.holder <> $1 and o.leased_until > now())
      on conflict (key) do update set holder = excluded.holder, leased_until = excluded.leased_until, heard_at = coalesce(excluded.heard_at, s.heard_at), kept = s.kept + excluded.kept,
          opened_at = case when s.holder = excluded.holder then s.opened_at end
        where s.holder is null or s.holder = excluded.holder or s.leased_until is null or s.leased_until <= now() returning key`,
    values: [holder, seconds, sorted.map((s) => s.key), sorted.map((s) => s.heardAt), sorted.map((s) => s.kept)],
  });
  return new Set(rows.map((r) => r.key));
}

/** Notes that a connection was opened, or why it is not open. Nothing, where somebody else holds it by now. */
export async function noteStream(pool: pg.Pool, key: string, holder: string, news: { open: true } | { open: false; fault: string }, now: Date): Promise<void> {
  const text = news.open ? 'update channel_streams set opened_at = $3, opens = opens + 1, fault = null, fault_at = null where key = $1 and holder = $2'
    : 'update channel_streams set opened_at = null, fault = $4, fault_at = $3 where key = $1 and holder = $2';
  await pool.query(text, [key, holder, now, ...news.open ? [] : [news.fault.slice(0, 500)]]);
}

/** Gives a connection up: whoever looks next may take it at once. */
export async function leaveStream(pool: pg.Pool, holder: string, { key, heardAt, kept }: StreamNews): Promise<void> {
  await pool.query('update channel_streams set holder = null, leased_until = null, opened_at = null, heard_at = coalesce($3, heard_at), kept = kept + $4 where key = $1 and holder = $2', [key, holder, heardAt, kept]);
}

/** The connection that a shop's messages come over. */
export type StreamState = { open: boolean; openedAt: string | null; heardAt: string | null; kept: number; opens: number; fault: string | null; faultAt: string | null };

/** Null: no worker has held it yet. */
export async function streamState(pool: pg.Pool, key: string): Promise<StreamState | null> {
  const { rows: [r] } = await pool.query<{ open: boolean; opened_at: Date | null; heard_at: Date | null; kept: string; opens: number; fault: string | null; fault_at: Date | null }>(
    `select opened_at is not null and leased_until > now() open, opened_at, heard_at, kept, opens, fault, fault_at from channel_streams where key = $1`, [key]);
  return r ? {
    open: r.open, openedAt: r.opened_at?.toISOString() ?? null, heardAt: r.heard_at?.toISOString() ?? null, kept: Number(r.kept), opens: r.opens, fault: r.fault, faultAt: r.fault_at?.toISOString() ?? null,
  } : null;
}
