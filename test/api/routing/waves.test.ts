import { afterAll, beforeAll, expect, test } from 'vitest';
import { SCOPES } from '../../../db/api-keys.ts';
import { TestApi } from '../../support/api.ts';

let api: TestApi;
let admin: string;
beforeAll(async () => {
  api = await TestApi.open();
  admin = await api.key('admin', SCOPES);
});
afterAll(async () => { await api.close(); });

const place = { country: 'CN', province: 'X', city: 'X', lat: null, lon: null };
const WAVE = {
  orders: ['a', 'b'].map((id) => ({ id, order: { channel: 'own', destination: place, promisedBy: null, lines: [{ line: 1, sku: 'A', quantity: 1, value: id === 'b' ? 9000 : 1000, weightG: 100 }] } })),
  locations: [{ code: 'L', kind: 'store', place, shipsAt: '2026-11-23T10:00:00Z', handling: { perShipment: 0, perUnit: 0 }, load: 0, stock: { A: { available: 1 } } }],
  rates: [{ carrier: 'c', zone: 'same_city', firstWeightG: 1000, firstCost: 500, stepG: 500, stepCost: 100, transitDays: 1 }], unserved: { base: 1000, perMilleOfValue: 1000 },
  policy: { code: 'p', version: 1, kinds: ['store'], maxShipments: 1, lineMaySplit: false, minShipmentValue: 0, dealers: 'equal', weights: { shipping: 1000, handling: 0, splitPenalty: 0, latenessPerDay: 0, loadBalance: 0, opportunity: 0, slowCredit: 0, settlement: 0 } },
};
const ask = (body: object, key = admin) => api.call(key, 'POST', '/v1/routing/waves', body);

test('answers what everybody can check, in a thread; another one at the same time is told to wait', async () => {
  const before = await api.world.one('select (select count(*) from orders) o, (select count(*) from routing_decisions) d');
  const answers = await Promise.all([ask(WAVE), ask(WAVE)]);
  expect(answers.map((a) => a.status).sort()).toEqual([200, 429]);
  const { body } = answers.find((a) => a.status === 200)!;
  expect(body).toMatchObject({ cost: 500 + 2000, oneByOne: 500 + 10_000, gap: 0, unservedLines: 1, how: 'optimal', plans: [{ orders: ['a'], unserved: [{ order: 'a', line: 1 }] }, { orders: ['b'], plan: { shipments: [{ location: 'L' }] }, unserved: [] }] });
  expect(await api.world.one('select (select count(*) from orders) o, (select count(*) from routing_decisions) d')).toEqual(before);
});

test('what makes no sense is named where it is', async () => {
  const twice = await ask({ ...WAVE, orders: [WAVE.orders[0], WAVE.orders[0]] });
  const lines = await ask({ ...WAVE, orders: [{ id: 'a', order: { ...WAVE.orders[0]!.order, lines: [WAVE.orders[0]!.order.lines[0], WAVE.orders[0]!.order.lines[0]] } }] });
  const weights = await ask({ ...WAVE, policy: { ...WAVE.policy, weights: { ...WAVE.policy.weights, shipping: -1 } } });
  const none = await ask({ ...WAVE, orders: [] });
  expect([twice, lines, weights, none].map((a) => [a.status, a.body['field']])).toEqual([[422, '/orders/1/id'], [422, '/orders/0/order/lines/1/line'], [422, '/policy/weights/shipping'], [400, '/orders']]);
});
