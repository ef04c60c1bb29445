import { afterAll, beforeAll, expect, test } from 'vitest';
import { World } from '../../support/world.ts';
import { PlatformOrder, uuid } from '../../support/platform-order.ts';

let world: World;
beforeAll(async () => { world = await World.create({ stock: 1000 }); });
afterAll(async () => {
  expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
  await world.close();
});
const open = { state: 'open', reason: null };
const living = async (id: string) => (await world.fulfillments(id)).filter((f) => f.status !== 'cancelled').map((f) => f.status);

test('a refund of everything is only asked for: the order waits, and goes on when it is withdrawn', async () => {
  const order = await PlatformOrder.place(world, [2, 1]);
  expect(await order.afterSale('1', 'requested', { A: 2, B: 1 })).toEqual(open);
  await order.advance();
  expect([await world.status(order.id), await order.holds(), await order.units(), await living(order.id)]).toEqual(['on_hold', ['after-sale 1'], ['2-0', '1-0'], []]);
  await order.apply(); // the same once more
  expect(await order.holds()).toEqual(['after-sale 1']);
  expect(await order.afterSale('1', 'closed')).toEqual(open);
  await order.advance();
  expect([await order.holds(), await order.units(), await world.refunds(order.id), await living(order.id)]).toEqual([[], ['2-0', '1-0'], [], ['released']]);
});

test('once it is agreed to everything is cancelled and paid back, once', async () => {
  const order = await PlatformOrder.place(world, [2, 1]);
  await order.afterSale('1', 'requested', { A: 2, B: 1 });
  for (const status of ['agreed', 'done'] as const) {
    expect(await order.afterSale('1', status)).toEqual(open);
    expect([await world.status(order.id), await order.units(), await world.refunds(order.id)]).toEqual(['cancelled', ['2-2', '1-1'], [['refund_request', 3000]]]);
  }
});

test('killed before it was noted, or read twice at once, it is done once', async () => {
  const order = await PlatformOrder.place(world, [3, 1], { refundsTellUnits: true });
  const { applied } = await world.one<{ applied: unknown }>('select applied from channel_orders where external_id = $1', order.seen.externalId);
  const forgotten = async (): Promise<void> => {
    await world.store.pool.query('update channel_orders set applied = $2 where external_id = $1', [order.seen.externalId, JSON.stringify(applied)]);
    await Promise.all([order.apply(), order.apply()]);
  };
  await order.afterSale('1', 'agreed', { A: 1 });
  await forgotten();
  expect([await order.units(), await world.refunds(order.id)]).toEqual([['3-1', '1-0'], [['cancellation', 1000]]]);
  await order.afterSale('2', 'requested', { A: 2, B: 1 });
  await forgotten();
  expect([await order.units(), await order.holds()]).toEqual([['3-1', '1-0'], ['after-sale 2']]);
  await order.afterSale('2', 'agreed');
  await forgotten();
  expect([await order.units(), await world.status(order.id), await world.refunds(order.id)]).toEqual([['3-3', '1-1'], 'cancelled', [['cancellation', 1000], ['refund_request', 3000]]]);
});

test('a location that has it is asked for it and may hand nothing over meanwhile; refused, it is planned anew', async () => {
  const order = await PlatformOrder.place(world, [2]);
  await order.advance();
  const [f] = await world.fulfillments(order.id);
  await order.afterSale('1', 'requested', { A: 2 });
  expect([await living(order.id), f!.status]).toEqual(['released'].flatMap((x) => [[x], x]));
  await order.advance(); // it gives it back
  await expect(world.issue(f!)).rejects.toThrow('keep the goods');
  expect(await world.one('select count(*)::int n from parcels where order_id = $1', uuid(order.id))).toEqual({ n: 0 });
  expect([await living(order.id), await world.status(order.id), await order.units()]).toEqual([[], 'on_hold', ['2-0']]);
  await order.afterSale('1', 'refused');
  await order.advance();
  expect([await living(order.id), await order.units(), await world.refunds(order.id)]).toEqual([['released'], ['2-0'], []]);
});

