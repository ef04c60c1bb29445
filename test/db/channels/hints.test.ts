import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { dueHints, hintsDone, hintsPostponed, hintsRefused, lastHint, storeHints, unreadOrders } from '../../../db/channels/hints.ts';
import { retryAll } from '../../../db/channels/refusals.ts';
import { World } from '../../support/world.ts';

let world: World;
let channelId: number;
beforeAll(async () => {
  world = await World.create();
  channelId = world.store.network.channels.get('douyin')?.id ?? 0;
});
afterAll(async () => { await world.close(); });
beforeEach(async () => { await world.store.pool.query('delete from channel_hints'); });

const T0 = Date.UTC(2026, 0, 1);
const at = (s: number): Date => new Date(T0 + s * 1000);
const HOUR = 3_600;
const DAY = 86_400;
const heard = (key: string, externalId: string, topic: string, s: number): Promise<number> =>
  storeHints(world.store.pool, [{ channelId, channelCode: 'douyin', key, subject: 'order', topic, externalId, version: null }], 'push', at(s));
const due = (s: number) => dueHints(world.store.pool, channelId, at(s), 10);
const unread = (s: number) => unreadOrders(world.store.pool, channelId, Number.MAX_SAFE_INTEGER, at(s));
/** What is due then meets this, one thing after the other. */
async function each(s: number, meet: (hint: Awaited<ReturnType<typeof due>>[number]) => Promise<void>): Promise<void> { for (const hint of await due(s)) await meet(hint); }
const refused = (s: number) => each(s, (h) => hintsRefused(world.store.pool, channelId, h, at(s), 'no'));
const failed = (s: number, afterMs: number | null) => each(s, (h) => hintsPostponed(world.store.pool, h.ids, at(s), 'later', afterMs));
const read = (s: number) => each(s, (h) => hintsDone(world.store.pool, h.ids, at(s)));

test('what is due is read with all that was heard of it, and ended with it', async () => {
  await heard('a', '1', 'address', 0);
  await heard('b', '2', 'paid', 0);
  await refused(0);
  await heard('c', '1', 'paid', 10);
  const [hint, ...others] = await due(10);
  expect([hint?.externalId, hint?.ids.length, hint?.topics, hint?.attempts, others]).toEqual(['1', 2, ['address', 'paid'], 1, []]);
  await read(10);
  expect([await unread(10), await lastHint(world.store.pool, channelId), (await due(DAY)).map((h) => h.externalId)]).toEqual([{ due: 0, postponed: 1, givenUp: 0 }, expect.any(Number), ['2']]);
});

test('what the platform refuses to show is waited for three times; whenever it is due it is to be read first', async () => {
  await heard('a', '1', 'paid', 0);
  const seen = [];
  for (const s of [0, 60, 300]) {
    seen.push(await unread(s));
    await refused(s);
    seen.push(await unread(s));
  }
  expect(seen.map((u) => [u.due, u.postponed, u.givenUp])).toEqual([[1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 0, 1]]);
  // Another word of it is read, and refused: that is no first time.
  await heard('b', '1', 'paid', 400);
  expect(await unread(400)).toEqual({ due: 1, postponed: 0, givenUp: 1 });
  await refused(400);
  expect([await unread(400), await unread(400 + DAY)]).toEqual([{ due: 0, postponed: 0, givenUp: 2 }, { due: 2, postponed: 0, givenUp: 0 }]);
  await refused(401 + DAY);
  expect(await unread(402 + DAY)).toEqual({ due: 0, postponed: 0, givenUp: 0 });
});

test('an order that fails is waited for two hours from its first failure, however long it lay', async () => {
  await heard('a', '1', 'paid', 0);
  let s = 5 * HOUR;
  for (let i = 0; i < 12; i++, s += 301) await failed(s, null);
  expect(await unread(7 * HOUR - 10)).toEqual({ due: 1, postponed: 0, givenUp: 0 });
  await failed(7 * HOUR - 10, null);
  expect([await unread(7 * HOUR - 5), await unread(7 * HOUR + 1)]).toEqual([{ due: 0, postponed: 1, givenUp: 0 }, { due: 0, postponed: 0, givenUp: 1 }]);
});

test('where the account is refused, or calls are too many, it is given up after two hours while others are read, and never while none is', async () => {
  await heard('a', '1', 'paid', 0);
  for (let s = 0; s <= 2 * HOUR; s += 600) await failed(s, 600_000);
  expect(await unread(2 * HOUR + 1)).toEqual({ due: 0, postponed: 1, givenUp: 0 });
  await heard('b', '2', 'paid', 2 * HOUR + 1);
  await read(2 * HOUR + 2);
  expect(await unread(2 * HOUR + 3)).toEqual({ due: 0, postponed: 0, givenUp: 1 });
  // The account is put anew: it is read at once, and waited for as if it were new.
  const client = await world.store.pool.connect();
  try { await retryAll(client, channelId, at(2 * HOUR + 4)); } finally { client.release(); }
  expect(await unread(2 * HOUR + 4)).toEqual({ due: 1, postponed: 0, givenUp: 0 });
  await failed(2 * HOUR + 4, 600_000);
  expect(await unread(2 * HOUR + 5)).toEqual({ due: 0, postponed: 1, givenUp: 0 });
});
