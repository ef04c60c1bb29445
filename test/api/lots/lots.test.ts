import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { SCOPES } from '../../../db/api-keys.ts';
import { runAudit } from '../../../db/audit/run-audit.ts';
import { quarantineExpired } from '../../../db/lots/quarantine-expired.ts';
import { tendRecalledLots } from '../../../db/lots/recall-lot.ts';
import { decodeId } from '../../../domain/ids.ts';
import { openStore } from '../../../db/store.ts';
import { TestApi } from '../../support/api.ts';
import { VAULT_KEY } from '../../support/world.ts';
import { everything, refused, send, type Reply } from '../network/requests.ts';

let api: TestApi;
let admin: string;
let skus = 0;
let references = 0;
beforeAll(async () => {
  api = await TestApi.open({ skus: 30, stock: 0 });
  admin = await api.key('admin', SCOPES);
  await api.world.store.pool.query('update skus set lot_tracked = true');
  await api.world.store.network.reload();
});
afterAll(async () => { await api.close(); });
afterEach(async () => { expect((await runAudit(api.world.store.pool, { now: api.world.now })).violations).toEqual([]); });

type Stock = { lot: string; units: number; location?: string; expiresOn?: string };
async function stocked(...stock: Stock[]): Promise<string> {
  const sku = `SKU-${++skus}`;
  for (const { lot, units, location = 'L-1', expiresOn = '2027-06-30' } of stock) {
    const reply = await send(api, admin, 'POST', '/v1/stock/receipts', { reference: `R-${++references}`, location, lines: [{ sku, quantity: units, lot: { code: lot, expiresOn } }] });
    expect(reply.status).toBe(200);
  }
  await api.world.store.projection.refresh();
  return sku;
}
const recall = (sku: string, lot: string, key = admin, reason = 'glass splinters'): Promise<Reply> => send(api, key, 'POST', '/v1/lots/recall', { sku, lot, reason });
const orders = (sku: string, lot: string, query = '', key = admin): Promise<Reply> => send(api, key, 'GET', `/v1/lots/${sku}/${lot}/orders${query}`);
const line = (sku: string, quantity: number) => ({ lines: [{ sku, quantity, unitPrice: 100 }] });
/** `lot condition [on hand, reserved]` of a SKU. */
const lots = async (sku: string): Promise<string[]> => (await api.world.store.pool.query<{ row: string }>(
  `select format('%s %s %s/%s', o.code, v.condition, v.on_hand, v.reserved) "row" from stock_levels v join lots o on o.id = v.lot_id join skus s on s.id = v.sku_id where s.code = $1 and v.lot_id <> 0 order by 1`, [sku])).rows.map((r) => r.row);
const plan = async (id: string): Promise<unknown[]> => (await api.world.fulfillments(id)).map((f) => [f.location, f.status, f.reason]);

