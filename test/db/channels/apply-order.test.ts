import { afterAll, beforeAll, expect, test } from 'vitest';
import { applyOrder, type ApplyDeps, type IntakeRules } from '../../../db/channels/apply-order.ts';
import { releaseHeld, mapListing } from '../../../db/channels/listings.ts';
import { encodeId } from '../../../domain/ids.ts';
import type { SeenAddress, SeenAfterSale, SeenLine, SeenOrder } from '../../../domain/channel/seen-order.ts';
import type { Channel } from '../../../db/network.ts';
import { advance } from '../../support/advance.ts';
import { World } from '../../support/world.ts';

let world: World;
let channel: Channel;
let deps: ApplyDeps;
beforeAll(async () => {
  world = await World.create({ stock: 500 });
  const { store } = world;
  channel = store.network.channels.get('douyin') as Channel;
  deps = { writer: store.writer, network: store.network, vault: store.vault, capture: store.capture };
});
afterAll(async () => { await world.close(); });

const RULES: IntakeRules = { automaticMapping: true, platformLocation: null, restores: 'never' };
const HOME: SeenAddress = { name: 'T', phone: '1', country: 'CN', province: 'Shanghai', city: 'Shanghai', street: '1 Road' };
const line = (lineId: string, quantity: number, changes: Partial<SeenLine> = {}): SeenLine => ({ lineId, itemId: null, platformSku: `P-${lineId}`, merchantCode: `SKU-${lineId}`, title: '', quantity, cancelled: 0, unitPrice: 1000, discounts: [], gift: false, ...changes });
const order = (externalId: string, version: number, changes: Partial<SeenOrder> = {}): SeenOrder => ({
  externalId, version, status: 'to_ship', fulfilledBy: 'us', currency: 'CNY', orderedAt: world.now.getTime(), paidAt: world.now.getTime(), shipBy: null, cashOnDelivery: false, buyer: { id: null, name: null }, address: HOME, wantedAddress: null,
  discounts: [], freight: 0, buyerRemark: null, sellerRemark: null, session: null, afterSales: [], parcels: [], lines: [line('1', 3), line('2', 1)], ...changes,
});
const afterSale = (id: string, changes: Partial<SeenAfterSale> = {}): SeenAfterSale => ({ id, kind: 'return', status: 'agreed', lines: [{ lineId: '1', quantity: 1 }], amount: null, reason: 'too small', waybill: null, version: 1, ...changes });
const apply = (seen: SeenOrder, rules = RULES, by = deps) => applyOrder(by, channel, seen, rules);

type Row = { state: string; reason: string | null; key: string | null; detail: string | null; order: string | null; version: number | null; status: string | null };
const row = (externalId: string): Promise<Row> => world.one<Row>(
  `select state, hold_reason reason, hold_key key, hold_detail detail, order_id "order", (applied ->> 'version')::int version, applied ->> 'status' status from channel_orders where channel_id = ${channel.id} and external_id = $1`, externalId);
const ours = async (externalId: string): Promise<string> => encodeId('ord', (await world.one<{ id: string }>(`select id from orders where channel_id = ${channel.id} and external_id = $1`, externalId)).id);
const units = async (id: string): Promise<string> => (await world.one<{ u: string }>(`select string_agg(quantity || '-' || cancelled_quantity, ' ' order by line_no) u from order_lines l join orders o on o.id = l.order_id where o.external_id = $1`, id)).u;
const sold = async (listing: string): Promise<number> => Number((await world.one<{ sold: string }>(`select sold from listings where channel_id = ${channel.id} and platform_sku = $1`, listing)).sold);
const release = (key: string | null) => releaseHeld(world.store.pool, world.store.network, channel.id, key, world.now);

/** A worker that dies after its capture, before it can note which order it became. */
const dying = (): ApplyDeps => ({ ...deps, writer: new Proxy(deps.writer, { get: (target, name) => {
  if (name === 'change') return () => Promise.reject(new Error('killed'));
  const value: unknown = Reflect.get(target, name, target);
  return typeof value === 'function' ? value.bind(target) as unknown : value;
} }) });

/** At its location, packed. */
async function packed(externalId: string): Promise<{ id: string; f: Awaited<ReturnType<World['fulfillments']>>[number] }> {
  const id = await ours(externalId);
  await advance(world, id);
  const [f] = await world.fulfillments(id);
  if (!f) throw new Error('nothing was routed');
  await world.tell(f, { type: 'accepted' });
  await world.tell(f, { type: 'packed', parcels: [{ parcelNo: 1, lines: f.lines }] });
  return { id, f };
}