test('a location that wants to hand it over keeps it for good; after a refusal it is planned anew', async () => {
  const order = await PlatformOrder.place(world, [2]);
  await order.advance();
  const [f] = await world.fulfillments(order.id);
  await world.tell(f!, { type: 'packed', parcels: [{ parcelNo: 1, lines: [{ lineNo: 1, quantity: 2 }] }] });
  await order.afterSale('1', 'requested', { A: 2 });
  expect(await living(order.id)).toEqual(['packed']);
  for (let i = 0; i < 2; i++) await expect(world.issue(f!)).rejects.toThrow('keep the goods');
  expect([await living(order.id), await order.units(), (await world.events(order.id)).filter((e) => e === 'fulfillment.taken_back')]).toEqual([[], ['2-0'], ['fulfillment.taken_back']]);
  await order.advance();
  expect(world.partners.to('/cancel').some((r) => r.url.includes(f!.id))).toBe(true);
  await order.afterSale('1', 'refused');
  await order.advance();
  await order.ship([[[1, 2]]]);
  expect([await living(order.id), await order.holds()]).toEqual([['issued'], []]);
});

test('a location that has packed it and says nothing until the refusal goes on', async () => {
  const order = await PlatformOrder.place(world, [2]);
  await order.advance();
  const [f] = await world.fulfillments(order.id);
  await world.tell(f!, { type: 'packed', parcels: [{ parcelNo: 1, lines: [{ lineNo: 1, quantity: 2 }] }] });
  await order.afterSale('1', 'requested', { A: 2 });
  await order.afterSale('1', 'refused');
  await world.issue(f!);
  expect([await living(order.id), await order.holds()]).toEqual([['issued'], []]);
});

test('withdrawn after it was agreed to: our order is over, and somebody is told', async () => {
  const order = await PlatformOrder.place(world, [2]);
  await order.afterSale('1', 'agreed', { A: 2 });
  expect(await world.status(order.id)).toBe('cancelled');
  expect(await order.afterSale('1', 'closed')).toEqual({ state: 'held', reason: 'changed_on_platform' });
  expect((await order.held()).detail).toBe('after-sale 1 is closed, and the platform waits for units that are cancelled here: line A: 2 (0): see to it, then release it with this key');
  await order.release();
  expect(await order.held()).toMatchObject({ reason: null, key: null });
});

test.each([true, false])('one is withdrawn while another was agreed to: nothing is missing (the platform tells units by refunds: %s)', async (refundsTellUnits) => {
  const order = await PlatformOrder.place(world, [3], { refundsTellUnits });
  await order.afterSale('1', 'agreed', { A: 1 });
  await order.afterSale('2', 'requested', { A: 1 });
  expect(await order.afterSale('2', 'closed')).toEqual(open);
  expect([await order.units(), await order.holds()]).toEqual([['3-1'], []]);
});

test('a refund of an amount takes no unit off and stands on the timeline once; one of everything that was paid takes all', async () => {
  const order = await PlatformOrder.place(world, [2], { freight: 500 });
  for (const status of ['requested', 'agreed', 'done'] as const) await order.afterSale('1', status, {}, { amount: 500 });
  expect([await order.units(), await order.holds(), await world.status(order.id), await world.refunds(order.id)]).toEqual([['2-0'], [], 'captured', []]);
  const { rows } = await world.store.pool.query(`select data from order_events where order_id = $1 and type = 'refund.given'`, [uuid(order.id)]);
  expect(rows).toEqual([{ data: { afterSale: '1', amount: 500, currency: 'CNY' } }]);
  await order.afterSale('2', 'done', {}, { amount: 1999 });
  expect(await order.units()).toEqual(['2-0']);
  await order.afterSale('3', 'done', {}, { amount: 1 });
  expect([await order.units(), await world.status(order.id)]).toEqual([['2-2'], 'cancelled']);
});

test('a refund that tells neither lines nor amount is for somebody to see to', async () => {
  const order = await PlatformOrder.place(world, [2]);
  await order.afterSale('1', 'requested');
  expect(await order.holds()).toEqual(['after-sale 1']);
  expect(await order.afterSale('1', 'done')).toEqual({ state: 'held', reason: 'changed_on_platform' });
  expect([await order.units(), await world.status(order.id)]).toEqual([['2-0'], 'on_hold']);
  await order.release();
  expect([await order.holds(), await order.units(), (await order.held()).reason]).toEqual([[], ['2-0'], null]);
});

