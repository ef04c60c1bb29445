import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { changeAddress } from '../../../db/orders/change-address.ts';
import { splitOrder } from '../../../db/orders/operate/split-order.ts';
import { startCanary } from '../../../db/routing/canary/start.ts';
import { draftPolicy } from '../../../db/routing/policies.ts';
import { applyWave, keepWave } from '../../../db/routing/wave/apply.ts';
import { gatherWave } from '../../../db/routing/wave/gather.ts';
import { prepareWave } from '../../../db/routing/wave/prepare.ts';
import { solveInThread } from '../../../db/routing/wave/run-thread.ts';
import { decodeId } from '../../../domain/ids.ts';
import type { OrderIntake } from '../../../domain/order/intake.ts';
import { inCanary } from '../../../domain/routing/canary.ts';
import { advance } from '../../support/advance.ts';
import { World } from '../../support/world.ts';

let world: World;
let skus = 0;
let persons = 0;
const START = new Date('2026-11-23T02:00:00Z');
const SOON = new Date(START.getTime() + 14.6 * 60_000);
beforeAll(async () => { world = await World.create({ locations: 3, skus: 60, stock: 0 }); });
beforeEach(() => { world.now = START; });
afterEach(async () => {
  // What still waits is nobody's business any more.
  await world.store.pool.query(`update orders set route_after = null where route_after is not null`);
  await world.store.pool.query(`update waves set status = 'failed', done_at = created_at where status = 'queued'`);
  expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
});
afterAll(async () => { await world.close(); });

const uuid = (id: string): string => decodeId('ord', id) as string;
const to = (city: string, n: number) => ({ name: 'Test Person', phone: `1${String(n).padStart(10, '0')}`, country: 'CN', province: city, city, street: `${n} Example Road` });
async function stocked(at: Record<string, number>): Promise<string> {
  const sku = `SKU-${++skus}`;
  await world.setStock(sku, at);
  await world.store.projection.refresh();
  return sku;
}
async function waiting(sku: string, person: number, changes: Partial<OrderIntake> = {}): Promise<string> {
  const { id } = await world.capture({ channel: 'merging', shipTo: to('Shanghai', person), lines: [{ sku, quantity: 1, unitPrice: 1000 }], ...changes });
  await advance(world, id);
  return id;
}
const at = async (id: string): Promise<string[]> => (await world.fulfillments(id)).map((f) => `${f.location} ${f.status}`);
const route = (id: string) => world.one<{ route_after: Date | null; wave_id: string | null }>('select route_after, wave_id from orders where id = $1', uuid(id));
/** The waves that are gathered now, by their orders. */
async function gathered(): Promise<Map<string, string[]>> {
  world.now = SOON;
  await gatherWave(world.store.writer);
  const { rows } = await world.store.pool.query<{ id: string; orders: string[] }>(`select wave_id id, array_agg(order_id order by order_id) orders from wave_orders w where applied_at is null and exists (select from waves where id = wave_id and status = 'queued') group by 1 order by 1`);
  return new Map(rows.map((r) => [r.id, r.orders]));
}
async function solve(wave: string): Promise<void> {
  const instance = await prepareWave(world.store.writer, world.store.network, wave);
  await keepWave(world.store.writer, wave, instance && await solveInThread({ wave: instance, seconds: 5, gap: 0.01 }));
}
const apply = (wave: string): Promise<void> => applyWave(world.store.writer, world.store.network, world.store.vault, wave);

test('orders that a wave merges keep what was written about each, and the invoice that was asked for', async () => {
  const sku = await stocked({ 'L-1': 9 });
  const person = ++persons;
  const first = await waiting(sku, person, { buyerRemark: 'ring twice' });
  const second = await waiting(sku, person, { buyerRemark: 'a card, please', sellerRemark: 'regular', invoice: { type: 'company', title: 'Example Ltd', taxNumber: '91310000000000000X' } });
  const [wave] = [...(await gathered()).keys()];
  await solve(wave as string);
  await apply(wave as string);
  await advance(world, first);
  expect([await at(first), await world.status(second)]).toEqual([['L-1 released'], 'cancelled']);
  const message = world.partners.requests.findLast((r) => r.url.includes('wms.test'))?.body as Record<string, unknown>;
  expect([message['orderId'], message['buyerRemark'], message['sellerRemark']]).toEqual([first, 'ring twice\na card, please', 'regular']);
  const { contact_id: contact } = await world.one<{ contact_id: string }>('select contact_id from orders where id = $1', uuid(first));
  const client = await world.store.pool.connect();
  try {
    expect((await world.store.vault.readContact(client, contact))?.invoice).toMatchObject({ type: 'company', title: 'Example Ltd' });
  } finally {
    client.release();
  }
});

test('an order whose address has changed since it was gathered is left alone: its window goes on, the others go', async () => {
  const sku = await stocked({ 'L-1': 9, 'L-2': 9, 'L-3': 9 });
  const person = ++persons;
  const [a, b] = [await waiting(sku, person), await waiting(sku, person)];
  const [wave] = [...(await gathered()).keys()];
  await solve(wave as string);
  await changeAddress(world.store.writer, world.store.network, world.store.vault, uuid(b), to('Guangzhou', person), 'key:test');
  await apply(wave as string);
  await advance(world, a);
  await advance(world, b);
  expect([await at(a), await at(b), await route(b)]).toEqual([['L-1 released'], [], { route_after: new Date(START.getTime() + 15 * 60_000), wave_id: null }]);
  world.now = new Date(START.getTime() + 15 * 60_000);
  await advance(world, b);
  expect(await at(b)).toEqual(['L-3 released']);
});