test('a step that comes too late holds the order, and what follows is taken all the same', async () => {
  await apply(order('late', 1));
  const { id, f } = await packed('late');
  const elsewhere = { ...HOME, city: 'Hangzhou', province: 'Zhejiang', street: '2 Road' };
  expect(await apply(order('late', 2, { address: elsewhere }))).toEqual({ state: 'held', reason: 'conflict' });
  // A unit cancelled after packing, too: one hold for both.
  const seen = order('late', 3, { address: elsewhere, lines: [line('1', 3, { cancelled: 1 }), line('2', 1)] });
  expect(await apply(seen)).toEqual({ state: 'held', reason: 'conflict' });
  const both = await row('late');
  expect([both.key?.slice(0, 13), both.version, both.detail?.includes('packed'), await units('late')]).toEqual(['changed:late:', 3, true, '3-0 1-0']);
  // It arrives, and a return is opened while nobody has seen to the hold.
  await world.issue(f);
  await world.carrier((await world.fulfillments(id))[0]?.waybillNo ?? `own-${f.id}`, 'delivered');
  const returned = { ...seen, version: 4, status: 'shipped' as const, afterSales: [afterSale('R-1')] };
  const returns = () => world.one(`select count(*)::int n from returns r join orders o on o.id = r.order_id where o.external_id = 'late'`);
  expect([await apply(returned), await returns()]).toEqual([{ state: 'held', reason: 'conflict' }, { n: 1 }]);
  expect([(await apply(returned)).state, await returns(), (await row('late')).key]).toEqual(['held', { n: 1 }, both.key]);
  // Everything released reads it again, and holds it again; its own key lets it go on.
  expect([await release(null), (await apply(returned)).state, await release(both.key), await apply(returned), await apply({ ...returned, version: 5 })])
    .toEqual([1, 'held', 1, { state: 'open', reason: null }, { state: 'open', reason: null }]);
  expect([await units('late'), await returns(), (await row('late')).status]).toEqual(['3-0 1-0', { n: 1 }, 'shipped']);
});

test('a payment that comes after the order has expired here holds it; its cancellation goes through', async () => {
  await apply(order('unpaid', 1, { status: 'unpaid', paidAt: null }));
  const id = await ours('unpaid');
  await world.store.pool.query(`update orders set status = 'expired' where external_id = 'unpaid'`);
  expect([await apply(order('unpaid', 2)), (await row('unpaid')).detail?.includes('give the money back')]).toEqual([{ state: 'held', reason: 'conflict' }, true]);
  expect([await apply(order('unpaid', 3, { status: 'cancelled' })), (await row('unpaid')).status, await world.status(id)]).toEqual([{ state: 'open', reason: null }, 'cancelled', 'expired']);
});

test.each([
  ['cancelled', { status: 'cancelled' as const }, 'cancelled', '3-3 1-1'],
  ['fewer', { lines: [line('1', 1), line('2', 1)] }, 'captured', '3-2 1-0'],
  ['fewer, and then a unit less', { lines: [line('1', 3, { cancelled: 1 }), line('2', 1)] }, 'captured', '3-1 1-0'],
  ['the same', {}, 'captured', '3-0 1-0'],
])('a worker that is killed after the capture leaves an order that is known: %s', async (name, then, status, left) => {
  const before = [await sold('P-1').catch(() => 0), await sold('P-2').catch(() => 0)];
  const id = `killed ${name}`;
  await expect(apply(order(id, 1), RULES, dying())).rejects.toThrow('killed');
  expect([(await row(id)).order, await world.status(await ours(id))]).toEqual([null, 'captured']);
  for (const attempt of [1, 2]) expect([attempt, await apply(order(id, 2, then))]).toEqual([attempt, { state: 'open', reason: null }]);
  const read = await row(id);
  expect([encodeId('ord', read.order ?? ''), read.version, await world.status(await ours(id)), await units(id)]).toEqual([await ours(id), 2, status, left]);
  expect([await sold('P-1') - (before[0] ?? 0), await sold('P-2') - (before[1] ?? 0)]).toEqual([3, 1]);
  // What comes later is compared with what was captured.
  if (name === 'fewer') expect([await apply(order(id, 3, { lines: [line('1', 0, { quantity: 1, cancelled: 1 }), line('2', 1)] })), await units(id)]).toEqual([{ state: 'open', reason: null }, '3-3 1-0']);
});

test('an order that nobody noted, and that is another by now, is held and not ignored', async () => {
  await expect(apply(order('unnoted', 1), RULES, dying())).rejects.toThrow('killed');
  await world.store.pool.query(`delete from channel_orders where external_id = 'unnoted'`);
  expect(await apply(order('unnoted', 2, { lines: [line('1', 1)] }))).toEqual({ state: 'held', reason: 'changed_on_platform' });
  const id = await ours('unnoted');
  expect(await world.status(id)).toBe('on_hold');
  expect([await apply(order('unnoted', 3, { status: 'cancelled' })), await world.status(id)]).toEqual([{ state: 'open', reason: null }, 'cancelled']);
});

