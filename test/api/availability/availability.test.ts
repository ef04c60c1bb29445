import { afterAll, beforeAll, expect, test } from 'vitest';
import { SCOPES } from '../../../db/api-keys.ts';
import { ensureLevels } from '../../../db/ledger.ts';
import { TestApi } from '../../support/api.ts';
import { refused, send, type Reply } from '../network/requests.ts';

let api: TestApi;
let admin: string;
let shop: string;
let skus = 0;
beforeAll(async () => {
  api = await TestApi.open({ locations: 4, stock: 0, skus: 30 });
  admin = await api.key('admin', SCOPES);
  shop = await api.key('shop', ['stock:read'], 'L-4');
  await api.world.store.pool.query(`update channels set supply_horizon_s = 864000, min_life_days = 10 where code = 'own'`);
  await api.world.store.network.reload();
});
afterAll(async () => { await api.close(); });

type Sku = { sku: string; known: boolean; now: number; incoming: { date: string; units: number }[]; total: number; byKind: Record<string, number>; locations?: { location: string; now: number; total: number }[] };
const ask = (query: string, key = admin): Promise<Reply> => send(api, key, 'GET', `/v1/availability?channel=own&${query}`);
async function of(sku: string, query = '', key = admin): Promise<Omit<Sku, 'sku' | 'known'>> {
  const [{ sku: _sku, known: _known, ...units }] = (await ask(`sku=${sku}${query}`, key)).body['skus'] as [Sku];
  return units;
}
const units = (now: number, byKind: Record<string, number>) => ({ now, incoming: [], total: now, byKind });
const fresh = (): string => `SKU-${++skus}`;
async function put(sku: string, location: string, quantity: number, holder: { allotmentId?: number; supplyId?: number; lotId?: number; condition?: string } = {}): Promise<void> {
  await api.world.store.network.loadSkus([sku]);
  await api.world.store.writer.change(async (tx) => {
    const [id] = await ensureLevels(tx.client, [{ locationId: api.world.locationId(location), skuId: api.world.store.network.knownSku(sku)!.id, condition: 'sellable', lotId: 0, ...holder }]);
    await tx.post('receipt', null, [{ levelId: id!, onHand: quantity, reserved: 0 }]);
  });
}
async function supply(days: number, location = 'L-1'): Promise<number> {
  return (await api.world.one<{ id: number }>(`insert into supplies (kind, reference, expected_at, location_id)
    values ('purchase_order', 'PO-' || nextval('order_events_id_seq'), '${new Date(api.world.now.getTime() + days * 86_400_000).toISOString()}', ${api.world.locationId(location)}) returning id`)).id;
}
async function allotment(code: string, columns: Record<string, unknown>): Promise<number> {
  const row = { name: code, code, parent_id: 0, ...columns };
  const { rows } = await api.world.store.pool.query<{ id: number }>(
    `insert into allotments (${Object.keys(row).join(', ')}) values (${Object.keys(row).map((_, i) => `$${i + 1}`).join(', ')}) returning id`, Object.values(row));
  await api.world.store.network.reload();
  return rows[0]!.id;
}

test('the answer as a whole: what is there by kind of location, its age, unknown SKUs', async () => {
  const sku = fresh();
  await api.world.setStock(sku, { 'L-1': 4, 'L-2': 3, 'L-4': 2 });
  const { status, body } = await ask(`sku=${sku},NONE,${sku}&locations=true`);
  expect(status).toBe(200);
  const { asOf, lagMs, ...rest } = body as { asOf: string; lagMs: number };
  expect(rest).toEqual({
    channel: 'own', way: 'ship',
    skus: [
      {
        sku, known: true, ...units(9, { warehouse: 7, store: 2 }), locations: [
          { location: 'L-1', kind: 'warehouse', now: 4, total: 4 }, { location: 'L-2', kind: 'warehouse', now: 3, total: 3 }, { location: 'L-4', kind: 'store', now: 2, total: 2 }],
      },
      { sku: 'NONE', known: false, ...units(0, {}), locations: [] },
    ],
  });
  expect(new Date(asOf).toISOString()).toBe(asOf);
  expect(lagMs).toBeGreaterThanOrEqual(0);
  expect(await of(sku)).toEqual(units(9, { warehouse: 7, store: 2 }));
});

test('a change that is not seen yet makes the answer older, by what is open', async () => {
  const client = await api.world.store.pool.connect();
  await client.query('begin');
  await client.query('select pg_current_xact_id()');
  const { rows: [at] } = await client.query<{ at: Date }>('select clock_timestamp() at');
  await api.world.store.projection.refresh();
  await api.world.store.projection.refresh();
  expect(api.world.store.projection.asOf).toBeLessThanOrEqual(at!.at.getTime());
  await client.query('rollback');
  client.release();
});

