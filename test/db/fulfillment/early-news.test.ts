import { afterAll, beforeAll, expect, test } from 'vitest';
import { takeNews } from '../../../db/carriers/take-news.ts';
import { tendSilence } from '../../../db/carriers/tend-silence.ts';
import { trackParcels, type TrackingNews } from '../../../db/fulfillment/track-parcels.ts';
import { decodeId } from '../../../domain/ids.ts';
import { lockWaits } from '../../support/lock-waits.ts';
import { World, type Fulfillment } from '../../support/world.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
let world: World;
beforeAll(async () => { world = await World.create({ stock: 100 }); });
afterAll(async () => { await world.close(); });

/** An order at its location, with a waybill, and its courier has been there already. */
async function packed(): Promise<{ id: string; f: Fulfillment; waybillNo: string }> {
  const { id: orderId } = await world.capture();
  const steps = world.activities(null);
  await steps.validate({ orderId });
  await steps.reserve({ orderId });
  await steps.route({ orderId });
  const [routed] = await world.fulfillments(orderId);
  await steps.ship({ orderId, fulfillmentOrderId: routed?.id ?? '' });
  const [f] = await world.fulfillments(orderId);
  if (!f?.waybillNo) throw new Error('no waybill');
  return { id: orderId, f, waybillNo: f.waybillNo };
}
const news = (waybillNo: string, status: TrackingNews['status'], hoursAgo: number, more: Partial<TrackingNews> = {}): TrackingNews =>
  ({ eventId: `${waybillNo}-${status}-${hoursAgo}`, waybillNo, status, occurredAt: new Date(world.now.getTime() - hoursAgo * HOUR).toISOString(), ...more });
const parcelOf = (waybillNo: string) => world.one<{ milestone: string; heard: Date | null }>('select milestone, heard_at heard from parcels where waybill_no = $1', waybillNo);
const messages = async (id: string) => (await world.store.pool.query<{ key: string }>('select template "key" from messages where order_id = $1 order by id', [decodeId('ord', id)])).rows.map((r) => r.key);
const eventsOf = async (id: string) => (await world.events(id)).filter((e) => e.startsWith('parcel.') || e === 'order.shipped' || e === 'order.delivered');

test('what was told before the goods issue is applied with it, in its order: the parcel has arrived, is never silent, and is told of once', async () => {
  await world.store.pool.query(`insert into milestone_messages (channel_id, milestones, ways, changed_by, changed_at) values (0, '{issued,delivered}', '{sms}', 'test', now())`);
  const { id, f, waybillNo } = await packed();
  const told = [news(waybillNo, 'delivered', 1), news(waybillNo, 'picked_up', 9)];
  expect(await trackParcels(world.store.writer, 'sim', told)).toEqual({ accepted: 0, duplicates: 0, unknown: 2 });
  await world.issue(f);
  expect(await parcelOf(waybillNo)).toEqual({ milestone: 'delivered', heard: new Date(told[0]?.occurredAt ?? '') });
  expect([await world.status(id), await eventsOf(id)]).toEqual(['delivered', ['order.shipped', 'parcel.picked_up', 'parcel.delivered', 'order.delivered']]);
  expect(await trackParcels(world.store.writer, 'sim', told)).toEqual({ accepted: 0, duplicates: 2, unknown: 0 });
  expect(await messages(id)).toEqual(['parcel.delivered']);
  world.now = new Date(world.now.getTime() + 30 * DAY);
  expect(await tendSilence(world.store.writer)).toBe(0);
  expect(await messages(id)).toEqual(['parcel.delivered']);
});