test('an order of the same number that came another way is not the shop\'s to change', async () => {
  const { id } = await world.capture({ channel: 'douyin', externalId: 'imported' });
  expect(await apply(order('imported', 1))).toEqual({ state: 'held', reason: 'duplicate_with_other_body' });
  expect(await apply(order('imported', 2, { status: 'cancelled' }))).toEqual({ state: 'ignored', reason: 'cancelled_before_capture' });
  expect(await world.status(id)).toBe('captured');
});

test('what the platform ships is captured for its location alone, or not at all', async () => {
  const platformed = (id: string, version = 1): SeenOrder => order(id, version, { fulfilledBy: 'platform' });
  const nobody = { ...RULES, platformLocation: 'NOWHERE' };
  expect([await apply(platformed('theirs'), nobody), (await row('theirs')).key]).toEqual([{ state: 'held', reason: 'platform_location' }, 'platform_location']);
  expect(await world.one(`select count(*)::int n from orders where external_id = 'theirs'`)).toEqual({ n: 0 });
  const code = [...world.store.network.locations.keys()][1] ?? '';
  await expect(apply(platformed('theirs'), { ...RULES, platformLocation: code }, dying())).rejects.toThrow('killed');
  const forced = () => world.one(`select l.code from orders o left join locations l on l.id = o.forced_location_id where o.external_id = 'theirs'`);
  expect(await forced()).toEqual({ code });
  expect([await apply(platformed('theirs', 2), { ...RULES, platformLocation: code }), await forced()]).toEqual([{ state: 'open', reason: null }, { code }]);
  const id = await ours('theirs');
  await advance(world, id);
  expect((await world.fulfillments(id)).map((f) => f.location)).toEqual([code]);
});

test.each([['older', 1], ['of the same version', 2]])('a reading that is %s than the cancellation that was ignored makes no order', async (_, version) => {
  const id = `stale ${version}`;
  expect(await apply(order(id, 2, { status: 'cancelled' }))).toEqual({ state: 'ignored', reason: 'cancelled_before_capture' });
  expect(await apply(order(id, version))).toEqual({ state: 'ignored', reason: 'older' });
  expect([await world.one('select count(*)::int n from orders where external_id = $1', id), (await row(id)).reason]).toEqual([{ n: 0 }, 'cancelled_before_capture']);
  // Bought after all, later: it lives.
  expect(await apply(order(id, 3))).toEqual({ state: 'open', reason: null });
});

test('a reading from before the platform kept an order back does not make one of it', async () => {
  expect(await apply(order('kept', 2, { keptBack: 'review' }))).toEqual({ state: 'held', reason: 'kept_back' });
  expect(await apply(order('kept', 1))).toEqual({ state: 'ignored', reason: 'older' });
  expect([(await row('kept')).state, await apply(order('kept', 2)), (await row('kept')).state]).toEqual(['held', { state: 'open', reason: null }, 'open']);
});

test('what is wanted at a time is captured for it', async () => {
  const from = world.now.getTime() + 86_400_000;
  await apply(order('scheduled', 1, { scheduled: { from, to: from + 3_600_000 }, shipBy: from + 1000 }));
  expect(await world.one(`select scheduled_from "from", scheduled_to "to", ship_by by, route_after after from orders where external_id = 'scheduled'`)).toEqual({ from: new Date(from), to: new Date(from + 3_600_000), by: new Date(from + 1000), after: new Date(from) });
});

const money = (externalId: string) => world.one(`select payment_status paid, status, list_amount::int list, discount_amount::int off, freight_amount::int freight, total_amount::int total,
  (select string_agg(unit_price || ':' || net_amount, ' ' order by line_no) from order_lines where order_id = o.id) lines,
  (select count(*)::int from order_events where order_id = o.id and type = 'order.repriced') events from orders o where external_id = $1`, externalId);

