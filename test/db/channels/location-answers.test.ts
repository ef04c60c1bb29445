import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { readChanges } from '../../../db/channels/read-changes.ts';
import { cancelLines } from '../../../db/orders/cancel-lines.ts';
import { mergeOrders } from '../../../db/orders/operate/merge-orders.ts';
import { splitOrder } from '../../../db/orders/operate/split-order.ts';
import { encodeId } from '../../../domain/ids.ts';
import { advance } from '../../support/advance.ts';
import { PlatformOrder, uuid } from '../../support/platform-order.ts';
import { allReadable } from '../../support/readable.ts';
import { defaultAnswer, World, type Fulfillment } from '../../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await World.create({ stock: 1000 });
  await noted(); // a reader that is new begins now
});
afterEach(() => { world.partners.answer = defaultAnswer; });
afterAll(async () => {
  expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
  await world.close();
});

const open = { state: 'open', reason: null };
const held = { state: 'held', reason: 'changed_on_platform' };
const KEEP = 'keep the goods';
async function noted(): Promise<void> {
  await allReadable(world.store.pool);
  await readChanges(world.store.pool, world.store.network, world.now);
}
/** How often the order is to be read again so far. */
async function hints(order: PlatformOrder): Promise<number> {
  await noted();
  return (await world.one<{ n: number }>(`select count(*)::int n from channel_hints where subject = 'order' and topic = 'location_answered' and done_at is null and external_id = $1`, order.seen.externalId)).n;
}
/** It is read again, and nothing has changed there. */
const again = (order: PlatformOrder) => order.apply((seen) => { seen.version -= 1; });
const living = async (id: string) => (await world.fulfillments(id)).filter((f) => f.status !== 'cancelled').map((f) => `${f.status} ${f.lines.map((l) => `${l.lineNo}x${l.quantity}`).join(' ')}`);
const asks = (f: Fulfillment): number => world.partners.to('/cancel').filter((r) => r.url.includes(f.id)).length;
const refuse = (): void => { world.partners.answer = (request) => (request.url.endsWith('/cancel') ? { status: 200, body: { outcome: 'refused', reason: 'packed' } } : defaultAnswer(request)); };
const pack = (f: Fulfillment) => world.tell(f, { type: 'packed', parcels: [{ parcelNo: 1, lines: f.lines }] });
/** A location has all of it. */
async function atLocation(units: number[]): Promise<{ order: PlatformOrder; f: Fulfillment }> {
  const order = await PlatformOrder.place(world, units);
  await order.advance();
  const [f] = await world.fulfillments(order.id);
  return { order, f: f! };
}
/** Two orders of one buyer as one, at a location: the goods are in the first. */
async function mergedAtLocation(): Promise<{ a: PlatformOrder; b: PlatformOrder; f: Fulfillment }> {
  const street = `${Math.round(performance.now() * 1000)} Road`;
  const [a, b] = [await PlatformOrder.place(world, [1], { street }), await PlatformOrder.place(world, [2], { street })];
  await world.store.writer.change((tx) => mergeOrders(tx, world.store.network, [uuid(a.id), uuid(b.id)], 'test', 'key:test'));
  await advance(world, a.id);
  const [f] = await world.fulfillments(a.id);
  return { a, b, f: f! };
}
const cancelled = (order: PlatformOrder, rules: Parameters<PlatformOrder['apply']>[1] = {}) => order.apply((seen) => { seen.status = 'cancelled'; }, rules);

test.each([['after a refund of everything was asked for', true], ['at once', false]])('cancelled on the platform %s: what a location has packed does not leave, whatever it answers', async (_, disputed) => {
  const { order, f } = await atLocation([2]);
  await pack(f);
  refuse();
  if (disputed) {
    await order.afterSale('1', 'requested', { A: 2 });
    expect(await order.holds()).toEqual(['after-sale 1']);
    order.seen.afterSales[0]!.status = 'done';
  }
  expect(await cancelled(order)).toEqual(open);
  const over = ['cancelled', ['2-2'], [['refund_request', 2000]], []];
  const now = async () => [await world.status(order.id), await order.units(), await world.refunds(order.id), await living(order.id)];
  expect(await now()).toEqual(over);
  await expect(world.issue(f)).rejects.toThrow(KEEP);
  await order.advance();
  expect(asks(f)).toBe(1);
  await expect(world.issue(f)).rejects.toThrow(KEEP);
  expect([await again(order), await now(), await world.one('select count(*)::int n from parcels where order_id = $1', uuid(order.id))]).toEqual([open, over, { n: 0 }]);
});