test('only what is in good condition is for sale', async () => {
  const sku = fresh();
  await put(sku, 'L-1', 3);
  for (const condition of ['damaged', 'quarantine', 'display']) await put(sku, 'L-1', 5, { condition });
  expect(await of(sku)).toEqual(units(3, { warehouse: 3 }));
});

test('incoming by the day of arrival, within the horizon of the channel', async () => {
  const sku = fresh();
  await put(sku, 'L-1', 1);
  await put(sku, 'L-1', 5, { supplyId: await supply(3) });
  await put(sku, 'L-4', 2, { supplyId: await supply(2, 'L-4') });
  await put(sku, 'L-1', 4, { supplyId: await supply(3) });
  await put(sku, 'L-1', 50, { supplyId: await supply(11) });
  // 02:00 UTC is the same day in Shanghai; 18:00 UTC would be the next.
  expect(await of(sku)).toEqual({ now: 1, incoming: [{ date: '2026-11-25', units: 2 }, { date: '2026-11-26', units: 9 }], total: 12, byKind: { warehouse: 10, store: 2 } });
  expect(((await send(api, admin, 'GET', `/v1/availability?channel=douyin&sku=${sku}`)).body['skus'] as Sku[])[0]).toMatchObject(units(1, { warehouse: 1 }));
});

test('lots need the life that the channel asks for', async () => {
  const sku = fresh();
  await api.world.store.network.loadSkus([sku]);
  const { rows } = await api.world.store.pool.query<{ id: number }>(
    `insert into lots (sku_id, code, expires_on) values ($1, 'soon', '2026-12-02'), ($1, 'later', '2026-12-03') returning id`, [api.world.store.network.knownSku(sku)!.id]);
  await put(sku, 'L-1', 5, { lotId: rows[0]!.id });
  await put(sku, 'L-1', 7, { lotId: rows[1]!.id });
  expect(await of(sku)).toEqual(units(7, { warehouse: 7 }));
});

test('own allotment, then what overflow lets it have', async () => {
  const [first, second] = [fresh(), fresh()];
  const { channels } = api.world.store.network;
  const never = await allotment('own-never', { kind: 'channel', channel_id: channels.get('merging')!.id, overflow: 'never' });
  await put(first, 'L-1', 5);
  await put(first, 'L-2', 2, { allotmentId: never });
  const merging = async (sku: string): Promise<Sku> => ((await send(api, admin, 'GET', `/v1/availability?channel=merging&sku=${sku}`)).body['skus'] as Sku[])[0]!;
  expect(await of(first)).toEqual(units(5, { warehouse: 5 }));
  expect(await merging(first)).toMatchObject(units(2, { warehouse: 2 }));
  await api.world.store.pool.query(`update allotments set overflow = 'borrow', borrow_limit = 3 where id = $1`, [never]);
  await api.world.store.network.reload();
  expect(await merging(first)).toMatchObject(units(5, { warehouse: 5 }));
  // Four sold: two own, two borrowed; one more may be.
  await api.world.capture({ channel: 'merging', lines: [{ sku: first, quantity: 2, unitPrice: 100 }] });
  await api.world.capture({ channel: 'merging', lines: [{ sku: first, quantity: 2, unitPrice: 100 }] });
  await api.world.store.projection.refresh();
  expect(await merging(first)).toMatchObject(units(1, { warehouse: 1 }));
  expect(await of(first)).toEqual(units(3, { warehouse: 3 }));
  await put(second, 'L-1', 9);
  expect(await merging(second)).toMatchObject(units(3, { warehouse: 3 }));
});

test('pickup counts the shop alone; ship-to-store adds what can be sent there', async () => {
  const sku = fresh();
  await api.world.setStock(sku, { 'L-1': 4, 'L-2': 3, 'L-4': 2 });
  expect(await of(sku, '&way=pickup&location=L-4')).toEqual(units(2, { store: 2 }));
  expect(await of(sku, '&way=ship_to_store&location=L-4')).toEqual(units(9, { warehouse: 7, store: 2 }));
  await api.world.store.pool.query(`delete from carrier_rates where zone = 'national'`);
  await api.world.store.network.reload();
  // All are in different provinces: nobody can send anything now, the shop has what it has.
  expect(await of(sku, '&way=ship_to_store&location=L-4')).toEqual(units(2, { store: 2 }));
  expect(await of(sku, '&province=Shanghai&city=Shanghai')).toEqual(units(4, { warehouse: 4 }));
  expect(await of(sku)).toEqual(units(9, { warehouse: 7, store: 2 }));
  expect(await of(sku, '&country=FR&city=Paris&province=Paris')).toEqual(units(0, {}));
  await api.world.store.pool.query(`insert into carrier_rates values ('sim', 'national', 1000, 1200, 500, 300, 2)`);
  await api.world.store.network.reload();
  expect(await of(sku, '&province=Shanghai&city=Shanghai')).toEqual(units(9, { warehouse: 7, store: 2 }));
});

