import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { SCOPES } from '../../../db/api-keys.ts';
import { readDecisions } from '../../../db/routing/decisions.ts';
import { closeReturn } from '../../../db/returns/close-return.ts';
import { authoriseReturn, inspectReturn, receiveReturn, requestReturn } from '../../../db/returns/returns.ts';
import { decodeId } from '../../../domain/ids.ts';
import { owed, shareBack } from '../../../domain/settlement/terms.ts';
import { TestApi } from '../../support/api.ts';

let api: TestApi;
let admin: string;
let dealerKey: string;
let skus = 0;
beforeAll(async () => {
  api = await TestApi.open({ locations: 3, stock: 0, skus: 40 });
  await api.world.store.pool.query(`update locations set kind = 'dealer' where code = 'L-2'`);
  await api.world.store.pool.query(`update locations set kind = 'vendor' where code = 'L-3'`);
  await api.world.store.network.reload();
  admin = await api.key('admin', SCOPES);
  dealerKey = await api.key('dealer', ['network:read', 'network:write'], 'L-2');
});
afterAll(async () => { await api.close(); });
afterEach(async () => { expect(await api.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 }); });

const call = async (method: 'GET' | 'PUT' | 'POST', url: string, payload?: object, key = admin) => {
  const r = await api.app.inject({ method, url, headers: { authorization: `Bearer ${key}` }, ...(payload ? { payload } : {}) });
  return { status: r.statusCode, body: (r.body === '' ? {} : r.json()) as Record<string, unknown> };
};
const terms = (location: string, list: object[], handlingFee = 0) => call('PUT', `/v1/locations/${location}/settlement-terms`, { currency: 'CNY', handlingFee, terms: list });
async function stocked(at: Record<string, number>): Promise<string> {
  const sku = `SKU-${++skus}`;
  await api.world.setStock(sku, at);
  return sku;
}
type Entry = { kind: string; line: number | null; units: number; net: number | null; amount: number | null; statement: number | null; id: number };
const entries = async (order: string): Promise<Entry[]> => ((await call('GET', '/v1/settlements/entries?limit=1000')).body['entries'] as (Entry & { order: string })[]).filter((e) => e.order === order);
async function shipped(lines: { sku: string; quantity: number; unitPrice: number }[]): Promise<string> {
  const id = await api.order({ lines, freight: 500 });
  for (const f of await api.world.fulfillments(id)) await api.world.issue(f);
  return id;
}
/** Comes back to where it left from. */
async function returned(order: string, location: string, quantity: number, disposition: 'restock' | 'damaged'): Promise<void> {
  const { writer } = api.world.store;
  for (const f of await api.world.fulfillments(order)) if (f.waybillNo && f.status === 'issued') await api.world.carrier(f.waybillNo, 'delivered');
  const rma = await requestReturn(writer, decodeId('ord', order) as string, { kind: 'refund', reason: 'too small', method: 'drop_off', goodwill: false, lines: [{ line: 1, quantity }] }, null, 'key:test');
  await authoriseReturn(writer, rma, { locationId: api.world.locationId(location), carrier: null, waybillNo: null }, 'key:test');
  await receiveReturn(writer, rma, [{ line: 1, quantity }], null, 'key:test');
  await inspectReturn(writer, rma, [{ line: 1, disposition, accepted: quantity }], null, 'key:test');
  await closeReturn(writer, rma, () => 1);
  await closeReturn(writer, rma, () => 1);
}

test('owed and taken back add up to the minor unit', () => {
  expect([owed({ price: 700 }, 3, 99), owed({ percentOfNet: 33 }, 2, 101), owed({ percentOfNet: 50 }, 1, 1)]).toEqual([2100, 33, 1]);
  expect([shareBack(100, 3, 0, 1), shareBack(100, 3, 1, 1), shareBack(100, 3, 2, 1), shareBack(100, 3, 0, 3)]).toEqual([33, 33, 34, 100]);
});

