import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { SCOPES } from '../../../db/api-keys.ts';
import { runAudit } from '../../../db/audit/run-audit.ts';
import { rebuildDemandDay, rollUpDemand } from '../../../db/demand/roll-up.ts';
import { TestApi } from '../../support/api.ts';
import { followDemand } from '../../support/demand.ts';

let api: TestApi;
let admin: string;
let n = 0;
let no = 0;
beforeAll(async () => {
  api = await TestApi.open({ skus: 20, stock: 50 });
  admin = await api.key('admin', SCOPES);
});
afterEach(async () => { expect((await runAudit(api.world.store.pool)).violations).toEqual([]); });
afterAll(async () => { await api.close(); });

const sku = (): string => `SKU-${++n}`;
const receipt = (code: string, quantity: number, changes: object = {}) => ({
  location: 'L-2', till: 'T1', receiptNo: `R-${++no}`, kind: 'sale', soldAt: '2026-11-20T17:30:00Z', currency: 'CNY', lines: [{ sku: code, quantity, unitPrice: 1000, discount: 50 }], ...changes,
});
const back = (code: string, quantity: number, changes: object = {}) => receipt(code, quantity, { kind: 'return', soldAt: '2026-11-22T03:00:00Z', ...changes });
const voidOf = (receiptNo: string, changes: object = {}) => ({ ...receipt('', 1), kind: 'void', refersTo: receiptNo, lines: [], ...changes });
const book = async (...receipts: object[]): Promise<number[]> => ((await api.call(admin, 'POST', '/v1/tills/receipts', { receipts })).body['results'] as { status: number }[]).map((r) => r.status);
async function demand(code: string, query = ''): Promise<string[]> {
  await followDemand(api.world.store.pool, api.world.now);
  const { status, body } = await api.call(admin, 'GET', `/v1/demand?from=2026-11-01&to=2026-12-31&sku=${code}${query}`);
  expect(status).toBe(200);
  type Row = { day: string; location: string; channel: string; country: string; region: string; units: number; revenue: number; cancelled: number; returned: number; lost: number };
  return (body['items'] as Row[]).map((r) => `${r.day} ${r.location} ${r.channel} ${r.country}/${r.region} ${r.units}u ${r.revenue} c${r.cancelled} r${r.returned} l${r.lost}`);
}

test("a till's sale is demand of its shop, on the shop's business day, in its own country and province, once however often it comes", async () => {
  const code = sku();
  const one = receipt(code, 3);
  await Promise.all([book(one), book(one), book(one)]);
  // 17:30 UTC is the next morning at the shop.
  expect(await demand(code)).toEqual(['2026-11-21 L-2 till CN/Beijing 3u 2950 c0 r0 l0']);
  await api.world.capture({ lines: [{ sku: code, quantity: 2, unitPrice: 1000 }] });
  await book(one, receipt(code, 1, { location: 'L-1' }), receipt(code, 4, { channel: 'douyin', till: 'T9' }));
  expect((await demand(code)).sort()).toEqual(['2026-11-21 L-1 till CN/Shanghai 1u 950 c0 r0 l0', '2026-11-21 L-2 douyin CN/Beijing 4u 3950 c0 r0 l0', '2026-11-21 L-2 till CN/Beijing 3u 2950 c0 r0 l0', '2026-11-23 L-1 own CN/Shanghai 2u 2000 c0 r0 l0']);
  expect(await demand(code, '&channel=till&location=L-2')).toEqual(['2026-11-21 L-2 till CN/Beijing 3u 2950 c0 r0 l0']);
  expect((await api.call(admin, 'GET', `/v1/demand/sums?from=2026-11-01&to=2026-12-31&sku=${code}&by=channel`)).body['items']).toMatchObject([{ channel: 'till', units: 4 }, { channel: 'own', units: 2 }, { channel: 'douyin', units: 4 }]);
  const indicators = (await api.call(admin, 'GET', `/v1/indicators?from=2026-11-01&to=2026-12-31&sku=${code}&by=channel`)).body['items'] as { key: string; served: number }[];
  expect(indicators.map((r) => [r.key, r.served])).toEqual([['douyin', 4], ['own', 2], ['till', 4]]);
  expect(await book(receipt(code, 1, { channel: 'nowhere' }), receipt(code, 1, { channel: 'own', currency: 'EUR' }))).toEqual([422, 422]);
  await Promise.all([1, 2, 3].map(() => rollUpDemand(api.world.store.pool, api.world.now)));
  await rebuildDemandDay(api.world.store.pool, '2026-11-21');
  expect((await demand(code)).length).toBe(4);
});

