import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createApiKey, SCOPES } from '../../../db/api-keys.ts';
import { runAudit } from '../../../db/audit/run-audit.ts';
import { endPause, tendStops } from '../../../db/network-admin/stops.ts';
import { decodeId } from '../../../domain/ids.ts';
import { TestApi } from '../../support/api.ts';
import { refused, send, type Reply } from '../network/requests.ts';

let api: TestApi;
let admin: string;
let skus = 0;
beforeAll(async () => {
  api = await TestApi.open({ locations: 3, stock: 0, skus: 40 });
  admin = await api.key('admin', SCOPES);
});
afterEach(async () => {
  const { pool, network } = api.world.store;
  await pool.query('delete from location_pauses');
  await pool.query('delete from location_sku_blocks');
  await network.reload(false);
  expect((await runAudit(pool)).violations).toEqual([]);
});
afterAll(async () => { await api.close(); });

const HOUR = 3_600_000;
const line = (sku: string, quantity = 1) => ({ sku, quantity, unitPrice: 1000 });
const at = async (id: string): Promise<string[]> => (await api.world.fulfillments(id)).map((f) => `${f.location} ${f.status}`);
const put = (url: string, body: object, key = admin): Promise<Reply> => send(api, key, 'PUT', url, body);
const later = (ms: number): string => new Date(api.world.now.getTime() + ms).toISOString();
async function stocked(units: Record<string, number>): Promise<string> {
  const sku = `SKU-${++skus}`;
  await api.world.setStock(sku, units);
  await api.world.store.projection.refresh();
  return sku;
}
const free = async (sku: string): Promise<unknown> => (await send(api, admin, 'GET', `/v1/availability?channel=own&sku=${sku}`)).body;
const order = (id: string) => api.world.one<{ routing_waits: string | null; route_after: Date | null; status: string }>('select routing_waits, route_after, status from orders where id = $1', decodeId('ord', id));

test('a blocked SKU is not sold from there, not routed there, and told to whoever asks', async () => {
  const sku = await stocked({ 'L-1': 3, 'L-2': 2 });
  const until = later(HOUR);
  expect(await put(`/v1/locations/L-1/blocks/${sku}`, { reason: 'shelf under water', until })).toEqual({ status: 200, body: {
    location: 'L-1', pause: null, blocks: [{ sku, reason: 'shelf under water', blockedAt: api.world.now.toISOString(), blockedBy: 'key:admin', until }],
  } });
  expect(JSON.stringify(await free(sku))).toContain('"total":2');
  const id = await api.order({ lines: [line(sku, 2)] });
  expect(await at(id)).toEqual(['L-2 released']);
  await expect(api.world.capture({ lines: [line(sku)] })).rejects.toMatchObject({ code: 'insufficient_stock' });
  // A block says nothing about other SKUs, and ends by DELETE; a second DELETE finds nothing.
  const other = await stocked({ 'L-1': 1, 'L-2': 1 });
  expect(await at(await api.order({ lines: [line(other)] }))).toEqual(['L-1 released']);
  for (let i = 0; i < 2; i++) expect((await send(api, admin, 'DELETE', `/v1/locations/L-1/blocks/${sku}`)).status).toBe(204);
  expect(await at(await api.order({ lines: [line(sku)] }))).toEqual(['L-1 released']);
});

test('reserved before the block: routed to another location, and the units here are free again', async () => {
  const sku = await stocked({ 'L-1': 1, 'L-2': 1 });
  const { id } = await api.world.capture({ lines: [line(sku)] });
  await put(`/v1/locations/L-1/blocks/${sku}`, { reason: 'damaged' });
  await api.advance(id, 'ship');
  expect(await at(id)).toEqual(['L-2 routed']);
  expect(await api.world.stock(sku)).toMatchObject({ 'L-1': [1, 0], 'L-2': [1, 1] });
  const { decisions } = (await send(api, admin, 'GET', `/v1/orders/${id}/routing`)).body as { decisions: { words: string[] }[] };
  expect(decisions[0]?.words).toContain(`Not L-1: has blocked ${sku} (damaged).`);
});

test('nobody else has it: the order waits for the end of the block, and goes then; without an end it is held', async () => {
  const sku = await stocked({ 'L-1': 2 });
  const start = api.world.now;
  const [{ id }, { id: held }] = [await api.world.capture({ lines: [line(sku)] }), await api.world.capture({ lines: [line(sku)] })];
  const until = later(2 * HOUR);
  await put(`/v1/locations/L-1/blocks/${sku}`, { reason: 'stocktaking', until });
  await api.advance(id);
  expect(await order(id)).toEqual({ routing_waits: 'L-1: stocktaking', route_after: new Date(Date.parse(until) + 1000), status: 'confirmed' });
  expect(await api.world.events(id)).toContain('order.routing_postponed');
  api.world.now = new Date(start.getTime() + 2 * HOUR + 1000);
  await api.advance(id);
  expect([await at(id), (await order(id)).routing_waits]).toEqual([['L-1 released'], null]);
  expect(await tendStops(api.world.store.writer)).toBe(1);
  expect(await tendStops(api.world.store.writer)).toBe(0);
  await put(`/v1/locations/L-1/blocks/${sku}`, { reason: 'for good' });
  await api.advance(held);
  expect(await order(held)).toMatchObject({ routing_waits: null, status: 'on_hold' });
  api.world.now = start;
});

