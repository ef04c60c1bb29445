import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createApiKey, SCOPES } from '../../../db/api-keys.ts';
import { runAudit } from '../../../db/audit/run-audit.ts';
import { measureCarriers } from '../../../db/routing/carrier-performance.ts';
import { routeOrder } from '../../../db/orders/route-order.ts';
import { readDecisions } from '../../../db/routing/decisions.ts';
import { decodeId } from '../../../domain/ids.ts';
import { planOrder } from '../../../domain/routing/plan.ts';
import type { HttpAnswer, HttpRequest } from '../../../domain/http-port.ts';
import { DAY, TestApi } from '../../support/api.ts';
import { defaultAnswer, type Fulfillment } from '../../support/world.ts';
import { refused, send, type Reply } from '../network/requests.ts';

let api: TestApi;
let admin: string;
let skus = 0;
const start = new Date('2026-11-23T02:00:00Z');
const rate = (zone: string, changes: object = {}): object => ({ zone, firstWeightG: 1000, firstCost: 600, stepG: 500, stepCost: 100, transitDays: 1, ...changes });
const sim = (changes: object = {}, rates: object[] = [rate('same_city'), rate('same_province', { firstCost: 800 }), rate('national', { firstCost: 1200, transitDays: 2 })]): object => ({ name: 'simulated carrier', url: 'http://carrier.test', rates, ...changes });
beforeAll(async () => {
  api = await TestApi.open({ locations: 2, stock: 0, skus: 60 });
  admin = await api.key('admin', SCOPES);
});
afterEach(async () => {
  api.world.partners.answer = defaultAnswer;
  api.world.now = start;
  await put('sim', sim());
  for (const code of ['dear', 'quick']) if (api.world.store.network.carriers.has(code)) await put(code, { name: code, rates: [], active: false });
  await api.world.store.pool.query('delete from carrier_performance');
  await api.world.store.network.reload();
  expect((await runAudit(api.world.store.pool, { now: api.world.now })).violations).toEqual([]);
});
afterAll(async () => { await api.close(); });

const put = (code: string, body: object): Promise<Reply> => send(api, admin, 'PUT', `/v1/carriers/${code}`, body);
async function stocked(units: Record<string, number> = { 'L-1': 20 }, changes: object = {}): Promise<string> {
  const sku = `SKU-${++skus}`;
  await send(api, admin, 'PUT', `/v1/skus/${sku}`, { name: sku, weightG: 300, ...changes });
  await api.world.setStock(sku, units);
  await api.world.store.projection.refresh();
  return sku;
}
const line = (sku: string, quantity = 1) => ({ sku, quantity, unitPrice: 1000 });
const ship = { name: 'Test Person', phone: '10000000001', country: 'CN', province: 'Shanghai', city: 'Shanghai', street: '1 Example Road' };
const row = (id: string) => api.world.one('select carrier, service, status, carriers_tried tried from fulfillment_orders where order_id = $1 order by id desc limit 1', decodeId('ord', id));
const waybills = (id: string): HttpRequest[] => api.world.partners.requests.filter((r) => r.url.endsWith('/v1/waybills') && (r.body as { requestId: string }).requestId === id);
const first = async (id: string): Promise<Fulfillment> => (await api.world.fulfillments(id))[0]!;

test('services, cut-offs, volumetric weight, refusals and capacity are read back as they were said', async () => {
  const rates = [rate('national', { service: 'express', cutoffMinute: 900, volumetricMm3PerG: 6000, maxWeightG: 30_000, takesHazardous: true }), rate('national')];
  const refusals = [{ country: 'CN', province: 'Tibet', reason: 'no road' }, { country: 'CN', province: 'Shanghai', city: 'Shanghai', postcodePrefix: '2021', service: 'express', reason: 'island' }];
  const { status, body } = await put('quick', { name: 'Quick', dailyCapacity: 50, rates, refusals });
  expect([status, body]).toEqual([200, { code: 'quick', name: 'Quick', url: null, signed: false, active: true, dailyCapacity: 50, rates, refusals }]);
  await refused(api, () => put('quick', { name: 'Quick', rates: [rate('national', { service: 'express' }), rate('national', { service: 'express' })] }), 400, 'invalid', '/rates/1/zone');
  await refused(api, () => put('quick', { name: 'Quick', rates, refusals: [{ country: 'CN', city: 'Shanghai', reason: 'x' }] }), 400, 'invalid', '/refusals/0/province');
  await refused(api, () => put('quick', { name: 'Quick', rates, dailyCapacity: 0 }), 400, 'invalid', '/dailyCapacity');
});

