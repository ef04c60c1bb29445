import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SyncContext } from '../../../activities/channel-sync/context.ts';
import { sendReports } from '../../../activities/channel-sync/reports.ts';
import type { ShipmentCall } from '../../../channels/channel.ts';
import { decideAfterSale } from '../../../db/channels/decide-after-sale.ts';
import { mapListing } from '../../../db/channels/listings.ts';
import { readChanges } from '../../../db/channels/read-changes.ts';
import { shipmentNews } from '../../../db/channels/reports.ts';
import { cancelLines } from '../../../db/orders/cancel-lines.ts';
import { cancelOrder } from '../../../db/orders/cancel-order.ts';
import { mergeOrders } from '../../../db/orders/operate/merge-orders.ts';
import { splitOrder } from '../../../db/orders/operate/split-order.ts';
import { PartnerRefused } from '../../../domain/http-port.ts';
import { encodeId } from '../../../domain/ids.ts';
import { advance } from '../../support/advance.ts';
import { PlatformOrder, uuid } from '../../support/platform-order.ts';
import { allReadable } from '../../support/readable.ts';
import { World } from '../../support/world.ts';

let world: World;
let channelId: number;
const told: ShipmentCall[] = [];
beforeAll(async () => {
  world = await World.create({ stock: 1000 });
  await world.store.network.reload();
  channelId = world.store.network.channels.get('douyin')?.id ?? 0;
  await world.store.network.loadSkus(['SKU-1', 'SKU-2']);
  await mapListing(world.store.pool, world.store.network, channelId, 'P-SET', ['SKU-1', 'SKU-2'].map((sku) => ({ sku, quantity: 1 })), 'test', world.now, 0);
  await noted(); // a reader that is new begins now
});
afterAll(async () => { await world.close(); });

async function noted(): Promise<void> {
  await allReadable(world.store.pool);
  await readChanges(world.store.pool, world.store.network, world.now);
}
/** What changed is noted and told; returns what was told of the order: each parcel's units, and whether it was the last. */
async function tell(order: PlatformOrder): Promise<unknown[]> {
  await noted();
  const context = {
    deps: { writer: world.store.writer }, shop: { channel: world.store.network.channels.get('douyin') }, over: () => false, did: () => undefined, setting: <T>(run: () => Promise<T>) => run(),
    connector: { reportShipment: (call: ShipmentCall) => { told.push(call); return Promise.resolve(); }, cancelOrder: () => Promise.resolve() },
  } as unknown as SyncContext;
  told.length = 0;
  await sendReports(context);
  return told.filter((t) => t.externalId === order.seen.externalId).map((t) => [t.lines.map((l) => `${l.lineId}x${l.quantity}`).join(), t.last]);
}
const reports = async (order: PlatformOrder): Promise<unknown[]> => (await world.store.pool.query<{ r: string }>(
  `select kind || coalesce(': ' || error, '') r from channel_reports where body ->> 'externalId' = $1 order by id`, [order.seen.externalId])).rows.map((x) => x.r);
const cancel = (order: PlatformOrder, line: number, quantity: number) => cancelLines(world.store.writer, uuid(order.id), { reference: `test ${line}`, reason: 'broken', lines: [{ line, quantity }] }, 'key:test');
const set = () => ({ lines: [{ lineId: 'A', itemId: null, platformSku: 'P-SET', merchantCode: null, title: '', quantity: 2, cancelled: 0, unitPrice: 1000, discounts: [], gift: false }] });

test('units of a set count without the components that we have cancelled', async () => {
  const order = await PlatformOrder.place(world, [], set());
  await cancel(order, 2, 2);
  await order.advance();
  await order.ship([[[1, 1]], [[1, 1]]]);
  expect(await shipmentNews(world.store.pool, channelId, order.seen.externalId)).toMatchObject({ last: true, parcels: [{ lines: [{ lineId: 'A', quantity: 1 }] }, { lines: [{ lineId: 'A', quantity: 1 }] }] });
});

test('a set of which one whole unit is cancelled counts as one unit', async () => {
  const order = await PlatformOrder.place(world, [], set());
  await order.apply((seen) => { seen.lines[0]!.cancelled = 1; });
  await order.advance();
  await order.ship([[[1, 1]], [[2, 1]]]);
  expect(await shipmentNews(world.store.pool, channelId, order.seen.externalId)).toMatchObject({ last: true, parcels: [{ lines: [] }, { lines: [{ lineId: 'A', quantity: 1 }] }] });
});

test('a parcel without a whole unit waits for the rest; when the rest is cancelled its unit is told', async () => {
  const order = await PlatformOrder.place(world, [], set());
  await order.advance();
  await order.ship([[[1, 1]]]);
  expect(await tell(order)).toEqual([]);
  await cancel(order, 1, 1);
  await cancel(order, 2, 2);
  expect([await tell(order), await reports(order)]).toEqual([[['Ax1', true]], ['shipment', 'shipment']]);
});

test('parcels with nothing that the platform knows are refused, not done', async () => {
  const order = await PlatformOrder.place(world, [1]);
  await order.advance();
  const [waybill] = await order.ship([[[1, 1]]]);
  await world.store.pool.query(`update channel_orders set lines = '[]' where external_id = $1`, [order.seen.externalId]);
  expect([await tell(order), await reports(order)]).toEqual([[], [`shipment: parcels ${waybill ?? ''} hold no whole unit of the platform's lines: enter them there`]]);
});

