import { afterAll, beforeAll, expect, test } from 'vitest';
import { markPromoted } from '../../../db/demand/promoted.ts';
import { readDailyDemand, readDemandDays, sumDemand } from '../../../db/demand/read.ts';
import { rebuildDemandDay, rollUpDemand } from '../../../db/demand/roll-up.ts';
import { cancelOrder } from '../../../db/orders/cancel-order.ts';
import { decodeId } from '../../../domain/ids.ts';
import { TestApi } from '../../support/api.ts';
import { followDemand } from '../../support/demand.ts';

let api: TestApi;
let number = 0;
beforeAll(async () => { api = await TestApi.open({ skus: 40 }); });
afterAll(async () => { await api.close(); });

const sku = (): string => `SKU-${++number}`;
const from = '2026-11-01';
const to = '2026-12-31';
async function idOf(code: string): Promise<number> { return (await api.world.one<{ id: number }>('select id from skus where code = $1', code)).id; }
async function demand(code: string, now = api.world.now, follow = followDemand as (...x: Parameters<typeof followDemand>) => Promise<unknown>): Promise<string[]> {
  await follow(api.world.store.pool, now);
  const rows = await readDailyDemand(api.world.store.pool, { from, to, skus: [await idOf(code)] }, now);
  return rows.map((r) => `${r.day} ${api.world.store.network.locationById.get(r.locationId)?.code ?? '-'} ${r.region} ${r.units}u ${r.revenue} c${r.cancelled} r${r.returned} l${r.lost}${r.promoted ? ' P' : ''}${r.outMinutes > 0 ? ' O' : ''}`);
}
const order = (code: string, quantity: number, more: object = {}) => ({ lines: [{ sku: code, quantity, unitPrice: 1000 }], ...more });
async function stock(code: string, at: Record<string, number>): Promise<void> { await api.world.setStock(code, { 'L-1': 0, 'L-2': 0, 'L-3': 0, ...at }); }
async function cancel(id: string): Promise<void> { await cancelOrder(api.world.store.writer, decodeId('ord', id) as string, 'changed mind', 'key:test'); }

test('an order is on the business day of its location; a late cancel changes that day, exactly once', async () => {
  const code = sku();
  await stock(code, { 'L-1': 10 });
  // 17:30 UTC is the next morning in Shanghai.
  const id = (await api.world.capture(order(code, 3, { orderedAt: '2026-11-20T17:30:00Z' }))).id;
  const other = (await api.world.capture(order(code, 2, { orderedAt: '2026-11-21T03:00:00Z' }))).id;
  expect(await demand(code)).toEqual(['2026-11-21 L-1 Shanghai 5u 5000 c0 r0 l0']);
  await cancel(other);
  expect(await demand(code)).toEqual(['2026-11-21 L-1 Shanghai 5u 5000 c2 r0 l0']);
  expect(await demand(code)).toEqual(['2026-11-21 L-1 Shanghai 5u 5000 c2 r0 l0']);
  await cancel(id);
  expect(await demand(code)).toEqual(['2026-11-21 L-1 Shanghai 5u 5000 c5 r0 l0']);
});

test('a line served from two locations is demand of both, its money divided to the unit; what no location had belongs to none', async () => {
  const code = sku();
  await stock(code, { 'L-1': 2, 'L-2': 1 });
  const id = (await api.world.capture(order(code, 7, { channel: 'douyin' }))).id;
  expect(await demand(code)).toEqual(['2026-11-23 - Shanghai 4u 4000 c0 r0 l0', '2026-11-23 L-1 Shanghai 2u 2000 c0 r0 l0', '2026-11-23 L-2 Shanghai 1u 1000 c0 r0 l0']);
  api.world.now = new Date(api.world.now.getTime() + 3_600_000);
  await cancel(id);
  // the four that nobody had are lost sales; the others were given up by the customer alone. For an hour there was nothing to sell.
  expect(await demand(code)).toEqual(['2026-11-23 - Shanghai 4u 4000 c4 r0 l4', '2026-11-23 L-1 Shanghai 2u 2000 c2 r0 l0 O', '2026-11-23 L-2 Shanghai 1u 1000 c1 r0 l0 O']);
});

test('what a strict channel refuses is lost demand, once however often it is tried, and none once it is captured', async () => {
  const code = sku();
  await stock(code, { 'L-1': 2 });
  const wish = order(code, 5, { externalId: 'REFUSED-1' });
  for (let i = 0; i < 3; i++) await expect(api.world.capture(wish)).rejects.toThrow('lacks 3');
  expect(await demand(code)).toEqual(['2026-11-23 - Shanghai 0u 0 c0 r0 l5']);
  await stock(code, { 'L-1': 9 });
  await api.world.capture(wish);
  expect(await demand(code)).toEqual(['2026-11-23 L-1 Shanghai 5u 5000 c0 r0 l0']);
});

test('many roll-ups at once count every order once; a rebuilt day is what it was', async () => {
  const code = sku();
  await stock(code, { 'L-1': 50 });
  for (let i = 0; i < 20; i++) await api.world.capture(order(code, 1));
  await Promise.all(Array.from({ length: 6 }, () => rollUpDemand(api.world.store.pool, api.world.now)));
  const exact = ['2026-11-23 L-1 Shanghai 20u 20000 c0 r0 l0'];
  expect(await demand(code)).toEqual(exact);
  await api.world.store.pool.query(`update daily_demand set units = 3 where sku_id = $1`, [await idOf(code)]);
  await rebuildDemandDay(api.world.store.pool, '2026-11-23');
  expect(await demand(code)).toEqual(exact);
});