test('what only SQL could set of SKUs and locations', async () => {
  const sku = { name: 'Paint', weightG: 900, volumeMm3: 2_000_000, hazardous: true, oversized: true };
  expect((await send(api, admin, 'PUT', '/v1/skus/PAINT', sku)).body).toMatchObject(sku);
  expect((await send(api, admin, 'GET', '/v1/skus/PAINT')).body).toMatchObject(sku);
  await refused(api, () => send(api, admin, 'PUT', '/v1/skus/PAINT', { ...sku, volumeMm3: 0 }), 400, 'invalid', '/volumeMm3');
  const location = { name: 'Shop', kind: 'store', country: 'CN', province: 'Hainan', city: 'Sanya', timeZone: 'Asia/Shanghai', cutoffMinutes: 960, handlingMinutes: 60, workDays: [1], handlingCost: 100 };
  const more = { handlingUnitCost: 30, dailyCapacity: 40, takesHazardous: true, takesOversized: false, rerouteAfterS: 300, noCapacityPauseS: 0, closedPauseS: 7200, openMinutes: 600, closeMinutes: 1_500 };
  expect((await send(api, admin, 'PUT', '/v1/locations/SANYA', location)).body).toMatchObject({ acceptTimeoutS: 600, rerouteAfterS: null, noCapacityPauseS: 3600, closedPauseS: 14_400, handlingUnitCost: 0, dailyCapacity: null, takesHazardous: false, takesOversized: true, openMinutes: 540, closeMinutes: 1_260 });
  expect((await send(api, admin, 'PUT', '/v1/locations/SANYA', { ...location, ...more, active: false })).body).toMatchObject(more);
  await refused(api, () => send(api, admin, 'PUT', '/v1/locations/SANYA', { ...location, openMinutes: 600 }), 400, 'invalid', '/closeMinutes');
  for (const closeMinutes of [600, 2_041]) await refused(api, () => send(api, admin, 'PUT', '/v1/locations/SANYA', { ...location, openMinutes: 600, closeMinutes }), 400, 'invalid', '/closeMinutes');
  expect((await send(api, admin, 'GET', '/v1/locations/SANYA')).body).toMatchObject(more);
  const channel = { name: 'own site', platform: 'own', intakeMode: 'strict', currency: 'CNY', paymentWindowS: 1800, backorderWindowS: 604_800, mergeWindowS: 0, returnWindowS: 86_400 };
  expect((await send(api, admin, 'PUT', '/v1/channels/own', { ...channel, acceptTimeoutS: 120, rerouteAfterS: 60 })).body).toMatchObject({ acceptTimeoutS: 120, rerouteAfterS: 60 });
  expect((await send(api, admin, 'PUT', '/v1/channels/own', channel)).body).toMatchObject({ acceptTimeoutS: null, rerouteAfterS: null });
});

test('the service that routing chose is the one that the carrier is asked for; the decision is made again to the byte', async () => {
  // Standard takes three days; promised is what standard can do from where it was captured, so an order that is late already goes by express.
  await put('sim', sim({}, [rate('same_city', { transitDays: 1 }), rate('same_city', { service: 'express', firstCost: 900, transitDays: 0 })]));
  const sku = await stocked();
  const { id } = await api.world.capture({ lines: [line(sku)] });
  await api.world.store.pool.query(`update orders set deliver_by = deliver_by - interval '1 day' where id = $1`, [decodeId('ord', id)]);
  await api.advance(id);
  expect(await row(id)).toEqual({ carrier: 'sim', service: 'express', status: 'released', tried: [] });
  expect(waybills((await first(id)).id).map((w) => (w.body as { service: string }).service)).toEqual(['express']);
  const [decision] = await readDecisions(api.world.store.pool, decodeId('ord', id) as string);
  expect(JSON.stringify(planOrder(decision!.instance))).toBe(decision!.planText);
  const { id: calm } = await api.world.capture({ lines: [line(sku)] });
  await api.advance(calm);
  expect(await row(calm)).toMatchObject({ service: 'standard' });
});