test('a recall blocks the lot, takes back what has not left, and names the orders it went to', async () => {
  const sku = await stocked({ lot: 'A', units: 10 }, { lot: 'B', units: 6, expiresOn: '2027-12-31', location: 'L-2' });
  const gone = await api.order(line(sku, 2));
  await api.world.issue((await api.world.fulfillments(gone))[0]!);
  const there = await api.order(line(sku, 3));
  const { id: fresh } = await api.world.capture(line(sku, 1));
  expect(await lots(sku)).toEqual(['A sellable 8/4', 'B sellable 6/0']);
  const answer = await recall(sku, 'A');
  const row = (order: string, rest: object) => expect.objectContaining({ order, channel: 'own', ...rest }) as object;
  expect([answer.status, answer.body]).toEqual([200, {
    sku, lot: 'A', expiresOn: '2027-06-30', recalledAt: api.world.now.toISOString(), reason: 'glass splinters', next: null,
    orders: [row(gone, { status: 'shipped', issued: 2, held: 0, takenBack: 0 }), row(there, { issued: 0, held: 0, takenBack: 3 }), row(fresh, { issued: 0, held: 0, takenBack: 1 })],
  }]);
  expect(JSON.stringify(answer.body)).not.toMatch(/Test Person|10000000001|Example Road/);
  expect([await lots(sku), await plan(there)]).toEqual([['A sellable 8/0', 'B sellable 6/0'], [['L-1', 'cancelled', 'recalled']]]);
  await api.advance(there);
  await api.advance(fresh);
  expect([await plan(there), await plan(fresh)]).toEqual([[['L-1', 'cancelled', 'recalled'], ['L-2', 'released', null]], [['L-2', 'released', null]]]);
  expect(api.world.partners.to(`/cancel`).map((r) => r.body)).toContainEqual({ reason: 'recalled' });
  expect(await lots(sku)).toEqual(['A sellable 8/0', 'B sellable 6/4']);
  await expect(api.world.capture(line(sku, 3))).rejects.toMatchObject({ code: 'insufficient_stock' });
  // Again: the first reason stays, nothing moves.
  const before = await everything(api);
  expect((await recall(sku, 'A', admin, 'another reason')).status).toBe(200);
  expect(await everything(api)).toBe(before);
  expect((await orders(sku, 'A')).body).toMatchObject({ reason: 'glass splinters', orders: [{ issued: 2 }, { takenBack: 3 }, { takenBack: 1 }] });
  expect((await orders(sku, 'B')).body).toMatchObject({ recalledAt: null, reason: null, orders: [{ order: there, held: 3 }, { order: fresh, held: 1 }] });
});

test('the list is paged, and a bound key sees only its own orders', async () => {
  const sku = await stocked({ lot: 'A', units: 3 }, { lot: 'A', units: 3, location: 'L-2' });
  const shanghai = await api.order(line(sku, 1));
  const { shipTo } = api.world.intake();
  const beijing = await api.order({ ...line(sku, 1), shipTo: { ...shipTo, province: 'Beijing', city: 'Beijing' } });
  const first = await orders(sku, 'A', '?limit=1');
  expect(first.body).toMatchObject({ orders: [{ order: shanghai }], next: shanghai });
  expect((await orders(sku, 'A', `?limit=1&after=${shanghai}`)).body).toMatchObject({ orders: [{ order: beijing }], next: beijing });
  const shop = await api.key('shop', SCOPES, 'L-2');
  expect((await orders(sku, 'A', '', shop)).body).toMatchObject({ orders: [{ order: beijing }], next: null });
});

test('denied: nothing changes', async () => {
  const sku = await stocked({ lot: 'A', units: 3 });
  const shop = await api.key('shop two', SCOPES, 'L-1');
  const reader = await api.key('reader', ['stock:read', 'orders:read']);
  await refused(api, () => recall(sku, 'A', shop), 403, 'forbidden');
  await refused(api, () => recall(sku, 'A', reader), 403, 'forbidden');
  await refused(api, () => recall(sku, 'Z'), 404, 'not_found');
  await refused(api, () => recall('SKU-NONE', 'A'), 404, 'not_found');
  await refused(api, () => recall(sku, 'A', admin, ''), 400, 'invalid', '/reason');
  await refused(api, () => orders(sku, 'Z'), 404, 'not_found');
});

test('a location that ships the recalled lot in the place of another is stopped', async () => {
  const sku = await stocked({ lot: 'A', units: 5, expiresOn: '2027-12-31' }, { lot: 'B', units: 5 });
  const id = await api.order(line(sku, 2));
  const [f] = await api.world.fulfillments(id);
  await recall(sku, 'A');
  const issue = (lot: string) => api.world.tell(f!, { type: 'goods_issue', parcels: [{ parcelNo: 1, carrier: 'sim', waybillNo: f!.waybillNo, lines: [{ lineNo: 1, quantity: 2, lot }] }] });
  const before = await api.fingerprint();
  await expect(issue('A')).rejects.toMatchObject({ code: 'handover_blocked', field: '/parcels' });
  expect(await api.fingerprint()).toBe(before);
  expect(await issue('B')).toEqual({ ok: true, handOver: 'allowed' });
});

