import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { runAudit } from '../../db/audit/run-audit.ts';
import { SCOPES } from '../../db/api-keys.ts';
import { TestApi } from '../support/api.ts';

let api: TestApi;
let admin: string;
beforeAll(async () => {
  api = await TestApi.open({ stock: 10 });
  admin = await api.key('admin', SCOPES);
});
afterAll(async () => { await api.close(); });
beforeEach(async () => { expect((await runAudit(api.world.store.pool)).violations).toEqual([]); });

async function put(url: string, payload: object, key = admin): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await api.app.inject({ method: 'PUT', url, headers: { authorization: `Bearer ${key}` }, payload });
  return { status: response.statusCode, body: response.json<Record<string, unknown>>() };
}
async function onHand(location: string, sku: string): Promise<number[]> {
  const { rows } = await api.world.store.pool.query<{ on_hand: number; reserved: number; buffer: number }>(
    `select v.on_hand, v.reserved, v.buffer from stock_levels v join locations l on l.id = v.location_id join skus s on s.id = v.sku_id where l.code = $1 and s.code = $2 and v.condition = 'sellable'`, [location, sku]);
  return rows.flatMap((r) => [r.on_hand, r.reserved, r.buffer]);
}
const receipt = (reference: string, changes: object = {}) => ({ reference, location: 'L-1', lines: [{ sku: 'SKU-4', quantity: 5 }], ...changes });

test('a receipt counts once, however often it is sent at once; another body under its reference is refused', async () => {
  const answers = await Promise.all(Array.from({ length: 8 }, () => api.call(admin, 'POST', '/v1/stock/receipts', receipt('R-1'))));
  expect(answers.map((a) => [a.status, a.body])).toEqual(Array(8).fill([200, { reference: 'R-1', lines: 1, units: 5 }]));
  expect(await onHand('L-1', 'SKU-4')).toEqual([15, 0, 0]);
  expect((await api.call(admin, 'POST', '/v1/stock/receipts', receipt('R-1', { lines: [{ sku: 'SKU-4', quantity: 6 }] }))).body['code']).toBe('duplicate_with_other_body');
  const unknown = await api.call(admin, 'POST', '/v1/stock/receipts', receipt('R-2', { lines: [{ sku: 'SKU-4', quantity: 1 }, { sku: 'NONE', quantity: 1 }] }));
  expect([unknown.status, unknown.body['code'], unknown.body['field']]).toEqual([422, 'unknown_sku', '/lines/1/sku']);
  expect(await onHand('L-1', 'SKU-4')).toEqual([15, 0, 0]);
  for (const quantity of [0, -1, 1.5, 10_000_000]) expect((await api.call(admin, 'POST', '/v1/stock/receipts', receipt('R-3', { lines: [{ sku: 'SKU-4', quantity }] }))).status).toBe(400);
});

test('a loss below what is reserved makes the youngest order short; stock that comes serves it', async () => {
  const line = [{ sku: 'SKU-3', quantity: 4, unitPrice: 100 }];
  const older = await api.order({ lines: line }, 'ship');
  api.world.now = new Date(api.world.now.getTime() + 1000);
  const younger = await api.order({ lines: line }, 'route');
  const [before] = await onHand('L-1', 'SKU-3');
  expect(await onHand('L-1', 'SKU-3')).toEqual([before, 8, 0]);
  const lost = await api.call(admin, 'POST', '/v1/stock/adjustments', { reference: 'A-1', location: 'L-1', reason: 'flood', lines: [{ sku: 'SKU-3', delta: -5 }] });
  expect(lost.body).toEqual({ reference: 'A-1', shortened: 3 });
  expect(await onHand('L-1', 'SKU-3')).toEqual([5, 5, 0]);
  const { rows } = await api.world.store.pool.query<{ quantity: number; cause: string }>(`select quantity, cause from shortages where status = 'open'`);
  expect(rows).toEqual([{ quantity: 3, cause: 'stock_loss' }]);
  expect(await api.world.events(younger)).toContain('order.stock_lost');
  expect(await api.world.events(older)).not.toContain('order.stock_lost');
  expect((await api.call(admin, 'POST', '/v1/stock/adjustments', { reference: 'A-2', location: 'L-1', reason: 'count', lines: [{ sku: 'SKU-3', delta: -6 }] })).body['code']).toBe('conflict');
  expect(await onHand('L-1', 'SKU-3')).toEqual([5, 5, 0]);
  await api.advance(younger);
  expect((await api.world.store.pool.query(`select 1 from shortages where status = 'open'`)).rowCount).toBe(0);
});

test('a buffer is kept from sale and seen by availability', async () => {
  expect((await put('/v1/stock/buffers', { location: 'L-1', sku: 'SKU-2', buffer: 8 })).status).toBe(200);
  const answer = await api.call(admin, 'GET', '/v1/availability?channel=own&sku=SKU-2,NONE&locations=true');
  const [sku, none] = answer.body['skus'] as { total: number; known: boolean; locations: { location: string; now: number }[] }[];
  expect(sku?.locations.find((l) => l.location === 'L-1')?.now).toBe(2);
  expect(none).toMatchObject({ known: false, total: 0 });
  const levels = await api.call(admin, 'GET', '/v1/stock/levels?location=L-1&sku=SKU-2');
  expect(levels.body['items']).toEqual([{ location: 'L-1', sku: 'SKU-2', condition: 'sellable', lot: null, onHand: 10, reserved: 0, buffer: 8 }]);
});

test("a location's key reaches its own stock only, and hands out no more than it has", async () => {
  const bound = await api.key('shop 2', ['stock:read', 'stock:write', 'keys:write'], 'L-2');
  const before = await onHand('L-1', 'SKU-4');
  expect((await api.call(bound, 'POST', '/v1/stock/receipts', receipt('R-9'))).status).toBe(404);
  expect(await onHand('L-1', 'SKU-4')).toEqual(before);
  expect((await api.call(bound, 'POST', '/v1/stock/receipts', receipt('R-9', { location: 'L-2' }))).status).toBe(200);
  const levels = (await api.call(bound, 'GET', '/v1/stock/levels')).body['items'] as { location: string }[];
  expect([...new Set(levels.map((l) => l.location))]).toEqual(['L-2']);
  const keys = async (): Promise<number> => (await api.world.store.pool.query('select 1 from api_keys')).rowCount ?? 0;
  const count = await keys();
  for (const body of [{ name: 'x', scopes: ['orders:read'], location: 'L-2' }, { name: 'x', scopes: ['stock:read'] }, { name: 'x', scopes: ['stock:read'], location: 'L-1' }]) {
    expect((await api.call(bound, 'POST', '/v1/api-keys', body)).status).toBe(403);
  }
  expect(await keys()).toBe(count);
  const made = await api.call(bound, 'POST', '/v1/api-keys', { name: 'till', scopes: ['stock:read'], location: 'L-2' });
  expect(made.status).toBe(201);
  expect((await api.call(made.body['key'] as string, 'GET', '/v1/stock/levels?location=L-1')).status).toBe(404);
  expect((await api.app.inject({ method: 'DELETE', url: `/v1/api-keys/${String(made.body['id'])}`, headers: { authorization: `Bearer ${admin}` } })).statusCode).toBe(204);
  expect((await api.call(made.body['key'] as string, 'GET', '/v1/stock/levels')).status).toBe(401);
});