test('a refused city is never routed by that carrier; a refused postcode is found when the waybill is asked for, and the next one has it', async () => {
  await put('dear', { name: 'dear', url: 'http://dear.test', rates: [rate('same_city', { firstCost: 2000, service: 'road' })] });
  const sku = await stocked();
  await put('sim', sim({ refusals: [{ country: 'CN', province: 'Shanghai', city: 'Shanghai', reason: 'strike' }] }));
  const city = await api.order({ lines: [line(sku)] });
  expect(await row(city)).toEqual({ carrier: 'dear', service: 'road', status: 'released', tried: [] });
  await put('sim', sim({ refusals: [{ country: 'CN', province: 'Shanghai', postcodePrefix: '2021', reason: 'island' }] }));
  const island = await api.order({ lines: [line(sku)], shipTo: { ...ship, postcode: '202 150' } });
  expect(await row(island)).toEqual({ carrier: 'dear', service: 'road', status: 'released', tried: ['sim/standard'] });
  expect(waybills((await first(island)).id).map((w) => [w.url, (w.body as { service: string }).service])).toEqual([['http://dear.test/v1/waybills', 'road']]);
  const event = await api.world.one<{ data: object }>(`select data from order_events where order_id = $1 and type = 'fulfillment.carrier_changed'`, decodeId('ord', island));
  expect(event.data).toMatchObject({ from: 'sim', to: 'dear', service: 'road', reason: 'sim does not serve the address: island' });
  // Another service of the same carrier may serve it.
  await put('sim', sim({ refusals: [{ country: 'CN', postcodePrefix: '2021', service: 'standard', reason: 'island' }] }, [rate('same_city'), rate('same_city', { service: 'ferry', firstCost: 1500 })]));
  const ferry = await api.order({ lines: [line(sku)], shipTo: { ...ship, postcode: '202150' } });
  expect(await row(ferry)).toEqual({ carrier: 'sim', service: 'ferry', status: 'released', tried: ['sim/standard'] });
  const near = await api.order({ lines: [line(sku)], shipTo: { ...ship, postcode: '200001' } });
  expect(await row(near)).toMatchObject({ carrier: 'sim', tried: [] });
});

test('a refused place is refused however it is written, in the rule and by the buyer', async () => {
  await put('dear', { name: 'dear', url: 'http://dear.test', rates: [rate('same_province', { firstCost: 2000 })] });
  const sku = await stocked();
  for (const [province, city] of [['上海市', '上海市'], ['上海', '上海'], ['Shanghai', '上海']]) {
    await put('sim', sim({ refusals: [{ country: 'CN', province, city, reason: 'strike' }] }));
    const id = await api.order({ lines: [line(sku)], shipTo: { ...ship, province: '上海', city: '上海市' } });
    expect(await row(id)).toEqual({ carrier: 'dear', service: 'standard', status: 'released', tried: [] });
  }
  // The postcode is known at the waybill only, with the names as the buyer wrote them.
  await put('sim', sim({ refusals: [{ country: 'CN', province: '上海', postcodePrefix: '2021', reason: 'island' }] }));
  const island = await api.order({ lines: [line(sku)], shipTo: { ...ship, province: '上海市', city: '上海市', postcode: '202150' } });
  expect(await row(island)).toEqual({ carrier: 'dear', service: 'standard', status: 'released', tried: ['sim/standard'] });
  await put('sim', sim({ refusals: [{ country: 'CN', province: '新疆维吾尔自治区', reason: 'far' }] }));
  expect(await row(await api.order({ lines: [line(sku)], shipTo: { ...ship, province: '上海', city: '上海' } }))).toMatchObject({ carrier: 'sim', tried: [] });
});