test('other processes learn of a recall; reservations of leases are taken back, too', async () => {
  const sku = await stocked({ lot: 'A', units: 5 });
  const other = await openStore({ url: api.world.database.url, vaultKey: VAULT_KEY, refreshMs: 3_600_000 });
  try {
    await other.network.loadSkus([sku]);
    const skuId = other.network.knownSku(sku)!.id;
    expect(other.projection.available(skuId, api.world.locationId('L-1'))).toBe(5);
    const lease = await send(api, admin, 'POST', '/v1/reservations', { reference: 'L', owner: 'quote', channel: 'own', expiresInS: 60, mode: 'all', lines: [{ sku, quantity: 2 }] });
    await recall(sku, 'A');
    // A refresh stops at the oldest running transaction of the whole server: other tests' too.
    await expect.poll(async () => {
      await other.projection.refresh();
      return other.projection.available(skuId, api.world.locationId('L-1'));
    }, { timeout: 20_000 }).toBe(0);
    expect((await send(api, admin, 'GET', `/v1/reservations/${String(lease.body['id'])}`)).body).toMatchObject({ status: 'active', lines: [{ quantity: 2, reserved: [] }] });
    expect(await lots(sku)).toEqual(['A sellable 5/0']);
  } finally {
    await other.close();
  }
});

test('orders captured while a lot is recalled: none keeps it', async () => {
  const sku = await stocked({ lot: 'A', units: 200 }, { lot: 'B', units: 200, expiresOn: '2027-12-31' });
  const [captured] = await Promise.all([Promise.all(Array.from({ length: 120 }, () => api.world.capture(line(sku, 1)))), recall(sku, 'A')]);
  await tendRecalledLots(api.world.store.writer);
  const { held } = await api.world.one<{ held: number }>(`select sum(v.reserved)::int held from stock_levels v join lots o on o.id = v.lot_id join skus s on s.id = v.sku_id where s.code = $1 and o.code = 'A'`, sku);
  expect(held).toBe(0);
  const { units } = await api.world.one<{ units: number }>(
    `select (select coalesce(sum(quantity), 0)::int from reservations where order_id = any($1::uuid[]) and status = 'held')
       + (select coalesce(sum(quantity), 0)::int from shortages where order_id = any($1::uuid[]) and status = 'open') units`, captured.map((c) => decodeId('ord', c.id)));
  expect(units).toBe(120);
  expect(await tendRecalledLots(api.world.store.writer)).toBe(0);
});

test('a recall that was killed half-way is finished by a worker', async () => {
  const sku = await stocked({ lot: 'A', units: 5 });
  await api.world.capture(line(sku, 4));
  await api.world.store.pool.query(`update lots set recalled_at = now(), recall_reason = 'x' where code = 'A' and sku_id = (select id from skus where code = $1)`, [sku]);
  expect(await tendRecalledLots(api.world.store.writer)).toBe(1);
  expect(await lots(sku)).toEqual(['A sellable 5/0']);
});

test('free units of expired lots go to quarantine, once; the last day itself is still sold', async () => {
  const sku = await stocked({ lot: 'OLD', units: 5, expiresOn: '2026-11-23' }, { lot: 'NEXT', units: 5, expiresOn: '2026-11-24' }, { lot: 'NEXT', units: 2, expiresOn: '2026-11-24', location: 'L-2' });
  await api.world.capture(line(sku, 2));
  expect(await quarantineExpired(api.world.store.writer)).toBe(0);
  const now = api.world.now;
  api.world.now = new Date('2026-11-24T00:00:00Z');
  expect((await Promise.all([quarantineExpired(api.world.store.writer), quarantineExpired(api.world.store.writer)])).toSorted()).toEqual([0, 3]);
  expect(await lots(sku)).toEqual(['NEXT sellable 2/0', 'NEXT sellable 5/0', 'OLD quarantine 3/0', 'OLD sellable 2/2']);
  expect(await api.world.one(`select distinct cause from stock_movements m join stock_levels v on v.id = m.level_id and v.condition = 'quarantine'`)).toEqual({ cause: 'expired' });
  expect(await quarantineExpired(api.world.store.writer)).toBe(0);
  api.world.now = now;
});
