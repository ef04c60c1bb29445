import type pg from 'pg';
import { encodeId } from '../../../domain/ids.ts';
import { Problem } from '../../../domain/problem.ts';
import type { WaveResult } from '../../../domain/routing/wave/model.ts';

type Status = 'queued' | 'solved' | 'done' | 'failed';
type Result = Partial<Omit<WaveResult, 'plans'>>;
export type WaveView = { id: string; status: Status; orders: number; createdAt: string; solvedAt: string | null; doneAt: string | null; result: Result | null; error: string | null };
export type WaveDetail = WaveView & { members: { order: string; with: string[]; locations: string[] | null; appliedAt: string | null }[] };
type Row = { id: string; status: Status; orders: number; created_at: Date; solved_at: Date | null; done_at: Date | null; result: Result | null; error: string | null };

const view = (r: Row): WaveView => ({
  id: encodeId('wav', r.id), status: r.status, orders: r.orders, createdAt: r.created_at.toISOString(), solvedAt: r.solved_at?.toISOString() ?? null, doneAt: r.done_at?.toISOString() ?? null, result: r.result, error: r.error,
});

/** The newest first. */
export async function listWaves(pool: pg.Pool, limit: number): Promise<WaveView[]> {
  return (await pool.query<Row>('select * from waves order by created_at desc, id desc limit $1', [limit])).rows.map(view);
}

/** Throws Problem not_found. */
export async function readWave(pool: pg.Pool, id: string): Promise<WaveDetail> {
  const { rows: [row] } = await pool.query<Row>('select * from waves where id = $1', [id]);
  if (!row) throw new Problem('not_found', `wave "${encodeId('wav', id)}" does not exist`);
  const { rows } = await pool.query<{ order_id: string; plan_no: number | null; locations: string[] | null; applied_at: Date | null }>('select * from wave_orders where wave_id = $1 order by order_id', [id]);
  return {
    ...view(row),
    members: rows.map((m) => ({
      order: encodeId('ord', m.order_id), with: m.plan_no === null ? [] : rows.filter((o) => o.plan_no === m.plan_no && o.order_id !== m.order_id).map((o) => encodeId('ord', o.order_id)), locations: m.locations, appliedAt: m.applied_at?.toISOString() ?? null,
    })),
  };
}
