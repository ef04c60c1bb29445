import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { SCOPES } from '../../../db/api-keys.ts';
import { readDecisions } from '../../../db/routing/decisions.ts';
import { draftPolicy, movePolicy } from '../../../db/routing/policies.ts';
import { closeReturn } from '../../../db/returns/close-return.ts';
import { authoriseReturn, inspectReturn, receiveReturn, requestReturn } from '../../../db/returns/returns.ts';
import { decodeId } from '../../../domain/ids.ts';
import { planOrder } from '../../../domain/routing/plan.ts';
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
  expect([(await api.world.fulfillments(id)).map((f) => f.location), decision?.instance.locations.map((l) => [l.code, l.stock[theirs]?.settlement, l.settlementFee]), decision?.plan.shipments[0]?.terms.settlement])
    .toEqual([['L-2'], [['L-2', 600, 300]], (600 + 300) * (decision?.instance.policy.weights.settlement as number) / 1000]);
});

test('the fee of a shipment is weighed: a dealer that costs more with it is not chosen, and what it costs in money has it', async () => {
  const { pool } = api.world.store;
  const place = await api.world.one<{ province: string; city: string }>(`select province, city from locations where code = 'L-1'`);
  const was = await api.world.one<{ province: string; city: string }>(`select province, city from locations where code = 'L-2'`);
  await pool.query(`update locations set province = $1, city = $2 where code = 'L-2'`, [place.province, place.city]);
  await api.world.store.network.reload();
  const sku = await stocked({ 'L-2': 5, 'L-3': 5 });
  await terms('L-3', [{ sku, price: 700, validFrom: '2026-11-01T00:00:00Z' }], 0);
  await terms('L-2', [{ sku, price: 650, validFrom: '2026-11-01T00:00:00Z' }], 49);
  const decided = async (): Promise<[string | undefined, number]> => {
    const id = await api.order({ lines: [{ sku, quantity: 1, unitPrice: 1000 }] });
    const row = await api.world.one<{ money: number }>('select money from routing_decisions where order_id = $1', decodeId('ord', id));
    return [(await api.world.fulfillments(id))[0]?.location, row.money];
  };
  const [at, cheap] = await decided();
  expect(at).toBe('L-2');
  await terms('L-2', [], 249);
  expect(await decided()).toEqual(['L-2', cheap + 200]);
  await terms('L-2', [], 1_000_000);
  expect((await decided())[0]).toBe('L-3');
  await pool.query(`update locations set province = $1, city = $2 where code = 'L-2'`, [was.province, was.city]);
  await api.world.store.network.reload();
  await terms('L-2', [], 0);
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

test('what a shipment costs in money is the same whatever the policy weighs; an instance whose policy does not weigh settlements knows none', async () => {
  const { pool, writer, network } = api.world.store;
  const sku = await stocked({ 'L-3': 9 });
  await terms('L-3', [{ sku, price: 480, validFrom: '2026-11-01T00:00:00Z' }], 70);
  const decided = async (): Promise<object> => {
    const id = await api.order({ lines: [{ sku, quantity: 2, unitPrice: 1000 }] });
    const money = await api.world.one<{ decided: number; sent: number }>('select d.money decided, f.money sent from routing_decisions d join fulfillment_orders f using (order_id) where order_id = $1', decodeId('ord', id));
    const [decision] = await readDecisions(pool, decodeId('ord', id) as string);
    if (!decision) throw new Error('nothing was decided');
    return { ...money, again: JSON.stringify(planOrder(decision.instance)) === decision.planText, weighed: decision.plan.shipments[0]?.terms.settlement, told: decision.instance.locations.map((l) => [l.code, l.stock[sku]?.settlement, l.settlementFee]) };
  };
  // National freight 1200, handling 200.
  const money = { decided: 1200 + 200 + 2 * 480 + 70, sent: 1200 + 200 + 2 * 480 + 70, again: true };
  const { policy } = network.policyAt(api.world.now);
  expect(await decided()).toEqual({ ...money, weighed: (2 * 480 + 70) * policy.weights.settlement / 1000, told: [['L-3', 480, 70]] });
  await draftPolicy(writer, { policy: { ...policy, code: 'unweighed', version: 1, weights: { ...policy.weights, settlement: 0 } } }, 'key:test');
  await movePolicy(writer, 'unweighed', 1, 'active');
  await network.reload();
  try {
    expect(network.policyAt(api.world.now).policy.code).toBe('unweighed');
    expect(await decided()).toEqual({ ...money, weighed: 0, told: [['L-3', undefined, undefined]] });
  } finally {
    await movePolicy(writer, 'unweighed', 1, 'retired');
    await network.reload();
  }
});

test('paid in another currency: a price a unit is owed as it is, a share waits for somebody to say it, and routing asks for neither, which it cannot weigh', async () => {
  const { pool } = api.world.store;
  await pool.query(`insert into channels (code, name, platform, intake_mode, currency, payment_window_s, backorder_window_s, merge_window_s, return_window_s) values ('us', 'abroad', 'own', 'accept', 'USD', 1800, 172800, 0, 86400)`);
  await api.world.store.network.reload();
  const order = (sku: string) => api.order({ channel: 'us', currency: 'USD', freight: 0, lines: [{ sku, quantity: 2, unitPrice: 5000 }] });
  const issued = async (id: string): Promise<void> => { for (const f of await api.world.fulfillments(id)) await api.world.issue(f); };
  const decision = async (id: string) => (await readDecisions(pool, decodeId('ord', id) as string))[0];
  const held = async (sku: string): Promise<void> => {
    const id = await order(sku);
    expect([await api.world.status(id), await api.world.fulfillments(id)]).toEqual(['on_hold', []]);
    expect((await decision(id))?.plan.rejected).toContainEqual({ location: 'L-3', reason: `has blocked ${sku} (its ${sku === priced ? 'price' : 'share'} is settled in CNY, the order is paid in USD)` });
  };
  // Routed before there was a term; the fee is in the other currency, too.
  await terms('L-3', [], 70);
  const [priced, shared] = [await stocked({ 'L-3': 4 }), await stocked({ 'L-3': 9 })];
  const [fixed, before] = [await order(priced), await order(shared)];
  expect((await decision(fixed))?.instance.locations.map((l) => [l.code, l.settlementFee])).toEqual([['L-3', undefined]]);
  expect(await api.world.one('select money from routing_decisions where order_id = $1', decodeId('ord', fixed))).toEqual({ money: 1200 + 200 });
  await terms('L-3', [{ sku: priced, price: 300, validFrom: '2026-11-01T00:00:00Z' }, { sku: shared, percentOfNet: 60, validFrom: '2026-11-01T00:00:00Z' }], 70);
  await issued(fixed);
  await issued(before);
  expect((await entries(fixed)).map((e) => [e.kind, e.net, e.amount])).toEqual([['goods', 10_000, 600], ['handling', null, 70]]);
  expect((await entries(before)).map((e) => [e.kind, e.amount])).toEqual([['goods', null], ['handling', 70]]);
  await held(priced);
  await held(shared);
  expect((await api.world.fulfillments(await api.order({ lines: [{ sku: shared, quantity: 1, unitPrice: 1000 }] }))).map((f) => f.location)).toEqual(['L-3']);
  // Another share prices nothing, a price a unit does.
  await terms('L-3', [{ sku: shared, percentOfNet: 50, validFrom: '2026-11-02T00:00:00Z' }]);
  expect((await entries(before))[0]?.amount).toBeNull();
  await terms('L-3', [{ sku: shared, price: 400, validFrom: '2026-11-03T00:00:00Z' }]);
  expect((await entries(before))[0]?.amount).toBe(800);
});
