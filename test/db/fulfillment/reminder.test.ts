import { afterAll, beforeAll, expect, test } from 'vitest';
import { applyDue } from '../../../db/fulfillment/due.ts';
import { patience, recordReminder, reminderTarget } from '../../../db/fulfillment/reminder.ts';
import { decodeId } from '../../../domain/ids.ts';
import { TestApi } from '../../support/api.ts';

let api: TestApi;
beforeAll(async () => { api = await TestApi.open(); });
afterAll(async () => {
  expect(await api.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
  await api.close();
});

const MINUTE = 60_000;
const uuid = (id: string): string => decodeId('ord', id) as string;
const row = (id: string) => api.world.one<{ id: string; status: string; reminder: string | null; reroute_at: Date | null }>('select id, status, reminder, reroute_at from fulfillment_orders where order_id = $1 order by id limit 1', uuid(id));

test('whoever looks at the same time: one reminder, one date, one way elsewhere', async () => {
  const { writer, network, pool } = api.world.store;
  const id = await api.order();
  const start = api.world.now;
  api.world.now = new Date(start.getTime() + 10 * MINUTE);
  await Promise.all(Array.from({ length: 5 }, () => applyDue(writer, network, uuid(id))));
  expect((await api.world.events(id)).filter((e) => e === 'fulfillment.reminded')).toHaveLength(1);
  expect(await row(id)).toMatchObject({ status: 'released', reminder: 'due', reroute_at: new Date(start.getTime() + 20 * MINUTE) });
  // Told once whatever happens: the second answer comes too late to be written.
  const { id: f } = await row(id);
  expect((await reminderTarget(pool, network, f))?.location.code).toBe('L-1');
  await recordReminder(writer, uuid(id), f, 'told');
  await recordReminder(writer, uuid(id), f, 'unreachable');
  expect([(await row(id)).reminder, await reminderTarget(pool, network, f)]).toEqual(['told', null]);
  // Another time of the location does not move the date that it was told.
  await pool.query('update locations set reroute_after_s = 1');
  await network.reload();
  api.world.now = new Date(start.getTime() + 19 * MINUTE);
  await applyDue(writer, network, uuid(id));
  expect((await row(id)).status).toBe('released');
  api.world.now = new Date(start.getTime() + 20 * MINUTE);
  await Promise.all(Array.from({ length: 5 }, () => applyDue(writer, network, uuid(id))));
  expect((await row(id)).status).toBe('rejected');
  expect((await api.world.events(id)).filter((e) => e === 'fulfillment.rejected')).toHaveLength(1);
  await pool.query('update locations set reroute_after_s = null');
  await network.reload();
});

test('one that was reminded before there were dates has as long again as it had', async () => {
  const { writer, network, pool } = api.world.store;
  const id = await api.order();
  const start = api.world.now;
  await pool.query('update fulfillment_orders set escalated_at = $2 where order_id = $1', [uuid(id), start]);
  api.world.now = new Date(start.getTime() + 10 * MINUTE - 1);
  await applyDue(writer, network, uuid(id));
  expect((await row(id)).status).toBe('released');
  api.world.now = new Date(start.getTime() + 10 * MINUTE);
  await applyDue(writer, network, uuid(id));
  expect((await row(id)).status).toBe('rejected');
});

test('a shop that is closed has its time when it opens: nothing is due at night, nor on its closed day', async () => {
  const { writer, network, pool } = api.world.store;
  await pool.query(`update locations set kind = 'store', work_days = '{1,2,3,4,5,6}' where code = 'L-1'`);
  await network.reload();
  const due = async (at: string): Promise<string> => {
    api.world.now = new Date(at);
    await applyDue(writer, network, uuid(id));
    return (await row(id)).status;
  };
  api.world.now = new Date('2026-11-28T13:30:00Z'); // Saturday, 21:30 in Shanghai
  const id = await api.order();
  expect(await api.world.one('select accept_by from fulfillment_orders where order_id = $1', uuid(id))).toEqual({ accept_by: new Date('2026-11-30T01:10:00Z') });
  expect([await due('2026-11-29T12:00:00Z'), await due('2026-11-30T01:09:59Z'), (await api.world.events(id)).includes('fulfillment.reminded')]).toEqual(['released', 'released', false]);
  // Reminded three minutes before it closes: the rest of its time is the next morning's.
  expect([await due('2026-11-30T12:57:00Z'), (await row(id)).reroute_at]).toEqual(['released', new Date('2026-12-01T01:07:00Z')]);
  expect([await due('2026-12-01T01:06:59Z'), await due('2026-12-01T01:07:00Z')]).toEqual(['released', 'rejected']);
  await pool.query(`update locations set kind = 'warehouse', work_days = '{1,2,3,4,5,6,7}' where code = 'L-1'`);
  await network.reload();
});

test("the channel's times, else the location's, else the same again", () => {
  const location = { acceptTimeoutS: 600, rerouteAfterS: null };
  expect(patience(undefined, location)).toEqual({ acceptS: 600, rerouteS: 600 });
  expect(patience({ acceptTimeoutS: null, rerouteAfterS: null }, { ...location, rerouteAfterS: 60 })).toEqual({ acceptS: 600, rerouteS: 60 });
  expect(patience({ acceptTimeoutS: 120, rerouteAfterS: null }, location)).toEqual({ acceptS: 120, rerouteS: 120 });
  expect(patience({ acceptTimeoutS: 120, rerouteAfterS: 30 }, { ...location, rerouteAfterS: 60 })).toEqual({ acceptS: 120, rerouteS: 30 });
});