test('fetched before the goods issue, which is told though its being fetched is not; then that it has arrived', async () => {
  await world.store.pool.query(`insert into milestone_messages (channel_id, milestones, ways, changed_by, changed_at) values (0, '{issued,delivered}', '{sms}', 'test', now()) on conflict do nothing`);
  const { id, f, waybillNo } = await packed();
  await trackParcels(world.store.writer, 'sim', [news(waybillNo, 'picked_up', 2), news(waybillNo, 'note', 1)]);
  await world.issue(f);
  expect([await parcelOf(waybillNo), await eventsOf(id), await messages(id)]).toMatchObject([{ milestone: 'picked_up' }, ['order.shipped', 'parcel.picked_up'], ['parcel.issued']]);
  await trackParcels(world.store.writer, 'sim', [news(waybillNo, 'delivered', 0)]);
  expect(await messages(id)).toEqual(['parcel.issued', 'parcel.delivered']);
});

test('news that is dated into the future is heard of when it comes', async () => {
  const { f, waybillNo } = await packed();
  await world.issue(f);
  await trackParcels(world.store.writer, 'sim', [news(waybillNo, 'in_transit', -900 * 24)]);
  expect(await parcelOf(waybillNo)).toEqual({ milestone: 'in_transit', heard: world.now });
});

test('signed for after it turned round: it has come back, with its return', async () => {
  const { id, f, waybillNo } = await packed();
  await trackParcels(world.store.writer, 'sim', [news(waybillNo, 'returning', 5), news(waybillNo, 'delivered', 2, { endsReturn: true })]);
  await world.issue(f);
  expect((await parcelOf(waybillNo)).milestone).toBe('returned');
  expect(await world.one('select count(*)::int n from returns where order_id = $1', decodeId('ord', id))).toEqual({ n: 1 });
});

test('notes, and news of somebody who had the number before, move nothing: it is silent since it left', async () => {
  const { f, waybillNo } = await packed();
  await trackParcels(world.store.writer, 'sim', [news(waybillNo, 'note', 40), news(waybillNo, 'delivered', 31 * 24)]);
  await world.issue(f);
  expect(await parcelOf(waybillNo)).toEqual({ milestone: 'issued', heard: null });
});

test('a tracker that did not say whose parcel it is: its news is the parcel\'s all the same', async () => {
  await world.store.pool.query(`insert into carrier_accounts (code, kind, settings, hook_key, asks, created_at, updated_at) values ('tracker', 'kuaidi100', '{}', 'k1', '{sim,other}', now(), now())`);
  const account = { code: 'tracker', asks: ['sim', 'other'] };
  const { id, f, waybillNo } = await packed();
  await takeNews(world.store.writer, account, [news(waybillNo, 'in_transit', 3)], []);
  expect(await world.one('select carrier, count(*)::int n from tracking_events where waybill_no = $1 group by 1', waybillNo)).toEqual({ carrier: 'tracker', n: 1 });
  await world.issue(f);
  await takeNews(world.store.writer, account, [news(waybillNo, 'out_for_delivery', 1)], []);
  expect([(await parcelOf(waybillNo)).milestone, await eventsOf(id)]).toEqual(['out_for_delivery', ['order.shipped', 'parcel.in_transit', 'parcel.out_for_delivery']]);
});

test.each(['issue', 'news'])('at the same moment, "%s" first: the news is applied once', async (first) => {
  const { id, f, waybillNo } = await packed();
  const holder = await world.store.pool.connect();
  await holder.query('begin');
  await holder.query(`select pg_advisory_xact_lock(hashtext('tributary:waybill'), hashtext($1))`, [waybillNo]);
  const issue = () => world.issue(f);
  const tell = () => trackParcels(world.store.writer, 'sim', [news(waybillNo, 'delivered', 1)]);
  const started: Promise<unknown>[] = [];
  for (const run of first === 'issue' ? [issue, tell] : [tell, issue]) {
    started.push(run());
    await lockWaits(world.store.pool, started.length);
  }
  await holder.query('commit');
  holder.release();
  const done = await Promise.all(started);
  expect(done[first === 'issue' ? 1 : 0]).toEqual(first === 'issue' ? { accepted: 1, duplicates: 0, unknown: 0 } : { accepted: 0, duplicates: 0, unknown: 1 });
  expect([(await parcelOf(waybillNo)).milestone, (await eventsOf(id)).filter((e) => e === 'parcel.delivered')]).toEqual(['delivered', ['parcel.delivered']]);
});