test('a transaction that is still open is not passed over', async () => {
  const code = sku();
  await stock(code, { 'L-1': 5 });
  const client = await api.world.store.pool.connect();
  try {
    await client.query('begin');
    await client.query('select pg_current_xact_id()');
    await api.world.capture(order(code, 1));
    expect(await demand(code, api.world.now, rollUpDemand)).toEqual([]);
    await client.query('commit');
    expect(await demand(code)).toEqual(['2026-11-23 L-1 Shanghai 1u 1000 c0 r0 l0']);
  } finally {
    client.release();
  }
});

test('days without stock are marked until there is some again, with sales or without', async () => {
  const code = sku();
  await stock(code, { 'L-1': 2 });
  await followDemand(api.world.store.pool, api.world.now);
  await api.world.capture(order(code, 2));
  await followDemand(api.world.store.pool, api.world.now);
  const later = new Date(api.world.now.getTime() + 2 * 86_400_000);
  const days = async (now: Date) => (await readDemandDays(api.world.store.pool, { from, to, skus: [await idOf(code)], locations: [api.world.locationId('L-1')] }, now)).map((d) => `${d.day} ${d.units} ${d.outMinutes > 0}`);
  expect(await days(later)).toEqual(['2026-11-23 2 true', '2026-11-24 0 true', '2026-11-25 0 true']);
  await stock(code, { 'L-1': 5 });
  await followDemand(api.world.store.pool, later);
  expect(await days(new Date(later.getTime() + 5 * 86_400_000))).toEqual(['2026-11-23 2 true', '2026-11-24 0 true', '2026-11-25 0 true']);
});

test('promoted days are marked, in the channel and at the location that the promotion says; a source replaces what it said', async () => {
  const code = sku();
  await stock(code, { 'L-1': 20 });
  await api.world.capture(order(code, 1, { orderedAt: '2026-11-20T03:00:00Z' }));
  await api.world.capture(order(code, 1, { orderedAt: '2026-11-22T03:00:00Z' }));
  const span = { skuId: await idOf(code), locationId: null, channelId: null, from: new Date('2026-11-22T00:00:00Z'), to: new Date('2026-11-22T06:00:00Z') };
  await api.world.store.writer.change((tx) => markPromoted(tx.client, 'promotion:1', [span]));
  expect(await demand(code)).toEqual(['2026-11-20 L-1 Shanghai 1u 1000 c0 r0 l0', '2026-11-22 L-1 Shanghai 1u 1000 c0 r0 l0 P']);
  await api.world.store.writer.change((tx) => markPromoted(tx.client, 'promotion:1', [{ ...span, channelId: api.world.store.network.channels.get('douyin')?.id ?? -1 }]));
  expect((await demand(code)).at(-1)).toBe('2026-11-22 L-1 Shanghai 1u 1000 c0 r0 l0');
});

test('sums by any of the groups', async () => {
  const code = sku();
  await stock(code, { 'L-1': 20 });
  await api.world.capture(order(code, 1, { orderedAt: '2026-11-20T03:00:00Z' }));
  await api.world.capture(order(code, 4, { orderedAt: '2026-11-22T03:00:00Z', channel: 'douyin' }));
  await followDemand(api.world.store.pool, api.world.now);
  const filter = { from, to, skus: [await idOf(code)] };
  const none = { cancelled: 0, returned: 0, lost: 0 };
  expect(await sumDemand(api.world.store.pool, filter, [])).toEqual([{ units: 5, revenue: 5000, ...none }]);
  expect(await sumDemand(api.world.store.pool, filter, ['week', 'region'])).toEqual([{ week: '2026-11-16', country: 'CN', region: 'Shanghai', units: 5, revenue: 5000, ...none }]);
  expect((await sumDemand(api.world.store.pool, filter, ['channel'])).map((s) => s.units)).toEqual([1, 4]);
});

test('promotions mark the demand of what they name, while they are live, in their channels; an ended one up to its end', async () => {
  const code = sku();
  await stock(code, { 'L-1': 20 });
  for (const day of ['20', '21', '22']) await api.world.capture(order(code, 1, { orderedAt: `2026-11-${day}T03:00:00Z` }));
  const { pool } = api.world.store;
  const { id } = await api.world.one<{ id: string }>(
    `insert into promotions (id, code, name, kind, status, currency, live_from, live_until, bearer, terms, version, created_at, input)
     values (uuidv7(), 'W47', 'markdown', 'markdown', 'active', 'CNY', '2026-11-21T00:00:00Z', '2026-11-30T00:00:00Z', 'shop', '{}', 1, now(), '{}') returning id`);
  await pool.query('insert into promotion_skus (promotion_id, sku_id, price) values ($1, $2, 500)', [id, await idOf(code)]);
  await pool.query(`insert into promotion_events (promotion_id, type, at, actor) values ($1, 'promotion.made', now(), 'key:test')`, [id]);
  const marked = async () => (await demand(code)).filter((d) => d.endsWith(' P')).map((d) => d.slice(0, 10));
  expect(await marked()).toEqual(['2026-11-21', '2026-11-22']);
  await pool.query(`update promotions set ended_at = '2026-11-21T12:00:00Z' where id = $1`, [id]);
  await pool.query(`insert into promotion_events (promotion_id, type, at, actor) values ($1, 'promotion.ended', now(), 'key:test')`, [id]);
  expect(await marked()).toEqual(['2026-11-21']);
});
