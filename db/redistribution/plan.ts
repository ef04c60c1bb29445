import type { MovePlan } from '../../domain/redistribution/model.ts';
import { explainMove } from '../../domain/redistribution/words.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import type { Network } from '../network.ts';
import { askWorkflow } from '../outbox.ts';
import { inThread } from '../planning-thread/run.ts';
import type { Tasks } from '../planning-thread/worker.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import { readRedistributionState, REDISTRIBUTION, type RedistributionPolicy, type RedistributionState } from './policy.ts';
import { lanesOf, readMovable, readSites } from './sites.ts';

export type Planned = { categories: number; proposals: number; units: number; gain: number };
/** The solver's, for each category. */
const EFFORT = { seconds: 10, gap: 0.01 };
/** How a category is planned: in a thread, unless said. */
export type PlanMoves = (task: Tasks['moves']['in']) => Promise<MovePlan>;
const inMovesThread: PlanMoves = (task) => inThread('moves', task);

/**
 * Plans every category and puts the proposals in place of those that still wait: nobody decides over an older view of the stock. A category is written in a transaction of its own; killed half-way, the
 * next run begins again. Reads take no locks: what is accepted is checked against the stock of that moment.
 */
export async function planRedistribution(writer: StockWriter, network: Network, moves: PlanMoves = inMovesThread): Promise<Planned> {
  const policy = await readRedistributionState(writer.pool);
  const startedAt = writer.clock();
  const planned: Planned = { categories: 0, proposals: 0, units: 0, gain: 0 };
  for (const category of await readMovable(writer.pool)) {
    const sites = await readSites(writer.pool, category, policy, writer.clock());
    const lanes = lanesOf(network, sites, policy);
    const plan: MovePlan = await moves({ sites, lanes, rules: { minimumGain: policy.minimumGain, mostLanes: policy.mostLanes }, effort: EFFORT });
    await writer.change((tx) => keep(tx, category, plan, policy));
    planned.categories++;
    planned.proposals += plan.trips.length;
    planned.units += plan.trips.reduce((sum, t) => sum + t.units, 0);
    planned.gain += plan.gain;
  }
  await writer.change(async (tx) => { await tx.query('update redistribution_policy set planned_at = $1, outcome = $2', [startedAt, JSON.stringify(planned)]); });
  return planned;
}

async function keep(tx: Tx, category: string | null, plan: MovePlan, policy: RedistributionPolicy): Promise<void> {
  await tx.query('select from redistribution_policy for no key update'); // two plans at once: the later one stands
  await tx.query(`update move_proposals set status = 'lapsed', decided_at = $2, decided_by = 'system', reason = 'a newer plan' where category is not distinct from $1 and status = 'proposed'`, [category, tx.now]);
  const lapsesAt = new Date(tx.now.getTime() + policy.lapseAfterS * 1000);
  for (const trip of plan.trips) {
    const id = uuidv7();
    await tx.query(
      `insert into move_proposals (id, category, from_location_id, to_location_id, status, units, gained, lost, cost, gain, how, created_at, lapses_at)
       values ($1, $2, (select id from locations where code = $3), (select id from locations where code = $4), 'proposed', $5, $6, $7, $8, $9, $10, $11, $12)`,
      [id, category, trip.from, trip.to, trip.units, trip.gained, trip.lost, trip.cost, trip.gain, plan.how, tx.now, lapsesAt]);
    await tx.query(
      `insert into move_proposal_lines select $1, t.i, k.id, t.units, t.gained, t.lost, t.there, t.here, t.words
       from unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::float8[], $7::float8[], $8::text[]) with ordinality t(sku, units, gained, lost, there, here, words, i) join skus k on k.code = t.sku`,
      [id, trip.moves.map((m) => m.sku), trip.moves.map((m) => m.units), trip.moves.map((m) => m.gained), trip.moves.map((m) => m.lost), trip.moves.map((m) => m.sellsThere), trip.moves.map((m) => m.sellsHere),
        trip.moves.map((m) => explainMove(m, trip.from, trip.to))]);
  }
}

/** Proposals that nobody decided in time lapse. */
async function lapse(tx: Tx): Promise<number> {
  return (await tx.query(`update move_proposals set status = 'lapsed', decided_at = $1, decided_by = 'system', reason = 'nobody decided in time' where status = 'proposed' and lapses_at <= $1 returning id`, [tx.now])).length;
}

/** Lapses what is due and plans where it is due or somebody asked for it, and says when to look again. */
export async function lookAtRedistribution(writer: StockWriter, network: Network, moves: PlanMoves = inMovesThread): Promise<{ planned: Planned | null; lapsed: number; wakeAt: Date }> {
  const lapsed = await writer.change(lapse);
  const due = dueAt(await readRedistributionState(writer.pool));
  const planned = due <= writer.clock() ? await planRedistribution(writer, network, moves) : null;
  const next = planned ? dueAt(await readRedistributionState(writer.pool)) : due;
  const { rows: [open] } = await writer.pool.query<{ at: Date | null }>(`select min(lapses_at) at from move_proposals where status = 'proposed'`);
  return { planned, lapsed, wakeAt: open?.at && open.at < next ? open.at : next };
}

function dueAt({ everyS, requestedAt, plannedAt }: RedistributionState): Date {
  if (plannedAt === null) return new Date(0);
  return new Date(Math.min(requestedAt !== null && requestedAt > plannedAt ? requestedAt.getTime() : Infinity, plannedAt.getTime() + everyS * 1000));
}

/** Sees to it that the workflow runs: it is asked for when a plan is late by ten minutes. */
export async function tendRedistribution(writer: StockWriter): Promise<void> {
  const late = dueAt(await readRedistributionState(writer.pool)).getTime() + 600_000 < writer.clock().getTime();
  if (late) await writer.change((tx) => askWorkflow(tx, 'look', REDISTRIBUTION));
}
