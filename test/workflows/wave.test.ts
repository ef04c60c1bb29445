import { Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { cancelMember } from '../../db/orders/cancel-member.ts';
import { applyWave, keepWave } from '../../db/routing/wave/apply.ts';
import { gatherWave } from '../../db/routing/wave/gather.ts';
import { prepareWave } from '../../db/routing/wave/prepare.ts';
import { listWaves, readWave } from '../../db/routing/wave/read.ts';
import { solveInThread } from '../../db/routing/wave/run-thread.ts';
import { decodeId } from '../../domain/ids.ts';
import { planningQueue, waveWorkflowId } from '../../workflows/contract/ids.ts';
import { MINUTE, Scene } from '../support/scene.ts';

let s: Scene;
let planner: { worker: Worker; running: Promise<void> };
beforeAll(async () => {
  s = await Scene.open({ stock: 0 });
  // One for all: a task that the server hands to the poll of a planner that has just been shut down is lost until it times out.
  const worker = await Worker.create({ connection: s.environment.nativeConnection, taskQueue: planningQueue(s.queue), activities: s.world.activities(s.environment) });
  planner = { worker, running: worker.run() };
});
afterEach(async () => { expect(await s.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 }); });
afterAll(async () => {
  planner.worker.shutdown();
  await planner.running;
  await s.close();
});

const at = (city: string, phone: string) => ({ name: 'Test Person', phone, country: 'CN', province: city, city, street: '1 Example Road' });
/** An order that waits in its merge window, quarter of an hour. */
const waiting = (sku: string, quantity: number, city: string, phone: string) => s.order({ channel: 'merging', shipTo: at(city, phone), lines: [{ sku, quantity, unitPrice: 1000 }] });
const uuid = (id: string): string => decodeId('ord', id) as string;
const places = async (id: string) => (await s.world.fulfillments(id)).filter((f) => f.status !== 'cancelled').map((f) => `${f.location} ${f.status}`);
/** `lost`: nobody ever starts its workflow. */
async function gathered(lost = false): Promise<{ id: string; uuid: string }> {
  await s.skip(14.6 * MINUTE);
  expect(await gatherWave(s.world.store.writer)).toBeGreaterThan(0);
  if (lost) await s.world.store.pool.query(`delete from outbox where workflow_type = 'wave'`);
  await s.pump();
  const [wave] = await listWaves(s.world.store.pool, 1);
  return { id: wave?.id as string, uuid: decodeId('wav', wave?.id as string) as string };
}
const over = (id: string): Promise<unknown> => s.environment.client.workflow.getHandle(waveWorkflowId(id)).result();

test('the scarce unit goes where it saves most, though another came first; who waits is gathered once', async () => {
  const sku = s.sku();
  // One unit in Shanghai, one in Beijing. The first order, for Beijing, reserves what it may; the second is for Shanghai.
  await s.world.setStock(sku, { 'L-1': 1, 'L-2': 1 });
  const first = await waiting(sku, 1, 'Guangzhou', '10000000011');
  const second = await waiting(sku, 1, 'Beijing', '10000000012');
  const third = await s.capture({ lines: [{ sku: s.sku(), quantity: 1, unitPrice: 1 }] }).catch(() => null); // nothing there: it is no part of it
  expect([third, await places(first), await places(second)]).toEqual([null, [], []]);
  const [a, b] = await Promise.all([s.skip(14.6 * MINUTE).then(() => gatherWave(s.world.store.writer)), gatherWave(s.world.store.writer)]);
  expect([a, b].sort()).toEqual([0, 2]);
  await s.pump();
  const [wave] = await listWaves(s.world.store.pool, 1);
  await over(wave?.id as string);
  await s.settle(first);
  await s.settle(second);
  expect([await places(first), await places(second)]).toEqual([['L-1 released'], ['L-2 released']]);
  const done = await readWave(s.world.store.pool, decodeId('wav', wave?.id as string) as string);
  expect(done).toMatchObject({ status: 'done', orders: 2, result: { how: 'optimal', unservedLines: 0 } });
  expect(done.members.map((m) => m.locations)).toEqual([['L-1'], ['L-2']]);
});

