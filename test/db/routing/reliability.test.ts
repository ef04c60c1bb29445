import { afterAll, beforeAll, expect, test } from 'vitest';
import { SCOPES } from '../../../db/api-keys.ts';
import { readDecisions } from '../../../db/routing/decisions.ts';
import { measureReliability } from '../../../db/routing/reliability.ts';
import { decodeId } from '../../../domain/ids.ts';
import { planOrder } from '../../../domain/routing/plan.ts';
import { DAY, TestApi } from '../../support/api.ts';

let api: TestApi;
let admin: string;
let skus = 0;
beforeAll(async () => {
  api = await TestApi.open({ locations: 2, stock: 0, skus: 60 });
  admin = await api.key('admin', SCOPES);
});
afterAll(async () => {
  expect(await api.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
  await api.close();
});

async function stocked(units: Record<string, number>): Promise<string> {
  const sku = `SKU-${++skus}`;
  await api.world.setStock(sku, units);
  await api.world.store.projection.refresh();
  return sku;
}
const order = (sku: string): Promise<string> => api.order({ lines: [{ sku, quantity: 1, unitPrice: 1000 }] });
const locationOf = async (id: string): Promise<string | undefined> => (await api.world.fulfillments(id)).at(-1)?.location;
const activate = async (version: number, weights: object): Promise<void> => {
  const { policy } = api.world.store.network.policyAt(api.world.now);
  expect((await api.call(admin, 'POST', '/v1/routing/policies', { policy: { ...policy, code: 'careful', version, weights: { ...policy.weights, ...weights } } })).status).toBe(200);
  expect((await api.call(admin, 'POST', `/v1/routing/policies/careful/${version}/activate`)).status).toBe(200);
};

test('a shop that rejects falls in rank by what is measured, as far as the policy weighs it', async () => {
  const tell = async (sku: string, event: { type: 'accepted' } | { type: 'rejected'; reason: string }): Promise<void> => {
    const id = await order(sku);
    await api.world.tell((await api.world.fulfillments(id))[0]!, event);
    await api.world.store.pool.query('delete from location_pauses');
  };
  const near = await stocked({ 'L-1': 100 });
  for (let i = 0; i < 4; i++) await tell(near, { type: 'accepted' });
  for (const reason of ['not_found', 'mismatch', 'damaged', 'no_capacity', 'closed', 'closed']) await tell(near, { type: 'rejected', reason });
  const far = await stocked({ 'L-2': 100 });
  for (let i = 0; i < 10; i++) await tell(far, { type: 'accepted' });
  const open = await order(far); // neither taken nor given back: it says nothing yet
  await api.world.store.pool.query(`update fulfillment_orders set status = 'rejected', end_reason = 'refused' where id = (select id from fulfillment_orders where order_id = $1)`, [decodeId('ord', await order(far))]);

  expect(await measureReliability(api.world.store.writer)).toBe(2);
  // m = (14 + 19) ⁄ (20 + 20) = 0.825; (4 + 16.5) ⁄ 30 and (10 + 16.5) ⁄ 30
  const at = api.world.now.toISOString();
  const items = [{ location: 'L-1', accepted: 4, rejected: 6, acceptance: 683, measuredAt: at }, { location: 'L-2', accepted: 10, rejected: 0, acceptance: 883, measuredAt: at }];
  expect((await api.call(admin, 'GET', '/v1/location-reliability')).body).toEqual({ items });
  expect((await api.call(await api.key('mine', ['network:read'], 'L-2'), 'GET', '/v1/location-reliability')).body).toEqual({ items: items.slice(1) });
  expect(open).toMatch(/^ord_/);

  const both = await stocked({ 'L-1': 9, 'L-2': 9 });
  const before = await order(both);
  expect(await locationOf(before)).toBe('L-1');
  // Beijing costs 600 more of freight and 500 of lateness; 200 ‰ more rejections are worth it from 5,500 a rejection on.
  await activate(1, { rejection: 5_000 });
  expect(await locationOf(await order(both))).toBe('L-1');
  await activate(2, { rejection: 6_000 });
  const careful = await order(both);
  expect(await locationOf(careful)).toBe('L-2');
  for (const id of [before, careful]) {
    const [decision] = await readDecisions(api.world.store.pool, decodeId('ord', id) as string);
    expect(JSON.stringify(planOrder(decision!.instance))).toBe(decision!.planText);
    expect(decision!.planText.includes('rejection')).toBe(id === careful);
  }
  const { decisions } = (await api.call(admin, 'GET', `/v1/orders/${careful}/routing`)).body as { decisions: { words: string[] }[] };
  expect(decisions[0]?.words.join(' ')).toContain('702 for the risk of a rejection');

  // Four weeks later nothing of it counts.
  api.world.now = new Date(api.world.now.getTime() + 29 * DAY);
  expect(await measureReliability(api.world.store.writer)).toBe(0);
  expect((await api.call(admin, 'GET', '/v1/location-reliability')).body).toEqual({ items: [] });
});

test('a location that picks short counts as accepting only by the share that was there', async () => {
  const { pool, writer } = api.world.store;
  await pool.query(`update fulfillment_orders set routed_at = routed_at - interval '90 days'`);
  const sku = await stocked({ 'L-1': 90 });
  for (let i = 0; i < 4; i++) {
    const id = await api.order({ lines: [{ sku, quantity: 3, unitPrice: 1000 }] });
    const f = (await api.world.fulfillments(id))[0]!;
    await api.world.tell(f, { type: 'short_picked', lines: [{ lineNo: 1, quantity: 1 }] });
    await api.world.tell(f, { type: 'accepted' });
  }
  expect(await measureReliability(writer)).toBe(1);
  // A third of each is missing: (2.668 + 20 m) ⁄ 24 with m = (2.668 + 19) ⁄ (4 + 20).
  expect((await api.call(admin, 'GET', '/v1/location-reliability')).body).toMatchObject({ items: [{ location: 'L-1', accepted: 2.668, rejected: 1.332, acceptance: 864 }] });
  expect(await api.world.one('select counted, expected, variance from recounts where sku_id = (select id from skus where code = $1)', sku)).toEqual({ counted: 86, expected: 90, variance: -4 });
});

test('re-routed, an order is measured by the promise it was given, and goes where that is kept', async () => {
  await activate(3, { rejection: 0, latenessPerDay: 2_000 });
  const { pool, network } = api.world.store;
  await pool.query(`insert into carriers (code, name) values ('air', 'by air')`);
  await pool.query(`insert into carrier_rates (carrier, service, zone, first_weight_g, first_cost, step_g, step_cost, transit_days) values ('air', 'express', 'national', 1000, 2900, 500, 100, 1)`);
  await network.reload();
  const sku = await stocked({ 'L-1': 1, 'L-2': 1 });
  const id = await order(sku);
  const promised = await api.world.one<{ by: Date }>('select deliver_by by from orders where id = $1', decodeId('ord', id));
  await api.world.tell((await api.world.fulfillments(id))[0]!, { type: 'rejected', reason: 'damaged' });
  await api.advance(id);
  const decisions = await readDecisions(pool, decodeId('ord', id) as string);
  expect(decisions.map((d) => [d.instance.order.promisedBy, d.plan.shipments.map((s) => [s.location, s.carrier, s.service, s.terms.lateness])])).toEqual([
    [promised.by.toISOString(), [['L-1', 'sim', undefined, 0]]],
    // From Beijing the road takes two days and would be one late, at 2,000; by air it is dearer and in time.
    [promised.by.toISOString(), [['L-2', 'air', 'express', 0]]],
  ]);
  expect(await api.world.one('select deliver_by by from orders where id = $1', decodeId('ord', id))).toEqual(promised);
  expect(decisions[1]!.plan.shipments[0]!.arrivesAt <= promised.by.toISOString()).toBe(true);
});
