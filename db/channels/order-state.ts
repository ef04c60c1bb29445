import type pg from 'pg';
import type { Applied } from '../../domain/channel/next-steps.ts';
import type { Units } from '../../domain/channel/taken.ts';
import type { LineMap } from './intake.ts';

export type State = 'open' | 'held' | 'ignored';
/** A capture that was begun: the lines it was made with, and what is applied by it alone. */
export type Begun = { lines: LineMap[]; applied: Applied | null };
/** What we know of a platform's order. `begun`: by the hash of the body (hex). */
export type OrderRow = {
  state: State; applied: Applied | null; order_id: string | null; lines: LineMap[] | null; hold_reason: string | null; hold_key: string | null; begun: Record<string, Begun> | null;
};

export async function readState(pool: pg.Pool, channelId: number, externalId: string): Promise<OrderRow | null> {
  const { rows } = await pool.query<OrderRow>({
    name: 'channel_order', text: 'select state, applied, order_id, lines, hold_reason, hold_key, begun from channel_orders where channel_id = $1 and external_id = $2', values: [channelId, externalId] });
  return rows[0] ?? null;
}

/** What becomes of it, and why. `applied` null: stays as it is. `units`: what the platform has sold in it and no account counts. */
export async function writeState(
  pool: pg.Pool, channelId: number, externalId: string, to: { state: State; reason: string | null; detail: string | null; key: string | null; applied: Applied | null }, now: Date, units: Units = null,
): Promise<void> {
  await pool.query({
    name: 'channel_order_state',
    text: `insert into channel_orders as o (channel_id, external_id, state, hold_reason, hold_detail, hold_key, applied, first_seen_at, updated_at, held_units) values ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)
      on conflict (channel_id, external_id) do update set state = excluded.state, hold_reason = excluded.hold_reason, hold_detail = excluded.hold_detail, hold_key = excluded.hold_key,
        applied = coalesce(excluded.applied, o.applied), updated_at = excluded.updated_at, held_units = excluded.held_units`,
    values: [channelId, externalId, to.state, to.reason, to.detail?.slice(0, 1000) ?? null, to.key, to.applied === null ? null : JSON.stringify(to.applied), now, units === null ? null : JSON.stringify(units)],
  });
}
