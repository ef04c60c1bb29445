import { afterAll, beforeAll, expect, test } from 'vitest';
import { cleanChannels } from '../../../db/channels/clean.ts';
import { channelReports } from '../../../db/channels/read.ts';
import { World } from '../../support/world.ts';

let world: World;
beforeAll(async () => { world = await World.create(); });
afterAll(async () => { await world.close(); });

const TABLES = ['channel_hints', 'listing_tellings', 'listing_drifts', 'channel_reports'];
const counts = async (): Promise<number[]> => Promise.all(TABLES.map(async (t) => (await world.one<{ n: number }>(`select count(*)::int n from ${t}`)).n));

/** Seven rows of each table, two shops, so many days old; and one hint and one report that wait. */
async function rows(days: number): Promise<void> {
  const { pool } = world.store;
  const at = new Date(world.now.getTime() - days * 86_400_000);
  const shops = 'from generate_series(1, 7) n join lateral (select id from channels order by id offset n % 2 limit 1) c on true';
  await pool.query(`insert into channel_hints (channel_id, key, subject, topic, external_id, source, received_at, due_at, done_at) select c.id, $2 || n, 'order', 't', 'x' || n, 'push', $1, $1, $1 ${shops}`, [at, `d${days}-`]);
  await pool.query(`insert into listing_tellings (channel_id, listing_id, delta, urgent, folded, since, told_at) select c.id, n, 1, false, 1, $1, $1 ${shops}`, [at]);
  await pool.query(`insert into listing_drifts (channel_id, listing_id, drift, at) select c.id, n, 1, $1 ${shops}`, [at]);
  await pool.query(`insert into channel_reports (channel_id, order_id, kind, key, body, due_at, created_at, done_at, refused) select c.id, gen_random_uuid(), 'shipment', $2 || n, '{}', $1, $1, $1, n = 1 ${shops}`, [at, `d${days}-`]);
  await pool.query(`insert into channel_hints (channel_id, key, subject, topic, external_id, source, received_at, due_at) select min(id), $2, 'order', 't', 'x', 'push', $1, $1 from channels`, [at, `w${days}`]);
  await pool.query(`insert into channel_reports (channel_id, order_id, kind, key, body, due_at, created_at) select min(id), gen_random_uuid(), 'shipment', $2, '{}', $1, $1 from channels`, [at, `w${days}`]);
}

test('each kind is kept for its time and then forgotten, all of it, also where several clean at once; what waits stays', async () => {
  for (const days of [91, 31, 15, 4, 1]) await rows(days);
  expect(await counts()).toEqual([40, 35, 35, 40]);
  await Promise.all([cleanChannels(world.store.pool, world.now, 2), cleanChannels(world.store.pool, world.now, 2)]);
  await cleanChannels(world.store.pool, world.now, 2);
  expect(await counts()).toEqual([2 * 7 + 5, 7, 3 * 7, 4 * 7 + 5]);
});

test('open reports are those that wait or were refused, of one shop, the newest first', async () => {
  const { id } = await world.one<{ id: number }>('select min(id) id from channels');
  const open = await channelReports(world.store.pool, id, true, Number.MAX_SAFE_INTEGER, 100);
  const all = await channelReports(world.store.pool, id, false, Number.MAX_SAFE_INTEGER, 100);
  expect(open).toEqual(all.filter((r) => r.state !== 'done'));
  expect([open.length, all.length > open.length, all.map((r) => r.id)]).toEqual([5 + all.filter((r) => r.state === 'refused').length, true, all.map((r) => r.id).sort((a, b) => b - a)]);
});