test('a return belongs to the day of its sale, also when that comes later or was rung up at another till; without it, to its own day', async () => {
  const code = sku();
  const sale = receipt(code, 5);
  await book(back(code, 2, { refersTo: sale.receiptNo, till: 'T2' }));
  expect(await demand(code)).toEqual([]); // returned on its own day for now, of which nothing was sold
  expect(await api.world.one(`select d.day::text, d.returned::int from daily_demand d join skus k on k.id = d.sku_id where k.code = $1 and d.returned > 0`, code)).toEqual({ day: '2026-11-22', returned: 2 });
  await book(sale);
  expect(await demand(code)).toEqual(['2026-11-21 L-2 till CN/Beijing 5u 4950 c0 r2 l0']);
  await book(receipt(code, 1, { soldAt: '2026-11-22T01:00:00Z' }), back(code, 1), back(code, 1, { refersTo: 'LOST' }));
  expect(await demand(code)).toEqual(['2026-11-21 L-2 till CN/Beijing 5u 4950 c0 r2 l0', '2026-11-22 L-2 till CN/Beijing 1u 950 c0 r2 l0']);
});

test('what is voided was never wanted, whichever comes first; a return of it stands by itself again', async () => {
  const code = sku();
  const [sale, keep] = [receipt(code, 5), receipt(code, 1, { soldAt: '2026-11-22T01:00:00Z' })];
  const ret = back(code, 2, { refersTo: sale.receiptNo });
  await book(sale, keep, ret);
  expect(await demand(code)).toEqual(['2026-11-21 L-2 till CN/Beijing 5u 4950 c0 r2 l0', '2026-11-22 L-2 till CN/Beijing 1u 950 c0 r0 l0']);
  await book(voidOf(sale.receiptNo));
  expect(await demand(code)).toEqual(['2026-11-22 L-2 till CN/Beijing 1u 950 c0 r2 l0']);
  await book(voidOf(ret.receiptNo));
  expect(await demand(code)).toEqual(['2026-11-22 L-2 till CN/Beijing 1u 950 c0 r0 l0']);
  const late = receipt(code, 9);
  await book(voidOf(late.receiptNo), late);
  expect(await demand(code)).toEqual(['2026-11-22 L-2 till CN/Beijing 1u 950 c0 r0 l0']);
});

test('a SKU that was not known becomes demand when its receipt comes again and it is', async () => {
  const one = receipt('LATE-1', 2);
  await book(one);
  await api.call(admin, 'POST', '/v1/skus/bulk', { skus: [{ code: 'LATE-1', name: 'late', category: 'c', weightG: 1, cost: 1 }] });
  expect(await demand('LATE-1')).toEqual([]);
  await book(one);
  expect(await demand('LATE-1')).toEqual(['2026-11-21 L-2 till CN/Beijing 2u 1950 c0 r0 l0']);
});

test('the roll-up is killed half-way, and sees booked receipts again; a booking that fails leaves nothing', async () => {
  const code = sku();
  const { pool } = api.world.store;
  await book(receipt(code, 3));
  await pool.query(`create function refuse() returns trigger language plpgsql as $$ begin raise exception 'killed'; end $$; create trigger refuse before insert on daily_demand for each statement execute function refuse()`);
  await expect(rollUpDemand(pool, api.world.now)).rejects.toThrow('killed');
  await pool.query('drop trigger refuse on daily_demand');
  await pool.query('create trigger refuse before insert on demand_dirty for each statement execute function refuse()');
  const failed = receipt(code, 2);
  expect(await book(failed)).toEqual([500]);
  await pool.query('drop trigger refuse on demand_dirty; drop function refuse()');
  expect(await demand(code)).toEqual(['2026-11-21 L-2 till CN/Beijing 3u 2950 c0 r0 l0']);
  expect(await api.world.stock(code)).toMatchObject({ 'L-2': [47, 0] });
  await Promise.all([book(failed), book(failed), rollUpDemand(pool, api.world.now)]);
  expect(await demand(code)).toEqual(['2026-11-21 L-2 till CN/Beijing 5u 4900 c0 r0 l0']);
});
