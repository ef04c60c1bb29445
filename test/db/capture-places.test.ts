import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { TestApi } from '../support/api.ts';

let api: TestApi;
let skus = 0;
// Monday 10:00 in Shanghai; cut-off 16:00, an hour's handling. L-1 and L-2 (a shop) are in Shanghai, L-3 in Guangzhou, two days away.
beforeAll(async () => {
  api = await TestApi.open({ locations: 3, stock: 0, skus: 20 });
  await api.world.store.pool.query(`update locations set province = 'Shanghai', city = 'Shanghai', kind = 'store' where code = 'L-2'`);
  await api.world.store.network.reload();
});
afterEach(async () => {
  await api.world.store.pool.query('delete from location_pauses');
  await api.world.store.pool.query(`update routing_policies set status = 'retired', retired_at = now() where code = 'other' and status = 'active'`);
  await api.world.store.network.reload();
  expect(await api.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
});
afterAll(async () => { await api.close(); });

async function stocked(at: Record<string, number>): Promise<string> {
  const sku = `SKU-${++skus}`;
  await api.world.setStock(sku, at);
  await api.world.store.projection.refresh();
  return sku;
}
async function rule(changes: object): Promise<void> {
  const { pool, network } = api.world.store;
  const { policy: { code: _code, version: _version, ...body } } = network.policyAt(api.world.now);
  await pool.query(
    `insert into routing_policies (code, version, body, hash, status, author, effective_at, activated_at) values ('other', (select count(*) + 1 from routing_policies), $1, decode(md5(random()::text), 'hex'), 'active', 'test', '2026-11-01', now())`,
    [JSON.stringify({ ...body, ...changes })]);
  await network.reload();
}
/** Where the units of a captured order are, and when it was promised. */
async function captured(sku: string, changes: object = {}): Promise<[string[], string | null]> {
  const { promise } = await api.world.capture({ lines: [{ sku, quantity: 1, unitPrice: 1000 }], ...changes });
  await api.world.store.projection.refresh();
  const reserved = await Promise.all(['L-1', 'L-2', 'L-3'].map(async (code) => [code, (await api.world.stock(sku))[code]?.[1] ?? 0] as const));
  return [reserved.flatMap(([code, units]) => (units > 0 ? [code] : [])), promise?.deliverBy ?? null];
}
const SOON = '2026-11-24T10:00:00.000Z';
const FAR = '2026-11-25T10:00:00.000Z';

test('a kind from which the policy does not ship is passed over, though it is nearer', async () => {
  await rule({ kinds: ['warehouse'] });
  expect(await captured(await stocked({ 'L-2': 1, 'L-3': 1 }))).toEqual([['L-3'], FAR]);
});

test('so is a place that may not serve the channel; another channel has it from there', async () => {
  await rule({ eligibility: [{ mode: 'never', channels: ['douyin'], locations: ['L-1'] }] });
  expect(await captured(await stocked({ 'L-1': 1, 'L-3': 1 }), { channel: 'douyin' })).toEqual([['L-3'], FAR]);
  expect(await captured(await stocked({ 'L-1': 1, 'L-3': 1 }))).toEqual([['L-1'], SOON]);
});

test('what only a barred place has is captured as before, without a date', async () => {
  await rule({ eligibility: [{ mode: 'never', channels: ['douyin'], locations: ['L-1'] }] });
  expect(await captured(await stocked({ 'L-1': 1 }), { channel: 'douyin' })).toEqual([['L-1'], null]);
});

test('a paused place is passed over; where it alone has it, it is promised from the end of the pause on', async () => {
  const { pool, network } = api.world.store;
  await pool.query(`insert into location_pauses values ($1, 'closed', $2, '2026-11-25T02:00:00Z')`, [api.world.locationId('L-1'), api.world.now]);
  await network.reload();
  expect(await captured(await stocked({ 'L-1': 1, 'L-3': 1 }))).toEqual([['L-3'], FAR]);
  expect(await captured(await stocked({ 'L-1': 1 }))).toEqual([['L-1'], '2026-11-26T10:00:00.000Z']);
});

test('hazardous goods come from a place that takes them', async () => {
  const { pool, network } = api.world.store;
  const sku = await stocked({ 'L-1': 1, 'L-3': 1 });
  await pool.query('update skus set hazardous = true where code = $1', [sku]);
  await pool.query(`update locations set takes_hazardous = true where code = 'L-3'`);
  await network.reload();
  expect(await captured(sku)).toEqual([['L-3'], FAR]);
});

test('a pause is told to every process when it is written', async () => {
  const { pool, network } = api.world.store;
  const until = new Date('2026-11-25T02:00:00Z');
  await pool.query(`insert into location_pauses values ($1, 'closed', $2, $3)`, [api.world.locationId('L-2'), api.world.now, until]);
  await expect.poll(() => network.pausedUntil(api.world.locationId('L-2'), api.world.now), { timeout: 10_000 }).toEqual(until);
});