test('one buyer\'s orders leave in one parcel; one of them cancelled, the other stays', async () => {
  const [a, b] = [s.sku(), s.sku()];
  await s.world.setStock(a, { 'L-1': 5 });
  await s.world.setStock(b, { 'L-1': 5 });
  const first = await waiting(a, 1, 'Shanghai', '10000000021');
  const second = await waiting(b, 2, 'Shanghai', '10000000021');
  const other = await waiting(a, 1, 'Shanghai', '10000000022');
  const wave = await gathered();
  await over(wave.id);
  for (const id of [first, second, other]) await s.settle(id);
  expect([await s.world.status(second), await places(first), await places(other)]).toEqual(['cancelled', ['L-1 released'], ['L-1 released']]);
  expect((await readWave(s.world.store.pool, wave.uuid)).members.map((m) => m.with)).toEqual([[second], [first], []]);
  const lines = await s.world.store.pool.query('select line_no, quantity, merged_from from order_lines where order_id = $1 order by 1', [uuid(first)]);
  expect(lines.rows).toEqual([{ line_no: 1, quantity: 1, merged_from: null }, { line_no: 2, quantity: 2, merged_from: uuid(second) }]);
  // The second order's buyer cancels at the platform: the location is asked, its two units go back, the first one's unit is sent.
  expect(await s.run(first, () => cancelMember(s.world.store.writer, s.world.store.network, uuid(second), 'changed my mind', 'channel:test'))).toBe('asked');
  expect(await cancelMember(s.world.store.writer, s.world.store.network, uuid(second), 'changed my mind', 'channel:test')).toBe('cancelled');
  const left = await s.world.store.pool.query('select line_no, cancelled_quantity from order_lines where order_id = $1 order by 1', [uuid(first)]);
  expect([left.rows, (await s.world.refunds(first)).length, (await s.living(first)).lines]).toEqual([[{ line_no: 1, cancelled_quantity: 0 }, { line_no: 2, cancelled_quantity: 2 }], 1, [{ lineNo: 1, quantity: 1 }]]);
  // Of the order that stays its own part can be cancelled as well.
  expect(await s.run(first, () => cancelMember(s.world.store.writer, s.world.store.network, uuid(first), 'me too', 'channel:test'))).toBe('asked');
  expect(await s.world.status(first)).toBe('cancelled');
});

test('killed after the solver: handed out once by the next attempt; an order that was cancelled meanwhile stays so', async () => {
  const sku = s.sku();
  await s.world.setStock(sku, { 'L-1': 9 });
  const [a, b, c] = [await waiting(sku, 1, 'Shanghai', '10000000031'), await waiting(sku, 1, 'Shanghai', '10000000032'), await waiting(sku, 1, 'Shanghai', '10000000032')];
  const wave = await gathered(true);
  const { writer, network, vault } = s.world.store;
  const instance = await prepareWave(writer, network, wave.uuid);
  expect(instance?.orders.length).toBe(3);
  const found = await solveInThread({ wave: instance as NonNullable<typeof instance>, seconds: 5, gap: 0.01 });
  await keepWave(writer, wave.uuid, found);
  await keepWave(writer, wave.uuid, null); // a second attempt's words change nothing
  await s.run(c, () => cancelMember(writer, network, uuid(c), 'cancelled meanwhile', 'key:test'));
  await Promise.all([applyWave(writer, network, vault, wave.uuid), applyWave(writer, network, vault, wave.uuid)]);
  for (const id of [a, b]) await s.settle(id);
  expect([await places(a), await places(b), await s.world.status(c), await places(c)]).toEqual([['L-1 released'], ['L-1 released'], 'cancelled', []]);
  expect((await s.world.events(a)).filter((e) => e === 'order.routed_to')).toEqual(['order.routed_to']);
});

test('no planner comes: the orders go alone when their windows end', async () => {
  const sku = s.sku();
  await s.world.setStock(sku, { 'L-1': 9 });
  const [a, b] = [await waiting(sku, 1, 'Shanghai', '10000000041'), await waiting(sku, 1, 'Shanghai', '10000000042')];
  await gathered(true);
  await s.skip(2 * MINUTE, a);
  await s.settle(b);
  expect([await places(a), await places(b)]).toEqual([['L-1 released'], ['L-1 released']]);
});
