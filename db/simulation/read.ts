import type pg from 'pg';
import { encodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import type { SimulationResult } from '../../domain/simulation/model.ts';

export type SimulationStatus = 'queued' | 'running' | 'done' | 'failed' | 'cancelled';
/** `progress` per cent over all policies; `orders` replayed under each, null until they are read. */
export type SimulationView = {
  id: string; reference: string; status: SimulationStatus; from: string; to: string; progress: number; orders: number | null; requestedBy: string; requestedAt: string; startedAt: string | null;
  endedAt: string | null; error: string | null; policies: { code: string; version: number; simulated: number }[];
};
/** `result` null: not finished. `actual`: what was decided then; null until it is read. */
export type SimulationDetail = Omit<SimulationView, 'policies'> & { actual: SimulationResult | null; policies: (SimulationView['policies'][number] & { hash: string; result: SimulationResult | null })[] };

type Row = {
  id: string; reference: string; status: SimulationStatus; from: Date; to: Date; orders: number | null; requestedBy: string; requestedAt: Date; startedAt: Date | null; endedAt: Date | null; error: string | null;
  actual: SimulationResult | null; policies: { code: string; version: number; simulated: number; hash: string; result: SimulationResult | null }[];
};
const select = (withResults: boolean): string => `select s.id, s.reference, s.status, s.period_from "from", s.period_to "to", s.orders, s.requested_by "requestedBy", s.requested_at "requestedAt", s.started_at "startedAt", s.ended_at "endedAt",
  s.error, ${withResults ? 's.actual' : 'null'} actual, (select json_agg(json_build_object('code', r.code, 'version', r.version, 'simulated', p.simulated, 'hash', encode(p.policy_hash, 'hex'), 'result', ${withResults ? 'p.result' : 'null'}) order by p.position)
  from simulation_policies p join routing_policies r on r.id = p.policy_id where p.simulation_id = s.id) policies from simulations s`;

function head(r: Row): Omit<SimulationView, 'policies'> {
  const all = (r.orders ?? 0) * r.policies.length;
  const done = r.policies.reduce((sum, p) => sum + p.simulated, 0);
  return {
    id: encodeId('sim', r.id), reference: r.reference, status: r.status, from: r.from.toISOString(), to: r.to.toISOString(), progress: r.status === 'done' ? 100 : all === 0 ? 0 : Math.floor((done * 100) / all),
    orders: r.orders, requestedBy: r.requestedBy, requestedAt: r.requestedAt.toISOString(), startedAt: r.startedAt?.toISOString() ?? null, endedAt: r.endedAt?.toISOString() ?? null, error: r.error,
  };
}

/** The newest first; `after` is the id (UUID) of the last one of the page before. */
export async function listSimulations(pool: pg.Pool, after: string | null, limit: number): Promise<{ items: SimulationView[]; last: string | null }> {
  const { rows } = await pool.query<Row>(`${select(false)} where $1::uuid is null or s.id < $1 order by s.id desc limit $2`, [after, limit + 1]);
  const page = rows.slice(0, limit);
  return { items: page.map((r) => ({ ...head(r), policies: r.policies.map(({ code, version, simulated }) => ({ code, version, simulated })) })), last: rows.length > limit ? page.at(-1)?.id ?? null : null };
}

/** Throws Problem not_found. */
export async function readSimulation(pool: pg.Pool, id: string): Promise<SimulationDetail> {
  const { rows: [row] } = await pool.query<Row>(`${select(true)} where s.id = $1`, [id]);
  if (!row) throw new Problem('not_found', 'there is no such simulation');
  return { ...head(row), actual: row.actual, policies: row.policies };
}
