import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { measureArms } from '../../../db/routing/canary/arms.ts';
import { decodeId } from '../../../domain/ids.ts';
import type { HttpAnswer, HttpRequest } from '../../../domain/http-port.ts';
import { TestApi } from '../../support/api.ts';
import { defaultAnswer } from '../../support/world.ts';

let api: TestApi;
let start = Date.parse('2026-11-23T02:00:00Z');
// A parcel of the same city costs 600 with sim and 1100 with dear, from elsewhere 1200; handling is 200.
beforeAll(async () => {
  api = await TestApi.open({ locations: 2, stock: 50 });
  await api.world.store.pool.query(`insert into carriers (code, name, base_url) values ('dear', 'a dearer carrier', 'http://dear.test')`);
  await api.world.store.pool.query(`insert into carrier_rates select 'dear', zone, first_weight_g, first_cost + 500, step_g, step_cost, transit_days from carrier_rates where carrier = 'sim'`);
  await api.world.store.network.reload();
});
afterAll(async () => { await api.close(); });
beforeEach(() => { api.world.now = new Date(start += 86_400_000); });
afterEach(async () => {
  api.world.partners.answer = defaultAnswer;
  expect(await api.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
});

const simRefuses = (request: HttpRequest): HttpAnswer => (request.url.startsWith('http://carrier.test') && request.url.endsWith('/v1/waybills') ? { status: 422, body: { code: 'address_not_served' } } : defaultAnswer(request));
/** The arm of the orders of this test. */
const arm = async () => {
  const { pool, network } = api.world.store;
  const reader = { now: api.world.now, query: async (text: string, values?: unknown[]) => (await pool.query(text, values)).rows as never };
  const { canary } = await measureArms(reader, { policyId: network.policyAt(api.world.now).id, controlPolicyId: 0, startsAt: new Date(start), endsAt: new Date(start + 86_400_000) });
  return { orders: canary.orders, cost: canary.costPerOrder, late: canary.late };
};
const order = (quantity = 1) => api.order({ lines: [{ sku: 'SKU-1', quantity, unitPrice: 1000 }] });
const living = async (id: string) => (await api.world.fulfillments(id)).filter((f) => f.status !== 'rejected' && f.status !== 'cancelled');
const issue = async (id: string) => { for (const f of await living(id)) if (f.status !== 'issued') await api.world.issue(f); };

test('as planned while nothing has left, and afterwards where nothing changed', async () => {
  const id = await order();
  expect(await arm()).toMatchObject({ orders: 1, cost: 800 });
  await issue(id);
  expect(await arm()).toMatchObject({ orders: 1, cost: 800 });
});

test('a carrier that always falls back to a dearer one costs what that one does', async () => {
  api.world.partners.answer = simRefuses;
  const id = await order();
  expect(await arm()).toMatchObject({ orders: 1, cost: 800 });
  await issue(id);
  expect(await arm()).toMatchObject({ orders: 1, cost: 1300 });
});

test('a location that gives it back: what the one that sends it costs', async () => {
  const id = await order();
  const [first] = await api.world.fulfillments(id);
  await api.world.tell(first as NonNullable<typeof first>, { type: 'rejected', reason: 'damaged' });
  await api.advance(id);
  expect((await living(id)).map((f) => f.location)).toEqual(['L-2']);
  expect(await arm()).toMatchObject({ cost: 800 });
  await issue(id);
  expect(await arm()).toMatchObject({ orders: 1, cost: 1400 });
});

test('a second parcel for what was short costs with the first one; until it is planned at least what was planned', async () => {
  const id = await order(2);
  const [first] = await api.world.fulfillments(id);
  await api.world.tell(first as NonNullable<typeof first>, { type: 'accepted' });
  await api.world.tell(first as NonNullable<typeof first>, { type: 'short_picked', lines: [{ lineNo: 1, quantity: 1 }] });
  await api.world.issue((await living(id))[0] as NonNullable<typeof first>);
  expect(await arm()).toMatchObject({ cost: 800 });
  await api.advance(id);
  await issue(id);
  expect((await living(id)).map((f) => f.location)).toEqual(['L-1', 'L-2']);
  expect(await arm()).toMatchObject({ orders: 1, cost: 800 + 1400 });
});

test('planned before this was kept: as planned', async () => {
  const id = await order();
  await issue(id);
  await api.world.store.pool.query('update fulfillment_orders set money = null where order_id = $1', [decodeId('ord', id)]);
  expect(await arm()).toMatchObject({ orders: 1, cost: 800 });
});

test('what left in time and is silent is not late before a day has passed', async () => {
  const id = await order();
  await issue(id);
  const { by } = await api.world.one<{ by: Date }>('select deliver_by "by" from orders where id = $1', decodeId('ord', id));
  api.world.now = new Date(by.getTime() + 3_600_000);
  expect(await arm()).toMatchObject({ orders: 1, late: 0 });
  api.world.now = new Date(by.getTime() + 86_400_000);
  expect(await arm()).toMatchObject({ orders: 1, late: 1 });
  await api.world.carrier((await living(id))[0]?.waybillNo as string, 'delivered', new Date(by.getTime() - 60_000));
  expect(await arm()).toMatchObject({ orders: 1, late: 0 });
});
