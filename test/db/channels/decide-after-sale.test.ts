import { afterAll, beforeAll, expect, test } from 'vitest';
import { decideAfterSale } from '../../../db/channels/decide-after-sale.ts';
import type { Channel } from '../../../db/network.ts';
import { PlatformOrder } from '../../support/platform-order.ts';
import { World } from '../../support/world.ts';

let world: World;
let channel: Channel;
beforeAll(async () => {
  world = await World.create({ stock: 1000 });
  channel = world.store.network.channels.get('douyin')!;
});
afterAll(async () => { await world.close(); });

/** Each order has one. */
const idOf = (order: PlatformOrder): string => `of ${order.seen.externalId}`;
const decide = (order: PlatformOrder, approved: boolean) => decideAfterSale(world.store.writer, channel, true, { externalId: order.seen.externalId, afterSaleId: idOf(order), approved, reason: 'as agreed' });
const reports = async (order: PlatformOrder): Promise<unknown[]> => (await world.store.pool.query<{ r: string }>(
  `select (body ->> 'approved') || case when done_at is null then '' else ' told' end r from channel_reports where body ->> 'externalId' = $1 order by id`, [order.seen.externalId])).rows.map((x) => x.r);
const told = (order: PlatformOrder) => world.store.pool.query(`update channel_reports set done_at = $2 where body ->> 'externalId' = $1 and done_at is null`, [order.seen.externalId, world.now]);
/** The after-sale as it stands there from now on. */
async function stands(order: PlatformOrder, status: 'requested' | 'refused', version: number): Promise<void> {
  const known = order.seen.afterSales[0];
  if (known) known.version = version;
  await order.afterSale(idOf(order), status, { A: 1 }, { version });
}

test('refused and asked for anew under the same id: the new request is decided once, whichever way', async () => {
  const order = await PlatformOrder.place(world, [2]);
  await stands(order, 'requested', 1_795_400_000_000);
  await Promise.all([decide(order, false), decide(order, false)]);
  await expect(decide(order, true)).rejects.toThrow('this after-sale was refused before');
  await told(order);
  // Not read again yet, then read as refused.
  await decide(order, false);
  await stands(order, 'refused', 1_795_400_001_000);
  await decide(order, false);
  await expect(decide(order, true)).rejects.toThrow('this after-sale was refused before');
  expect([await reports(order), await order.holds()]).toEqual([['false told'], []]);
  await stands(order, 'requested', 1_795_400_002_000);
  expect(await order.holds()).toEqual([`after-sale ${idOf(order)}`]);
  await Promise.all([decide(order, true), decide(order, true)]);
  await expect(decide(order, false)).rejects.toThrow('this after-sale was agreed to before');
  expect(await reports(order)).toEqual(['false told', 'true']);
});

test('what is asked for anew is refused anew; a change before the first decision was told is none', async () => {
  const order = await PlatformOrder.place(world, [2]);
  await stands(order, 'requested', 10);
  await decide(order, false);
  await stands(order, 'requested', 11);
  await decide(order, false);
  await expect(decide(order, true)).rejects.toThrow('this after-sale was refused before');
  await told(order);
  await stands(order, 'refused', 12);
  await stands(order, 'requested', 13);
  await decide(order, false);
  await decide(order, false);
  expect(await reports(order)).toEqual(['false told', 'false']);
});
