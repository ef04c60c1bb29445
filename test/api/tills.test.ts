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

type Result = { status: number; voided?: boolean; unbacked?: number; shortened?: number; unknown?: unknown[]; problem?: { code: string; field?: string } };
const receipt = (receiptNo: string, changes: object = {}) => ({
  location: 'L-1', till: 'T1', receiptNo, kind: 'sale', soldAt: '2026-11-23T01:00:00Z', currency: 'CNY', lines: [{ sku: 'SKU-1', quantity: 2, unitPrice: 1000, discount: 100 }], tenders: [{ method: 'cash', amount: 2000 }, { method: 'change', amount: -100 }], ...changes,
});
const voidOf = (refersTo: string, receiptNo: string) => ({ ...receipt(receiptNo), kind: 'void', refersTo, lines: [], tenders: [] });
const book = async (...receipts: object[]): Promise<Result[]> => (await api.call(admin, 'POST', '/v1/tills/receipts', { receipts })).body['results'] as Result[];
async function onHand(sku: string, location = 'L-1'): Promise<number> {
  const { rows: [row] } = await api.world.store.pool.query<{ n: number }>(
    `select coalesce(sum(v.on_hand), 0)::int n from stock_levels v join locations l on l.id = v.location_id join skus s on s.id = v.sku_id where l.code = $1 and s.code = $2 and v.condition = 'sellable'`, [location, sku]);
  return row?.n ?? 0;
}
const moved = async (): Promise<number> => Number((await api.world.store.pool.query<{ n: string }>(`select count(*) n from stock_movements where cause like 'till%'`)).rows[0]?.n);

test('a sale takes its units from the shop once, however often and however much at once it comes', async () => {
  const answers = (await Promise.all(Array.from({ length: 8 }, () => book(receipt('A-1'))))).flat();
  expect([answers.filter((a) => a.status === 201).length, answers.filter((a) => a.status === 200).length, await onHand('SKU-1'), await onHand('SKU-1', 'L-2')]).toEqual([1, 7, 8, 10]);
  const before = await moved();
  const [other] = await book(receipt('A-1', { soldAt: '2026-11-23T01:00:01Z' }));
  expect([other?.status, other?.problem?.code, other?.problem?.field, await onHand('SKU-1'), await moved()]).toEqual([409, 'duplicate_with_other_body', '/receiptNo', 8, before]);
  // The same number of another till, or another shop, is another receipt.
  expect((await book(receipt('A-1', { till: 'T2' }), receipt('A-1', { location: 'L-2' }))).map((r) => r.status)).toEqual([201, 201]);
  expect([await onHand('SKU-1'), await onHand('SKU-1', 'L-2')]).toEqual([6, 8]);
});

test('a void undoes its receipt exactly, also when it comes first, and once', async () => {
  const before = await onHand('SKU-2');
  const lines = [{ sku: 'SKU-2', quantity: 3, unitPrice: 100 }];
  await book(receipt('V-1', { lines, tenders: undefined }));
  expect(await onHand('SKU-2')).toBe(before - 3);
  expect((await book(voidOf('V-1', 'V-2'), voidOf('V-1', 'V-2'), voidOf('V-1', 'V-3'))).map((r) => [r.status, r.problem?.code])).toEqual([[201, undefined], [200, undefined], [409, 'conflict']]);
  expect(await onHand('SKU-2')).toBe(before);
  // A till that was offline sends its day in any order.
  const [first] = await book(voidOf('V-5', 'V-4'));
  const [late] = await book(receipt('V-5', { lines, tenders: undefined }));
  expect([first?.status, late?.status, late?.voided, await onHand('SKU-2')]).toEqual([201, 201, true, before]);
  // At the same time.
  await Promise.all([book(receipt('V-6', { lines, tenders: undefined })), book(voidOf('V-6', 'V-7'))]);
  expect(await onHand('SKU-2')).toBe(before);
});

test('a return brings units back; damaged ones are not for sale', async () => {
  const before = await onHand('SKU-3');
  expect((await book(receipt('R-1', { kind: 'return', refersTo: 'A-1', lines: [{ sku: 'SKU-3', quantity: 1, unitPrice: 100 }, { sku: 'SKU-3', quantity: 2, unitPrice: 100, condition: 'damaged' }], tenders: undefined })))[0]?.status).toBe(201);
  expect(await onHand('SKU-3')).toBe(before + 1);
  await book(voidOf('R-1', 'R-2'));
  expect(await onHand('SKU-3')).toBe(before);
});