test('units that are blocked do not serve who waits; when the block ends by its time he is told and served', async () => {
  const sku = await stocked({ 'L-1': 0 });
  const { id } = await api.world.capture({ channel: 'douyin', lines: [line(sku)] });
  await api.advance(id);
  const start = api.world.now;
  await put(`/v1/locations/L-1/blocks/${sku}`, { reason: 'to be checked', until: later(HOUR) });
  await api.world.setStock(sku, { 'L-1': 1 });
  await api.advance(id, 'reserve');
  expect([await api.world.status(id), await api.world.stock(sku)]).toEqual(['backordered', { 'L-1': [1, 0], 'L-2': [0, 0], 'L-3': [0, 0] }]);
  await api.world.store.pool.query('delete from outbox');
  api.world.now = new Date(start.getTime() + HOUR);
  expect(await tendStops(api.world.store.writer)).toBe(1);
  expect(await api.world.one('select count(*)::int n from outbox where order_id = $1', decodeId('ord', id))).toEqual({ n: 1 });
  await api.advance(id);
  expect(await at(id)).toEqual(['L-1 released']);
  api.world.now = start;
});

test('a location that rejected for want of hands gets nothing new until its pause is over, or it says so', async () => {
  const sku = await stocked({ 'L-1': 5, 'L-2': 5 });
  const first = await api.order({ lines: [line(sku)] });
  await api.world.tell((await api.world.fulfillments(first))[0]!, { type: 'rejected', reason: 'no_capacity' });
  expect(await at(await api.order({ lines: [line(sku)] }))).toEqual(['L-2 released']);
  expect((await send(api, admin, 'GET', '/v1/locations/L-1/blocks')).body['pause']).toEqual({ reason: 'no_capacity', since: api.world.now.toISOString(), until: later(HOUR) });
  // Still on sale, and an order that only it has waits for it.
  const only = await stocked({ 'L-1': 1 });
  const { id } = await api.world.capture({ lines: [line(only)] });
  await api.advance(id);
  expect(await order(id)).toMatchObject({ routing_waits: 'L-1: no_capacity', route_after: new Date(later(HOUR + 1000)) });
  expect((await send(api, admin, 'DELETE', '/v1/locations/L-1/pause')).status).toBe(204);
  await api.advance(id);
  expect(await at(id)).toEqual(['L-1 released']);
  expect(await endPause(api.world.store.writer, api.world.locationId('L-1'))).toBe(false);
});

test('a later rejection never shortens a pause; a location that does not pause takes the next order', async () => {
  const sku = await stocked({ 'L-1': 5, 'L-2': 5, 'L-3': 5 });
  const rejects = async (reason: string): Promise<void> => {
    const id = await api.order({ lines: [line(sku)] }, 'ship');
    await api.world.store.pool.query(`update fulfillment_orders set status = 'released' where order_id = $1`, [decodeId('ord', id)]);
    await api.world.tell((await api.world.fulfillments(id)).find((f) => f.location === 'L-1')!, { type: 'rejected', reason });
  };
  const [a, b] = [await api.order({ lines: [line(sku)] }), await api.order({ lines: [line(sku)] })];
  await Promise.all([['closed', a], ['no_capacity', b]].map(async ([reason, id]) => api.world.tell((await api.world.fulfillments(id!))[0]!, { type: 'rejected', reason })));
  expect(await api.world.one('select reason, until from location_pauses')).toEqual({ reason: 'closed', until: new Date(later(4 * HOUR)) });
  await api.world.store.pool.query('delete from location_pauses');
  await api.world.store.pool.query(`update locations set no_capacity_pause_s = 0 where code = 'L-1'`);
  await rejects('no_capacity');
  expect(await api.world.one('select count(*)::int n from location_pauses')).toEqual({ n: 0 });
  await api.world.store.pool.query(`update locations set no_capacity_pause_s = 3600 where code = 'L-1'`);
});