test('a shop that refuses late cancellations asks only: what the location keeps leaves', async () => {
  const { order, f } = await atLocation([2]);
  refuse();
  expect(await cancelled(order, { lateCancel: 'refuse' })).toEqual(open);
  await order.advance();
  await world.issue(f);
  expect([await order.units(), await world.refunds(order.id), await living(order.id)]).toEqual([['2-0'], [], ['issued 1x2']]);
});

test('cancelled while it is packed with another order\'s goods: somebody sees to it, nothing leaves, and it is done once the location keeps them', async () => {
  const { a, b, f } = await mergedAtLocation();
  await pack(f);
  expect([await cancelled(b), (await b.held()).detail]).toEqual([held, 'it is cancelled on the platform, and 2 units of it are packed with another order\'s goods: take them out: see to it, then release it with this key']);
  expect([await again(b), await a.holds(), await a.units()]).toEqual([held, ['cancelled on the platform'], ['1-0', '2-0']]);
  await expect(world.issue(f)).rejects.toThrow(KEEP);
  expect([await hints(b), await again(b), await a.holds(), await a.units()]).toEqual([1, open, [], ['1-0', '2-2']]);
  expect(await b.held()).toEqual({ reason: null, key: null, detail: null });
  await advance(world, a.id);
  expect(await living(a.id)).toEqual(['released 1x1']);
});

test.each([['gives it back', false], ['keeps it', true]])('cancelled while a location has it with another order\'s goods: nothing leaves before it has answered; it %s', async (_, refused) => {
  const { a, b, f } = await mergedAtLocation();
  if (refused) refuse();
  for (const read of [() => cancelled(b), () => again(b)]) expect([await read(), await a.holds(), await a.units(), await hints(b)]).toEqual([open, ['cancelled on the platform'], ['1-0', '2-0'], 0]);
  await advance(world, a.id);
  expect([await hints(b), asks(f)]).toEqual([1, 1]);
  for (let i = 0; i < 2; i++) {
    expect(await again(b)).toEqual(refused ? held : open);
    await advance(world, a.id);
    expect([asks(f), await a.holds(), await a.units()]).toEqual([1, refused ? ['cancelled on the platform'] : [], refused ? ['1-0', '2-0'] : ['1-0', '2-2']]);
  }
  if (refused) await expect(world.issue(f)).rejects.toThrow(KEEP);
  else expect(await living(a.id)).toEqual(['released 1x1']);
});

test.each(['refund', 'return'] as const)('units of a %s that was decided before it was seen: the order waits for its location, is read again when that gives them back, and goes on', async (kind) => {
  const { order, f } = await atLocation([2, 1]);
  expect(await order.afterSale('1', 'agreed', { A: 1 }, { kind })).toEqual(open);
  // Read meanwhile, it goes on waiting.
  for (let i = 0; i < 2; i++) expect([await again(order), await order.holds(), await order.units(), await living(order.id), await hints(order)]).toEqual([open, ['after-sale 1'], ['2-0', '1-0'], ['released 1x2 2x1'], 0]);
  await order.advance();
  expect([await hints(order), await order.holds(), await order.units(), await living(order.id)]).toEqual([1, ['after-sale 1'], ['2-1', '1-0'], []]);
  expect([await again(order), await order.holds()]).toEqual([open, []]);
  await order.advance();
  expect([await living(order.id), await world.refunds(order.id), asks(f)]).toEqual([['released 1x1 2x1'], [['cancellation', 1000]], 1]);
});

test.each(['refund', 'return'] as const)('units of a %s that their location keeps: asked once, and somebody sees to them; nothing leaves', async (kind) => {
  const { order, f } = await atLocation([2, 1]);
  refuse();
  await order.afterSale('1', 'agreed', { A: 1 }, { kind });
  await order.advance();
  expect([await hints(order), await order.holds(), (await world.events(order.id)).filter((e) => e === 'order.line_cancel_refused').length]).toEqual([1, ['after-sale 1'], 1]);
  for (let i = 0; i < 2; i++) {
    expect([await again(order), await order.holds(), await order.units()]).toEqual([held, ['after-sale 1'], ['2-0', '1-0']]);
    await order.advance();
  }
  expect([asks(f), await hints(order)]).toEqual([1, 1]);
  await expect(world.issue(f)).rejects.toThrow(KEEP);
  expect([await hints(order), await again(order), await order.holds(), await order.units(), await world.refunds(order.id)]).toEqual([2, open, [], ['2-1', '1-0'], [['cancellation', 1000]]]);
});

