import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { cancelLines } from '../../../db/orders/cancel-lines.ts';
import { changeAddress } from '../../../db/orders/change-address.ts';
import { splitOrder } from '../../../db/orders/operate/split-order.ts';
import { readDecisions } from '../../../db/routing/decisions.ts';
import { policyHash } from '../../../db/routing/policies.ts';
import { decodeId } from '../../../domain/ids.ts';
import { planOrder } from '../../../domain/routing/plan.ts';
import { advance } from '../../support/advance.ts';
import { World } from '../../support/world.ts';

let world: World;
let skus = 0;
// L-1 Shanghai, L-2 Beijing, L-3 Guangzhou.
beforeAll(async () => { world = await World.create({ locations: 3, skus: 40, stock: 0 }); });
afterEach(async () => { expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 }); });
afterAll(async () => { await world.close(); });

const uuid = (id: string): string => decodeId('ord', id) as string;
const to = (city: string) => ({ name: 'Test Person', phone: '10000000001', country: 'CN', province: city, city, street: '1 Example Road' });
const HURRY = { latenessPerDay: 7000, services: ['standard'], exclude: ['L-3'] };
const wishes = (id: string) => world.one('select hurry, wave_locations "waveLocations", wave_id "waveId" from orders where id = $1', uuid(id));
const at = async (id: string): Promise<string[]> => (await world.fulfillments(id)).map((f) => `${f.location} ${f.status}`);
const decisions = (id: string) => readDecisions(world.store.pool, uuid(id));
async function stocked(units = 5): Promise<string> {
  const sku = `SKU-${++skus}`;
  await world.setStock(sku, { 'L-1': units, 'L-2': units, 'L-3': units });
  await world.store.projection.refresh();
  return sku;
}
/** To be routed next, with the wishes given. */
async function wishing(city: string, wished: { hurry?: object; wave?: string[] }, lines = 1): Promise<string> {
  const wanted = [];
  for (let i = 0; i < lines; i++) wanted.push({ sku: await stocked(), quantity: 2, unitPrice: 1000 });
  const { id } = await world.capture({ shipTo: to(city), lines: wanted });
  await advance(world, id, 'route');
  await world.store.pool.query('update orders set hurry = $2, wave_locations = $3 where id = $1', [uuid(id), wished.hurry ? JSON.stringify(wished.hurry) : null, wished.wave ?? null]);
  return id;
}
/** Every decision stands on its own policy and is made again to the byte. */
async function sound(id: string): Promise<void> {
  for (const d of await decisions(id)) {
    expect(policyHash(d.instance.policy).toString('hex')).toBe(d.policyHash);
    expect(JSON.stringify(planOrder(d.instance))).toBe(d.planText);
  }
}

test('after a change of address an order goes by its new address, not by the wave or the hurry of the old one', async () => {
  const id = await wishing('Beijing', { wave: ['L-2'], hurry: HURRY });
  await advance(world, id, 'ship');
  expect(await at(id)).toEqual(['L-2 routed']);
  await changeAddress(world.store.writer, world.store.network, world.store.vault, uuid(id), to('Guangzhou'), 'key:test');
  expect(await wishes(id)).toEqual({ hurry: null, waveLocations: null, waveId: null });
  await advance(world, id, 'ship');
  expect(await at(id)).toEqual(['L-2 cancelled', 'L-3 routed']);
  await sound(id);
});

test('the same address again changes nothing, wishes included', async () => {
  const id = await wishing('Beijing', { wave: ['L-2'], hurry: HURRY });
  const before = await wishes(id);
  await changeAddress(world.store.writer, world.store.network, world.store.vault, uuid(id), to('Beijing'), 'key:test');
  expect([await wishes(id), before]).toEqual([before, { hurry: HURRY, waveLocations: ['L-2'], waveId: null }]);
});