test('a carrier is given as many parcels a day as it takes; the fallback, too, and the next day begins anew', async () => {
  await put('dear', { name: 'dear', url: 'http://dear.test', rates: [rate('same_city', { firstCost: 2000 })] });
  await put('quick', { name: 'quick', url: 'http://quick.test', dailyCapacity: 1, rates: [rate('same_city', { firstCost: 100 })] });
  const sku = await stocked();
  const carriers: string[] = [];
  const next = async (): Promise<void> => { carriers.push((await row(await api.order({ lines: [line(sku)] })) as { carrier: string }).carrier); };
  await next();
  await next();
  // sim refuses: quick would be cheaper and is full.
  api.world.partners.answer = (request): HttpAnswer => (request.url.startsWith('http://carrier.test') && request.url.endsWith('/waybills') ? { status: 422, body: {} } : defaultAnswer(request));
  await next();
  api.world.partners.answer = defaultAnswer;
  api.world.now = new Date(start.getTime() + DAY);
  await next();
  expect(carriers).toEqual(['quick', 'sim', 'dear', 'quick']);
});

test('two orders routed at once do not both take the last place', async () => {
  await put('quick', { name: 'quick', url: 'http://quick.test', dailyCapacity: 2, rates: [rate('same_city', { firstCost: 100 })] });
  const sku = await stocked();
  await api.world.store.pool.query(`update fulfillment_orders set routed_at = routed_at - interval '2 days' where carrier = 'quick'`); // those of other tests do not count
  const ids: string[] = [];
  for (let i = 0; i < 6; i++) {
    const { id } = await api.world.capture({ lines: [line(sku)] });
    await api.advance(id, 'route');
    ids.push(id);
  }
  await Promise.all(ids.map((id) => routeOrder(api.world.store.writer, api.world.store.network, decodeId('ord', id) as string)));
  const carriers = await Promise.all(ids.map(async (id) => (await row(id) as { carrier: string }).carrier));
  expect(carriers.toSorted()).toEqual(['quick', 'quick', 'sim', 'sim', 'sim', 'sim']);
});

test('of the carriers that are left the one that keeps the promise comes first, then the cheapest', async () => {
  await put('dear', { name: 'dear', url: 'http://dear.test', rates: [rate('same_city', { firstCost: 2000, transitDays: 1 })] });
  await put('quick', { name: 'quick', url: 'http://quick.test', rates: [rate('same_city', { firstCost: 700, transitDays: 5 })] });
  api.world.partners.answer = (request): HttpAnswer => (request.url.startsWith('http://carrier.test') && request.url.endsWith('/waybills') ? { status: 422, body: {} } : defaultAnswer(request));
  expect(await row(await api.order({ lines: [line(await stocked())] }))).toMatchObject({ carrier: 'dear', tried: ['sim'] });
});

