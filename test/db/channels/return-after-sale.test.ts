import { afterAll, beforeAll, expect, test } from 'vitest';
import { PlatformOrder, uuid } from '../../support/platform-order.ts';
import { World } from '../../support/world.ts';

let world: World;
beforeAll(async () => { world = await World.create({ stock: 1000 }); });
afterAll(async () => { await world.close(); });

const returns = async (order: PlatformOrder): Promise<unknown[]> => (await world.store.pool.query<{ r: string }>(
  `select r.kind || ' ' || r.status || ' ' || l.line_no || 'x' || l.quantity r from returns r join return_lines l on l.return_id = r.id where r.order_id = $1 order by r.id, l.line_no`, [uuid(order.id)])).rows.map((x) => x.r);
const turnedRound = async (order: PlatformOrder): Promise<unknown[]> => (await world.store.pool.query<{ w: string }>(
  'select waybill_no w from parcels where order_id = $1 and intercept_requested_at is not null order by id', [uuid(order.id)])).rows.map((x) => x.w);
/** Two units of A in parcels of their own, one of B in a third. */
async function shipped(): Promise<{ order: PlatformOrder; parcels: [string, string, string] }> {
  const order = await PlatformOrder.place(world, [2, 1]);
  await order.advance();
  const parcels = await order.ship([[[1, 1]], [[1, 1]], [[2, 1]]]) as [string, string, string];
  return { order, parcels };
}

test.each(['return', 'exchange', 'resend', 'repair'] as const)('%s of what has arrived leaves the rest of the order alone', async (kind) => {
  const { order, parcels } = await shipped();
  await world.carrier(parcels[0], 'delivered');
  for (const status of ['requested', 'agreed', 'goods_sent'] as const) await order.afterSale('1', status, { A: 1 }, { kind });
  expect([await returns(order), await turnedRound(order), await order.units(), await world.status(order.id)]).toEqual([[`${kind === 'return' ? 'refund' : 'exchange'} requested 1x1`], [], ['2-0', '1-0'], 'shipped']);
  expect(await world.one('select count(*)::int n from refund_requests where order_id = $1', uuid(order.id))).toEqual({ n: 0 });
});

test('a return of what is on its way turns its own parcel round once it is agreed to', async () => {
  const { order, parcels } = await shipped();
  await order.afterSale('1', 'requested', { B: 1 }, { kind: 'return' });
  expect([await returns(order), await turnedRound(order)]).toEqual([[], []]);
  await order.afterSale('1', 'agreed');
  expect([await returns(order), await turnedRound(order)]).toEqual([[], [parcels[2]]]);
  await world.carrier(parcels[2], 'returning');
  await world.carrier(parcels[2], 'returned', new Date(world.now.getTime() + 1000));
  await order.afterSale('1', 'done');
  expect(await returns(order)).toEqual(['refund authorised 2x1']);
});

test('no more parcels are turned round than units are wanted', async () => {
  const { order, parcels } = await shipped();
  await world.carrier(parcels[0], 'delivered');
  await order.afterSale('1', 'agreed', { A: 2 }, { kind: 'return' });
  expect([await returns(order), await turnedRound(order)]).toEqual([['refund requested 1x1'], [parcels[1]]]);
});

test('an exchange of what is on its way changes nothing until it arrives', async () => {
  const { order, parcels } = await shipped();
  await order.afterSale('1', 'requested', { B: 1 }, { kind: 'exchange' });
  expect([await returns(order), await turnedRound(order)]).toEqual([[], []]);
  await world.carrier(parcels[2], 'delivered');
  await order.afterSale('1', 'agreed');
  expect([await returns(order), await turnedRound(order)]).toEqual([['exchange requested 2x1'], []]);
});

test('goods that the buyer has sent back come as a return though their carrier never told of them', async () => {
  const { order } = await shipped();
  await order.afterSale('1', 'goods_sent', { B: 1 }, { kind: 'return' });
  expect([await returns(order), await turnedRound(order)]).toEqual([['refund requested 2x1'], []]);
});

test('of what has not left: it waits while it is asked for, and is cancelled once it is agreed to, once', async () => {
  const order = await PlatformOrder.place(world, [3]);
  await order.afterSale('1', 'requested', { A: 1 }, { kind: 'return' });
  expect([await world.status(order.id), await order.units()]).toEqual(['on_hold', ['3-0']]);
  await order.afterSale('1', 'agreed');
  await order.afterSale('1', 'done');
  expect([await order.units(), await order.holds()]).toEqual([['3-1'], []]);
});

test('withdrawn: the return that nobody has sent is off', async () => {
  const { order, parcels } = await shipped();
  await world.carrier(parcels[0], 'delivered');
  await order.afterSale('1', 'requested', { A: 1 }, { kind: 'return' });
  await order.afterSale('1', 'closed');
  expect([await returns(order), (await order.held()).reason]).toEqual([['refund cancelled 1x1'], null]);
});
