import { afterAll, beforeAll, expect, test } from 'vitest';
import { SCOPES } from '../../../db/api-keys.ts';
import { runAudit } from '../../../db/audit/run-audit.ts';
import { reconcileLocation } from '../../../db/reconciliation/reconcile.ts';
import { TestApi } from '../../support/api.ts';
import { Counts } from '../../support/counts.ts';
import { refused, send, type Reply } from '../network/requests.ts';

let api: TestApi;
let c: Counts;
let admin: string;
beforeAll(async () => {
  api = await TestApi.open({ skus: 40, stock: 0 });
  admin = await api.key('admin', SCOPES);
  c = new Counts(api.world);
  await c.rule();
});
afterAll(async () => {
  expect((await runAudit(api.world.store.pool, { now: api.world.now })).violations).toEqual([]);
  await api.close();
});

const at = (minutes: number): string => c.ago(minutes).toISOString();
const snapshot = (id: string, changes: object = {}): Record<string, unknown> => ({ location: 'L-1', id, kind: 'delta', takenAt: at(1), lines: [{ sku: 'SKU-1', quantity: 5 }], ...changes });
const post = (body: object, key = admin): Promise<Reply> => send(api, key, 'POST', '/v1/snapshots', body);
const process = (location = 'L-1'): Promise<number> => reconcileLocation(api.world.store.writer, api.world.locationId(location));
async function upload(id: string, text: string, { type = 'text/csv', kind = 'delta', location = 'L-1', takenAt = at(1), key = admin } = {}): Promise<Reply> {
  const query = new URLSearchParams({ location, id, kind, takenAt });
  const response = await api.app.inject({ method: 'POST', url: `/v1/snapshots/import?${query.toString()}`, headers: { authorization: `Bearer ${key}`, 'content-type': type }, payload: text });
  return { status: response.statusCode, body: response.json() };
}

test('a snapshot is taken in, processed and read: list, variances, recount, accuracy', async () => {
  await c.stock('SKU-1', { 'L-1': 5 });
  await c.stock('SKU-2', { 'L-1': 50 });
  const takenAt = at(1);
  const answer = { location: 'L-1', id: 'S/1', kind: 'delta', takenAt, status: 'staged', lines: 3, badLines: 0, complete: false, errors: [] };
  const body = snapshot('S/1', { takenAt, lines: [{ sku: 'SKU-1', quantity: 5 }, { sku: 'SKU-2', quantity: 10 }, { sku: 'SKU-2', quantity: 20 }, { sku: 'OTHER', quantity: 1 }] });
  expect(await post(body)).toEqual({ status: 200, body: answer });
  expect(await post(body)).toEqual({ status: 200, body: answer });
  expect(await process()).toBe(1);
  const counts = { classes: { loss: { lines: 1, units: -20 }, match: { lines: 1, units: 0 }, unknown_sku: { lines: 1, units: 0 } }, adjusted: 0, recounts: 1, shortened: 0 };
  const view = { id: 'S/1', location: 'L-1', kind: 'delta', source: 'wms', takenAt, receivedAt: at(0), status: 'done', reason: null, lines: 3, badLines: 0, counts, doneAt: at(0) };
  expect((await send(api, admin, 'GET', '/v1/snapshots?location=L-1')).body).toEqual({ items: [view], next: null });
  const lost = { line: 2, sku: 'SKU-2', condition: 'sellable', lot: null, counted: 30, expected: 50, variance: -20, class: 'loss', action: 'recount', shortened: 0 };
  expect((await send(api, admin, 'GET', '/v1/snapshots/L-1/S%2F1')).body).toEqual({
    ...view, next: null, accuracy: { accuracy: 0.5, countedLines: 2, matchedLines: 1, updatedAt: at(0) },
    variances: [lost, { line: 4, sku: 'OTHER', condition: 'sellable', lot: null, counted: 1, expected: null, variance: null, class: 'unknown_sku', action: 'none', shortened: 0 }],
  });
  expect((await send(api, admin, 'GET', '/v1/snapshots/L-1/S%2F1?class=loss')).body).toMatchObject({ variances: [lost] });
  const { items } = (await send(api, admin, 'GET', '/v1/recounts?status=open')).body as { items: { id: number }[] };
  expect(items).toEqual([{
    id: items[0]?.id, location: 'L-1', sku: 'SKU-2', condition: 'sellable', lot: null, status: 'open', counted: 30, expected: 50, variance: -20, openedAt: at(0), closedAt: null, closedBy: null, figure: null }]);
  const url = `/v1/recounts/${items[0]?.id ?? 0}`;
  const other = await api.key('elsewhere', ['stock:write', 'stock:read'], 'L-2');
  await refused(api, () => send(api, other, 'POST', url, { counted: 31 }), 404, 'not_found');
  await refused(api, () => send(api, admin, 'POST', url, { counted: -1 }), 400, 'invalid', '/counted');
  await refused(api, () => send(api, admin, 'POST', url, { counted: 31, countedAt: at(-1) }), 422, 'unprocessable', '/countedAt');
  expect(await send(api, admin, 'POST', url, { counted: 31, countedAt: at(0) })).toEqual({ status: 200, body: { id: items[0]?.id, counted: 31, countedAt: at(0), expected: 50, variance: -19, shortened: 0 } });
  expect([(await send(api, admin, 'GET', '/v1/recounts?location=L-1')).body, await api.world.stock('SKU-2')]).toMatchObject([{ items: [{ status: 'done', figure: 31, closedBy: 'key:admin' }] }, { 'L-1': [31, 0] }]);
});

