import type pg from 'pg';
import { deflateRawSync } from 'node:zlib';
import type { InstancePolicy } from '../../domain/routing/model.ts';
import type { SimulationResult } from '../../domain/simulation/model.ts';
import type { Network } from '../network.ts';
import type { StockWriter } from '../stock-writer.ts';
import { readInput } from './read-input.ts';

/** A policy that has no result yet. */
export type OpenRun = { position: number; policy: InstancePolicy };
/** `input`: deflated JSON of a SimulationInput. Null: the simulation is over. */
export type Prepared = { input: Buffer; open: OpenRun[] } | null;

/** Makes a simulation ready: reads its input once and keeps it, so that a later attempt replays the same, and says what is left to do. */
export async function prepareSimulation(writer: StockWriter, network: Network, id: string): Promise<Prepared> {
  const { pool } = writer;
  const row = await one<{ status: string; input: Buffer | null; from: Date; to: Date }>(pool, 'select status, input, period_from "from", period_to "to" from simulations where id = $1', [id]);
  if (!row) throw new Error(`simulation ${id} is not in the database`);
  if (row.status !== 'queued' && row.status !== 'running') return null;
  let { input } = row;
  if (!input) {
    const read = await readInput(pool, network, row);
    // Another worker may have read it, too: the first one stays.
    await pool.query(
      `update simulations set status = 'running', started_at = $5, input = $2, actual = $3, orders = $4 where id = $1 and input is null and status in ('queued', 'running')`,
      [id, deflateRawSync(JSON.stringify(read.input)), JSON.stringify(read.actual), read.input.orders.length, writer.clock()]);
    input = (await one<{ input: Buffer | null }>(pool, 'select input from simulations where id = $1', [id]))?.input ?? null;
    if (!input) return null; // cancelled meanwhile
  }
  const { rows } = await pool.query<{ position: number; code: string; version: number; body: Omit<InstancePolicy, 'code' | 'version'> }>(
    'select s.position, p.code, p.version, p.body from simulation_policies s join routing_policies p on p.id = s.policy_id where s.simulation_id = $1 and s.result is null order by 1', [id]);
  return { input, open: rows.map(({ position, code, version, body }) => ({ position, policy: { code, version, ...body } })) };
}

/** Tells how far a policy is. False: the simulation was cancelled, stop. */
export async function reportProgress(pool: pg.Pool, id: string, position: number, simulated: number): Promise<boolean> {
  const { rowCount } = await pool.query(
    `update simulation_policies p set simulated = $3 from simulations s where s.id = $1 and s.status = 'running' and p.simulation_id = s.id and p.position = $2`, [id, position, simulated]);
  return rowCount === 1;
}

/** Keeps the result of a policy, the first one that comes: all are the same. With the last one the simulation is done and its input goes. */
export async function keepResult(writer: StockWriter, id: string, position: number, simulated: number, result: SimulationResult): Promise<void> {
  await writer.change(async (tx) => {
    const row = await tx.one<{ status: string }>('select status from simulations where id = $1 for no key update', [id]);
    if (row?.status !== 'running') return;
    await tx.query('update simulation_policies set result = $3, simulated = $4 where simulation_id = $1 and position = $2 and result is null', [id, position, JSON.stringify(result), simulated]);
    await tx.query(
      `update simulations set status = 'done', ended_at = $2, input = null where id = $1 and not exists (select from simulation_policies where simulation_id = $1 and result is null)`, [id, tx.now]);
  });
}

/** What cannot be simulated, with the reason. */
export async function failSimulation(writer: StockWriter, id: string, error: string): Promise<void> {
  await writer.pool.query(`update simulations set status = 'failed', ended_at = $2, input = null, error = $3 where id = $1 and status in ('queued', 'running')`, [id, writer.clock(), error.slice(0, 2000)]);
}

async function one<T extends pg.QueryResultRow>(pool: pg.Pool, text: string, values: unknown[]): Promise<T | null> { return (await pool.query<T>(text, values)).rows[0] ?? null; }
