import type pg from 'pg';
import { inSteps } from '../steps.ts';

const DAY_MS = 86_400_000;
const MOST = 5_000;
/** Days. A hint so long that the same fact pushed again is known; a report so long that nobody asks for it any more, whether it was taken or refused. What waits stays. */
const KEPT = { hints: 14, tellings: 3, drifts: 30, reports: 90 };
/** What is found by a shop's index: of each shop its oldest. */
const ofShops = (table: string, at: string): string =>
  `delete from ${table} where id in (select o.id from channels c cross join lateral (select id from ${table} t where t.channel_id = c.id and t.${at} < $1 order by t.${at} limit $2) o limit $2)`;
const doneOf = (table: string): string => `delete from ${table} where id in (select id from ${table} where done_at < $1 order by done_at limit $2)`;

/** Forgets what was done long ago with shops; a few rows at a time, until none is left. */
export async function cleanChannels(pool: pg.Pool, now: Date, most = MOST): Promise<void> {
  for (const [text, days] of [
    [doneOf('channel_hints'), KEPT.hints], [ofShops('listing_tellings', 'told_at'), KEPT.tellings], [ofShops('listing_drifts', 'at'), KEPT.drifts], [doneOf('channel_reports'), KEPT.reports],
  ] as const) await inSteps(most, async (n) => (await pool.query(text, [new Date(now.getTime() - days * DAY_MS), n])).rowCount ?? 0);
}