test('refused with the reason, and nothing changes', async () => {
  await c.stock('SKU-3', { 'L-1': 5 });
  await post(snapshot('FULL', { kind: 'full', takenAt: at(0), lines: [{ sku: 'SKU-1', quantity: 5 }, { sku: 'SKU-2', quantity: 31 }, { sku: 'SKU-3', quantity: 5 }] }));
  expect(await process()).toBe(1);
  const bound = await api.key('shop', ['stock:write', 'stock:read'], 'L-2');
  const reader = await api.key('reader', ['stock:read']);
  const rows = () => api.world.one('select count(*)::int n, max(id)::int last from snapshots');
  const before = await rows();
  const no = (body: object, status: number, code: string, field: string | null = null, key = admin): Promise<Reply> => refused(api, () => post(body, key), status, code, field);
  await no(snapshot('FULL'), 409, 'duplicate_with_other_body', '/id');
  await no(snapshot('late', { takenAt: at(2) }), 409, 'conflict', '/takenAt');
  await no(snapshot('early', { takenAt: at(-6) }), 422, 'unprocessable', '/takenAt');
  await no(snapshot('there', { location: 'NOWHERE' }), 422, 'unknown_location', '/location');
  await no(snapshot('theirs'), 404, 'not_found', '/location', bound);
  await no(snapshot('minus', { lines: [{ sku: 'SKU-1', quantity: -1 }] }), 400, 'invalid', '/lines/0/quantity');
  await no(snapshot('none', { lines: [] }), 400, 'invalid', '/lines');
  await no(snapshot('unit', { takenAt: at(0), lines: [{ sku: 'SKU-1', quantity: 1 }, { sku: 'SKU-1', quantity: 1, unit: 'box' }] }), 422, 'unprocessable', '/lines/1');
  await no(snapshot('lot', { takenAt: at(0), lines: [{ sku: 'SKU-1', quantity: 1, lot: 'A' }] }), 422, 'unprocessable', '/lines/0');
  await no(snapshot('reads'), 403, 'forbidden', null, reader);
  expect((await send(api, bound, 'GET', '/v1/snapshots')).body).toEqual({ items: [], next: null });
  expect((await send(api, bound, 'GET', '/v1/snapshots/L-1/FULL')).status).toBe(404);
  expect((await send(api, admin, 'GET', '/v1/snapshots/L-1/nothing')).status).toBe(404);
  expect(await upload('late', 'sku,quantity\nSKU-1,1\n', { takenAt: at(2) })).toMatchObject({ status: 409, body: { code: 'conflict' } });
  expect(await upload('bad', 'sku,count\nSKU-1,1\n', { takenAt: at(0) })).toMatchObject({ status: 422, body: { code: 'unprocessable', detail: 'no line can be used; line 2: column "count" is not known; the columns are sku, condition, quantity, unit, lot' } });
  expect(await upload('type', '{}', { type: 'application/json' })).toMatchObject({ status: 415 });
  expect(await rows()).toEqual(before);
});

test('rules and units are set and read', async () => {
  const rule = { toleranceUnits: 3, tolerancePercent: 2.5, windowS: 60, pullEveryS: null };
  expect((await send(api, admin, 'PUT', '/v1/reconciliation/rule?location=L-3', rule)).body).toEqual({ location: 'L-3', ...rule });
  expect((await send(api, admin, 'GET', '/v1/reconciliation/rule?location=L-3')).body).toEqual(rule);
  expect((await send(api, admin, 'GET', '/v1/reconciliation/rule?location=L-2')).body).toEqual({ toleranceUnits: 2, tolerancePercent: 1, windowS: 900, pullEveryS: null });
  expect((await send(api, admin, 'PUT', '/v1/skus/SKU-4/units/box', { factor: 12 })).body).toEqual({ sku: 'SKU-4', unit: 'box', factor: 12 });
  await refused(api, () => send(api, admin, 'PUT', '/v1/skus/NOBODY/units/box', { factor: 12 }), 422, 'unknown_sku');
  await refused(api, () => send(api, admin, 'PUT', '/v1/skus/SKU-4/units/box', { factor: 0 }), 400, 'invalid', '/factor');
  const bound = await api.key('store', ['stock:write'], 'L-2');
  await refused(api, () => send(api, bound, 'PUT', '/v1/reconciliation/rule', rule), 403, 'forbidden');
  await refused(api, () => send(api, bound, 'PUT', '/v1/reconciliation/rule?location=L-1', rule), 404, 'not_found');
});