test('a parcel has weight and dimensions, and is charged for the larger of both weights', async () => {
  await put('sim', sim({}, [rate('same_city', { volumetricMm3PerG: 5000 })]));
  const sku = await stocked({ 'L-1': 20 }, { volumeMm3: 1_500_000 });
  const shop = await api.key('shop', ['fulfillment:write'], 'L-1');
  const issue = async (parcel: object): Promise<Reply & { id: string }> => {
    const id = await api.order({ lines: [line(sku)] });
    const f = await first(id);
    expect(waybills(f.id)[0]?.body).toMatchObject({ weightG: 300, volumeMm3: 1_500_000, service: 'standard' });
    const event = { eventId: `e-${id}`, type: 'goods_issue', fulfillmentOrderId: f.id, occurredAt: api.world.now.toISOString(), parcels: [{ parcelNo: 1, carrier: 'sim', waybillNo: f.waybillNo, lines: [{ lineNo: 1, quantity: 1 }], ...parcel }] };
    return { ...(await send(api, shop, 'POST', '/v1/partners/locations/L-1/events', event)), id };
  };
  const parcelOf = async (id: string): Promise<unknown> => ((await send(api, admin, 'GET', `/v1/orders/${id}`)).body as { fulfillmentOrders: { parcels: unknown[] }[] }).fulfillmentOrders[0]?.parcels[0];
  const bulky = await issue({ weightG: 350, dimensionsMm: { length: 300, width: 201, height: 100 } });
  expect(bulky.status).toBe(200);
  // 6,030,000 mm³ ⁄ 5,000; it leaves on the 23rd and takes a day: until the 24th ends in Shanghai.
  expect(await parcelOf(bulky.id)).toMatchObject({ weightG: 350, service: 'standard', dimensionsMm: { length: 300, width: 201, height: 100 }, chargeableG: 1206, expectedBy: '2026-11-24T16:00:00.000Z' });
  expect(await parcelOf((await issue({ weightG: 350 })).id)).toMatchObject({ dimensionsMm: null, chargeableG: 350 });
  expect(await parcelOf((await issue({})).id)).toMatchObject({ weightG: null, chargeableG: null });
  await refused(api, () => issueBad(shop), 400, 'invalid');
});
async function issueBad(shop: string): Promise<Reply> {
  return send(api, shop, 'POST', '/v1/partners/locations/L-1/events', { eventId: 'bad', type: 'goods_issue', fulfillmentOrderId: 'ful_1', occurredAt: start.toISOString(), parcels: [{ parcelNo: 1, carrier: 'sim', waybillNo: 'w', lines: [{ lineNo: 1, quantity: 1 }], dimensionsMm: { length: 0, width: 1, height: 1 } }] });
}

test('what came in time is measured from the tracking, told, and counts where a late day would break the promise', async () => {
  await put('dear', { name: 'dear', url: 'http://dear.test', rates: [rate('same_city', { firstCost: 700 })] });
  const sku = await stocked({ 'L-1': 50 });
  const arrive = async (after: number): Promise<void> => {
    const id = await api.order({ lines: [line(sku)] });
    const f = await first(id);
    await api.world.issue(f);
    const at = new Date(start.getTime() + after * DAY);
    await api.world.carrier(f.waybillNo ?? '', 'delivered', at);
  };
  await api.world.store.pool.query('update parcels set expected_by = null'); // those of other tests do not count
  // 8 of 20 arrive one to two days late.
  for (let i = 0; i < 12; i++) await arrive(1);
  for (let i = 0; i < 8; i++) await arrive(i < 4 ? 2 : 3);
  const lost = await first(await api.order({ lines: [line(sku)] }));
  await api.world.issue(lost);
  await api.world.carrier(lost.waybillNo ?? '', 'lost');
  api.world.now = new Date(start.getTime() + 4 * DAY);
  expect(await measureCarriers(api.world.store.writer)).toBe(1);
  // Late begun days after the 24th ended: 4 × 1 + 4 × 2, and the lost one since then: 4. Risk: 1 − (12 + 20 m) ⁄ 41 with m = (12 + 19) ⁄ 41.
  const measured = { carrier: 'sim', service: 'standard', zone: 'same_city', parcels: 21, onTime: 12, daysLate: 15, onTimeShare: 571, lateRisk: 338, measuredAt: api.world.now.toISOString() };
  expect((await send(api, admin, 'GET', '/v1/carrier-performance')).body).toEqual({ items: [measured] });
  const { key: other } = await createApiKey(api.world.store.pool, { name: 'other carrier', scopes: ['network:read'], carrierCode: 'dear' });
  await api.world.store.network.reload();
  expect((await send(api, other, 'GET', '/v1/carrier-performance')).body).toEqual({ items: [] });
  expect((await send(api, other, 'GET', '/v1/location-reliability')).status).toBe(403);
  // 338 ‰ of a day late cost 169 at 500 a day: the carrier for 100 more is cheaper.
  expect(await row(await api.order({ lines: [line(sku)] }))).toMatchObject({ carrier: 'dear' });
  api.world.now = new Date(start.getTime() + 60 * DAY);
  expect(await measureCarriers(api.world.store.writer)).toBe(0);
  expect((await send(api, admin, 'GET', '/v1/carrier-performance')).body).toEqual({ items: [] });
});