test('a dealer ships for the brand: in its name, owed its price and fee, once however often it is told', async () => {
  const sku = await stocked({ 'L-2': 5 });
  expect((await terms('L-2', [{ sku, price: 650 }, { sku: null, percentOfNet: 60, validFrom: '2026-01-01T00:00:00Z' }], 300)).status).toBe(200);
  const id = await api.order({ lines: [{ sku, quantity: 2, unitPrice: 1000 }] });
  const [f] = await api.world.fulfillments(id);
  const release = api.world.partners.to('/v1/fulfillment-orders').find((r) => (r.body as { fulfillmentOrderId?: string }).fulfillmentOrderId === f?.id);
  expect(release?.body).toMatchObject({ onBehalfOf: 'own site', locationCode: 'L-2' });
  const event = { type: 'goods_issue' as const, eventId: 'once', parcels: [{ parcelNo: 1, carrier: 'sim', waybillNo: f?.waybillNo ?? '', lines: [{ lineNo: 1, quantity: 2 }] }] };
  await Promise.all([1, 2].map(() => api.world.tell(f as never, event)));
  expect(await entries(id)).toMatchObject([{ kind: 'goods', line: 1, units: 2, net: 2000, amount: 1300 }, { kind: 'handling', line: null, units: 1, amount: 300 }]);
});

test('own stock first; a dealer only where we have none, and its price is in the decision', async () => {
  const both = await stocked({ 'L-1': 1, 'L-2': 1 });
  const theirs = await stocked({ 'L-2': 1 });
  expect((await api.world.fulfillments(await api.order({ lines: [{ sku: both, quantity: 1, unitPrice: 1000 }] }))).map((f) => f.location)).toEqual(['L-1']);
  const id = await api.order({ lines: [{ sku: theirs, quantity: 1, unitPrice: 1000 }] });
  const [decision] = await readDecisions(api.world.store.pool, decodeId('ord', id) as string);
  expect(decision?.instance.policy.weights.settlement).toBeGreaterThan(0);
  expect([(await api.world.fulfillments(id)).map((f) => f.location), decision?.instance.locations.map((l) => [l.code, l.stock[theirs]?.settlement]), decision?.plan.shipments[0]?.terms.settlement])
    .toEqual([['L-2'], [['L-2', 600]], 600 * (decision?.instance.policy.weights.settlement as number) / 1000]);
});

test('what comes back fit to be sold is taken off, damaged goods stay owed', async () => {
  const sku = await stocked({ 'L-2': 9 });
  await terms('L-2', [{ sku, percentOfNet: 33 }]);
  const good = await shipped([{ sku, quantity: 3, unitPrice: 1000 }]);
  for (let i = 0; i < 3; i++) await returned(good, 'L-2', 1, 'restock');
  const amounts = (await entries(good)).filter((e) => e.kind !== 'handling').map((e) => [e.kind, e.units, e.amount]);
  expect([amounts[0], amounts.reduce((sum, [, , amount]) => sum + (amount as number), 0), amounts.length]).toEqual([['goods', 3, 990], 0, 4]);
  const bad = await shipped([{ sku, quantity: 1, unitPrice: 1000 }]);
  await returned(bad, 'L-2', 1, 'damaged');
  const elsewhere = await shipped([{ sku, quantity: 1, unitPrice: 1000 }]);
  await returned(elsewhere, 'L-1', 1, 'restock');
  expect([...await entries(bad), ...await entries(elsewhere)].filter((e) => e.kind === 'return')).toEqual([]);
});

