import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { cancelOrder } from '../../../db/orders/cancel-order.ts';
import { routeOrder } from '../../../db/orders/route-order.ts';
import { decodeId } from '../../../domain/ids.ts';
import { advance } from '../../support/advance.ts';
import { lockWaits } from '../../support/lock-waits.ts';
import { World } from '../../support/world.ts';

let world: World;
let skus = 0;
const START = new Date('2026-11-23T02:00:00Z');
/** A second after the cut-off of the day, 16:00 in Shanghai. */
const NEXT = new Date('2026-11-23T08:00:01Z');
/** A carrier's day is of UTC. */
const TOMORROW = new Date('2026-11-24T00:00:01Z');
beforeAll(async () => { world = await World.create({ locations: 5, skus: 60, stock: 0 }); });
afterEach(async () => {
  world.now = START;
  await world.store.pool.query('update locations set daily_capacity = null');
  await world.store.pool.query('update carriers set daily_capacity = null');
  await world.store.pool.query('delete from location_sku_blocks');
  // What one test has given to a location is nothing to the next.
  await world.store.pool.query(`update fulfillment_orders set routed_at = routed_at - interval '9 days', hand_over_on = hand_over_on - 9`);
  await world.store.network.reload();
  expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
});
afterAll(async () => { await world.close(); });

const uuid = (id: string): string => decodeId('ord', id) as string;
async function capacity(of: Record<string, number>): Promise<void> {
  for (const [code, units] of Object.entries(of)) await world.store.pool.query('update locations set daily_capacity = $2 where code = $1', [code, units]);
  await world.store.network.reload();
}
async function stocked(at: Record<string, number>): Promise<string> {
  const sku = `SKU-${++skus}`;
  await world.setStock(sku, at);
  await world.store.projection.refresh();
  return sku;
}
/** Captured and ready to be routed. */
async function ready(sku: string, quantity = 1): Promise<string> {
  const { id } = await world.capture({ lines: [{ sku, quantity, unitPrice: 1000 }] });
  await advance(world, id, 'route');
  return id;
}
const route = (id: string): Promise<void> => routeOrder(world.store.writer, world.store.network, uuid(id));
const at = async (id: string): Promise<string[]> => (await world.fulfillments(id)).map((f) => `${f.location} ${f.status}`);
const waits = (id: string) => world.one<{ routing_waits: string | null; route_after: Date | null; status: string; hold_reason: string | null }>('select routing_waits, route_after, status, hold_reason from orders where id = $1', uuid(id));
/** Both have decided before either has written: nobody may keep a decision meanwhile. */
async function atOnce(...ids: string[]): Promise<void> {
  const blocker = await world.store.pool.connect();
  try {
    await blocker.query('begin');
    await blocker.query('lock table routing_decisions in share mode');
    const routed = Promise.all(ids.map(route));
    await lockWaits(world.store.pool, ids.length);
    await blocker.query('commit');
    await routed;
  } finally {
    blocker.release();
  }
}

test('the last unit of a location\'s day is given once, whatever SKUs are wanted; the other order waits for the next day', async () => {
  await capacity({ 'L-1': 1 });
  const ids = [await ready(await stocked({ 'L-1': 5 })), await ready(await stocked({ 'L-1': 5 }))];
  await atOnce(...ids);
  const places = await Promise.all(ids.map(at));
  expect(places.toSorted()).toEqual([[], ['L-1 routed']]);
  const later = ids[places.findIndex((p) => p.length === 0)] as string;
  expect(await waits(later)).toEqual({ routing_waits: 'L-1: 1 of its 1 units for 2026-11-23 are taken', route_after: NEXT, status: 'confirmed', hold_reason: null });
  expect((await world.events(later)).slice(-1)).toEqual(['order.routing_postponed']);
  // A second before it nothing happens; then it goes.
  world.now = new Date('2026-11-23T08:00:00Z');
  await advance(world, later);
  expect(await at(later)).toEqual([]);
  world.now = NEXT;
  await advance(world, later);
  expect([await at(later), (await waits(later)).routing_waits]).toEqual([['L-1 released'], null]);
});

test('two at once for the last unit of a day: the second goes elsewhere where it can', async () => {
  await capacity({ 'L-1': 1 });
  const ids = [await ready(await stocked({ 'L-1': 5, 'L-2': 5 })), await ready(await stocked({ 'L-1': 5, 'L-2': 5 }))];
  await atOnce(...ids);
  expect((await Promise.all(ids.map(at))).toSorted()).toEqual([['L-1 routed'], ['L-2 routed']]);
});

test('many at once over several full locations: each day is kept, nobody is held', async () => {
  await capacity({ 'L-1': 3, 'L-2': 2 });
  const ids: string[] = [];
  for (let i = 0; i < 8; i++) ids.push(await ready(await stocked({ 'L-1': 5, 'L-2': 5 })));
  await Promise.all(ids.map(route));
  const places = (await Promise.all(ids.map(at))).flat().toSorted();
  expect(places).toEqual(['L-1 routed', 'L-1 routed', 'L-1 routed', 'L-2 routed', 'L-2 routed']);
  const rest = (await Promise.all(ids.map(waits))).filter((w) => w.status === 'confirmed');
  expect(rest.map((w) => [w.route_after, w.hold_reason])).toEqual([[NEXT, null], [NEXT, null], [NEXT, null]]);
});

test('an order of more units than the location takes in a day is for a person; of several places a free one is not waited for', async () => {
  await capacity({ 'L-1': 2 });
  const sku = await stocked({ 'L-1': 9 });
  const [first, large] = [await ready(sku), await ready(sku, 3)];
  await route(first);
  await route(large);
  expect(await waits(large)).toMatchObject({ routing_waits: null, status: 'on_hold', hold_reason: 'unroutable' });
  const two = await ready(sku, 2);
  await route(two);
  expect(await waits(two)).toMatchObject({ routing_waits: 'L-1: 1 of its 2 units for 2026-11-23 are taken', route_after: NEXT });
});