test('a sale is a fact: what is not on hand is noted, what was reserved for an order makes it short', async () => {
  const order = await api.order({ lines: [{ sku: 'SKU-4', quantity: 1, unitPrice: 100 }] });
  const { rows: [at] } = await api.world.store.pool.query<{ code: string; free: number; on_hand: number }>(
    `select l.code, v.on_hand - v.reserved free, v.on_hand from stock_levels v join locations l on l.id = v.location_id join skus s on s.id = v.sku_id where s.code = 'SKU-4' and v.reserved > 0`);
  const [all] = await book(receipt('O-1', { location: at?.code, lines: [{ sku: 'SKU-4', quantity: (at?.on_hand ?? 0) + 2, unitPrice: 100 }], tenders: undefined }));
  expect(all).toMatchObject({ status: 201, shortened: 1, unbacked: 2 });
  expect(await onHand('SKU-4', at?.code)).toBe(0);
  expect(order).not.toBeNull();
  const { body } = await api.call(admin, 'GET', `/v1/tills/receipts?location=${at?.code ?? ''}&since=2026-11-22T00:00:00Z&open=true`);
  expect((body['items'] as { receiptNo: string; unbacked: number }[]).map((r) => [r.receiptNo, r.unbacked])).toEqual([['O-1', 2]]);
});

test('wrong receipts are told and the others go on; a SKU that is not known is booked once it is', async () => {
  const before = [await onHand('SKU-1'), await moved()];
  const results = await book(
    receipt('W-1', { tenders: [{ method: 'cash', amount: 1 }] }), receipt('W-2', { lines: [], tenders: undefined }), receipt('W-3', { location: 'NOWHERE' }), receipt('W-4', { soldAt: '2027-11-23T01:00:00Z' }), { ...receipt('W-5'), lines: [{ sku: 'SKU-1', quantity: 0, unitPrice: 1 }] }, voidOf('W-9', 'W-9x'), ['nothing']);
  expect(results.map((r) => [r.status, r.problem?.field])).toEqual([[422, '/tenders'], [422, '/lines'], [422, '/location'], [422, '/soldAt'], [400, '/lines/0/quantity'], [201, undefined], [400, '/']].map(([s, f]) => [s, f ?? undefined]));
  expect([await onHand('SKU-1'), await moved()]).toEqual(before);
  const late = receipt('W-10', { lines: [{ sku: 'NEW-1', quantity: 1, unitPrice: 100 }, { sku: 'SKU-1', quantity: 1, unitPrice: 100 }], tenders: undefined });
  expect((await book(late))[0]).toMatchObject({ status: 201, unknown: [{ line: 1, sku: 'NEW-1' }] });
  await api.call(admin, 'POST', '/v1/skus/bulk', { skus: [{ code: 'NEW-1', name: 'new', category: 'c', weightG: 1, cost: 1 }] });
  expect((await book(late))[0]).toMatchObject({ status: 200, unknown: [], unbacked: 1 });
  expect(await onHand('SKU-1')).toBe((before[0] ?? 0) - 1);
});

test('a CSV of a day: bad rows are told by their row, good ones go on, sent again it books nothing', async () => {
  const before = await onHand('SKU-2');
  const csv = [
    'location,till,receiptNo,kind,soldAt,currency,refersTo,sku,quantity,unitPrice,discount,condition,tender,tendered',
    'L-1,T9,C-1,sale,2026-11-23T01:00:00Z,CNY,,SKU-2,1,500,,,card,900', 'L-1,T9,C-1,,,,,SKU-2,1,400,,,,',
    'L-1,T9,1.23E+18,sale,2026-11-23T01:00:00Z,CNY,,SKU-2,1,500,,,,', 'L-1,T9,C-3,sale,yesterday,CNY,,SKU-2,1,500,,,,', 'L-1,T9,C-4,sale', 'L-1,T9,C-5,void,2026-11-23T01:00:00Z,CNY,C-1,,,,,,,', '',
  ].join('\n');
  const send = async () => (await api.app.inject({ method: 'POST', url: '/v1/tills/receipts/import', headers: { authorization: `Bearer ${admin}`, 'content-type': 'text/csv' }, payload: csv })).json<{ booked: number; repeated: number; failed: number; rows: number; results: { row: number; problem?: { detail: string } }[] }>();
  const first = await send();
  expect({ ...first, results: first.results.map((r) => r.row) }).toEqual({ rows: 6, receipts: 5, booked: 2, repeated: 0, failed: 3, results: [4, 5, 6] });
  expect(first.results[0]?.problem?.detail).toBe('row 4: "1.23E+18" is a number that a spreadsheet has cut short: format the column as text');
  expect(await send()).toMatchObject({ booked: 0, repeated: 2, failed: 3 });
  expect(await onHand('SKU-2')).toBe(before);
});

test('a key of one shop books only there', async () => {
  const key = await api.key('till', ['stock:write'], 'L-2');
  const before = await onHand('SKU-1');
  const { body } = await api.call(key, 'POST', '/v1/tills/receipts', { receipts: [receipt('K-1'), receipt('K-1', { location: 'L-2' })] });
  expect([(body['results'] as Result[]).map((r) => r.status), await onHand('SKU-1')]).toEqual([[422, 201], before]);
});