test('units that are paid back and packed stay where they are until somebody has seen to them', async () => {
  const order = await PlatformOrder.place(world, [2, 1]);
  await order.advance();
  const [f] = await world.fulfillments(order.id);
  await world.tell(f!, { type: 'packed', parcels: [{ parcelNo: 1, lines: [{ lineNo: 1, quantity: 2 }, { lineNo: 2, quantity: 1 }] }] });
  expect(await order.afterSale('1', 'agreed', { A: 1 })).toEqual({ state: 'held', reason: 'changed_on_platform' });
  await expect(world.issue(f!)).rejects.toThrow('keep the goods');
  expect([await order.units(), await world.refunds(order.id), await living(order.id)]).toEqual([['2-0', '1-0'], [], []]);
  // The location keeps them: now they can be taken off, and the rest is planned anew.
  await order.release();
  await order.advance();
  expect([await order.units(), await order.holds(), await living(order.id)]).toEqual([['2-1', '1-0'], [], ['released']]);
});

test('another after-sale has taken its place: the order waits for that one only', async () => {
  const order = await PlatformOrder.place(world, [2]);
  await order.afterSale('1', 'requested', { A: 2 });
  order.seen.afterSales.length = 0;
  await order.afterSale('2', 'requested', { A: 2 });
  expect(await order.holds()).toEqual(['after-sale 2']);
});

test('a cancellation of the whole order ends its disputes', async () => {
  const order = await PlatformOrder.place(world, [2]);
  await order.advance();
  await order.ship([[[1, 1]]]);
  await order.afterSale('1', 'requested', { A: 2 });
  expect(await order.holds()).toEqual(['after-sale 1']);
  await order.apply((seen) => { seen.status = 'cancelled'; });
  expect([await order.holds(), await order.units()]).toEqual([[], ['2-1']]);
});

test('refunds of one line add up, and each counts once', async () => {
  const order = await PlatformOrder.place(world, [3], { refundsTellUnits: true });
  await order.afterSale('1', 'done', { A: 1 });
  await order.afterSale('2', 'done', { A: 1 });
  expect(await order.units()).toEqual(['3-2']);
  await order.apply();
  expect([await order.units(), await world.refunds(order.id)]).toEqual([['3-2'], [['cancellation', 1000], ['cancellation', 1000]]]);
});

test('units that were refunded before the order was captured are not taken off once more', async () => {
  const order = await PlatformOrder.place(world, [3], {
    lines: [{ lineId: 'A', itemId: null, platformSku: 'P-1', merchantCode: 'SKU-1', title: '', quantity: 3, cancelled: 1, unitPrice: 1000, discounts: [], gift: false }],
    afterSales: [{ id: '1', kind: 'refund', status: 'done', lines: [{ lineId: 'A', quantity: 1 }], amount: 1000, reason: '', waybill: null, version: 1 }],
  });
  expect(await order.units()).toEqual(['2-0']);
  await order.afterSale('2', 'done', { A: 1 });
  expect(await order.units()).toEqual(['2-1']);
});

test('a refund of the unit that has left does not take off the one that has not; the platform tells which', async () => {
  const order = await PlatformOrder.place(world, [3]);
  await world.setStock('SKU-1', { 'L-1': 1000 });
  await order.advance();
  await order.ship([[[1, 1]]]); // the others are missing there: they are planned anew
  await order.apply((seen) => { seen.status = 'part_shipped'; });
  await order.afterSale('1', 'agreed', { A: 1 });
  await order.afterSale('1', 'done');
  expect(await order.units()).toEqual(['3-0']);
  await order.afterSale('2', 'agreed', { A: 1 });
  expect(await order.units()).toEqual(['3-0']);
  await order.apply((seen) => { seen.lines[0]!.cancelled = 1; });
  expect(await order.units()).toEqual(['3-1']);
});