test('a vendor without a term is booked without an amount; no statement closes over it until somebody says the price', async () => {
  const sku = await stocked({ 'L-3': 4 });
  await terms('L-3', []);
  const id = await shipped([{ sku, quantity: 2, unitPrice: 1000 }]);
  expect(await entries(id)).toMatchObject([{ kind: 'goods', amount: null }]);
  api.world.now = new Date(api.world.now.getTime() + 60_000);
  const to = api.world.now.toISOString();
  const refused = await call('POST', '/v1/settlements/statements', { location: 'L-3', to });
  expect([refused.status, refused.body['skus'], await api.world.one('select count(*)::int n from settlement_statements')]).toEqual([409, [sku], { n: 0 }]);
  await terms('L-3', [{ sku, price: 480, validFrom: '2026-11-01T00:00:00Z' }]);
  expect(await entries(id)).toMatchObject([{ kind: 'goods', amount: 960, statement: null }]);
  // Closed by three at once it is one statement with every entry once.
  const closed = await Promise.all([1, 2, 3].map(() => call('POST', '/v1/settlements/statements', { location: 'L-3', to })));
  expect(closed.map((c) => [c.status, c.body['amount'], c.body['entries'], c.body['id']])).toEqual(Array.from({ length: 3 }, () => [200, 960, 1, closed[0]?.body['id']]));
  const statement = closed[0]?.body['id'] as number;
  const pay = (reference: string) => call('POST', `/v1/settlements/statements/${statement}/pay`, { reference });
  expect([(await pay('BANK-1')).body['status'], (await pay('BANK-1')).status, (await pay('BANK-2')).status]).toEqual(['paid', 200, 409]);
  // The next one holds what came later only.
  await call('POST', '/v1/settlements/adjustments', { location: 'L-3', reference: 'A-1', amount: -100, note: 'late twice' });
  await call('POST', '/v1/settlements/adjustments', { location: 'L-3', reference: 'A-1', amount: -100, note: 'late twice' });
  api.world.now = new Date(api.world.now.getTime() + 60_000);
  expect((await call('POST', '/v1/settlements/statements', { location: 'L-3', to: api.world.now.toISOString() })).body).toMatchObject({ amount: -100, entries: 1 });
});

test('what makes no sense is refused and changes nothing; a dealer sees its own only', async () => {
  const fingerprint = () => api.world.one(`select (select count(*)::int from settlement_terms) t, (select count(*)::int from settlement_entries) e, (select count(*)::int from settlement_statements) s`);
  await terms('L-2', [{ sku: null, price: 5, validFrom: '2026-02-01T00:00:00Z' }]);
  const before = await fingerprint();
  const answers = [
    await terms('L-1', []), await terms('L-2', [{ sku: null, price: 1, percentOfNet: 5 }]), await terms('L-2', [{ sku: null }]), await terms('L-2', [{ sku: 'NONE', price: 1 }]), await terms('L-2', [{ sku: null, price: 6, validFrom: '2026-02-01T00:00:00Z' }]),
    await call('PUT', '/v1/locations/L-2/settlement-terms', { currency: 'USD', handlingFee: 0, terms: [] }), await call('POST', '/v1/settlements/statements', { location: 'L-2', to: '2030-01-01T00:00:00Z' }),
    await call('POST', '/v1/settlements/statements', { location: 'NONE', to: '2026-01-01T00:00:00Z' }), await call('PUT', '/v1/locations/L-2/settlement-terms', { currency: 'CNY', handlingFee: 0, terms: [] }, dealerKey),
    await call('GET', '/v1/settlements/entries?location=L-3', undefined, dealerKey),
  ];
  expect(answers.map((a) => [a.status, a.body['field']])).toEqual([
    [422, undefined], [422, '/terms/0'], [422, '/terms/0'], [422, '/terms/0/sku'], [409, '/terms/0/validFrom'], [409, '/currency'], [422, '/to'], [422, '/location'], [403, undefined], [404, undefined],
  ]);
  expect(await fingerprint()).toEqual(before);
  expect(new Set(((await call('GET', '/v1/settlements/entries', undefined, dealerKey)).body['entries'] as { location: string }[]).map((e) => e.location))).toEqual(new Set(['L-2']));
  expect((await call('GET', '/v1/settlements/statements', undefined, dealerKey)).body['statements']).toEqual([]);
});

test('a live-stream shop sells from the online warehouse only', async () => {
  const sku = await stocked({ 'L-1': 1, 'L-2': 5 });
  for (const location of ['L-2', 'L-3']) {
    const put = await call('PUT', `/v1/locations/${location}/sharing`, { rules: [{ channel: 'douyin', mode: 'none' }] });
    expect([location, put.status]).toEqual([location, 200]);
  }
  const line = (quantity: number) => [{ sku, quantity, unitPrice: 1000 }];
  const live = await api.order({ channel: 'douyin', lines: line(1) });
  const next = await api.order({ channel: 'douyin', lines: line(1) }, 'reserve');
  await api.world.activities(null).reserve({ orderId: next });
  const own = await api.order({ lines: line(1) });
  expect([(await api.world.fulfillments(live)).map((f) => f.location), await api.world.status(next), (await api.world.fulfillments(own)).map((f) => f.location)]).toEqual([['L-1'], 'backordered', ['L-2']]);
});