test('a weekend\'s orders are of Monday\'s day: it is full once, and the next is for Tuesday', async () => {
  await capacity({ 'L-1': 2 });
  await world.store.pool.query(`update locations set work_days = '{1,2,3,4,5}' where code = 'L-1'`);
  await world.store.network.reload();
  const sku = await stocked({ 'L-1': 9 });
  const day = (id: string) => world.one<{ on: string }>('select hand_over_on::text "on" from fulfillment_orders where order_id = $1', uuid(id));
  const routed = async (at: string): Promise<string> => {
    world.now = new Date(at);
    const id = await ready(sku);
    await route(id);
    return id;
  };
  const weekend = [await routed('2026-11-21T02:00:00Z'), await routed('2026-11-22T02:00:00Z')];
  expect(await Promise.all(weekend.map(day))).toEqual([{ on: '2026-11-23' }, { on: '2026-11-23' }]);
  const third = await routed('2026-11-23T02:00:00Z');
  expect([await at(third), await waits(third)]).toMatchObject([[], { routing_waits: 'L-1: 2 of its 2 units for 2026-11-23 are taken', route_after: NEXT }]);
  // What is given back makes room in its own day, not in that of its giving back.
  expect(await cancelOrder(world.store.writer, uuid(weekend[0] as string), 'changed', 'key:test')).toBe('cancelled');
  const late = await routed('2026-11-23T03:00:00Z');
  expect([await at(late), await day(late)]).toEqual([['L-1 routed'], { on: '2026-11-23' }]);
  world.now = NEXT;
  await advance(world, third, 'ship');
  expect([await at(third), await day(third)]).toEqual([['L-1 routed'], { on: '2026-11-24' }]);
  await world.store.pool.query(`update locations set work_days = '{1,2,3,4,5,6,7}' where code = 'L-1'`);
});

test('a carrier\'s full day is waited for, not held; a refused address stays refused', async () => {
  await world.store.pool.query(`update carriers set daily_capacity = 1 where code = 'sim'`);
  await world.store.network.reload();
  const sku = await stocked({ 'L-1': 9 });
  const [first, second] = [await ready(sku), await ready(sku)];
  await route(first);
  await route(second);
  expect([await at(first), await at(second), await waits(second)]).toEqual([['L-1 routed'], [], { routing_waits: 'sim: its 1 parcels of today are taken', route_after: TOMORROW, status: 'confirmed', hold_reason: null }]);
  const event = await world.one<{ data: object }>(`select data from order_events where order_id = $1 and type = 'order.routing_postponed'`, uuid(second));
  expect(event.data).toEqual({ carrier: 'sim', until: '2026-11-24T00:00:00.000Z', reason: 'its 1 parcels of today are taken' });
  await world.store.pool.query(`insert into carrier_refusals (carrier, country, reason) values ('sim', 'CN', 'strike')`);
  await world.store.network.reload();
  const refused = await ready(sku);
  await route(refused);
  expect(await waits(refused)).toMatchObject({ status: 'on_hold', routing_waits: null });
  await world.store.pool.query('delete from carrier_refusals');
  world.now = TOMORROW;
  await world.store.network.reload();
  await advance(world, second);
  expect(await at(second)).toEqual(['L-1 released']);
});

test('others take what it wanted twice: the third time it locks what is there, and is not held for its own units alone', async () => {
  const sku = await stocked({ 'L-1': 1 });
  const id = await ready(sku);
  await world.setStock(sku, { 'L-2': 1, 'L-3': 1, 'L-4': 1 });
  await world.store.pool.query(`insert into location_sku_blocks (location_id, sku_id, reason, blocked_at, blocked_by) values ($1, $2, 'damaged', $3, 'key:test')`, [world.locationId('L-1'), world.store.network.knownSku(sku)?.id, world.now]);
  const { rows: levels } = await world.store.pool.query<{ id: number; code: string }>(
    `select v.id, l.code from stock_levels v join locations l on l.id = v.location_id join skus k on k.id = v.sku_id where k.code = $1 and l.code in ('L-2', 'L-3', 'L-4') and v.condition = 'sellable'`, [sku]);
  const holders = await Promise.all(levels.map(async (level) => ({ ...level, client: await world.store.pool.connect() })));
  try {
    for (const { client, id: level } of holders) {
      await client.query('begin');
      await client.query('select 1 from stock_levels where id = $1 for update', [level]);
    }
    const routed = route(id);
    const lost: string[] = [];
    for (let race = 0; race < 2; race++) {
      const [blocker] = await lockWaits(world.store.pool, 1);
      for (const h of holders) {
        const { rows: [mine] } = await h.client.query<{ pid: number }>('select pg_backend_pid() pid');
        if (mine?.pid !== blocker || lost.includes(h.code)) continue;
        // Somebody else has counted it away.
        await h.client.query('update stock_levels set buffer = 1 where id = $1', [h.id]);
        await h.client.query('commit');
        lost.push(h.code);
      }
    }
    await lockWaits(world.store.pool, 1);
    for (const h of holders) if (!lost.includes(h.code)) await h.client.query('commit');
    await routed;
    const left = holders.find((h) => !lost.includes(h.code))?.code ?? '';
    expect([lost.length, await at(id), (await waits(id)).status]).toEqual([2, [`${left} routed`], 'routed']);
  } finally {
    for (const { client } of holders) client.release();
    await world.store.pool.query('update stock_levels set buffer = 0 where buffer > 0');
  }
});
