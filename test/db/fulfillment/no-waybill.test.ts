import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { readFacts } from '../../../db/orders/facts.ts';
import { beginRelease } from '../../../db/fulfillment/release.ts';
import { nextCarrier } from '../../../db/fulfillment/next-carrier.ts';
import { waitForCarrier } from '../../../db/fulfillment/no-waybill.ts';
import { measureReliability } from '../../../db/routing/reliability.ts';
import { changeAddress } from '../../../db/orders/change-address.ts';
import { releaseOrder } from '../../../db/orders/hold-order.ts';
import { decodeId } from '../../../domain/ids.ts';
import { advance } from '../../support/advance.ts';
import { defaultAnswer, World } from '../../support/world.ts';

let world: World;
const START = new Date('2026-11-23T02:00:00Z');
const MINUTE = 60_000;
beforeAll(async () => { world = await World.create({ locations: 3, stock: 500 }); });
afterEach(async () => {
  world.partners.answer = defaultAnswer;
  world.now = START;
  await world.store.pool.query(`delete from carrier_refusals`);
  await world.store.pool.query(`delete from carrier_rates where carrier = 'other'`);
  await world.store.pool.query(`delete from carriers where code = 'other'`);
  await world.store.network.reload();
  expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
});
afterAll(async () => { await world.close(); });

const uuid = (id: string): string => decodeId('ord', id) as string;
const ship = { name: 'Test Person', phone: '10000000001', country: 'CN', province: 'Shanghai', city: 'Shanghai', street: '1 Example Road' };
const later = (minutes: number): void => { world.now = new Date(world.now.getTime() + minutes * MINUTE); };
const at = async (id: string): Promise<string[]> => (await world.fulfillments(id)).map((f) => `${f.location} ${f.status}${f.reason ? `: ${f.reason}` : ''}`);
const hold = (id: string) => world.store.pool.query<{ reason: string; detail: string }>('select reason, detail from order_holds where order_id = $1 and released_at is null', [uuid(id)]).then((r) => r.rows);
const told = (id: string) => world.partners.requests.filter((r) => r.url.endsWith('/v1/fulfillment-orders') && (r.body as { orderId: string }).orderId === id).length;
const times = (id: string) => world.one<{ accept: number; retry: number | null }>('select (extract(epoch from accept_by - $2::timestamptz) / 60)::float8 accept, (extract(epoch from release_retry_at - $2::timestamptz) / 60)::float8 retry from fulfillment_orders where order_id = $1 order by id limit 1', uuid(id), START);
async function order(changes: Parameters<World['capture']>[0] = {}, before?: 'ship'): Promise<string> {
  const { id } = await world.capture(changes);
  await advance(world, id, before);
  return id;
}
async function refusing(carrier: string, prefix: string, reason: string): Promise<void> {
  await world.store.pool.query(`insert into carrier_refusals (carrier, country, postcode_prefix, reason) values ($1, 'CN', $2, $3)`, [carrier, prefix, reason]);
  await world.store.network.reload();
}
async function another(): Promise<void> {
  await world.store.pool.query(`insert into carriers (code, name, base_url) values ('other', 'other', 'http://other.test')`);
  await world.store.pool.query(`insert into carrier_rates values ('other', 'same_city', 1000, 9000, 500, 100, 1)`);
  await world.store.network.reload();
}

test('an address that no carrier takes is held with what they say; no location is rejected or told, and another address is routed', async () => {
  await another();
  await refusing('sim', '2021', 'island');
  await refusing('other', '2021', 'no ferry');
  const id = await order({ shipTo: { ...ship, postcode: '202150' } });
  expect([await world.status(id), await at(id), told(id)]).toEqual(['on_hold', ['L-1 cancelled: no carrier takes it'], 0]);
  expect(await hold(id)).toEqual([{ reason: 'no_carrier', detail: 'sim: island; other: no ferry' }]);
  expect([await world.refunds(id), (await world.one<{ n: number }>('select count(*)::int n from shortages where order_id = $1', uuid(id))).n]).toEqual([[], 0]);
  await changeAddress(world.store.writer, world.store.network, world.store.vault, uuid(id), { ...ship, postcode: '200001' }, 'key:test');
  await advance(world, id);
  expect([await hold(id), await at(id)]).toEqual([[], ['L-1 cancelled: no carrier takes it', 'L-1 released']]);
});

test('a carrier that might take it from elsewhere: one other location is tried, and no more', async () => {
  world.partners.answer = (r) => (r.url.endsWith('/v1/waybills') ? { status: 422, body: {} } : defaultAnswer(r));
  const id = await order();
  expect([await world.status(id), await at(id), told(id)]).toEqual(['on_hold', ['L-1 rejected: refused', 'L-2 cancelled: no carrier takes it'], 0]);
  expect(await hold(id)).toEqual([{ reason: 'no_carrier', detail: 'sim: the carrier refused the parcel (422)' }]);
  // Released by somebody who knows better, it begins anew: from there, then from the third.
  await releaseOrder(world.store.writer, uuid(id), null, 'key:test');
  await advance(world, id);
  expect((await at(id)).slice(2)).toEqual(['L-2 rejected: refused', 'L-3 cancelled: no carrier takes it']);
});