test('damaged and mismatched units keep their lot, the recount is of the lot', async () => {
  await api.world.store.pool.query(`insert into skus (code, name, weight_g, lot_tracked) values ('LOTTED', 'by lot', 10, true)`);
  const receive = await send(api, admin, 'POST', '/v1/stock/receipts', { reference: 'lots', location: 'L-1', lines: [{ sku: 'LOTTED', quantity: 4, lot: { code: 'A7', expiresOn: '2028-01-01' } }] });
  expect(receive.status).toBeLessThan(300);
  await api.world.store.projection.refresh();
  for (const reason of ['damaged', 'mismatch']) {
    const id = await api.order({ lines: [line('LOTTED')], channel: 'douyin' });
    await api.world.tell((await api.world.fulfillments(id))[0]!, { type: 'rejected', reason });
  }
  const { rows } = await api.world.store.pool.query(
    `select v.condition, o.code, v.on_hand, v.reserved from stock_levels v join lots o on o.id = v.lot_id join skus k on k.id = v.sku_id where k.code = 'LOTTED' order by 1`);
  expect(rows).toEqual([{ condition: 'damaged', code: 'A7', on_hand: 1, reserved: 0 }, { condition: 'quarantine', code: 'A7', on_hand: 1, reserved: 0 }, { condition: 'sellable', code: 'A7', on_hand: 2, reserved: 0 }]);
  const { items } = (await send(api, admin, 'GET', '/v1/recounts?location=L-1&status=open')).body as { items: Record<string, unknown>[] };
  expect(items.map(({ id: _, openedAt: _at, ...r }) => r)).toEqual([{ location: 'L-1', sku: 'LOTTED', condition: 'sellable', lot: 'A7', status: 'open', counted: 2, expected: 3, variance: -1, closedAt: null, closedBy: null, figure: null }]);
  const again = await api.order({ lines: [line('LOTTED')], channel: 'douyin' });
  await api.world.tell((await api.world.fulfillments(again))[0]!, { type: 'rejected', reason: 'not_found' });
  // One recount for both: two units were missing of the three that the book had.
  expect(await api.world.one(`select counted, expected, variance from recounts where status = 'open'`)).toEqual({ counted: 1, expected: 3, variance: -2 });
  // Found after all: the answer of the recount is the book.
  expect((await send(api, admin, 'POST', `/v1/recounts/${String(items[0]!['id'])}`, { counted: 3 })).body).toMatchObject({ counted: 3, expected: 1, variance: 2 });
});

test('a key of a location touches its own alone; what makes no sense is refused', async () => {
  const sku = await stocked({ 'L-1': 1 });
  const shop = await api.key('shop', ['fulfillment:write'], 'L-2');
  const { key: carrier } = await createApiKey(api.world.store.pool, { name: 'carrier', scopes: SCOPES, carrierCode: 'sim' });
  await api.world.store.network.reload();
  expect((await put(`/v1/locations/L-2/blocks/${sku}`, { reason: 'mine' }, shop)).status).toBe(200);
  for (const key of [shop, carrier]) {
    await refused(api, () => put(`/v1/locations/L-1/blocks/${sku}`, { reason: 'not mine' }, key), 404, 'not_found');
    await refused(api, () => send(api, key, 'DELETE', `/v1/locations/L-1/blocks/${sku}`), 404, 'not_found');
    await refused(api, () => send(api, key, 'GET', '/v1/locations/L-1/blocks'), 404, 'not_found');
    await refused(api, () => send(api, key, 'DELETE', '/v1/locations/L-1/pause'), 404, 'not_found');
  }
  await refused(api, () => put('/v1/locations/L-1/blocks/NONE', { reason: 'x' }), 404, 'not_found');
  await refused(api, () => put(`/v1/locations/L-1/blocks/${sku}`, {}), 400, 'invalid', '/reason');
  await refused(api, () => put(`/v1/locations/L-1/blocks/${sku}`, { reason: 'x', until: api.world.now.toISOString() }), 422, 'unprocessable', '/until');
});

test('what only a paused location has is quoted from the end of its pause on; a blocked SKU is not', async () => {
  const sku = await stocked({ 'L-1': 1 });
  const quote = async (): Promise<unknown> => {
    const { body } = await send(api, admin, 'POST', '/v1/promise', { channel: 'own', destination: { country: 'CN', province: 'Shanghai', city: 'Shanghai' }, lines: [line(sku)] });
    const [{ by, missing }] = body['options'] as [{ by: string | null; missing: object[] }];
    return { by, missing };
  };
  expect(await quote()).toEqual({ by: '2026-11-24T10:00:00.000Z', missing: [] });
  // Eight hours: past today's cut-off.
  await api.world.store.pool.query(`insert into location_pauses values ($1, 'closed', $2, $3)`, [api.world.locationId('L-1'), api.world.now, later(8 * HOUR)]);
  expect(await quote()).toEqual({ by: '2026-11-25T10:00:00.000Z', missing: [] });
  await put(`/v1/locations/L-1/blocks/${sku}`, { reason: 'damaged' });
  expect(await quote()).toEqual({ by: null, missing: [{ sku, quantity: 1 }] });
});