test('an unpaid order costs what its platform says it costs now', async () => {
  const unpaid = (id: string, version: number, unitPrice: number, changes: Partial<SeenOrder> = {}): SeenOrder => order(id, version, { status: 'unpaid', paidAt: null, lines: [line('1', 3, { unitPrice }), line('2', 1)], ...changes });
  await apply(unpaid('cheaper', 1, 1000));
  expect(await money('cheaper')).toEqual({ paid: 'unpaid', status: 'awaiting_payment', list: 4000, off: 0, freight: 0, total: 4000, lines: '1000:3000 1000:1000', events: 0 });
  const lower = { freight: 300, discounts: [{ bearer: 'shop' as const, code: 'd', amount: 200 }] };
  for (const version of [2, 3]) expect(await apply(unpaid('cheaper', version, 200, lower))).toEqual({ state: 'open', reason: null });
  const now = { list: 1600, off: 200, freight: 300, total: 1700, lines: '200:638 1000:1062', events: 1 };
  expect(await money('cheaper')).toEqual({ paid: 'unpaid', status: 'awaiting_payment', ...now });
  // Lowered once more and paid before it is read again.
  expect(await apply(order('cheaper', 4, { lines: [line('1', 3, { unitPrice: 100 }), line('2', 1)] }))).toEqual({ state: 'open', reason: null });
  const last = { list: 1300, off: 0, freight: 0, total: 1300, lines: '100:300 1000:1000', events: 2 };
  expect(await money('cheaper')).toEqual({ paid: 'paid', status: 'captured', ...last });
  // What was paid is what it costs.
  expect(await apply(order('cheaper', 5, { lines: [line('1', 3, { unitPrice: 1 }), line('2', 1)] }))).toEqual({ state: 'open', reason: null });
  expect(await money('cheaper')).toEqual({ paid: 'paid', status: 'captured', ...last });
});

test('a listing of several SKUs is priced anew by what it was captured with, whatever it sells by now', async () => {
  const sells = (...components: { sku: string; quantity: number }[]) => mapListing(world.store.pool, world.store.network, channel.id, 'P-SET', components, 'test', world.now);
  const set = (version: number, unitPrice: number): SeenOrder => order('set', version, { status: 'unpaid', paidAt: null, lines: [line('9', 1, { platformSku: 'P-SET', unitPrice })] });
  await sells({ sku: 'SKU-1', quantity: 1 }, { sku: 'SKU-2', quantity: 2 });
  await apply(set(1, 100));
  expect(await money('set')).toMatchObject({ list: 101, off: 1, total: 100, lines: '33:33 34:67' });
  await sells({ sku: 'SKU-3', quantity: 1 });
  expect(await apply(set(2, 40))).toEqual({ state: 'open', reason: null });
  expect(await money('set')).toMatchObject({ list: 41, off: 1, total: 40, lines: '13:13 14:27', events: 1 });
  expect((await world.one<{ skus: string }>(`select string_agg(sku_code, ' ' order by line_no) skus from order_lines l join orders o on o.id = l.order_id where o.external_id = 'set'`)).skus).toBe('SKU-1 SKU-2');
});

test('a price that is lowered below the floor is taken, and the order stops until somebody lowers the floor', async () => {
  const cheap = line('4', 1, { platformSku: 'P-F', unitPrice: 200 });
  await mapListing(world.store.pool, world.store.network, channel.id, 'P-F', [{ sku: 'SKU-4', quantity: 1 }], 'test', world.now, null, { priceFloor: 500 });
  await apply(order('floored', 1, { status: 'unpaid', paidAt: null, lines: [{ ...cheap, unitPrice: 1000 }] }));
  for (const version of [2, 3]) expect(await apply(order('floored', version, { lines: [cheap] }))).toEqual({ state: 'held', reason: 'price_below_floor' });
  const at200 = { paid: 'paid', list: 200, off: 0, freight: 0, total: 200, lines: '200:200', events: 1 };
  expect([await money('floored'), (await row('floored')).key]).toEqual([{ ...at200, status: 'on_hold' }, 'listing:P-F']);
  const { released } = await mapListing(world.store.pool, world.store.network, channel.id, 'P-F', [{ sku: 'SKU-4', quantity: 1 }], 'test', world.now, null, { priceFloor: 100 });
  expect([released, await apply(order('floored', 3, { lines: [cheap] })), await money('floored')]).toEqual([1, { state: 'open', reason: null }, { ...at200, status: 'captured' }]);
});

test('a price that cannot follow holds the order with the reason, and the payment is taken', async () => {
  await apply(order('other lines', 1, { status: 'unpaid', paidAt: null }));
  const seen = order('other lines', 2, { lines: [line('1', 5, { unitPrice: 10 }), line('2', 1)] });
  expect(await apply(seen)).toEqual({ state: 'held', reason: 'changed_on_platform' });
  const held = { paid: 'paid', status: 'on_hold', list: 4000, off: 0, freight: 0, total: 4000, lines: '1000:3000 1000:1000', events: 0 };
  const { key, detail } = await row('other lines');
  expect([await money('other lines'), detail?.includes('its price cannot follow')]).toEqual([held, true]);
  expect([await release(key), await apply(seen), await money('other lines')]).toEqual([1, { state: 'open', reason: null }, { ...held, status: 'captured' }]);
});