test('what was found for lines that have changed since no longer holds', async () => {
  const cancelled = await wishing('Beijing', { wave: ['L-2'], hurry: HURRY }, 2);
  await cancelLines(world.store.writer, uuid(cancelled), { reference: 'c-1', reason: 'test', lines: [{ line: 1, quantity: 1 }] }, 'key:test');
  expect(await wishes(cancelled)).toEqual({ hurry: null, waveLocations: null, waveId: null });
  const split = await wishing('Beijing', { wave: ['L-2'], hurry: HURRY }, 2);
  await world.store.writer.change((tx) => splitOrder(tx, uuid(split), [{ line: 1, quantity: 1 }], 'test', 'key:test'));
  expect(await wishes(split)).toEqual({ hurry: null, waveLocations: null, waveId: null });
});

test('a wave\'s wish and a hurry are told in the instance: every location is there, each that was not chosen with its reason, and the policy is the policy', async () => {
  const waved = await wishing('Shanghai', { wave: ['L-2'] });
  await advance(world, waved, 'ship');
  const [decision] = await decisions(waved);
  expect(decision?.instance.locations.map((l) => l.code)).toEqual(['L-1', 'L-2', 'L-3']);
  expect([decision?.instance.wanted, decision?.plan.shipments.map((s) => s.location), decision?.plan.rejected]).toEqual([['L-2'], ['L-2'],
    [{ location: 'L-1', reason: 'its wave sends the order from elsewhere' }, { location: 'L-3', reason: 'its wave sends the order from elsewhere' }]]);
  await sound(waved);
  const hurried = await wishing('Guangzhou', { hurry: HURRY });
  await advance(world, hurried, 'ship');
  const [quick] = await decisions(hurried);
  expect([quick?.instance.hurry, quick?.instance.order.excluded, quick?.plan.rejected.find((r) => r.location === 'L-3')]).toEqual([HURRY, undefined, { location: 'L-3', reason: 'is too late for the promise' }]);
  await sound(hurried);
});

test('who gave the order back is told with that reason; the wave that counted on it is void, and a hurry is not', async () => {
  const id = await wishing('Shanghai', { wave: ['L-1', 'L-3'] });
  await world.store.pool.query('update orders set hurry = null where id = $1', [uuid(id)]);
  await advance(world, id);
  expect(await at(id)).toEqual(['L-1 released']);
  await world.store.pool.query('update orders set hurry = $2 where id = $1', [uuid(id), JSON.stringify({ latenessPerDay: 10 })]);
  await world.tell((await world.fulfillments(id))[0]!, { type: 'rejected', reason: 'refused' });
  expect(await wishes(id)).toEqual({ hurry: { latenessPerDay: 10 }, waveLocations: null, waveId: null });
  await advance(world, id, 'ship');
  expect((await at(id))[0]).toBe('L-1 rejected');
  const last = (await decisions(id)).at(-1);
  expect([last?.instance.order.excluded, last?.plan.rejected.find((r) => r.location === 'L-1')]).toEqual([['L-1'], { location: 'L-1', reason: 'gave this order back before' }]);
  await sound(id);
});

test('a location that did not find one SKU of it is told, and gets no more of it', async () => {
  const id = await wishing('Shanghai', {});
  await advance(world, id);
  const [f] = await world.fulfillments(id);
  await world.tell(f!, { type: 'short_picked', lines: [{ lineNo: 1, quantity: 1 }] });
  await advance(world, id, 'ship');
  expect((await world.fulfillments(id)).map((x) => [x.location, x.lines])).toEqual([['L-1', [{ lineNo: 1, quantity: 1 }]], [expect.not.stringMatching('L-1'), [{ lineNo: 1, quantity: 1 }]]]);
  const last = (await decisions(id)).at(-1);
  expect(last?.plan.rejected.find((r) => r.location === 'L-1')).toEqual({ location: 'L-1', reason: `has blocked SKU-${skus} (did not find it for this order before)` });
  await sound(id);
});