test('what locations share, now and of what is coming, as capture has it', async () => {
  const sku = fresh();
  await put(sku, 'L-1', 9);
  await put(sku, 'L-1', 3, { supplyId: await supply(1) });
  await put(sku, 'L-1', 8, { supplyId: await supply(2) });
  await put(sku, 'L-4', 5);
  await send(api, admin, 'PUT', '/v1/locations/L-1/sharing', { rules: [{ mode: 'percent', value: 50, channel: 'own' }] });
  await send(api, admin, 'PUT', '/v1/locations/L-4/sharing', { rules: [{ mode: 'cap', value: 2 }, { mode: 'all', channel: 'own', hours: { from: '20:00', to: '22:00' } }] });
  // L-1: 4 of 9, 6 of 12, 10 of 20; L-4 is closed for its own channel until the evening.
  expect(await of(sku)).toEqual({ now: 4, incoming: [{ date: '2026-11-24', units: 2 }, { date: '2026-11-25', units: 4 }], total: 10, byKind: { warehouse: 10 } });
  expect(((await send(api, admin, 'GET', `/v1/availability?channel=douyin&sku=${sku}`)).body['skus'] as Sku[])[0]).toMatchObject(units(11, { warehouse: 9, store: 2 }));
  await expect(api.world.capture({ lines: [{ sku, quantity: 11, unitPrice: 100 }] })).rejects.toMatchObject({ code: 'insufficient_stock' });
  expect((await api.world.capture({ lines: [{ sku, quantity: 10, unitPrice: 100 }] })).reserved.reduce((sum, r) => sum + r.quantity, 0)).toBe(10);
  await send(api, admin, 'DELETE', '/v1/locations/L-1/sharing');
  await send(api, admin, 'DELETE', '/v1/locations/L-4/sharing');
});

test("a location's key sees its own stock alone", async () => {
  const sku = fresh();
  await api.world.setStock(sku, { 'L-1': 4, 'L-4': 2 });
  expect(await of(sku, '', shop)).toEqual(units(2, { store: 2 }));
  expect(await of(sku, '&way=ship_to_store&location=L-4', shop)).toEqual(units(2, { store: 2 }));
  await refused(api, () => ask(`sku=${sku}&way=pickup&location=L-1`, shop), 404, 'not_found', '/querystring/location');
  await refused(api, () => ask(`sku=${sku}&way=pickup&location=NONE`, shop), 404, 'not_found', '/querystring/location');
});

test('questions that make no sense', async () => {
  const bad = (query: string, ...expected: [number, string, string]) => refused(api, () => ask(query), ...expected);
  await bad(`sku=${Array.from({ length: 101 }, (_, i) => `X-${i}`).join(',')}`, 400, 'invalid', '/querystring/sku');
  await bad('sku=,', 400, 'invalid', '/querystring/sku');
  await bad('sku=SKU-1&way=pickup', 400, 'invalid', '/querystring/location');
  await bad('sku=SKU-1&way=pickup&location=NONE', 422, 'unknown_location', '/querystring/location');
  await bad('sku=SKU-1&location=L-1', 400, 'invalid', '/querystring/location');
  await bad('sku=SKU-1&way=pickup&location=L-1&province=X', 400, 'invalid', '/querystring/province');
  await bad('sku=SKU-1&city=X', 400, 'invalid', '/querystring/province');
  await bad('sku=SKU-1&way=teleport', 400, 'invalid', '/querystring/way');
  await refused(api, () => send(api, admin, 'GET', '/v1/availability?channel=none&sku=SKU-1'), 422, 'unknown_channel', '/querystring/channel');
});

test('a bundle is as many as its components make up', async () => {
  const [set, cup, plate] = [fresh(), fresh(), fresh()];
  await send(api, admin, 'PUT', `/v1/skus/${set}/components`, { components: [{ sku: cup, quantity: 2 }, { sku: plate, quantity: 1 }] });
  await put(cup, 'L-1', 5);
  await put(plate, 'L-4', 3);
  expect(await of(set)).toEqual(units(2, {}));
  await put(cup, 'L-1', 4, { supplyId: await supply(1) });
  expect(await of(set)).toEqual({ now: 2, incoming: [], total: 3, byKind: {} });
});

test('what should have come and has not is not for sale until it has a new date', async () => {
  const sku = fresh();
  await put(sku, 'L-1', 4, { supplyId: await supply(1) });
  expect((await of(sku)).total).toBe(4);
  const { now } = api.world;
  api.world.now = new Date(now.getTime() + 86_400_000);
  expect((await of(sku)).total).toBe(0);
  await expect(api.world.capture({ lines: [{ sku, quantity: 1, unitPrice: 100 }] })).rejects.toMatchObject({ code: 'insufficient_stock' });
  api.world.now = now;
  expect((await api.world.capture({ lines: [{ sku, quantity: 4, unitPrice: 100 }] })).reserved).toMatchObject([{ quantity: 4 }]);
});
