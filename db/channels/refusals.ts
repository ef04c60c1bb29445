import type pg from 'pg';
import { Problem } from '../../domain/problem.ts';
import { inTransaction } from '../transaction.ts';
import { wakeChannels } from './wake.ts';

/** Why a lane of a shop waits, since and until when; ms since epoch. */
export type Pause = { reason: string; since: number; until: number };

/** The lanes that wait because the platform refuses the account, by name. */
export async function pausedLanes(pool: pg.Pool, channelId: number): Promise<Map<string, Pause>> {
  const { rows: [row] } = await pool.query<{ paused: Record<string, Pause> }>({ name: 'lanes_paused', text: 'select paused from channel_shops where channel_id = $1', values: [channelId] });
  return new Map(Object.entries(row?.paused ?? {}));
}

/** A lane waits. Not where the account has been put anew since it was read (`account`: when it had last been put). */
export async function pauseLane(pool: pg.Pool, channelId: number, lane: string, pause: Pause, account: Date): Promise<void> {
  await pool.query('update channel_shops set paused = paused || jsonb_build_object($2::text, $3::jsonb) where channel_id = $1 and updated_at = $4', [channelId, lane, JSON.stringify(pause), account]);
}

export async function endPause(pool: pg.Pool, channelId: number, lane: string): Promise<void> {
  await pool.query('update channel_shops set paused = paused - $2 where channel_id = $1', [channelId, lane]);
}

/** Listings that the platform has refused are told again: its reason may be gone, and it goes on selling what it had. */
export async function retryListings(client: pg.ClientBase | pg.Pool, channelId: number, now: Date): Promise<void> {
  await client.query(
    `insert into listing_changes as c (listing_id, channel_id, since, urgent, stamp) select id, channel_id, $2, false, nextval('listing_change_stamps') from listings
       where channel_id = $1 and refused is not null and version > 0 and publish <> 'stopped' order by id
     on conflict (listing_id) do update set changes = c.changes + 1, stamp = excluded.stamp`, [channelId, now]);
}

/** The same, noted for the shop; for the check's interval. */
export async function retryRefused(pool: pg.Pool, channelId: number, now: Date): Promise<void> {
  await inTransaction(pool, async (client) => {
    await client.query('update channel_shops set retried_at = $2 where channel_id = $1', [channelId, now]);
    await retryListings(client, channelId, now);
  });
}

/** The account has been put anew: no lane waits any more, and whatever was refused or failed is tried again at once. */
export async function retryAll(client: pg.ClientBase, channelId: number, now: Date): Promise<void> {
  await client.query(`update channel_shops set paused = '{}' where channel_id = $1`, [channelId]);
  await client.query('update channel_reports set done_at = null, refused = false, barred = false, attempts = 0, due_at = $2 where channel_id = $1 and (refused or done_at is null)', [channelId, now]);
  await client.query('update channel_hints set due_at = least(due_at, $2), failed_since = null, refusals = 0 where channel_id = $1 and done_at is null and (due_at > $2 or failed_since is not null)', [channelId, now]);
  await retryListings(client, channelId, now);
}

/**
 * Has a report that the platform refused told again. One that waits goes now, and one that has arrived is left as it is: asked twice is as good as once. Returns what becomes of it. Throws not_found.
 */
export async function resendReport(pool: pg.Pool, channel: { id: number; code: string }, id: number, now: Date): Promise<'waiting' | 'done'> {
  return inTransaction(pool, async (client) => {
    const { rows: [row] } = await client.query<{ done: boolean }>('select done_at is not null and not refused done from channel_reports where channel_id = $1 and id = $2 for update', [channel.id, id]);
    if (!row) throw new Problem('not_found', `report ${id} is not one of channel "${channel.code}"`);
    if (row.done) return 'done';
    await client.query('update channel_reports set done_at = null, refused = false, barred = false, attempts = 0, due_at = $2 where id = $1', [id, now]);
    await wakeChannels(client, [channel.code], now);
    return 'waiting';
  });
}
