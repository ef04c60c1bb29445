import { encodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import { askWorkflow, type WorkflowRef } from '../outbox.ts';
import type { StockWriter } from '../stock-writer.ts';
import { claimReference, storeAnswer } from '../stock/receipts.ts';

export type SimulationRequest = { reference: string; from: string; to: string; policies: { code: string; version: number }[] };
export type SimulationAnswer = { id: string; reference: string; status: 'queued' };

const MOST_DAYS = 92;
const MOST_ORDERS = 200_000;
const DAY_MS = 86_400_000;

export const simulationRef = (id: string): WorkflowRef => ({ type: 'simulation', id: `simulation/${encodeId('sim', id)}`, input: { v: 1, simulation: encodeId('sim', id) } });

/** Asks for a simulation; it begins when a worker comes to it. Idempotent by reference. Throws Problem: a period that ends before it begins, too long or empty; a policy that is not there or named twice. */
export async function requestSimulation(writer: StockWriter, request: SimulationRequest, actor: string): Promise<SimulationAnswer> {
  return writer.change(async (tx) => {
    const known = await claimReference<SimulationAnswer>(tx, 'simulation', request.reference, request);
    if (known) return known;
    const [from, to] = [time(request.from, '/from'), time(request.to, '/to')];
    if (to <= from) throw new Problem('unprocessable', 'the period ends before it begins: `to` must be after `from`', '/to');
    if (to > tx.now) throw new Problem('unprocessable', 'only what has happened can be replayed: `to` lies in the future', '/to');
    if (to.getTime() - from.getTime() > MOST_DAYS * DAY_MS) throw new Problem('unprocessable', `a simulation replays ${MOST_DAYS} days at most: choose a shorter period`, '/to');
    const policies: { id: number; hash: Buffer }[] = [];
    for (const [i, { code, version }] of request.policies.entries()) {
      const policy = await tx.one<{ id: number; hash: Buffer }>('select id, hash from routing_policies where code = $1 and version = $2', [code, version]);
      if (!policy) throw new Problem('unprocessable', `routing policy "${code}" has no version ${version}: draft it first`, `/policies/${i}`);
      if (policies.some((p) => p.id === policy.id)) throw new Problem('unprocessable', `version ${version} of policy "${code}" is named twice`, `/policies/${i}`);
      policies.push(policy);
    }
    const recorded = await tx.one<{ orders: number }>('select count(distinct order_id)::int orders from (select order_id from routing_decisions where at >= $1 and at < $2 limit $3) d', [from, to, MOST_ORDERS * 2]);
    if (!recorded || recorded.orders === 0) throw new Problem('unprocessable', 'no order was routed in this period: choose another one', '/from');
    if (recorded.orders > MOST_ORDERS) throw new Problem('unprocessable', `more than ${MOST_ORDERS} orders were routed in this period: choose a shorter one`, '/to');
    const id = uuidv7();
    await tx.query('insert into simulations (id, reference, period_from, period_to, requested_by, requested_at) values ($1, $2, $3, $4, $5, $6)', [id, request.reference, from, to, actor, tx.now]);
    await tx.query('insert into simulation_policies (simulation_id, position, policy_id, policy_hash) select $1, p.n - 1, p.id, p.hash from unnest($2::int[], $3::bytea[]) with ordinality p(id, hash, n)',
      [id, policies.map((p) => p.id), policies.map((p) => p.hash)]);
    await askWorkflow(tx, 'start', simulationRef(id));
    const answer: SimulationAnswer = { id: encodeId('sim', id), reference: request.reference, status: 'queued' };
    await storeAnswer(tx, 'simulation', request.reference, answer);
    return answer;
  });
}

/** Ends a simulation that is not over; its threads stop at their next sign of life. Safe to repeat. Throws Problem `not_found`, `conflict` where it is over otherwise. */
export async function cancelSimulation(writer: StockWriter, id: string): Promise<void> {
  await writer.change(async (tx) => {
    const row = await tx.one<{ status: string }>('select status from simulations where id = $1 for no key update', [id]);
    if (!row) throw new Problem('not_found', 'there is no such simulation');
    if (row.status === 'cancelled') return;
    if (row.status !== 'queued' && row.status !== 'running') throw new Problem('conflict', `the simulation is ${row.status} already`);
    await tx.query(`update simulations set status = 'cancelled', ended_at = $2, input = null where id = $1`, [id, tx.now]);
  });
}

function time(text: string, field: string): Date {
  const at = new Date(text);
  // A leap second is a date-time to the schema and no Date.
  if (Number.isNaN(at.getTime())) throw new Problem('invalid', `"${text}" is no time`, field);
  return at;
}
