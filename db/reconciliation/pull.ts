import type pg from 'pg';
import type { Location } from '../network.ts';
import type { SnapshotHead } from './stage-snapshot.ts';
import { ruleOf } from './rules.ts';

/** When the partner of a location is to be asked for its stock next; null when nobody asks it. */
export async function pullDue(pool: pg.Pool, location: Location, now: Date): Promise<Date | null> {
  if (location.partnerUrl === null || !location.active) return null;
  const { pullEveryS } = await ruleOf(pool, location.id);
  if (pullEveryS === null) return null;
  const { rows: [last] } = await pool.query<{ at: Date | null }>(`select max(received_at) at from snapshots where location_id = $1 and origin = 'pull'`, [location.id]);
  return last?.at ? new Date(last.at.getTime() + pullEveryS * 1000) : now;
}

/** Whether the snapshot of this id is there already. */
export async function snapshotExists(pool: pg.Pool, locationId: number, id: string): Promise<boolean> {
  return (await pool.query('select from snapshots where location_id = $1 and external_id = $2', [locationId, id])).rowCount === 1;
}

/** Keeps for operators that the partner told nothing usable; the next pull is due a whole interval later. */
export async function recordFailedPull(pool: pg.Pool, head: SnapshotHead, now: Date, reason: string): Promise<void> {
  await pool.query(
    `insert into snapshots (location_id, external_id, kind, source, origin, taken_at, received_at, status, reason, done_at) values ($1, $2, $3, $4, 'pull', $5, $6, 'refused', $7, $6)
     on conflict (location_id, external_id) do nothing`, [head.locationId, head.id, head.kind, head.source, head.takenAt, now, reason.slice(0, 500)]);
}