test('an account that is refused says nothing of the parcel: it waits, and goes when the account is put right', async () => {
  world.partners.answer = (r) => (r.url.endsWith('/v1/waybills') ? { status: 401, body: {} } : defaultAnswer(r));
  const id = await order();
  expect([await at(id), await times(id), (await world.events(id)).at(-1)]).toEqual([['L-1 releasing'], { accept: 11, retry: 1 }, 'fulfillment.unreachable']);
  world.partners.answer = defaultAnswer;
  later(1);
  await advance(world, id);
  expect([await at(id), told(id)]).toEqual([['L-1 released'], 1]);
});

test('the location has its whole time from when the carrier answers, however long and often it did not', async () => {
  const { writer, network, vault } = world.store;
  const id = await order({}, 'ship');
  const [f] = await world.fulfillments(id);
  const ref = { orderId: uuid(id), fulfillmentOrderId: decodeId('ful', f!.id) as string };
  await beginRelease(writer, network, vault, ref.orderId, ref.fulfillmentOrderId);
  expect(await times(id)).toEqual({ accept: 10, retry: null });
  for (let i = 0; i < 30; i++) {
    later(1.5);
    // Twice at once: nothing is added twice.
    await Promise.all([waitForCarrier(writer, ref, 'down', false), waitForCarrier(writer, ref, 'down', false)]);
    expect(await times(id)).toEqual({ accept: 1.5 * (i + 1) + 11, retry: 1.5 * (i + 1) + 1 });
    const facts = await readFacts(world.store.pool, network, ref.orderId, world.now);
    expect([facts!.toRelease, facts!.nextDeadline]).toEqual([[], new Date(world.now.getTime() + MINUTE).toISOString()]);
  }
  expect((await world.events(id)).filter((e) => e === 'fulfillment.unreachable')).toHaveLength(1);
  later(1);
  await advance(world, id);
  expect(await at(id)).toEqual(['L-1 released']);
});

test('none of several answers: planned anew after its time, at the same place, with the first carrier again', async () => {
  const { writer, network, vault } = world.store;
  await another();
  const id = await order({}, 'ship');
  const [f] = await world.fulfillments(id);
  const ref = { orderId: uuid(id), fulfillmentOrderId: decodeId('ful', f!.id) as string };
  await beginRelease(writer, network, vault, ref.orderId, ref.fulfillmentOrderId);
  expect((await nextCarrier(writer, network, ref, { weightG: 900, volumeMm3: 0, hazardous: false, postcode: undefined }, { reason: 'down', asked: true }))?.carrier.code).toBe('other');
  await waitForCarrier(writer, ref, 'down', false);
  later(9.9);
  await waitForCarrier(writer, ref, 'down', false);
  expect(await at(id)).toEqual(['L-1 releasing']);
  later(0.2);
  await Promise.all([waitForCarrier(writer, ref, 'down', false), waitForCarrier(writer, ref, 'down', false)]);
  await advance(world, id);
  expect([await at(id), await world.store.pool.query('select carrier from fulfillment_orders where order_id = $1 order by id', [uuid(id)]).then((r) => r.rows)]).toEqual([['L-1 cancelled: no carrier answers', 'L-1 released'], [{ carrier: 'other' }, { carrier: 'sim' }]]);
  expect((await world.events(id)).filter((e) => e === 'fulfillment.planned_anew')).toHaveLength(1);
});

test('one refuses after another did not answer: planned anew after a while, nobody is held to blame', async () => {
  await another();
  world.partners.answer = (r) => (r.url.endsWith('/v1/waybills') ? { status: r.url.startsWith('http://other') ? 422 : 401, body: {} } : defaultAnswer(r));
  const id = await order();
  expect([await at(id), await world.status(id), await hold(id)]).toEqual([['L-1 cancelled: no carrier answers'], 'confirmed', []]);
  world.partners.answer = defaultAnswer;
  later(9);
  await advance(world, id);
  expect(await at(id)).toHaveLength(1);
  later(1);
  await advance(world, id);
  expect(await at(id)).toEqual(['L-1 cancelled: no carrier answers', 'L-1 released']);
});

test('what was never reached is no silence of the location: its reliability does not suffer', async () => {
  const id = await order({}, 'ship');
  const [f] = await world.fulfillments(id);
  await beginRelease(world.store.writer, world.store.network, world.store.vault, uuid(id), decodeId('ful', f!.id) as string);
  await world.store.pool.query(`update fulfillment_orders set release_retry_at = $2::timestamptz + interval '1 day' where order_id = $1`, [uuid(id), START]);
  later(10);
  await world.activities(null).track({ orderId: id });
  later(10);
  await world.activities(null).track({ orderId: id });
  expect((await at(id))[0]).toBe('L-1 rejected: unreachable');
  await measureReliability(world.store.writer);
  expect((await world.store.pool.query('select rejected from location_reliability where location_id = $1 and rejected > 0', [world.locationId('L-1')])).rows).toEqual([]);
});