test('what was left is cancelled after a parcel was told: the platform hears that it was the last', async () => {
  const order = await PlatformOrder.place(world, [1, 1]);
  await order.advance();
  await order.ship([[[1, 1]]]);
  expect(await tell(order)).toEqual([['Ax1', false]]);
  await cancel(order, 2, 1);
  expect(await tell(order)).toEqual([['Ax1', true]]);
  expect(await tell(order)).toEqual([]);
});

test('units that are cancelled before anything has left, or while others are left, are no news of parcels', async () => {
  const order = await PlatformOrder.place(world, [1, 3]);
  await cancel(order, 2, 1);
  expect(await tell(order)).toEqual([]);
  await order.advance();
  await order.ship([[[1, 1]]]);
  await tell(order);
  await cancelLines(world.store.writer, uuid(order.id), { reference: 'one more', reason: 'broken', lines: [{ line: 2, quantity: 1 }] }, 'key:test');
  expect(await tell(order)).toEqual([]);
});

test('our own end of an order is told though the platform took a unit off before', async () => {
  const order = await PlatformOrder.place(world, [1, 1]);
  await order.apply((seen) => { seen.lines[0]!.cancelled = 1; });
  await cancelOrder(world.store.writer, uuid(order.id), 'no longer made', 'key:test');
  await tell(order);
  expect([await world.status(order.id), await reports(order)]).toEqual(['cancelled', ['cancellation']]);
});

test('an end by units that the platform took off, or by a refund that it agreed to, is no news there', async () => {
  const units = await PlatformOrder.place(world, [1, 1]);
  await units.apply((seen) => { seen.lines[0]!.cancelled = 1; });
  await units.apply((seen) => { seen.lines[1]!.cancelled = 1; });
  const there = await PlatformOrder.place(world, [2]);
  await there.advance();
  await there.apply((seen) => { seen.lines[0]!.cancelled = 2; });
  await there.advance(); // the location gives it back
  const refund = await PlatformOrder.place(world, [1]);
  await refund.afterSale('1', 'agreed', { A: 1 });
  await tell(units);
  expect([await Promise.all([units, there, refund].map((o) => world.status(o.id))), await Promise.all([units, there, refund].map(reports))]).toEqual([['cancelled', 'cancelled', 'cancelled'], [[], [], []]]);
});

test('a kind of report that the account may not tell keeps no other kind back, not of its own order either', async () => {
  const channel = world.store.network.channels.get('douyin')!;
  const claimed: PlatformOrder[] = [];
  for (let n = 0; n < 6; n++) {
    const order = await PlatformOrder.place(world, [1]);
    await order.advance();
    await decideAfterSale(world.store.writer, channel, true, { externalId: order.seen.externalId, afterSaleId: `claim-${n}`, approved: false, reason: 'sent' });
    claimed.push(order);
  }
  const parcels = [claimed[0]!, await PlatformOrder.place(world, [1])];
  await parcels[1]!.advance();
  for (const order of parcels) await order.ship([[[1, 1]]]);
  await noted();
  const calls: string[] = [];
  let granted = false;
  const context = {
    deps: { writer: world.store.writer }, shop: { channel }, over: () => false, did: () => undefined,
    connector: {
      reportShipment: ({ externalId }: ShipmentCall) => { calls.push(externalId); return Promise.resolve(); },
      answerAfterSale: (_: string, id: string) => { calls.push(id); return granted ? Promise.resolve() : Promise.reject(new PartnerRefused(200, 'no permission', true)); },
    },
  } as unknown as SyncContext;
  const told = async () => { calls.length = 0; await sendReports(context); return [calls.filter((c) => c.startsWith('claim')).length, calls.filter((c) => !c.startsWith('claim')).sort()]; };
  const waits = async () => (await world.store.pool.query<{ kind: string; error: string; s: number }>(
    `select kind, error, extract(epoch from min(due_at) - $1)::int s, count(*)::int n from channel_reports where done_at is null group by 1, 2`, [world.now])).rows;
  // The claim of the first order waits, and its parcel goes.
  expect([await told(), await waits()]).toEqual([[4, [parcels[1]!.seen.externalId]], [{ kind: 'after_sale', error: 'no permission', s: 300, n: 6 }, { kind: 'shipment', error: null, s: 0, n: 1 }]]);
  expect([await told(), await told()]).toEqual([[0, [parcels[0]!.seen.externalId]], [0, []]]);
  world.now = new Date(world.now.getTime() + 300_000);
  await expect(told()).rejects.toThrow('no permission');
  granted = true;
  world.now = new Date(world.now.getTime() + 300_000);
  expect([await told(), await waits()]).toEqual([[6, []], []]);
});

test('parcels of a part that was split off and merged with another order are told to both', async () => {
  const street = 'Reports Road';
  const x = await PlatformOrder.place(world, [1, 2], { street });
  const part = encodeId('ord', await world.store.writer.change((tx) => splitOrder(tx, uuid(x.id), [{ line: 2, quantity: 1 }], 'test', 'key:test')));
  const y = await PlatformOrder.place(world, [3], { street });
  const stays = encodeId('ord', await world.store.writer.change((tx) => mergeOrders(tx, world.store.network, [uuid(y.id), uuid(part)], 'test', 'key:test')));
  await advance(world, stays);
  await x.ship([[...await (async () => (await world.fulfillments(stays)).flatMap((f) => f.lines.map((l) => [l.lineNo, l.quantity] as const)))()]], stays);
  expect([await tell(x), await reports(x), await reports(y)]).toEqual([[['Bx1', false]], ['shipment'], ['shipment']]);
});
