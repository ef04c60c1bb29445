import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { acceptMove, proposalUuid, rejectMove } from '../../../db/redistribution/decide.ts';
import { lookAtRedistribution, planRedistribution, type PlanMoves } from '../../../db/redistribution/plan.ts';
import { readRedistributionState, requestMoves, setRedistributionPolicy } from '../../../db/redistribution/policy.ts';
import { listMoves, readMove, type MoveProposal } from '../../../db/redistribution/read.ts';
import { planMoves } from '../../../domain/redistribution/plan.ts';
import { openHighs } from '../../../runtime/highs.ts';
import { listTransfers } from '../../../db/transfers/read.ts';
import { demandDays } from '../../support/demand-days.ts';
import { World } from '../../support/world.ts';

let world: World;
let number = 0;
beforeAll(async () => { world = await World.create({ skus: 12, stock: 0 }); });
afterAll(async () => { await world.close(); });
afterEach(async () => { expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 }); });

const highs = await openHighs();
/** As the thread does it, in this one. The workflow's test has the thread. */
const here: PlanMoves = ({ sites, lanes, rules, effort }) => Promise.resolve(planMoves(sites, lanes, rules, highs, effort));
const plan = () => planRedistribution(world.store.writer, world.store.network, here);
/** A SKU that lies in Shanghai (60) and sells two a day in Beijing (2 there). */
async function misplaced(): Promise<string> {
  const sku = `SKU-${++number}`;
  await world.store.pool.query('update skus set category = $1 where code = $1', [sku]);
  await world.setStock(sku, { 'L-1': 60, 'L-2': 2 });
  await demandDays(world, sku, 'L-2', 'Beijing', [['2026-05-01', '2026-11-22', 2]]);
  return sku;
}
const proposals = async (category: string, status: MoveProposal['status'] | null = 'proposed') => listMoves(world.store.pool, { status, from: null, to: null, category, before: null, limit: 50 });
const accept = (p: MoveProposal) => acceptMove(world.store.writer, world.store.network, proposalUuid(p.id), 'key:test');
const transfers = async () => (await listTransfers(world.store.pool, { status: null, from: null, to: null, orderId: null, before: null, limit: 50, onlyLocation: null })).filter((t) => t.reason === 'redistribution');

test('a plan proposes the move with its reasons; a newer plan takes its place; accepted twice at once it is one transfer', async () => {
  const sku = await misplaced();
  await plan();
  const [first] = await proposals(sku);
  await plan();
  const [p, ...more] = await proposals(sku);
  expect([more.length, (await readMove(world.store.pool, proposalUuid(first!.id))).reason]).toEqual([0, 'a newer plan']);
  // 28 days at two a day; worth 1,000 a unit less half of its cost; a trip between provinces 6,000 and 50 a unit.
  expect(p).toMatchObject({ from: 'L-1', to: 'L-2', how: 'optimal', lost: 0, cost: 6000 + 50 * p!.units, gain: p!.gained - p!.cost, lines: [{ sku, units: p!.units, sellsHere: 0 }] });
  expect(p!.units).toBe(59); // 56 are expected; one is kept
  expect(p!.lines[0]!.words).toMatch(/^59 × SKU-1: the first sells with 100 % at L-2 and 0 % at L-1; expected margin 2\d\d\.\d\d there against 0\.00 here$/);
  await Promise.all([accept(p!), accept(p!)]);
  await accept(p!);
  const after = await readMove(world.store.pool, proposalUuid(p!.id));
  expect(await transfers()).toMatchObject([{ id: after.transfer, reference: `RD-${p!.id}`, from: 'L-1', to: 'L-2', status: 'approved', units: 59 }]);
  expect(after).toMatchObject({ status: 'accepted', decidedBy: 'key:test' });
  await expect(rejectMove(world.store.writer, proposalUuid(p!.id), 'no', 'key:test')).rejects.toThrow('was accepted');
  // What is promised to Beijing counts there: nothing more is proposed.
  await plan();
  expect(await proposals(sku)).toEqual([]);
});

test('units that are gone: nothing happens; rejected: none comes of it', async () => {
  const sku = await misplaced();
  await plan();
  const [p] = await proposals(sku);
  await world.setStock(sku, { 'L-1': 5 });
  const before = (await transfers()).length;
  await expect(accept(p!)).rejects.toMatchObject({ code: 'insufficient_stock' });
  expect([(await transfers()).length, (await readMove(world.store.pool, proposalUuid(p!.id))).status]).toEqual([before, 'proposed']);
  await rejectMove(world.store.writer, proposalUuid(p!.id), 'the van is full', 'key:test');
  await rejectMove(world.store.writer, proposalUuid(p!.id), 'the van is full', 'key:test');
  await expect(accept(p!)).rejects.toThrow('was rejected');
  await expect(async () => acceptMove(world.store.writer, world.store.network, proposalUuid('mov_nonsense'), 'key:test')).rejects.toThrow('does not exist');
});

test('it lapses after its time, by itself and for who comes too late', async () => {
  const sku = await misplaced();
  const { writer, network } = world.store;
  await plan();
  const [p] = await proposals(sku);
  const started = world.now;
  const due = (await readRedistributionState(world.store.pool)).plannedAt!.getTime();
  expect(await lookAtRedistribution(writer, network, here)).toMatchObject({ planned: null, lapsed: 0, wakeAt: new Date(p!.lapsesAt) });
  world.now = new Date(p!.lapsesAt);
  await expect(accept(p!)).rejects.toThrow('has lapsed');
  const looked = await lookAtRedistribution(writer, network, here);
  expect([looked.planned, looked.lapsed > 0, looked.wakeAt.getTime()]).toEqual([null, true, due + 604_800_000]);
  expect((await readMove(world.store.pool, proposalUuid(p!.id))).reason).toBe('nobody decided in time');
  await requestMoves(writer);
  expect((await lookAtRedistribution(writer, network, here)).planned).not.toBeNull();
  expect((await lookAtRedistribution(writer, network, here)).planned).toBeNull();
  world.now = started;
});

test('a minimum gain above what it brings, or no time to sell, proposes nothing', async () => {
  const sku = await misplaced();
  const { writer } = world.store;
  const { requestedAt: _r, plannedAt: _p, outcome: _o, ...policy } = await readRedistributionState(world.store.pool);
  await setRedistributionPolicy(writer, { ...policy, minimumGain: 100_000 });
  await plan();
  expect(await proposals(sku)).toEqual([]);
  await setRedistributionPolicy(writer, policy);
  await world.store.pool.query(`update skus set season_end = '2026-11-20' where code = $1`, [sku]);
  await plan();
  expect(await proposals(sku)).toEqual([]);
});