test('a location that wants to hand over before it has answered keeps the goods', async () => {
  const { order, f } = await atLocation([2, 1]);
  await order.afterSale('1', 'done', { A: 1 });
  await expect(world.issue(f)).rejects.toThrow(KEEP);
  expect([await hints(order), await again(order), await order.holds(), await order.units()]).toEqual([1, open, [], ['2-1', '1-0']]);
});

test('withdrawn while its location has not answered: the order goes on, and somebody is told', async () => {
  const { order } = await atLocation([2]);
  await order.afterSale('1', 'agreed', { A: 1 });
  expect([await order.afterSale('1', 'closed'), await order.holds(), (await order.held()).detail]).toEqual([
    held, [], 'after-sale 1 is closed, and the platform waits for units that are cancelled here: line A: 2 (1): see to it, then release it with this key']);
});

test.each([[false], [true]])('units that are cancelled on the platform are not done with before their location has answered (it keeps them: %s)', async (refused) => {
  const { order, f } = await atLocation([2]);
  if (refused) refuse();
  const left = async () => (await world.one<{ n: string }>(`select applied -> 'units' ->> 'A' n from channel_orders where external_id = $1`, order.seen.externalId)).n;
  expect([await order.apply((seen) => { seen.lines[0]!.cancelled = 1; }), await left(), await order.holds()]).toEqual([open, '2', []]);
  await order.advance();
  expect([await hints(order), await again(order), await order.units(), await left()]).toEqual([1, refused ? { state: 'held', reason: 'conflict' } : open, [refused ? '2-0' : '2-1'], refused ? '2' : '1']);
  await order.advance();
  expect(asks(f)).toBe(1);
});

test('agreed to before the location has answered the dispute: it is asked once, and what comes back is cancelled', async () => {
  const { order, f } = await atLocation([3]);
  await order.afterSale('1', 'requested', { A: 2 });
  expect([await order.afterSale('1', 'agreed'), await order.holds(), await order.held()]).toEqual([open, ['after-sale 1'], { reason: null, key: null, detail: null }]);
  expect(await world.one('select cancel_wanted wanted, cancelled_quantity off from order_lines where order_id = $1', uuid(order.id))).toEqual({ wanted: 2, off: 0 });
  await order.advance();
  expect([await hints(order), await order.units(), await again(order), await order.holds()]).toEqual([1, ['3-2'], open, []]);
  await order.advance();
  expect([await living(order.id), asks(f), await world.refunds(order.id)]).toEqual([['released 1x1'], 1, [['cancellation', 2000]]]);
});

test('units that a location is asked for already are not promised twice', async () => {
  const { order, f } = await atLocation([3]);
  await order.afterSale('1', 'requested', { A: 2 });
  await order.afterSale('1', 'agreed');
  const cancel = (quantity: number) => cancelLines(world.store.writer, uuid(order.id), { reference: `test ${quantity}`, reason: 'broken', lines: [{ line: 1, quantity }] }, 'key:test');
  await expect(cancel(2)).rejects.toThrow('of line 1 1 units can still be cancelled');
  expect(await cancel(1)).toMatchObject({ cancelled: [], waiting: [{ line: 1, quantity: 1 }], asked: [f.id] });
  expect(await world.one('select cancel_wanted wanted, cancelled_quantity off from order_lines where order_id = $1', uuid(order.id))).toEqual({ wanted: 3, off: 0 });
});

test('of a part that was split off the order is read again, too', async () => {
  const order = await PlatformOrder.place(world, [3]);
  const part = encodeId('ord', await world.store.writer.change((tx) => splitOrder(tx, uuid(order.id), [{ line: 1, quantity: 2 }], 'test', 'key:test')));
  await advance(world, part);
  await order.afterSale('1', 'done', { A: 2 });
  expect([await order.units(), await order.units(part), await order.holds(part), await hints(order)]).toEqual([['1-1'], ['2-0'], ['after-sale 1'], 0]);
  await advance(world, part);
  expect([await hints(order), await order.units(part), await again(order), await order.holds(part)]).toEqual([1, ['2-1'], open, []]);
});
