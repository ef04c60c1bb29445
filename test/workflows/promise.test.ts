import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Channel } from '../../db/network.ts';
import { answerQuestion } from '../../db/promise/answer.ts';
import { putLadder } from '../../db/promise/ladders.ts';
import { decodeId } from '../../domain/ids.ts';
import { MINUTE, Scene } from '../support/scene.ts';

let s: Scene;
beforeAll(async () => {
  s = await Scene.open();
  const { writer, network } = s.world.store;
  for (const [channel, otherwise] of [['douyin', 'cancel'], ['own', 'wait']] as const) {
    await putLadder(writer, network.channels.get(channel) as Channel, { atRiskMinutes: 60, ask: { options: ['wait', 'split', 'cancel'], answerMinutes: 120, otherwise } }, 'key:test');
  }
  await network.reload();
});
afterAll(async () => { await s.close(); });

/** An order of which the second line is not there. */
async function short(): Promise<string> {
  const lines = s.lines();
  await s.world.setStock(lines[1]!.sku, { 'L-1': 0, 'L-2': 0, 'L-3': 0 });
  return s.order({ channel: 'douyin', lines });
}
const promises = async (id: string) => (await s.world.events(id)).filter((e) => e.startsWith('promise.'));

test('nobody answers: the order acts when the time is over, and not before', async () => {
  const id = await short();
  expect(await promises(id)).toEqual(['promise.at_risk', 'promise.asked']);
  await s.skip(119 * MINUTE, id);
  expect([await s.world.status(id), (await promises(id)).length]).toEqual(['backordered', 2]);
  await s.skip(2 * MINUTE, id);
  expect([await s.world.status(id), (await promises(id)).at(-1)]).toEqual(['cancelled', 'promise.answered']);
});

test('an answer wakes the order: what is there goes out', async () => {
  const id = await short();
  const { split } = await s.run(id, () => answerQuestion(s.world.store.writer, s.world.store.network, decodeId('ord', id) as string, 'split', 'key:test'));
  await s.settle(split as string);
  expect([(await s.living(id)).status, await s.world.status(split as string)]).toEqual(['released', 'backordered']);
  // The part that comes later has a promise and a question of its own.
  expect(await promises(split as string)).toEqual(['promise.at_risk', 'promise.asked']);
});

test('killed between the rungs: answered twice without a worker, the next one ends the order once', async () => {
  // Without a cache no task waits on the queue of the worker that is gone.
  const uncached = { maxCachedWorkflows: 0 };
  await s.stopWorker();
  await s.newWorker(uncached);
  const id = await short();
  await s.stopWorker();
  const answer = () => answerQuestion(s.world.store.writer, s.world.store.network, decodeId('ord', id) as string, 'cancel', 'key:test');
  const [first, second] = await Promise.all([answer(), answer()]);
  expect([first, second]).toEqual([{ answer: 'cancel', status: 'cancelled', promisedBy: first.promisedBy, split: null }, first]);
  await s.newWorker(uncached);
  await s.settle(id);
  expect([await promises(id), (await s.world.refunds(id)).length]).toEqual([['promise.at_risk', 'promise.asked', 'promise.answered'], 1]);
});