test('who fetches an order waits for no window, and no wave has it', async () => {
  const sku = await stocked({ 'L-1': 9 });
  const person = ++persons;
  const fetched = await waiting(sku, person, { pickup: { location: 'L-1', way: 'pickup' } });
  expect((await route(fetched)).route_after).toBe(null);
  expect(await at(fetched)).toEqual(['L-1 released']);
  // Nor one of before, that waits in a window still.
  const [old, shipped, other] = [await waiting(sku, person), await waiting(sku, person), await waiting(sku, ++persons)];
  await world.store.pool.query(`update orders set way = 'pickup', forced_location_id = $2 where id = $1`, [uuid(old), world.locationId('L-1')]);
  expect([...(await gathered()).values()]).toEqual([[uuid(shipped), uuid(other)].sort()]);
});

test('a part that is split off a pickup is fetched as well, at the same place', async () => {
  const sku = await stocked({ 'L-1': 9, 'L-2': 9 });
  const { id } = await world.capture({ lines: [{ sku, quantity: 2, unitPrice: 1000 }], pickup: { location: 'L-2', way: 'curbside' } });
  const part = await world.store.writer.change((tx) => splitOrder(tx, uuid(id), [{ line: 1, quantity: 1 }], 'test', 'key:test'));
  const { rows } = await world.store.pool.query('select id, way, forced_location_id at from orders where id = any($1::uuid[]) order by id', [[uuid(id), part]]);
  expect(rows).toEqual([uuid(id), part].sort().map((order) => ({ id: order, way: 'curbside', at: world.locationId('L-2') })));
});

test('a canary\'s orders are a wave of their own, planned by its policy', async () => {
  const { writer, network, pool } = world.store;
  await draftPolicy(writer, { policy: {
    code: 'apart', version: 1, kinds: ['warehouse'], maxShipments: 4, lineMaySplit: true, minShipmentValue: 0, dealers: 'equal', eligibility: [{ mode: 'only', locations: ['L-2'] }],
    weights: { shipping: 1000, handling: 1000, splitPenalty: 0, latenessPerDay: 0, loadBalance: 0, opportunity: 0, slowCredit: 0, settlement: 1000 },
  } }, 'key:test');
  await startCanary(writer, network, 'apart', 1, { share: 500, endsAt: new Date(START.getTime() + 48 * 3_600_000).toISOString(), guard: { minOrders: 1000, costWorse: 0, lateWorse: 0, confidence: 950 } }, 'key:test');
  const { id: canary } = await world.one<{ id: string }>(`select id from policy_canaries where status = 'running'`);
  try {
    const sku = await stocked({ 'L-1': 60, 'L-2': 60 });
    const ids: string[] = [];
    const tried = (id: string): boolean => inCanary(canary, uuid(id), 500);
    while (ids.filter(tried).length < 3 || ids.length - ids.filter(tried).length < 3) ids.push(await waiting(sku, ++persons));
    const waves = await gathered();
    expect([...waves.values()].map((w) => w.join()).sort()).toEqual([ids.filter(tried), ids.filter((id) => !tried(id))].map((some) => some.map(uuid).sort().join()).sort());
    const policies: unknown[] = [];
    for (const [wave, orders] of waves) {
      policies.push([inCanary(canary, orders[0] as string, 500), (await prepareWave(writer, network, wave))?.policy.code]);
      await solve(wave);
      await apply(wave);
    }
    expect(policies.toSorted()).toEqual([[false, 'default'], [true, 'apart']]);
    for (const id of ids) {
      await advance(world, id, 'ship');
      expect([id, await at(id)]).toEqual([id, [tried(id) ? 'L-2 routed' : 'L-1 routed']]);
    }
    // One that came under the canary only since it was gathered goes alone.
    const wanted = await pool.query('select 1 from wave_orders w join orders o on o.id = w.order_id where o.id = any($1::uuid[]) and w.plan_no is null', [ids.map(uuid)]);
    expect(wanted.rowCount).toBe(0);
  } finally {
    await pool.query(`update policy_canaries set status = 'ended', ended_at = $1, next_look_at = null`, [START]);
  }
});

test('a wave that is too much for its time is refused in words', async () => {
  const sku = await stocked({ 'L-1': 9 });
  for (const _ of [1, 2]) await waiting(sku, ++persons);
  const [wave] = [...(await gathered()).keys()];
  const instance = await prepareWave(world.store.writer, world.store.network, wave as string);
  if (!instance) throw new Error('nothing was gathered');
  await expect(solveInThread({ wave: instance, seconds: 0, gap: 0.01 }, 0)).rejects.toMatchObject({ code: 'unprocessable', field: '/orders', message: expect.stringMatching(/^2 orders with 2 lines at \d+ locations are too much for one wave/) as string });
});