test('CSV and NDJSON: bad lines are told with number and reason, good ones go on', async () => {
  const takenAt = at(0);
  const csv = 'sku,quantity,condition,unit\nSKU-1,5,,\nSKU-3,-2,,\nSKU-3,x,sellable,\n"SKU-3,1\nSKU-4,2,,box\nSKU-4,1,,pallet\nSKU-5,1,broken,\nSKU-5,1\n';
  const answer = {
    location: 'L-1', id: 'CSV', kind: 'full', takenAt, status: 'staged', lines: 2, badLines: 6, complete: false,
    errors: [
      { line: 3, reason: 'quantity must be a whole number from 0 to 1000000000' }, { line: 4, reason: 'quantity must be a whole number from 0 to 1000000000' },
      { line: 5, reason: 'the row is no valid CSV: a quote is not closed' }, { line: 7, reason: 'unit "pallet" of SKU "SKU-4" is not known' },
      { line: 8, reason: 'condition must be one of sellable, damaged, quarantine, display' }, { line: 9, reason: 'the row has 2 fields, the header 4' },
    ],
  };
  expect(await upload('CSV', csv, { kind: 'full', takenAt })).toEqual({ status: 200, body: answer });
  expect(await upload('CSV', csv, { kind: 'full', takenAt })).toEqual({ status: 200, body: answer });
  expect(await upload('CSV', `${csv}SKU-6,1,,\n`, { kind: 'full', takenAt })).toMatchObject({ status: 409, body: { code: 'duplicate_with_other_body' } });
  await process();
  // SKU-2 is not in it, but the lines that cannot be read may have been its.
  expect([await c.lines('CSV'), (await api.world.stock('SKU-2'))['L-1']]).toEqual([[['SKU-1', 5, 5, 0, 'match', 'none'], ['SKU-4', 24, 0, 24, 'gain', 'recount']], [31, 0]]);
  expect(await upload('ND', '{"sku":"SKU-1","quantity":5}\n\n{"sku":"SKU-1","quantity":1.5}\nnothing\n[]\n{"sku":"SKU-1","quantity":1,"bin":"A"}\n', { type: 'application/x-ndjson', takenAt })).toMatchObject({
    status: 200, body: {
      lines: 1, badLines: 4, errors: [{ line: 3, reason: 'quantity must be a whole number from 0 to 1000000000' }, { line: 4, reason: 'the line is no valid JSON' }, { line: 5, reason: 'the line is no JSON object' },
        { line: 6, reason: 'bin is not known here; leave it out' }],
    },
  });
});

test('twenty thousand lines by COPY: all there, processed in chunks, the right ones booked', async () => {
  await api.world.store.pool.query(`insert into skus (code, name, weight_g) select 'BULK-' || i, 'bulk', 100 from generate_series(1, 20000) i`);
  await api.world.store.pool.query(
    `with v as (insert into stock_levels (sku_id, location_id, on_hand) select id, $1, 10 from skus where code like 'BULK-%' returning id)
     insert into stock_movements (command_id, leg, level_id, d_on_hand, d_reserved, cause, at) select gen_random_uuid(), 0, id, 10, 0, 'receipt', $2 from v`, [api.world.locationId('L-2'), c.ago(1440)]);
  let csv = 'sku,quantity\n';
  for (let i = 1; i <= 20_000; i++) csv += `BULK-${i},${i % 1000 === 0 ? 9 : 10}\n`;
  expect(await upload('BULK', csv, { kind: 'full', location: 'L-2', takenAt: at(0) })).toMatchObject({ status: 200, body: { lines: 20_000, badLines: 0, complete: true } });
  expect(await process('L-2')).toBe(1);
  expect(await api.world.one(`select counts from snapshots where external_id = 'BULK'`)).toEqual({
    counts: { classes: { loss: { lines: 20, units: -20 }, match: { lines: 19_980, units: 0 } }, adjusted: 20, recounts: 0, shortened: 0 } });
  expect(await api.world.one(`select sum(on_hand)::int units from stock_levels v join skus s on s.id = v.sku_id where s.code like 'BULK-%'`)).toEqual({ units: 199_980 });
}, 180_000);
