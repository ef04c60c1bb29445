import type pg from 'pg';
import type { StockWriter } from '../stock-writer.ts';
import { beginSnapshot } from './begin-snapshot.ts';
import { settleChunk, type ChunkOptions } from './settle-chunk.ts';

/** The location's next snapshot to process: in the order of their taking. One that was begun goes first: a later arrival must not overtake it half-way. */
export async function nextSnapshot(pool: pg.Pool, locationId: number): Promise<{ id: number; externalId: string } | null> {
  const { rows } = await pool.query<{ id: number; externalId: string }>(
    `select id, external_id "externalId" from snapshots where location_id = $1 and status in ('staged', 'comparing') order by status = 'staged', taken_at, id limit 1`, [locationId]);
  return rows[0] ?? null;
}

/**
 * Processes one snapshot to its end, in chunks; begun before, it goes on where it was. `onChunk` after each of them.
 * Whoever processes the same one at the same time takes turns with it; nothing is done twice.
 */
export async function reconcileSnapshot(writer: StockWriter, snapshotId: number, options: ChunkOptions & { onChunk?: () => void } = {}): Promise<'refused' | 'done'> {
  const { status } = await beginSnapshot(writer, snapshotId);
  if (status === 'refused') return 'refused';
  while (await settleChunk(writer, snapshotId, options)) options.onChunk?.();
  return 'done';
}

/** Processes all that waits at a location. Returns how many snapshots that were. */
export async function reconcileLocation(writer: StockWriter, locationId: number, options: ChunkOptions = {}): Promise<number> {
  for (let done = 0; ; done++) {
    const next = await nextSnapshot(writer.pool, locationId);
    if (!next) return done;
    await reconcileSnapshot(writer, next.id, options);
  }
}
